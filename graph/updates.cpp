#include <oxbow/graph/leaf_ops.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/order/order.h>
#include <oxbow/graph/updates.h>

#include <algorithm>
#include <unordered_map>

namespace oxbow {
namespace {

Value target_of(Value update) { return update.node().input(0); }
Value left_by(Value update) { return update.node().input(1); }

// The updates of each variable, in order.
std::vector<std::vector<Value>> by_variable(const Graph& g) {
  std::vector<std::vector<Value>> all;
  std::unordered_map<NodeId, std::size_t> place;
  for (const Value& u : g.updates()) {
    const auto [found, is_new] = place.try_emplace(target_of(u).node_id(), all.size());
    if (is_new) all.emplace_back();
    all[found->second].push_back(u);
  }
  return all;
}

bool is_fixed(const Node& n) { return n.op().is<ops::Constant>() || n.op().is<ops::Variable>(); }

// Whether all that `update` reads, beside what the one before left, is needed: the values that its own nodes, those of
// its phase, are computed from. An update that has no phase of its own counts always.
bool counts(Value update, Value before, const std::vector<bool>& needed) {
  if (update.node().origin().phase != Phase::update) return true;
  std::vector<Value> open{left_by(update)};
  std::vector<NodeId> seen;
  while (!open.empty()) {
    const Value v = open.back();
    open.pop_back();
    if (v.same(before) || std::find(seen.begin(), seen.end(), v.node_id()) != seen.end()) continue;
    seen.push_back(v.node_id());
    if (is_fixed(v.node())) continue;
    if (v.node().origin().phase == Phase::update) {
      for (const Value& in : v.node().inputs())
        if (in) open.push_back(in);
    } else if (!needed[static_cast<std::size_t>(v.node_id())]) {
      return false;
    }
  }
  return true;
}

// `left` once more, with `now` in the place of `before`.
Value built_on(Value now, Value before, Value left) {
  Graph& g = left.graph();
  const NodeId from[] = {before.node_id()}, last = left.node_id();
  const std::vector<bool> follows = internal::descendants(g, from), leads = internal::ancestors(g, {left});
  std::unordered_map<NodeId, Node> copies;
  const auto moved = [&](Value v) {
    if (v && v.same(before)) return now;
    const auto copy = v ? copies.find(v.node_id()) : copies.end();
    return copy == copies.end() ? v : copy->second.output(v.output());
  };
  for (NodeId id = before.node_id() + 1; id <= last; ++id) {
    if (!follows[static_cast<std::size_t>(id)] || !leads[static_cast<std::size_t>(id)]) continue;
    std::vector<Value> in = g.node(id).inputs();
    for (Value& v : in) v = moved(v);
    copies.emplace(id, g.append_copy(g.node(id), in, g.node(id).origin()));
  }
  return moved(left);
}

}  // namespace

Value updated(Value variable) {
  const std::vector<Value>& all = variable.graph().updates();
  const auto last = std::find_if(all.rbegin(), all.rend(), [&](const Value& u) { return target_of(u).same(variable); });
  return last == all.rend() ? variable : left_by(*last);
}

std::vector<Value> last_updates(const Graph& g) {
  std::vector<Value> last;
  for (const std::vector<Value>& updates : by_variable(g)) last.push_back(updates.back());
  return last;
}

std::vector<Value> updates_of(Values results) {
  if (results.empty()) return {};
  Graph& g = results[0].graph();
  const std::vector<bool> needed = internal::ancestors(g, results);
  std::vector<Value> chosen;
  for (const std::vector<Value>& updates : by_variable(g)) {
    const Value variable = target_of(updates[0]);
    if (!needed[static_cast<std::size_t>(variable.node_id())]) continue;
    if (updates.size() == 1) {
      chosen.push_back(updates[0]);
      continue;
    }
    Value before = variable, now = variable, last;  // as it was built; with those that count; the last of these
    for (const Value& u : updates) {
      if (counts(u, before, needed)) {
        now = now.same(before) ? left_by(u) : built_on(now, before, left_by(u));
        last = u;
      }
      before = left_by(u);
    }
    if (!last) continue;
    if (!left_by(last).same(now)) {
      const OriginGuard guard(g, last.node().origin());
      last = g.append(ops::Assign{}, {variable, now}, last.node().origin().at).output();
    }
    chosen.push_back(last);
  }
  return chosen;
}

}  // namespace oxbow
