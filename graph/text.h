// Graphs as text: exact, readable, the same bytes every time, and read back to an equal graph.
//
//   oxbow graph 1
//   seed 42
//   next_stream 3
//
//   forward:
//     %x = input {name: "x", type: f32[64, 784], free_axes: [0]} : f32[64, 784]
//
//   forward "dense":
//     %dense/weight = variable {name: "dense/weight", type: f32[784, 256], ...} : f32[784, 256]
//     %2 = matmul(%x, %dense/weight) {transpose_a: false, transpose_b: false} : f32[64, 256]
//
//   outputs:
//     "h" = %2
//
//   end
//
// A line a node, in order: label, op, inputs, attributes, output types; `for %2` behind them names the forward node of
// a backward one, or what does that one's work after rewrites; it is left out where that is gone, or stands further
// below. A named node's label is its full name, any other's its number; `%5#1` is output 1 of %5. A heading sets phase
// and scope of the nodes below it. By the `end` a reader knows that nothing was cut off. Comments run from `//` to the
// end of the line. Numbers are printed as the shortest text that reads back to the same bits; tensors of more than a
// few elements as base64 of their bytes. An optional input that is absent is `_`, or nothing at the end of the list.
// A graph that an op owns stands among its attributes as `graph {`, its headings and nodes, `}`.
// Thread safety: pure functions.
#pragma once

#include <oxbow/graph/value.h>

namespace oxbow {

class Catalog;
struct AttrValue;

struct PrintOptions {
  /// The user's line behind each node: `at "mlp.cpp":12`, which `oxbow explain` and `oxbow profile` of a file tell. A
  /// text without is the same wherever the program's source lies: to compare, or to keep under version control.
  bool locations = true;
  bool plan_follows = false;  ///< the caller adds a plan, and "end" behind it
};

std::string print(const Graph& graph, PrintOptions options = {});
/// What stands for a value in a graph's text: "%dense/weight", "%12", "%12#1" for its node's output 1; "_" for none.
std::string label(const Value& value);
/// One attribute as it is in the text of a graph.
std::string print(const AttrValue& value);

/// Reads what `print` wrote. Before the "end" there may be the plan that was made of it, from a line "oxbow plan 1" on:
/// that is for tools (runtime/ledger/text.h), and no part of the graph. Ops that `catalog` lacks become opaque nodes
/// (graph/text/opaque.h). Throws `Error` that opens with `file`:line:column for anything else: malformed or cut text,
/// attributes that an op does not have, inputs that it refuses, printed types that are not what the op gives, or a
/// graph that breaks an invariant (graph/verify.h).
std::unique_ptr<Graph> parse(std::string_view text, const Catalog& catalog, std::string_view file = "<text>");

/// The same nodes (op, inputs, types), outputs, updates, seed and stream counter. Names, scopes, phases and lines are
/// notes, and no part of it: where they matter too, compare the texts.
bool equal(const Graph& a, const Graph& b);

}  // namespace oxbow
