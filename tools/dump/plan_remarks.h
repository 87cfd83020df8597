// What a plan's picture shows beside its graph: at each step its number and, where it was measured, its time; in
// tooltips parts, bytes and fates; and the critical path. Pure functions.
#pragma once

#include <oxbow/runtime/ledger.h>

#include "dump/dot.h"

namespace oxbow::tools {

/// Of each node.
std::vector<DotRemark> remarks(const Ledger& plan);
/// The critical path's nodes, with those between its steps that only look at a result's bytes.
std::vector<NodeId> critical_nodes(const Ledger& plan);
/// "critical path: 105 us, measured".
std::string critical_note(const Ledger& plan);

}  // namespace oxbow::tools
