// What a network consists of, as a table to print.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/layers/layer.h>

namespace oxbow {

/// A row for each scope of the graph that has variables of its own: its name with the kind of layer that its variables
/// are of, the shape of what was built there last, and how many elements its variables have; then the totals, trained
/// or not. The state of optimizers and generators is a total of its own.
std::string summary(const Graph& g);

/// The same for a network that was called, a row for each layer in it, those without variables too. A layer that stands
/// twice has two rows and is counted once. Throws `Error` where `net` is empty or was not called.
std::string summary(const Layer& net);

}  // namespace oxbow
