// From a loss to the nodes of a training step: gradients, an optimizer's arithmetic and the assigns that end it. This
// is what stands beneath Model, with nothing hidden:
//
//   const optim::Minimized step = optim::minimize(loss, "adam");
//   Program program = compile(step.fetches());
//   Store store(g);
//   Session session(program, store);
//
// All state is variables of the graph: "optimizer/step" (i64, how many steps were taken), "optimizer/learning_rate"
// (f64; may be set between runs, or, with a schedule, tells the rate of the last step) and
// "optimizer/adam/dense/weight/m" for slot "m" of parameter "dense/weight".
#pragma once

#include <oxbow/optim/optimizer.h>

namespace oxbow::optim {

struct MinimizeOptions {
  std::vector<Value> parameters = {};  ///< what to train; when empty, every trainable variable that the loss depends on
  std::string scope = "optimizer";     ///< of the state; another one where a graph has two optimizers
};

struct Minimized {
  Value loss;
  std::vector<Value> parameters;  ///< what is trained
  std::vector<Value> gradients;   ///< one a parameter
  std::vector<Value> state;       ///< the variables that the optimizer keeps: step, learning rate, slots
  std::vector<Value> updates;  ///< all assigns of a step: parameters, state, and those of the layers (Graph::updates)
  /// The loss and then every update: what to compile.
  std::vector<Value> fetches() const;
};

/// Appends to the graph of `loss`, a floating-point scalar, what a step towards its minimum takes. Of
/// `Graph::updates()` those belong to it whose variable the loss depends on. Throws `Error` when the loss is no such
/// scalar, depends on no parameter, or a gradient is missing.
Minimized minimize(Value loss, const Optimizer& optimizer, MinimizeOptions options = {}, At at = At::current());

}  // namespace oxbow::optim
