// Clipping: gradients that are too large are made smaller before the optimizer sees them. Graph arithmetic, which fuses
// with the update.
//
//   compile(loss, "adam", {.minimize = {.clip = {.global_norm = 1}}})
//
// Of several kinds all apply, in the order of the fields. 0 means none. A NaN stays one, and goes wherever its norm
// scales; an Inf is kept within `value`, but by a norm becomes NaN and all else 0. `Nonfinite` looks for both before.
// Thread safety: values.
#pragma once

#include <oxbow/graph/value.h>

#include <vector>

namespace oxbow::optim {

struct Clip {
  /// Elements are kept between -value and value.
  double value = 0;
  /// A parameter's gradient that is longer than this is scaled to this length:  g norm / max(|g|, norm).
  double norm = 0;
  /// All gradients together as one vector (Pascanu et al. 2013, https://arxiv.org/abs/1211.5063).
  double global_norm = 0;
  /// Adaptive: |g| <= adaptive max(|w|, 1e-3) for each unit (Brock et al. 2021, https://arxiv.org/abs/2102.06171).
  /// Units are the places on the last axis (a dense layer's outputs, a convolution's channels); a vector is one unit.
  double adaptive = 0;
  bool operator==(const Clip&) const = default;

  /// Throws `Error` for a field that is negative or not finite.
  void check() const;
};

struct Clipped {
  std::vector<Value> gradients;
  Value global_norm;  ///< of the gradients before `global_norm` applied, an f64 scalar; empty without that
};
/// One gradient a parameter.
Clipped clipped(const Clip& clip, const std::vector<Value>& parameters, const std::vector<Value>& gradients);

/// The length of all of them as one vector, an f64 scalar. Squares are summed in f64, which holds those of f32; f64 is
/// scaled first (see `norm`): neither overflows nor vanishes.
Value global_norm(const std::vector<Value>& tensors);

}  // namespace oxbow::optim
