// The kernel, in a library that CMake's oxbow_ops_library builds for each instruction set, as Oxbow's own are.
#include "gaussian.h"

#include <oxbow/ops/math.h>

template <std::floating_point T>
T oxbow::examples::Gaussian::at(T x) const {
  return math::exp(-x * x);
}

template struct oxbow::Elementwise<oxbow::examples::Gaussian, oxbow::Same>;
