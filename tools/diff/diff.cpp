#include "diff/diff.h"

#include <oxbow/graph/dot/style.h>
#include <oxbow/graph/hash.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/text/text.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "diff/common_subsequence.h"

namespace oxbow::tools {
namespace {

std::size_t at(NodeId i) { return static_cast<std::size_t>(i); }

// The attributes that say what an op does: names and streams only tell it from its equals.
AttrRecord telling(const Op& op) {
  AttrRecord all = op.attributes();
  if (op.is<Variable>() || op.is<Input>())
    std::erase_if(all, [](const auto& a) { return a.first == "name" || a.first == "init"; });
  std::erase_if(all, [](const auto& a) { return a.first == "stream"; });
  return all;
}

class Matcher {
 public:
  Matcher(const Graph& a, const Graph& b) : a_(a), b_(b) {
    out_.b_of_a.assign(at(a.size()), -1);
    out_.a_of_b.assign(at(b.size()), -1);
  }

  Difference run() {
    prepare(a_, kind_a_, exact_a_, readers_a_);
    prepare(b_, kind_b_, exact_b_, readers_b_);
    for (const Phase phase : {Phase::forward, Phase::backward, Phase::update}) match(phase);
    by_name();
    compare();
    return std::move(out_);
  }

 private:
  static void prepare(const Graph& g, std::vector<Token>& kind, std::vector<Token>& exact,
                      std::vector<std::vector<NodeId>>& readers) {
    readers.resize(at(g.size()));
    for (NodeId i = 0; i < g.size(); ++i) {
      const Node n = g.node(i);
      for (const Value& v : n.inputs()) readers[at(v.node_id())].push_back(i);
      kind.push_back(std::hash<std::string_view>{}(n.op().name()));
      Token t = mixed(kind.back(), hash(AttrValue(telling(n.op()))));
      for (const Type& type : n.output_types()) t = mixed(t, std::hash<std::string>{}(to_string(type)));
      if (const auto* v = n.op().as<Variable>())
        t = mixed(t, std::hash<std::string>{}(v->name.substr(v->name.rfind('/') + 1)));
      if (const auto* in = n.op().as<Input>()) t = mixed(t, std::hash<std::string>{}(in->name));
      exact.push_back(t);
    }
  }

  // Where a node stands among what is matched already: the forward node that it belongs to, and its inputs.
  Token place(const Graph& g, NodeId id, const std::vector<NodeId>& number, Phase phase) const {
    const Node n = g.node(id);
    const NodeId forward = n.origin().forward;
    Token t = forward < 0 ? 1 : mixed(2, at(number[at(forward)] + 1));
    for (int k = 0; k < n.input_count(); ++k) {
      const NodeId from = n.input(k).node_id();
      if (g.node(from).origin().phase < phase) t = mixed(t, at(number[at(from)] + 1));
    }
    return t;
  }

  void match(Phase phase) {
    std::vector<NodeId> from, to;
    for (NodeId i = 0; i < a_.size(); ++i)
      if (a_.node(i).origin().phase == phase) from.push_back(i);
    for (NodeId i = 0; i < b_.size(); ++i)
      if (b_.node(i).origin().phase == phase) to.push_back(i);
    std::vector<NodeId> number_a(at(a_.size())), number_b(at(b_.size()), -1);  // of matched nodes the same: that of a's
    for (NodeId i = 0; i < a_.size(); ++i) number_a[at(i)] = out_.b_of_a[at(i)] < 0 ? -1 : i;
    for (NodeId i = 0; i < b_.size(); ++i) number_b[at(i)] = out_.a_of_b[at(i)];
    // With their places, then without, then by their ops; each time only between what is matched already.
    pass(
        from, to, [&](NodeId i) { return mixed(exact_a_[at(i)], place(a_, i, number_a, phase)); },
        [&](NodeId i) { return mixed(exact_b_[at(i)], place(b_, i, number_b, phase)); });
    pass(
        from, to, [&](NodeId i) { return exact_a_[at(i)]; }, [&](NodeId i) { return exact_b_[at(i)]; });
    pass(
        from, to, [&](NodeId i) { return kind_a_[at(i)]; }, [&](NodeId i) { return kind_b_[at(i)]; });
    replaced(from, to);
  }

  // Another op in the place of one: what is left over and reads the same is a pair, if who reads it agrees.
  void replaced(const std::vector<NodeId>& from, const std::vector<NodeId>& to) {
    std::unordered_map<Token, std::vector<NodeId>> places;  // by what is read there, in b's order
    for (const NodeId j : to) {
      if (out_.a_of_b[at(j)] >= 0 || b_.node(j).input_count() == 0) continue;
      Token t = 0;
      for (const Value& v : b_.node(j).inputs()) t = mixed(mixed(t, at(v.node_id())), at(v.output()));
      places[t].push_back(j);
    }
    for (const NodeId i : from) {
      if (out_.b_of_a[at(i)] >= 0 || a_.node(i).input_count() == 0) continue;
      Token t = 0;
      for (const Value& v : a_.node(i).inputs()) t = mixed(mixed(t, at(out_.b_of_a[at(v.node_id())])), at(v.output()));
      const auto place = places.find(t);
      if (place == places.end()) continue;
      std::vector<NodeId>& left = place->second;
      const auto same = std::find_if(left.begin(), left.end(), [&](NodeId j) { return stands_for(i, j); });
      if (same == left.end()) continue;
      pair(i, *same);
      left.erase(same);
    }
  }

  // Whether inputs and outputs agree, and a reader of the one is matched to one of the other, may be yet, or none is.
  bool stands_for(NodeId i, NodeId j) const {
    const Node a = a_.node(i), b = b_.node(j);
    if (a.input_count() != b.input_count() || a.output_count() != b.output_count()) return false;
    for (int k = 0; k < a.input_count(); ++k)
      if (!match(a.input(k), b.input(k))) return false;
    const std::vector<NodeId>&x = readers_a_[at(i)], &y = readers_b_[at(j)];
    if (x.empty() && y.empty()) return true;
    const auto open = [](const std::vector<NodeId>& readers, const std::vector<NodeId>& matches) {
      return std::any_of(readers.begin(), readers.end(), [&](NodeId r) { return matches[at(r)] < 0; });
    };
    return (open(x, out_.b_of_a) && open(y, out_.a_of_b)) || std::any_of(x.begin(), x.end(), [&](NodeId r) {
             return std::find(y.begin(), y.end(), out_.b_of_a[at(r)]) != y.end();
           });
  }

  template <class A, class B>
  void pass(const std::vector<NodeId>& from, const std::vector<NodeId>& to, A&& token_a, B&& token_b) {
    std::size_t j = 0;
    std::vector<NodeId> gap_a, gap_b;
    const auto close = [&] {
      std::vector<Token> x, y;
      for (const NodeId i : gap_a) x.push_back(token_a(i));
      for (const NodeId i : gap_b) y.push_back(token_b(i));
      for (const auto& [p, q] : common_subsequence(x, y)) pair(gap_a[p], gap_b[q]);
      gap_a.clear();
      gap_b.clear();
    };
    // The matches so far are in order in both, so walking one walks the other.
    const std::vector<NodeId> matched = out_.b_of_a;
    const std::vector<NodeId> back = out_.a_of_b;
    for (const NodeId i : from) {
      if (matched[at(i)] < 0) {
        gap_a.push_back(i);
        continue;
      }
      for (; j < to.size() && to[j] != matched[at(i)]; ++j)
        if (back[at(to[j])] < 0) gap_b.push_back(to[j]);
      close();
      ++j;
    }
    for (; j < to.size(); ++j)
      if (back[at(to[j])] < 0) gap_b.push_back(to[j]);
    close();
  }

  void pair(NodeId a, NodeId b) {
    out_.b_of_a[at(a)] = b;
    out_.a_of_b[at(b)] = a;
  }

  void by_name() {
    for (NodeId i = 0; i < a_.size(); ++i) {
      if (out_.b_of_a[at(i)] >= 0 || a_.node(i).name().empty()) continue;
      const auto same = b_.find(a_.node(i).full_name());
      if (same && out_.a_of_b[at(same->id())] < 0 && same->op().name() == a_.node(i).op().name()) pair(i, same->id());
    }
  }

  bool match(const Value& a, const Value& b) const {
    return out_.b_of_a[at(a.node_id())] == b.node_id() && a.output() == b.output();
  }

  void compare() {
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
        if (in_a && in_b && match(a.input(k), b.input(k))) continue;
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
  }

  // One value in the place of another. Numbers are each graph's own, so that a label alone may not tell them apart.
  static std::string change(const Value& a, const Value& b) {
    const std::string x = label(a), y = label(b);
    if (x != y) return x + " -> " + y;
    const std::string op_a = shown(a.node().op().name()), op_b = shown(b.node().op().name());
    return op_a != op_b ? x + " (" + op_a + ") -> " + y + " (" + op_b + ")" : x + " -> " + y + ", another " + op_b;
  }

  void attributes(const Op& a, const Op& b, std::vector<std::string>& what) {
    AttrRecord before = a.attributes(), now = b.attributes();
    // Streams follow from the order of building: another one is a note, not a change of each variable.
    const auto *v = a.as<Variable>(), *w = b.as<Variable>();
    if (v && w && v->init.stream != w->init.stream) {
      Init same = w->init;
      same.stream = v->init.stream;
      ++other_streams_;
      if (same == v->init)
        for (AttrRecord* r : {&before, &now}) std::erase_if(*r, [](const auto& x) { return x.first == "init"; });
    }
    const bool named = a.is<Variable>() || a.is<Input>();
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
    for (const std::string& key : keys)
      if (const std::string x = shown(before, key), y = shown(now, key); x != y)
        what.push_back(key + ": " + dots::shortened(x, 80) + " -> " + dots::shortened(y, 80));
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
      else if (!match(v, same->second))
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
  std::vector<Token> kind_a_, kind_b_, exact_a_, exact_b_;
  std::vector<std::vector<NodeId>> readers_a_, readers_b_;
  int other_streams_ = 0;
  Difference out_;
};

}  // namespace

Difference diff(const Graph& a, const Graph& b) { return Matcher(a, b).run(); }

Difference diff(const Ledger& a, const Ledger& b) {
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
}

}  // namespace oxbow::tools
