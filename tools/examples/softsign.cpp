// The kernel, in a library that CMake's oxbow_ops_library builds for each instruction set, as Oxbow's own are.
#include "softsign.h"

#include <cmath>

template <std::floating_point T>
T oxbow::examples::Softsign::at(T x) const {
  return x / (1 + std::abs(x));
}

template struct oxbow::Elementwise<oxbow::examples::Softsign, oxbow::Same>;
