// What must hold of any text that is read as a graph or a plan: it can be shown. All formats of text are written, and
// each of its values is explained, or that is refused. For the fuzzer and for tests: what is wrong ends the program.
#pragma once

#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/runtime/ledger/text.h>

#include "diff/diff.h"
#include "dump/dot.h"
#include "dump/explain.h"
#include "dump/folded.h"
#include "dump/graph_json.h"
#include "dump/mermaid.h"
#include "dump/plan_remarks.h"

namespace oxbow::test {

/// How many values were explained: the first of a plan's, and one of a graph, which is compiled for it.
inline int show_hostile(std::string_view text) {
  using namespace tools;
  std::shared_ptr<Graph> graph;
  std::optional<Ledger> plan;
  try {
    graph = parse(text, catalog(), "FILE");
    plan = internal::parse_ledger(text, graph, "FILE");
  } catch (const Error&) {
    return 0;
  }
  DotOptions drawing;
  FoldOptions boxes;
  if (plan) {
    drawing.remarks = remarks(*plan);
    drawing.path = boxes.path = critical_nodes(*plan);
    drawing.path_note = boxes.path_note = critical_note(*plan);
    boxes.ns = measured_by_node(*plan);
    diff(*plan, *plan);
  }
  dot(*graph, drawing);
  mermaid(*graph, drawing);
  folded_dot(*graph, boxes);
  plan ? plan_json(*plan) : graph_json(*graph);
  const int most_explained = plan ? 20 : 1;
  int explained = 0;
  for (NodeId i = 0; i < graph->size(); ++i)
    for (int k = 0; k < graph->node(i).output_count() && explained < most_explained; ++k, ++explained) try {
        explain(*graph, std::to_string(i) + "#" + std::to_string(k), {}, plan ? &*plan : nullptr);
      } catch (const Error&) {  // what is only a graph may not compile
      }
  return explained;
}

}  // namespace oxbow::test
