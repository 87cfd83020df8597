// Loss scaling: the loss is multiplied before it is differentiated, and gradients divided by the same, so that small
// ones do not vanish in a narrow dtype (Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740).
// Thread safety: values.
#pragma once

#include <oxbow/graph/value.h>

namespace oxbow::optim {

/// With a scale that is a power of two, nothing is rounded by it. When it is dynamic, a step whose gradients have a NaN
/// or Inf is skipped and the scale shrinks; after `interval` good steps in a row it grows.
struct LossScale {
  double initial = 65536;
  bool dynamic = true;
  double growth = 2;
  double shrink = 0.5;
  std::int64_t interval = 2000;
  bool operator==(const LossScale&) const = default;

  /// Throws `Error` for a field that makes no sense.
  void check() const;
  /// The scale and the number of good steps in a row after a step; f64 scalars, `finite` a bool.
  struct Next {
    Value scale, good;
  };
  Next next(Value scale, Value good, Value finite) const;
};

}  // namespace oxbow::optim
