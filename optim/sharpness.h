// The sharpness of a loss: the largest eigenvalue lambda of its Hessian, here and for these data. Plain gradient
// descent bears rates below 2 / lambda on a quadratic; training at a constant rate drifts to where 2 / lambda is about
// the rate (the edge of stability, Cohen et al. 2021, https://arxiv.org/abs/2103.00065).
//
//   optim::Sharpness sharpness(loss);
//   const optim::Curvature c = sharpness.measure(store, {{"x", images}, {"label", labels}});
//   c.largest, c.highest_rate()
//
// By power iteration on products of the Hessian with a vector, v -> d/dw (g . v), which are graph like all gradients:
// the Hessian itself, n x n for n parameters, is never there. A product costs about two training steps.
// Thread safety: one thread builds; `measure` may be called by several threads.
#pragma once

#include <oxbow/runtime/program.h>

#include <map>
#include <string>
#include <vector>

namespace oxbow::optim {

struct SharpnessOptions {
  int most_products = 300;  ///< of the Hessian with a vector, at least 1
  double tolerance = 1e-3;  ///< of the eigenvalue: when |H v - lambda v| <= tolerance |lambda| for a unit vector v
  std::uint64_t seed = 0;   ///< of the first vector
};

struct Curvature {
  double largest = 0;  ///< eigenvalue of the Hessian; negative where the loss curves downwards in all directions
  int products = 0;    ///< that it took
  bool converged = false;
  /// 2 / largest, from which on plain descent diverges on a quadratic; infinite where nothing curves upwards.
  double highest_rate() const;
};

class Sharpness {
 public:
  /// Appends the products' nodes and inputs ("sharpness_0", ...) to the graph of `loss`, a scalar: once a graph. With
  /// no `parameters`, all trainable variables. Compiles for inference: no dropout, batch norm by its running
  /// statistics. Throws `Error` when there are no parameters, and as `gradients` does.
  explicit Sharpness(Value loss, std::vector<Value> parameters = {}, At at = At::current());

  /// With the variables in `store`, which is only read, and the graph's inputs. Throws `Error` for wrong options or
  /// feeds, and when a product is not finite.
  Curvature measure(const Store& store, const std::map<std::string, Tensor>& feeds,
                    SharpnessOptions options = {}) const;

 private:
  std::vector<Type> types_;  // of the parameters
  Program program_;
};

}  // namespace oxbow::optim
