// The standard normal distribution's quantile: the x with P(X < x) = p, to about 1e-15. Wichura's AS241 ("The
// percentage points of the normal distribution", Applied Statistics 37, 1988), in additions, multiplications, divisions
// and square roots alone, which round the same everywhere. Thread safety: pure functions.
#pragma once

#include <span>

namespace oxbow::internal {

/// Puts the quantile in the place of each p, for 0 < p < 1.
void normal_quantiles(std::span<double> p);

/// The same of one.
double normal_quantile(double p);

}  // namespace oxbow::internal
