// Ops that are several nodes of ONNX, or own graphs: branches, loops, attention.
#include <oxbow/graph/subgraph.h>

#include <numeric>

#include "onnx/export/exporter.h"

namespace oxbow::onnx {

namespace {

using Sizes = std::vector<std::int64_t>;

Names names_from(const Written& n, int first) {
  Names all;
  for (int i = first; i < n.node().input_count(); ++i) all.push_back(n.in(i));
  return all;
}

// What a node gives without outputs that only gradients read.
void check_unread(const Written& n, int first) {
  for (int i = first; i < n.node().output_count(); ++i)
    if (n.to().readers(n.node().output(i)) > 0)
      n.fail("its output " + std::to_string(i) + " has no counterpart in ONNX");
}

// Axes before the last `kept`, as they are, then these.
Sizes keeping(int rank, int kept, const Sizes& last) {
  Sizes sizes(static_cast<std::size_t>(rank - kept), 0);
  sizes.insert(sizes.end(), last.begin(), last.end());
  return sizes;
}

std::string swapped(const Written& n, const std::string& x, int rank, int a, int b) {
  Sizes order(static_cast<std::size_t>(rank));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[static_cast<std::size_t>(rank - a)], order[static_cast<std::size_t>(rank - b)]);
  return n.to().transposed(x, order);
}

// [..., t, heads * d] as [..., heads, t, d].
std::string by_heads(const Written& n, const std::string& x, int rank, std::int64_t heads) {
  const std::string parts = n.to().add("Reshape", {x, n.to().numbers(keeping(rank, 1, {heads, -1}))});
  return swapped(n, parts, rank + 1, 2, 3);
}

// Each head `times` times, next to one another.
std::string repeated(const Written& n, const std::string& x, int rank, std::int64_t heads, std::int64_t times) {
  if (times == 1) return x;
  Sizes which;
  for (std::int64_t h = 0; h < heads * times; ++h) which.push_back(h / times);
  return n.to().add("Gather", {x, n.to().numbers(which)}, {{"axis", std::int64_t{rank - 3}}});
}

// The size of an axis of x, i64.
std::string size(const Written& n, const std::string& x, int axis) {
  return n.to().add("Gather", {n.to().add("Shape", {x}), number(n, axis, i64)});
}

// Which keys a query sees: those up to its own, the last query being that of the last key.
std::string causal_mask(const Written& n, const std::string& q, const std::string& k, int rank) {
  const std::string t = size(n, q, rank - 2), s = size(n, k, rank - 2), zero = number(n, 0, i64),
                    one = number(n, 1, i64);
  const std::string rows = n.to().add("Range", {n.to().add("Sub", {s, t}), s, one});
  const std::string column = n.to().add("Unsqueeze", {rows, n.to().numbers({1})});
  return n.to().add("LessOrEqual", {n.to().add("Range", {zero, s, one}), column});
}

}  // namespace

Names write_cond(const Written& n) {
  const auto bodies = n.node().op().subgraphs();
  const Names captured = names_from(n, 1);
  return n.to().add("If", {n.in(0)},
                    {{"then_branch", n.to().body(*bodies.at(0).second, 0, captured)},
                     {"else_branch", n.to().body(*bodies.at(1).second, 0, captured)}},
                    n.node().output_count());
}

// With slices a Scan, without a Loop.
Names write_repeat(const Written& n) {
  const auto steps = n.get<std::int64_t>("steps"), carried = n.get<std::int64_t>("carried"),
             sliced = n.get<std::int64_t>("sliced");
  const bool reverse = n.get<bool>("reverse");
  const std::shared_ptr<const Graph> body = n.node().op().subgraphs().at(0).second;
  const auto own = static_cast<int>(carried + sliced), outputs = static_cast<int>(body->outputs().size());
  const std::int64_t stacked = outputs - carried;
  check_unread(n, outputs);
  const Names captured = names_from(n, own);
  Names inputs;
  for (int i = 0; i < own; ++i) inputs.push_back(n.in(i));
  if (sliced > 0) {
    const auto directions = [&](std::int64_t count) { return Sizes(static_cast<std::size_t>(count), reverse ? 1 : 0); };
    std::vector<Attribute> attributes{{"num_scan_inputs", sliced},
                                      {"scan_input_directions", directions(sliced)},
                                      {"body", n.to().body(*body, own, captured)}};
    if (stacked > 0) attributes.push_back({"scan_output_directions", directions(stacked)});
    return n.to().add("Scan", inputs, attributes, outputs);
  }
  if (reverse && stacked > 0)
    n.fail("a loop without slices that stacks from the last step on has no counterpart in ONNX");
  inputs.insert(inputs.begin(), {number(n, static_cast<double>(steps), i64), ""});
  return n.to().add("Loop", inputs, {{"body", n.to().body(*body, own, captured, true)}}, outputs);
}

// softmax(scale q k^T) v, with scores of what is not seen so small that they are 0, or all equal.
Names write_attention(const Written& n) {
  check_unread(n, 1);
  const auto heads = n.get<std::int64_t>("heads");
  auto kv_heads = n.get<std::int64_t>("kv_heads");
  const DType dtype = n.type(0).dtype;
  int rank = n.type(0).shape.rank();
  std::string q = n.in(0), k = n.in(1), v = n.in(2);
  if (heads > 0) {
    if (kv_heads == 0) kv_heads = heads;
    q = by_heads(n, q, rank, heads);
    k = repeated(n, by_heads(n, k, rank, kv_heads), rank + 1, kv_heads, heads / kv_heads);
    v = repeated(n, by_heads(n, v, rank, kv_heads), rank + 1, kv_heads, heads / kv_heads);
    ++rank;
  } else if (rank > 2) {
    const std::int64_t own = n.type(1).shape[-3], times = own == 0 ? 1 : n.type(0).shape[-3] / own;
    k = repeated(n, k, rank, own, times);
    v = repeated(n, v, rank, own, times);
  }
  std::string scores = n.to().add("MatMul", {q, swapped(n, k, rank, 1, 2)});
  scores = n.to().add("Mul", {scores, number(n, n.get<double>("scale"), dtype)});
  const std::string unseen = number(n, dtype == f16 ? -65504 : -3e38, dtype);
  if (n.get<bool>("causal")) scores = n.to().add("Where", {causal_mask(n, q, k, rank), scores, unseen});
  if (n.node().input_count() > 3 && n.node().input(3)) scores = n.to().add("Where", {n.in(3), scores, unseen});
  const std::string y = n.to().add("MatMul", {n.to().add("Softmax", {scores}, {{"axis", std::int64_t{-1}}}), v});
  if (heads == 0) return {y};
  const std::string back = swapped(n, y, rank, 2, 3);
  return {n.to().add("Reshape", {back, n.to().numbers(keeping(rank, 2, {n.node().output_types()[0].shape[-1]}))})};
}

}  // namespace oxbow::onnx
