// Values that are known before anything runs: constants, what follows from types alone (`shape_of`), and what ops
// without effect compute from these. A graph that is specialised to other sizes knows other values.
// Thread safety: safe while nobody appends to the graph.
#pragma once

#include <oxbow/graph/graph.h>

namespace oxbow {

/// The value that `v` has in every run, where that is known; it has at most 64 KiB, as all values that it is computed
/// from, and all known values of a graph together `limits::known_bytes`. Found out once, by the kernels that a program
/// runs.
std::optional<Tensor> known_value(Value v);

}  // namespace oxbow
