#include "diff/diff.h"

#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/graph/text.h>

#include <algorithm>
#include <map>

#include "dump/style.h"

namespace oxbow::tools {
namespace {

// What differs between matched nodes, and what is left over.
class Comparison {
 public:
  Comparison(const Graph& a, const Graph& b) : a_(a), b_(b) { static_cast<NodeMatches&>(out_) = match_nodes(a, b); }

  Difference run() {
    for (NodeId i = 0; i < b_.size(); ++i)
      if (out_.a_of_b[at(i)] < 0) out_.added.push_back(i);
    for (NodeId i = 0; i < a_.size(); ++i) {
      const NodeId j = out_.b_of_a[at(i)];
      if (j < 0) {
        out_.removed.push_back(i);
        continue;
      }
      const Node a = a_.node(i), b = b_.node(j);
      Difference::Pair pair{i, j, {}};
      if (a.op().name() != b.op().name())
        pair.what.push_back("op: " + shown(a.op().name()) + " -> " + shown(b.op().name()));
      attributes(a.op(), b.op(), pair.what);
      const std::string before = to_string(a.output_types()), now = to_string(b.output_types());
      if (before != now) pair.what.push_back("type: " + before + " -> " + now);
      for (int k = 0; k < std::max(a.input_count(), b.input_count()); ++k) {
        const bool in_a = k < a.input_count(), in_b = k < b.input_count();
        if (in_a && in_b && out_.pair(a.input(k), b.input(k))) continue;
        pair.what.push_back("input " + std::to_string(k) + ": " +
                            (in_a && in_b ? change(a.input(k), b.input(k))
                             : in_a       ? label(a.input(k)) + " -> none"
                                          : "none -> " + label(b.input(k))));
      }
      if (!pair.what.empty()) out_.changed.push_back(std::move(pair));
      if (a.full_name() != b.full_name() && !(a.name().empty() && b.name().empty()))
        out_.renamed.emplace_back(a.full_name(), b.full_name());
    }
    notes();
    return std::move(out_);
  }

 private:
  // One value in the place of another. Numbers are each graph's own, so labels alone may be equal.
  static std::string change(const Value& a, const Value& b) {
    const std::string x = label(a), y = label(b);
    if (x != y) return x + " -> " + y;
    const std::string op_a = shown(a.node().op().name()), op_b = shown(b.node().op().name());
    return op_a != op_b ? x + " (" + op_a + ") -> " + y + " (" + op_b + ")" : x + " -> " + y + ", another " + op_b;
  }

  void attributes(const Op& a, const Op& b, std::vector<std::string>& what) {
    AttrRecord before = a.attributes(), now = b.attributes();
    // Streams follow from the order of building: another one is a note, not a change of each variable.
    const auto *v = a.as<ops::Variable>(), *w = b.as<ops::Variable>();
    if (v && w && v->init.stream != w->init.stream) {
      Init same = w->init;
      same.stream = v->init.stream;
      ++other_streams_;
      if (same == v->init)
        for (AttrRecord* r : {&before, &now}) std::erase_if(*r, [](const auto& x) { return x.first == "init"; });
    }
    const bool named = a.is<ops::Variable>() || a.is<ops::Input>();
    for (AttrRecord* r : {&before, &now})
      if (named) std::erase_if(*r, [](const auto& x) { return x.first == "name" || x.first == "type"; });
    const auto shown = [](const AttrRecord& r, const std::string& key) {
      const auto place = std::find_if(r.begin(), r.end(), [&](const auto& x) { return x.first == key; });
      return place == r.end() ? std::string("none") : print(place->second);
    };
    std::vector<std::string> keys;
    for (const AttrRecord* r : {&before, &now})
      for (const auto& [key, value] : *r)
        if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    const auto graph = [](const Op& op, const std::string& key) -> std::shared_ptr<const Graph> {
      for (const auto& [name, owned] : op.subgraphs())
        if (name == key) return owned;
      return nullptr;
    };
    for (const std::string& key : keys)
      if (const auto owned_by_a = graph(a, key), owned_by_b = graph(b, key); owned_by_a && owned_by_b)
        subgraphs(key, *owned_by_a, *owned_by_b, what);
      else if (const std::string x = shown(before, key), y = shown(now, key); x != y)
        what.push_back(key + ": " + dots::shortened(x, 80) + " -> " + dots::shortened(y, 80));
  }

  // What differs within a graph that both own, each line under the attribute's name.
  static void subgraphs(const std::string& key, const Graph& a, const Graph& b, std::vector<std::string>& what) {
    const Difference inner = diff(a, b);
    for (const NodeId i : inner.removed) what.push_back(key + ": - " + node_line(a.node(i)));
    for (const NodeId i : inner.added) what.push_back(key + ": + " + node_line(b.node(i)));
    for (const auto& pair : inner.changed)
      for (const std::string& change : pair.what)
        what.push_back(key + ": " + label(b.node(pair.b).output()) + " " + change);
    for (const std::string& note : inner.notes) what.push_back(key + ": " + note);
  }

  void notes() {
    if (other_streams_ > 0)
      out_.notes.push_back("first values: " + std::to_string(other_streams_) + " variables draw from other streams");
    if (a_.seed() != b_.seed())
      out_.notes.push_back("seed: " + std::to_string(a_.seed()) + " -> " + std::to_string(b_.seed()));
    const std::map<std::string, Value> before(a_.outputs().begin(), a_.outputs().end()),
        now(b_.outputs().begin(), b_.outputs().end());
    for (const auto& [name, v] : before) {
      const auto same = now.find(name);
      if (same == now.end())
        out_.notes.push_back("output " + print(AttrValue(name)) + " is gone: it was " + label(v));
      else if (!out_.pair(v, same->second))
        out_.notes.push_back("output " + print(AttrValue(name)) + ": " + change(v, same->second));
    }
    for (const auto& [name, v] : now)
      if (!before.contains(name)) out_.notes.push_back("output " + print(AttrValue(name)) + " is new: " + label(v));
    const auto updated = [](const Graph& g) {
      std::vector<NodeId> ids;
      for (const Value& v : g.updates()) ids.push_back(v.node_id());
      std::sort(ids.begin(), ids.end());
      return ids;
    };
    const std::vector<NodeId> ua = updated(a_), ub = updated(b_);
    for (const NodeId i : ua)
      if (const NodeId j = out_.b_of_a[at(i)]; j >= 0 && !std::binary_search(ub.begin(), ub.end(), j))
        out_.notes.push_back(label(a_.node(i).output()) + " is an update no more");
    for (const NodeId j : ub)
      if (const NodeId i = out_.a_of_b[at(j)]; i >= 0 && !std::binary_search(ua.begin(), ua.end(), i))
        out_.notes.push_back(label(b_.node(j).output()) + " is an update now");
  }

  const Graph &a_, &b_;
  int other_streams_ = 0;
  Difference out_;
};

}  // namespace

Difference diff(const Graph& a, const Graph& b) {
  return internal::while_memory_lasts("comparing graphs", [&] { return Comparison(a, b).run(); });
}

Difference diff(const Ledger& a, const Ledger& b) {
  return internal::while_memory_lasts("comparing plans", [&] {
    Difference d = diff(*a.graph, *b.graph);
    const auto note = [&](const std::string& what, auto before, auto now) {
      if (before != now) d.notes.push_back(what + ": " + print(AttrValue(before)) + " -> " + print(AttrValue(now)));
    };
    note("threads", std::int64_t{a.threads}, std::int64_t{b.threads});
    note("arena bytes", a.arena_bytes, b.arena_bytes);
    note("lower bound", a.lower_bound, b.lower_bound);
    note("estimated ns", a.cost_ns, b.cost_ns);
    note("critical path ns", a.critical_ns, b.critical_ns);
    note("groups", std::int64_t{std::ssize(a.groups)}, std::int64_t{std::ssize(b.groups)});
    for (const Ledger::Value& v : a.values) {
      const NodeId j = d.b_of_a[at(v.node)];
      if (j < 0 || v.output >= b.graph->node(j).output_count()) continue;
      const Ledger::Value& w = b.values[static_cast<std::size_t>(b.index(j, v.output))];
      const auto shown = [](const Ledger::Value& x) {
        return std::string(name(x.fate)) + " in " + x.home +
               (x.first >= 0 ? ", steps " + std::to_string(x.first) + " to " + std::to_string(x.last) : "") +
               (x.offset >= 0 ? ", at " + std::to_string(x.offset) : "");
      };
      if (const std::string before = shown(v), now = shown(w); before != now)
        d.notes.push_back(label(b.graph->node(j).output(v.output)) + ": " + before + " -> " + now);
    }
    return d;
  });
}

}  // namespace oxbow::tools
