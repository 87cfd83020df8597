#include "diff/match.h"

#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/hash.h>

#include <algorithm>
#include <unordered_map>

#include "diff/common_subsequence.h"

namespace oxbow::tools {
using namespace internal;

namespace {

// The attributes that say what an op does: names and streams only distinguish it from others alike.
AttrRecord telling(const Op& op) {
  AttrRecord all = op.attributes();
  if (op.is<ops::Variable>() || op.is<ops::Input>())
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

  NodeMatches run() {
    prepare(a_, kind_a_, exact_a_, readers_a_);
    prepare(b_, kind_b_, exact_b_, readers_b_);
    for (const Phase phase : {Phase::forward, Phase::backward, Phase::update}) match(phase);
    by_name();
    return std::move(out_);
  }

 private:
  static void prepare(const Graph& g, std::vector<Token>& kind, std::vector<Token>& exact,
                      std::vector<std::vector<NodeId>>& readers) {
    readers.resize(at(g.size()));
    for (NodeId i = 0; i < g.size(); ++i) {
      const Node n = g.node(i);
      for (const Value& v : n.inputs())
        if (v) readers[at(v.node_id())].push_back(i);
      kind.push_back(std::hash<std::string_view>{}(n.op().name()));
      Token t = mixed(kind.back(), hash(AttrValue(telling(n.op()))));
      for (const Type& type : n.output_types()) t = mixed(t, std::hash<std::string>{}(to_string(type)));
      if (const auto* v = n.op().as<ops::Variable>())
        t = mixed(t, std::hash<std::string>{}(v->name.substr(v->name.rfind('/') + 1)));
      if (const auto* in = n.op().as<ops::Input>()) t = mixed(t, std::hash<std::string>{}(in->name));
      exact.push_back(t);
    }
  }

  // Where a node is among those matched already: the forward node that it belongs to, and its inputs.
  Token place(const Graph& g, NodeId id, const std::vector<NodeId>& number, Phase phase) const {
    const Node n = g.node(id);
    const NodeId forward = n.origin().forward;
    Token t = forward < 0 ? 1 : mixed(2, at(number[at(forward)] + 1));
    for (int k = 0; k < n.input_count(); ++k) {
      if (!n.input(k)) continue;
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
      for (const Value& v : a_.node(i).inputs())
        t = mixed(mixed(t, at(v ? out_.b_of_a[at(v.node_id())] : -1)), at(v.output()));
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
      if (!out_.pair(a.input(k), b.input(k))) return false;
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

  const Graph &a_, &b_;
  std::vector<Token> kind_a_, kind_b_, exact_a_, exact_b_;
  std::vector<std::vector<NodeId>> readers_a_, readers_b_;
  NodeMatches out_;
};

}  // namespace

NodeMatches match_nodes(const Graph& a, const Graph& b) { return Matcher(a, b).run(); }

}  // namespace oxbow::tools
