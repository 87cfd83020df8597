#include <oxbow/graph/leaves.h>
#include <oxbow/ops/creation.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/gather.h>
#include <oxbow/ops/shape/taken_rows.h>
#include <oxbow/ops/shape/transpose.h>

namespace oxbow::ops {
namespace {

constexpr std::int64_t narrow = 16;  // columns of a table that are multiplied as quickly as they are summed

// The order in which `x` is transposed, if that leaves rows whole; empty where it is not transposed at all.
std::optional<std::vector<std::int64_t>> order_of(Value x) {
  const auto* op = x.node().op().as<Transpose>();
  if (!op) return std::vector<std::int64_t>();
  const std::vector<Type> in{x.node().input_type(0)};
  const std::vector<int> axes = op->moved_axes(in);
  if (axes.back() != static_cast<int>(axes.size()) - 1) return std::nullopt;
  return std::vector<std::int64_t>(axes.begin(), axes.end() - 1);
}

TakenRows taken_by(const Node& gather, std::vector<std::int64_t> order) {
  const Value table = gather.input(0), indices = gather.input(1);
  if (table.rank() != 2 || table.shape()[1] <= narrow || table.shape()[0] >= indices.shape().count()) return {};
  return {table, order.empty() ? indices : transpose(indices, std::move(order)), gather.id()};
}

// Sums by these rows, as a step of the gather's own gradient.
Value sums_of(const TakenRows& rows, Value like, Value d) {
  Graph& g = like.graph();
  Origin origin = g.origin();
  if (origin.phase == Phase::backward) origin.forward = rows.gather;
  const OriginGuard guard(g, origin);
  return scatter_add(like, rows.indices, d);
}

}  // namespace

TakenRows TakenRows::of(Value rows) {
  auto order = order_of(rows);
  if (!order) return {};
  const Node from = order->empty() ? rows.node() : rows.node().input(0).node();
  return from.op() == Op(Gather{}) ? taken_by(from, std::move(*order)) : TakenRows();
}

TakenRows TakenRows::of_flow(const Node& gather, Value flow) {
  const auto order = order_of(flow);
  if (!order || gather.op() != Op(Gather{})) return {};
  std::vector<std::int64_t> back(order->size());
  for (std::size_t i = 0; i < back.size(); ++i)
    back[static_cast<std::size_t>((*order)[i])] = static_cast<std::int64_t>(i);
  return taken_by(gather, std::move(back));
}

Value TakenRows::taken(Value x) const {
  const Value each = slice(table, 1, 0, 1);  // one number a row
  const Value count = sums_of(*this, reshape(each, {-1}), ones_like(indices));
  return where(reshape(count, {-1, 1}) > 0, x, 0);
}

Value TakenRows::sums(Value like, Value d) const { return sums_of(*this, like, d); }

}  // namespace oxbow::ops
