#include <oxbow/graph/support/out_of_memory.h>

#include <algorithm>

#include "diff/diff.h"
#include "dump/style.h"

namespace oxbow::tools {
namespace {

constexpr NodeId all_drawn = 80;  // of larger graphs only what differs and its neighbours

struct Look {
  const char *line, *fill, *style, *what;
};
constexpr Look same{"#6b7280", "#f3f4f6", "rounded,filled", "the same"};
constexpr Look added{"#166534", "#bbf7d0", "rounded,filled,bold", "added"};
constexpr Look removed{"#991b1b", "#fecaca", "rounded,filled,dashed", "removed"};
constexpr Look changed{"#92400e", "#fde68a", "rounded,filled", "changed"};

class Writer {
 public:
  Writer(const Difference& d, const Graph& a, const Graph& b, std::size_t most) : d_(d), a_(a), b_(b) {
    look_a_.assign(static_cast<std::size_t>(a.size()), &same);
    look_b_.assign(static_cast<std::size_t>(b.size()), &same);
    for (const NodeId i : d.removed) look_a_[static_cast<std::size_t>(i)] = &removed;
    for (const NodeId i : d.added) look_b_[static_cast<std::size_t>(i)] = &added;
    for (const auto& pair : d.changed) {
      look_b_[static_cast<std::size_t>(pair.b)] = &changed;
      for (const std::string& what : pair.what) remarks_[pair.b] += "\n" + what;
    }
    drawn_.assign(static_cast<std::size_t>(b.size()), b.size() <= all_drawn);
    for (NodeId i = 0; i < b.size(); ++i)
      for (const Value& v : b.node(i).inputs())
        if (v &&
            (look_b_[static_cast<std::size_t>(i)] != &same || look_b_[static_cast<std::size_t>(v.node_id())] != &same))
          drawn_[static_cast<std::size_t>(i)] = drawn_[static_cast<std::size_t>(v.node_id())] = true;
    for (NodeId i = 0; i < b.size(); ++i)
      if (look_b_[static_cast<std::size_t>(i)] != &same) drawn_[static_cast<std::size_t>(i)] = true;
    for (const NodeId i : d.removed) {
      for (const Value& v : a.node(i).inputs())
        if (v) draw_match(v.node_id());
    }
    for (NodeId i = 0; i < a.size(); ++i)
      for (const Value& v : a.node(i).inputs())
        if (v && look_a_[static_cast<std::size_t>(v.node_id())] == &removed) draw_match(i);
    removed_drawn_.assign(static_cast<std::size_t>(a.size()), true);
    if (static_cast<std::size_t>(std::count(drawn_.begin(), drawn_.end(), true)) + d.removed.size() > most) cut(most);
  }

  std::string write() const {
    std::string out =
        "digraph G {\ngraph [fontname=\"Helvetica\", fontsize=11, nodesep=0.25, ranksep=0.35];\n"
        "node [fontname=\"Helvetica\", fontsize=10, shape=box, margin=\"0.12,0.05\", height=0.3];\n"
        "edge [fontname=\"Helvetica\", fontsize=8, fontcolor=\"#5f6b7a\", arrowsize=0.6, color=\"#6b7280\"];\n";
    legend(out);
    NodeId same_left = 0, others_left = 0;
    for (NodeId i = 0; i < b_.size(); ++i) {
      const Look& look = *look_b_[static_cast<std::size_t>(i)];
      if (drawn_[static_cast<std::size_t>(i)])
        vertex(out, "b", b_.node(i), look);
      else
        ++(&look == &same ? same_left : others_left);
    }
    for (const NodeId i : d_.removed)
      if (removed_drawn_[static_cast<std::size_t>(i)])
        vertex(out, "a", a_.node(i), removed);
      else
        ++others_left;
    std::string note;
    if (same_left > 0) note = std::to_string(same_left) + " nodes that are the same are not drawn";
    if (others_left > 0)
      note += (note.empty() ? "" : ". ") + std::to_string(others_left) +
              " nodes that differ are not drawn. The formats text and dot have them all";
    if (!note.empty()) out += "label=" + dots::dot_string(note) + ";\n";
    for (NodeId i = 0; i < b_.size(); ++i)
      for (int k = 0; k < b_.node(i).input_count(); ++k) new_edge(out, b_.node(i), k);
    for (NodeId i = 0; i < a_.size(); ++i)
      for (int k = 0; k < a_.node(i).input_count(); ++k) old_edge(out, a_.node(i), k);
    return out + "}\n";
  }

 private:
  void draw_match(NodeId in_a) {
    if (const NodeId j = d_.b_of_a[static_cast<std::size_t>(in_a)]; j >= 0) drawn_[static_cast<std::size_t>(j)] = true;
  }

  // Leaves so many nodes: of those that differ the first, at least half of b where there are as many; then others.
  void cut(std::size_t most) {
    const std::size_t of_a = std::min(d_.removed.size(), most / 2);
    std::size_t left = most - of_a;
    const auto keep = [&](std::vector<bool>& drawn, std::size_t i) {
      if (left > 0)
        --left;
      else
        drawn[i] = false;
    };
    for (std::size_t i = 0; i < drawn_.size(); ++i)
      if (look_b_[i] != &same) keep(drawn_, i);
    left += of_a;
    for (const NodeId i : d_.removed) keep(removed_drawn_, static_cast<std::size_t>(i));
    for (std::size_t i = 0; i < drawn_.size(); ++i)
      if (look_b_[i] == &same && drawn_[i]) keep(drawn_, i);
  }

  static void legend(std::string& out) {
    out += "subgraph cluster_legend {\nlabel=\"legend\"; color=\"#9ca3af\"; fontcolor=\"#6b7280\";\n";
    const char* before = nullptr;
    for (const Look* look : {&same, &changed, &added, &removed}) {
      out += std::string("\"") + look->what + "\" [color=\"" + look->line + "\", fontcolor=\"" + look->line +
             "\", fillcolor=\"" + look->fill + "\", style=\"" + look->style + "\"];\n";
      if (before) out += std::string("\"") + before + "\"->\"" + look->what + "\" [style=invis];\n";
      before = look->what;
    }
    out += "}\n";
  }

  void vertex(std::string& out, const char* graph, Node n, const Look& look) const {
    std::string text = n.name().empty() ? std::string(n.op().name()) + " " + label(n.output())
                                        : n.full_name() + "\n" + std::string(n.op().name());
    if (dots::is_leaf(n.op())) text += "\n" + to_string(n.output_types());
    if (&look == &changed) text += dots::shortened(remarks_.at(n.id()), 240);
    out += graph + std::to_string(n.id()) + " [label=" + dots::dot_string(text) + ", color=\"" + look.line +
           "\", fontcolor=\"" + look.line + "\", fillcolor=\"" + look.fill + "\", style=\"" + look.style + "\"];\n";
  }

  // An edge of b: new where a has none between the two nodes' matches.
  void new_edge(std::string& out, Node reader, int k) const {
    const Value v = reader.input(k);
    if (!v || !drawn_[static_cast<std::size_t>(reader.id())] || !drawn_[static_cast<std::size_t>(v.node_id())]) return;
    const NodeId from = d_.a_of_b[static_cast<std::size_t>(v.node_id())],
                 to = d_.a_of_b[static_cast<std::size_t>(reader.id())];
    const bool is_new = from < 0 || to < 0 || !has_edge(a_, from, to);
    out += "b" + std::to_string(v.node_id()) + "->b" + std::to_string(reader.id()) +
           " [label=" + dots::dot_string(" " + to_string(v.type())) +
           (is_new ? std::string(", penwidth=2, color=\"") + added.line + "\"" : "") + "];\n";
  }

  // An edge of a that b does not have.
  void old_edge(std::string& out, Node reader, int k) const {
    const Value v = reader.input(k);
    if (!v) return;
    const NodeId from = d_.b_of_a[static_cast<std::size_t>(v.node_id())],
                 to = d_.b_of_a[static_cast<std::size_t>(reader.id())];
    if (!is_drawn(from, v.node_id()) || !is_drawn(to, reader.id())) return;
    if (from >= 0 && to >= 0 && has_edge(b_, from, to)) return;
    const auto end = [](NodeId in_b, NodeId in_a) {
      return in_b >= 0 ? "b" + std::to_string(in_b) : "a" + std::to_string(in_a);
    };
    out += end(from, v.node_id()) + "->" + end(to, reader.id()) +
           " [label=" + dots::dot_string(" " + to_string(v.type())) + ", style=dashed, color=\"" + removed.line +
           "\"];\n";
  }

  bool is_drawn(NodeId in_b, NodeId in_a) const {
    return in_b >= 0 ? drawn_[static_cast<std::size_t>(in_b)] : removed_drawn_[static_cast<std::size_t>(in_a)];
  }

  static bool has_edge(const Graph& g, NodeId from, NodeId to) {
    for (const Value& v : g.node(to).inputs())
      if (v.node_id() == from) return true;
    return false;
  }

  const Difference& d_;
  const Graph &a_, &b_;
  std::vector<const Look*> look_a_, look_b_;
  std::vector<bool> drawn_;          // of b's nodes
  std::vector<bool> removed_drawn_;  // of a's nodes that are removed
  std::map<NodeId, std::string> remarks_;
};

}  // namespace

std::string diff_dot(const Difference& d, const Graph& a, const Graph& b, std::size_t most) {
  return internal::while_memory_lasts("drawing a difference", [&] { return Writer(d, a, b, most).write(); });
}

}  // namespace oxbow::tools
