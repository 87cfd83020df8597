#include "dump/dot.h"

#include <oxbow/graph/order/graphviz.h>
#include <oxbow/graph/order/order.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/graph/text.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <set>

#include "dump/style.h"

namespace oxbow::tools {
using namespace internal;

namespace {

using namespace dots;

std::string_view shape_of(const Op& op) {
  if (op.is<ops::Input>()) return "oval";
  if (op.is<ops::Variable>()) return "cylinder";
  if (op.is<ops::Constant>()) return "note";
  return "box";
}

// What tells this node from others of its op: short attributes that are not off.
std::string op_remarks(const Op& op) {
  if (const auto* c = op.as<ops::Constant>())
    return c->value.count() == 1 ? shortened(print(AttrValue(c->value)).substr(std::string_view("tensor ").size()), 40)
                                 : to_string(c->value.type());
  if (op.is<ops::Input>() || op.is<ops::Variable>()) return to_string(op.infer({})[0]);
  std::string text;
  for (const auto& [name, graph] : op.subgraphs())
    text += (text.empty() ? "" : "\n") + std::string(name) + " of " + std::to_string(graph->size()) + " nodes";
  for (const auto& [key, value] : op.attributes()) {
    if (std::holds_alternative<std::shared_ptr<const Graph>>(value)) continue;
    const auto* list = std::get_if<AttrList>(&value);
    if (list && list->empty()) continue;
    const bool* flag = std::get_if<bool>(&value);
    if (flag && !*flag) continue;
    const std::string item = flag ? key : key + " " + print(value);
    if (item.size() <= 24) text += (text.empty() ? "" : "\n") + item;
  }
  return text;
}

std::string label_of(Node n, std::string_view other_name) {
  std::string text = computes(n.op());
  if (const std::string_view name = other_name.empty() ? std::string_view(n.name()) : other_name; !name.empty())
    text = std::string(name) + (n.op().is<ops::Input>() || n.op().is<ops::Variable>() ? "" : "\n" + text);
  const std::string more = op_remarks(n.op());
  return more.empty() ? text : text + "\n" + more;
}

using Vertex = std::size_t;  // a node by its id; beyond them, leaves that are drawn again
Vertex vertex_of(NodeId n) { return static_cast<Vertex>(n); }

// The frames: a tree of scopes below each phase.
struct Frame {
  std::map<std::string, Frame, std::less<>> inner;
  std::vector<Vertex> vertices;

  // Frames nest at most `deepest` deep; what a scope has beyond is the innermost one's title.
  Frame& at(std::string_view scope) {
    constexpr int deepest = 32;
    Frame* frame = this;
    int depth = 1;
    for (std::size_t begin = 0; begin < scope.size(); ++depth) {
      const std::size_t end = depth == deepest ? scope.size() : std::min(scope.find('/', begin), scope.size());
      frame = &frame->inner[std::string(scope.substr(begin, end - begin))];
      begin = end + 1;
    }
    return *frame;
  }
};

class Writer {
 public:
  Writer(const Graph& graph, const DotOptions& options)
      : graph_(graph),
        options_(options),
        outputs_(static_cast<std::size_t>(graph.size())),
        is_output_(outputs_.size()) {
    for (NodeId i = 0; i < graph.size(); ++i) {
      vertices_.push_back(i);
      frame_of(graph.node(i)).vertices.push_back(vertex_of(i));
    }
    for (const auto& [name, value] : graph.outputs()) {
      const auto id = static_cast<std::size_t>(value.node_id());
      is_output_[id] = true;
      if (is_given(name)) outputs_[id] += (outputs_[id].empty() ? "" : ", ") + name;
    }
    for (std::size_t i = 0; i < options.path.size(); ++i) {
      on_path_.insert(options.path[i]);
      if (i > 0) path_edges_.emplace(options.path[i - 1], options.path[i]);
    }
    draw_edges();
  }

  std::string write() const {
    return graphviz(
        vertices_.size(), edges_, [&](std::ostream& o) { heading(o); },
        [&](std::ostream& o, Vertex v) { vertex(o, v); },
        [&](std::ostream& o, const DotEdge& e) { edge(o, graph_.node(static_cast<NodeId>(e.to)), e.input); });
  }

 private:
  Frame& frame_of(Node n) { return frames_[static_cast<std::size_t>(n.origin().phase)].at(n.origin().scope); }

  void draw_edges() {
    std::vector<Edge> kept;
    if (options_.reduced) kept = transitive_reduction(graph_);
    std::map<std::pair<NodeId, Frame*>, Vertex> copies;
    for (NodeId i = 0; i < graph_.size(); ++i) {
      const Node reader = graph_.node(i);
      std::set<NodeId> drawn;
      for (std::int32_t k = 0; k < reader.input_count(); ++k) {
        if (!reader.input(k)) continue;
        const Node from = reader.input(k).node();
        // Of parallel edges (x * x) a reduction keeps one.
        if (options_.reduced &&
            (!std::binary_search(kept.begin(), kept.end(), Edge{from.id(), i}) || !drawn.insert(from.id()).second))
          continue;
        Vertex v = vertex_of(from.id());
        if (is_leaf(from.op()) && from.origin().phase != reader.origin().phase) {
          // Shown again beside its reader: an edge across the whole picture would say less.
          Frame& frame = frame_of(reader);
          const auto [place, is_new] = copies.try_emplace({from.id(), &frame}, vertices_.size());
          v = place->second;
          if (is_new) {
            vertices_.push_back(from.id());
            frame.vertices.push_back(v);
          }
        }
        edges_.push_back({v, vertex_of(i), k});
      }
    }
  }

  void heading(std::ostream& out) const {
    out << "graph [fontname=\"Helvetica\", fontsize=11, nodesep=0.25, ranksep=0.4, labeljust=l, "
           "style=\"rounded,filled\"];\n"
           "node [fontname=\"Helvetica\", fontsize=10, style=\"rounded,filled\", margin=\"0.12,0.05\", height=0.3];\n"
           "edge [fontname=\"Helvetica\", fontsize=8, fontcolor=\"#5f6b7a\", arrowsize=0.6];\n";
    out << caption(options_.note, options_.path_note);
    int number = 0;
    for (Phase phase : {Phase::forward, Phase::backward, Phase::update}) {
      const Frame& frame = frames_[static_cast<std::size_t>(phase)];
      if (!frame.vertices.empty() || !frame.inner.empty())
        write(out, frame, std::string(name(phase)), palette(phase), number);
    }
  }

  void write(std::ostream& out, const Frame& frame, const std::string& title, const Palette& colors,
             int& number) const {
    out << "subgraph cluster_" << number++ << " {\nlabel=" << dot_string(title) << "; color=" << dot_string(colors.line)
        << "; fontcolor=" << dot_string(colors.line) << "; fillcolor=" << dot_string(colors.frame)
        << "; penwidth=0.7;\n";
    for (Vertex v : frame.vertices) out << v << ";\n";
    for (const auto& [inner_title, inner] : frame.inner) write(out, inner, inner_title, colors, number);
    out << "}\n";
  }

  void vertex(std::ostream& out, Vertex v) const {
    const Node n = graph_.node(vertices_[v]);
    const bool copy = v != vertex_of(n.id());
    const Palette colors = palette(n.origin().phase);
    const std::string& outputs = outputs_[static_cast<std::size_t>(n.id())];
    const std::string_view shape = shape_of(n.op());
    const DotRemark& remark = options_.remark(copy ? -1 : n.id());
    const bool on_path = !copy && on_path_.contains(n.id());
    std::string label = copy && !n.op().is<ops::Constant>() ? n.full_name() : label_of(n, remark.name);
    if (!copy && !outputs.empty()) label += "\noutput " + outputs;
    if (!remark.label.empty()) label += "\n" + remark.label;
    const std::string tip = n.full_name() + " = " + std::string(n.op().name()) +
                            (n.op().is<ops::Constant>() ? "" : " " + print(AttrValue(n.op().attributes()))) + " : " +
                            to_string(n.output_types());
    out << " [label=" << dot_string(label) << ", shape=" << shape;
    if (copy)
      out << ", style=\"filled,dashed\"";
    else if (shape != "box")
      out << ", style=filled";
    if (!copy && is_output_[static_cast<std::size_t>(n.id())]) out << ", peripheries=2";
    if (on_path) out << ", penwidth=2";
    out << ", color=" << dot_string(on_path ? path_color : colors.line) << ", fontcolor=" << dot_string(colors.line)
        << ", fillcolor=" << dot_string(colors.fill)
        << ", tooltip=" << dot_string(shortened(tip, 400) + (remark.tip.empty() ? "" : "\n" + remark.tip)) << "]";
  }

  void edge(std::ostream& out, Node reader, int input) const {
    const Value value = reader.input(input);
    const Phase from = value.node().origin().phase, to = reader.origin().phase;
    const bool shape_only = !reader.op().info().reads(input);
    const bool on_path = !shape_only && path_edges_.contains({value.node_id(), reader.id()});
    out << "[color=" << dot_string(on_path ? path_color : palette(to).line);
    if (options_.types && !shape_only) out << ", label=" << dot_string(" " + to_string(value.type()));
    if (shape_only) out << ", style=dotted";
    if (on_path || (from == Phase::forward && to == Phase::backward && !shape_only && !is_leaf(value.node().op())))
      out << ", penwidth=2";
    out << "]";
  }

  const Graph& graph_;
  const DotOptions& options_;
  std::array<Frame, 3> frames_;
  std::vector<std::string> outputs_;  // of each node, the names that it was given as an output
  std::vector<bool> is_output_;
  std::vector<NodeId> vertices_;  // of each vertex its node: all nodes, then leaves shown again
  std::vector<DotEdge> edges_;
  std::set<NodeId> on_path_;
  std::set<std::pair<NodeId, NodeId>> path_edges_;
};

}  // namespace

std::string dot(const Graph& graph, const DotOptions& options) {
  return while_memory_lasts("drawing a graph", [&] { return Writer(graph, options).write(); });
}

}  // namespace oxbow::tools
