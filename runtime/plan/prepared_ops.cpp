#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/tables.h>
#include <oxbow/runtime/plan/prepared_ops.h>

namespace oxbow::internal {
namespace {

bool is_for(const PreparedOp& p, const Node& n) {
  if (static_cast<int>(p.in.size()) != n.input_count()) return false;
  for (int i = 0; i < n.input_count(); ++i)
    if (p.in[static_cast<std::size_t>(i)] != n.input_type(i)) return false;
  return true;
}

}  // namespace

Prepared<void> PreparedOps::prepare(const Node& n, Types in) {
  const CountTables counting(table_bytes_);
  try {
    return n.op().prepare(in);
  } catch (const OpError& e) {
    throw located(n, e);
  }
}

const PreparedOp& PreparedOps::of(const Node& n) {
  const auto [begin, end] = known_.equal_range(n.op().self());
  for (auto k = begin; k != end; ++k)
    if (is_for(*k->second, n)) return *k->second;
  std::vector<Type> in = n.input_types();
  const Op& op = n.op();
  Prepared<void> prepared = prepare(n, in);
  if (const std::int64_t scratch = prepared.work.scratch; scratch < 0 || scratch > limits::plan_bytes)
    throw Error(to_string(n) + ": the op " + in_quotes(op.name()) + " asks for scratch memory of " +
                std::to_string(scratch) + " bytes, but a thread's are at most " + std::to_string(limits::plan_bytes));
  std::vector<InputSet> overwrites = op.overwrites(in);
  overwrites.resize(static_cast<std::size_t>(n.output_count()));  // an op may tell of its first outputs only
  list_.push_back({op, std::move(in), std::move(prepared.plan), prepared.work, std::move(overwrites)});
  known_.emplace(op.self(), &list_.back());
  return list_.back();
}

}  // namespace oxbow::internal
