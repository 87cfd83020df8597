// A graph, and the plan that was made of it, as JSON: for viewers, scripts and whoever does not want to link Oxbow.
// The same bytes every time. tools/docs/dump.md describes the schema; `json_version` rises when a field changes its
// meaning or goes, not when one is added. Pure functions.
#pragma once

#include <oxbow/runtime/ledger.h>

#include <span>
#include <string>

namespace oxbow::tools {

inline constexpr int json_version = 1;

std::string graph_json(const Graph& graph);

/// The planned graph with its plan. `measured_ns`: the time of each step, by the ledger's numbers, or empty.
std::string plan_json(const Ledger& plan, std::span<const double> measured_ns = {});

}  // namespace oxbow::tools
