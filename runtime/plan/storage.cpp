#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/align.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/sums.h>
#include <oxbow/runtime/plan/storage.h>

#include <set>

namespace oxbow::internal {
namespace {

class StorageFinder {
 public:
  explicit StorageFinder(const Graph& graph) : graph_(graph) {}

  Storages find() {
    find_unread();
    for (NodeId id = 0; id < graph_.size(); ++id) add(graph_.node(id));
    for (const auto& [name, value] : graph_.outputs()) fetch(value);
    return std::move(out_);
  }

 private:
  // All bytes are counted here, so that whatever sums up those of some of the values need not look for an overflow.
  std::int32_t new_storage(Home home, std::int32_t index, std::int64_t bytes, const Node& writer) {
    bytes_ = saturating_sum(bytes_, aligned(bytes));
    if (bytes_ > limits::plan_bytes)
      throw Error("the graph's values up to " + to_string(writer) + ", a " + std::string(writer.op().name()) + " of " +
                  to_string(writer.output_types()) + ", have more than " + std::to_string(limits::plan_bytes) +
                  " bytes together" + at_line(writer.origin().at, "built at") +
                  "\n  Compute on fewer samples at a time, or on smaller ones");
    out_.list.push_back({home, index, bytes, writer.id()});
    return static_cast<std::int32_t>(out_.list.size()) - 1;
  }

  void leaf(const Node& n, Home home, std::vector<Plan::Leaf>& list) {
    const auto s = new_storage(home, static_cast<std::int32_t>(list.size()), n.output().type().bytes(), n);
    list.push_back({n.id()});
    out_.values.push_back({s, 0});
  }

  void add(const Node& n) {
    out_.first_value.push_back(static_cast<std::int32_t>(out_.values.size()));
    out_.computes.push_back(false);
    const Op& op = n.op();
    if (op.is<ops::Input>()) return leaf(n, Home::input, out_.inputs);
    if (op.is<ops::Variable>()) return leaf(n, Home::variable, out_.variables);
    if (op.is<ops::Constant>()) return leaf(n, Home::constant, out_.constants);
    if (op.is<ops::Assign>()) return assign(n);
    const std::vector<Alias> aliases = op.alias(n.input_types());
    bool computes = false;
    for (int k = 0; k < n.output_count(); ++k) {
      const auto i = static_cast<std::size_t>(k);
      if (i < aliases.size() && aliases[i]) {
        const auto at = out_.of(n.input(aliases[i].input));
        out_.values.push_back({at.storage, at.offset + aliases[i].offset});
      } else if (op.info().outputs.optional(k) && !unread_.empty() && unread_.contains({n.id(), k})) {
        out_.values.push_back({new_storage(Home::none, 0, 0, n), 0});
      } else {
        out_.values.push_back({new_storage(Home::arena, 0, n.output_types()[i].bytes(), n), 0});
        computes = true;
      }
    }
    out_.computes.back() = computes || n.output_count() == 0;
  }

  // The optional outputs whose bytes nobody reads.
  void find_unread() {
    for (NodeId id = 0; id < graph_.size(); ++id)
      if (const Node n = graph_.node(id); n.op().info().outputs.any_optional())
        for (int k = 0; k < n.output_count(); ++k)
          if (n.op().info().outputs.optional(k)) unread_.insert({id, k});
    if (unread_.empty()) return;
    for (NodeId id = 0; id < graph_.size(); ++id)
      for (int i = 0; i < graph_.node(id).input_count(); ++i)
        if (const Value v = graph_.node(id).input(i); v && graph_.node(id).op().info().reads(i))
          unread_.erase({v.node_id(), v.output()});
    for (const auto& [name, v] : graph_.outputs()) unread_.erase({v.node_id(), v.output()});
  }

  void assign(const Node& n) {
    const auto at = out_.of(n.input(1));
    const Storage& variable = out_.list[static_cast<std::size_t>(out_.of(n.input(0)).storage)];
    invariant(variable.home == Home::variable, "an assign writes what is not a variable");
    Plan::Leaf& written = out_.variables[static_cast<std::size_t>(variable.index)];
    invariant(!written.written, "a variable is written twice");
    written.written = true;
    invariant(n.input_type(0) == n.input_type(1), "an assign's value is laid out in another way than its variable");
    out_.assigns.push_back({n.id(), n.input(1), variable.index});
    out_.values.push_back(at);
  }

  void fetch(Value v) {
    Plan::Fetch fetch{v.type()};
    if (v.node().op().is<ops::Assign>()) {
      fetch.variable = out_.list[static_cast<std::size_t>(out_.of(v.node().input(0)).storage)].index;
    } else {
      Storage& s = out_.list[static_cast<std::size_t>(out_.of(v).storage)];
      if (s.home != Home::arena || s.bytes != v.type().bytes()) {
        out_.shared_fetches.push_back(out_.fetches.size());
      } else {
        s.home = Home::fetch;
        s.index = static_cast<std::int32_t>(out_.fetches.size());
      }
    }
    out_.fetches.push_back(fetch);
  }

  const Graph& graph_;
  Storages out_;
  std::int64_t bytes_ = 0;  // of all storages
  std::set<std::pair<NodeId, int>> unread_;
};

}  // namespace

bool may_take_over(const Storages& storages, const Node& step, std::int32_t storage, InputSet allowed) {
  const std::int64_t bytes = storages.list[static_cast<std::size_t>(storage)].bytes;
  for (int i = 0; i < step.input_count(); ++i)
    if (step.input(i) && step.op().info().reads(i) && storages.of(step.input(i)).storage == storage &&
        (!allowed.contains(i) || step.input_type(i).bytes() != bytes))
      return false;
  return true;
}

Storages find_storages(const Graph& graph) { return StorageFinder(graph).find(); }

}  // namespace oxbow::internal
