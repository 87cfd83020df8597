// A graph, and the plan that was made of it, as JSON: for viewers, scripts and whoever does not want to link Oxbow.
// The same bytes every time. tools/docs/dump.md describes the schema; `json_version` rises when a field changes its
// meaning or goes, not when one is added. Pure functions.
#pragma once

#include <oxbow/runtime/ledger.h>

#include <string>

namespace oxbow::tools {

inline constexpr int json_version = 1;

std::string graph_json(const Graph& graph);

/// The planned graph with its plan.
std::string plan_json(const Ledger& plan);

}  // namespace oxbow::tools
