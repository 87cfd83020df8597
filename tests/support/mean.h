// The mean of samples as a training: what it learns follows from the samples by hand.
#pragma once

#include <oxbow/ops/ops.h>

namespace oxbow::test {

// loss = mean((w - x)^2)
struct Mean {
  Graph g;
  Value x = input(g, "x", f64, {any(4)});
  Value w = variable(g, "w", {f64, {}});
  Value loss = mean(square(w - x));
};

}  // namespace oxbow::test
