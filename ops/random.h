// What draws random numbers while it runs. Numbers come from a counter-based generator, keyed by the graph's seed, the
// step and a stream, so a run is the same for any number of threads.
#pragma once

#include <oxbow/graph/value.h>

namespace oxbow {

/// Dropout (Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html): y[i] = x[i] / (1 - rate) with
/// probability 1 - rate, else 0; outside training y = x. The mask has a stream of its own and is never stored: backward
/// draws the same again. Throws `Error` unless 0 <= rate < 1.
Value dropout(Value x, double rate, At at = At::current());

/// The graph's variable "random/state", i64[2] = {seed, step}, made at the first call with `Graph::seed()`, together
/// with the update that counts the step.
Value random_state(Graph& g, At at = At::current());

}  // namespace oxbow
