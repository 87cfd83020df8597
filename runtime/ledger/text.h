// Plans as text: the planned graph's text (graph/text.h), then what was planned, then "end". Reads back; the same
// bytes every time.
//
//   oxbow graph 1
//   ...
//
//   oxbow plan 1
//   {threads: 2, arena_bytes: 256, lower_bound: 256, ...}
//
//   steps:
//     %6 {group: 0, parts: 1, cost_ns: 31.5, critical: true}  // product f32[4, 4]
//
//   groups:
//     {first: 0, last: 11, lanes: [0], start_ns: [0.0], finish_ns: [341.2]}
//
//   values:
//     %6 {name: "hidden", fate: "saved", ...}  // f32[4, 4], read by %7, %11
//
//   blocks:
//     {offset: 0, bytes: 64, first: 0, last: 9, values: [6, 17]}
//
//   end
//
// A field that is left out has its default. Who reads a graph reads this too: the plan is not part of the graph.
// Thread safety: pure functions.
#pragma once

#include <oxbow/runtime/ledger.h>

#include <optional>

namespace oxbow::internal {

std::string print(const Ledger& plan, PrintOptions options = {});

/// The plan that stands behind a graph in `text`, if one does; `graph` is what `parse` read of it. Throws `Error` that
/// opens with `file`:line:column for malformed or cut text, and for numbers of what there is not.
std::optional<Ledger> parse_ledger(std::string_view text, std::shared_ptr<const Graph> graph,
                                   std::string_view file = "<text>");

}  // namespace oxbow::internal
