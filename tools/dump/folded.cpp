#include "dump/folded.h"

#include <oxbow/graph/support/out_of_memory.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "dump/style.h"

namespace oxbow::tools {
namespace {

using namespace dots;

// The first `depth` parts of a scope; with `merge`, numbers in it are stars.
std::string folded(std::string_view scope, int depth, bool merge) {
  std::size_t end = 0;
  for (int i = 0; i < depth && end < scope.size(); ++i) end = std::min(scope.find('/', end + (i > 0)), scope.size());
  std::string out;
  for (const char c : scope.substr(0, end)) {
    if (!merge || c < '0' || c > '9')
      out += c;
    else if (out.empty() || out.back() != '*')
      out += '*';
  }
  return out;
}

constexpr int most_input_boxes = 8;  // beyond it inputs are named in the box of their scope

struct Box {
  Phase phase = Phase::forward;
  std::string scope;
  std::set<std::string_view> scopes = {};    // that are in it
  std::map<std::string_view, int> ops = {};  // and how many nodes of each op
  std::vector<std::string> inputs = {}, outputs = {};
  std::int64_t nodes = 0, parameters = 0;
  double ns = -1;
  bool on_path = false, is_output = false;

  bool is_input() const { return nodes == 1 && inputs.size() == 1; }
};

class Folder {
 public:
  Folder(const Graph& graph, const FoldOptions& options) : graph_(graph), options_(options) {
    int deepest = 0;
    for (NodeId i = 0; i < graph.size(); ++i) {
      const std::string& scope = graph.node(i).origin().scope.str();
      if (!scope.empty())
        deepest = std::max(deepest, 1 + static_cast<int>(std::count(scope.begin(), scope.end(), '/')));
    }
    for (const bool merge : {false, true})
      for (int depth = deepest; depth >= 1; --depth) {
        fold(depth, merge);
        if (static_cast<int>(boxes_.size()) <= options.most_boxes) return;
      }
    fold(0, false);
  }

  std::string write() const {
    std::string out =
        "digraph G {\ngraph [fontname=\"Helvetica\", fontsize=11, nodesep=0.3, ranksep=0.22, labeljust=l];\n"
        "node [fontname=\"Helvetica\", fontsize=10, shape=box, style=\"rounded,filled\", margin=\"0.12,0.04\", "
        "height=0.3];\nedge [fontname=\"Helvetica\", fontsize=8, fontcolor=\"#5f6b7a\", arrowsize=0.6];\n";
    out += caption(options_.note, options_.path_note);
    for (std::size_t b = 0; b < boxes_.size(); ++b) vertex(out, b);
    // The phases of a scope stand side by side.
    std::map<std::string_view, std::vector<std::size_t>> rows;
    for (std::size_t b = 0; b < boxes_.size(); ++b)
      if (!boxes_[b].scope.empty()) rows[boxes_[b].scope].push_back(b);
    for (const auto& [scope, row] : rows) {
      if (row.size() < 2) continue;
      out += "{rank=same;";
      for (const std::size_t b : row) out += " " + std::to_string(b) + ";";
      out += "}\n";
    }
    for (const auto& [ends, flow] : flows()) edge(out, ends.first, ends.second, flow);
    return out + "}\n";
  }

 private:
  struct Flow {
    std::int64_t values = 0, bytes = 0;
  };

  // An update belongs to the forward scope whose parameter it moves, where there is one: "optimizer/adam/dense/kernel"
  // stands beside "dense".
  std::string scope_of(const Origin& origin, int depth, bool merge,
                       const std::set<std::string, std::less<>>& forward) const {
    const std::string_view scope = origin.scope;
    if (origin.phase == Phase::update)
      for (std::size_t at = 0; at < scope.size(); at = std::min(scope.find('/', at), scope.size() - 1) + 1)
        for (std::string part = folded(scope.substr(at), depth, merge);; part.resize(part.rfind('/'))) {
          if (forward.contains(part)) return part;
          if (part.find('/') == std::string::npos) break;
        }
    return folded(scope, depth, merge);
  }

  void fold(int depth, bool merge) {
    boxes_.clear();
    of_.clear();
    // Nodes of a scope follow one another: what is made of its name is made once for them.
    const Origin* last = nullptr;
    const auto is_another = [&](const Origin& now) {
      const Origin* const before = std::exchange(last, &now);
      return before == nullptr || before->phase != now.phase || before->scope != now.scope;
    };
    std::set<std::string, std::less<>> forward;
    for (NodeId i = 0; i < graph_.size(); ++i)
      if (const Origin& origin = graph_.node(i).origin();
          origin.phase == Phase::forward && !origin.scope.empty() && is_another(origin))
        forward.insert(folded(origin.scope, depth, merge));
    last = nullptr;
    int inputs = 0;
    for (NodeId i = 0; i < graph_.size(); ++i) inputs += stands_alone(graph_.node(i));
    std::map<std::tuple<Phase, std::string, NodeId>, std::size_t> places;
    std::string scope;
    for (NodeId i = 0; i < graph_.size(); ++i) {
      const Origin& origin = graph_.node(i).origin();
      if (is_another(origin)) scope = scope_of(origin, depth, merge, forward);
      const bool alone = inputs <= most_input_boxes && stands_alone(graph_.node(i));
      const auto [place, is_new] = places.try_emplace({origin.phase, scope, alone ? i : -1}, boxes_.size());
      if (is_new) boxes_.push_back({.phase = origin.phase, .scope = scope});
      add(boxes_[place->second], graph_.node(i));
      if (static_cast<std::size_t>(i) < options_.ns.size() && options_.ns[static_cast<std::size_t>(i)] >= 0)
        boxes_[place->second].ns = std::max(boxes_[place->second].ns, 0.0) + options_.ns[static_cast<std::size_t>(i)];
      of_.push_back(place->second);
    }
    path_edges_.clear();
    for (std::size_t i = 0; i < options_.path.size(); ++i) {
      const std::size_t here = of_[static_cast<std::size_t>(options_.path[i])];
      boxes_[here].on_path = true;
      if (i > 0) path_edges_.emplace(of_[static_cast<std::size_t>(options_.path[i - 1])], here);
    }
    for (const auto& [name, value] : graph_.outputs()) {
      Box& box = boxes_[of_[static_cast<std::size_t>(value.node_id())]];
      box.is_output = true;
      if (is_given(name)) box.outputs.push_back(name);
    }
  }

  // An input that belongs to no scope: data come in there.
  static bool stands_alone(const Node& n) { return n.op().is<ops::Input>() && n.origin().scope.empty(); }

  static void add(Box& box, Node n) {
    box.scopes.insert(n.origin().scope.str());
    ++box.nodes;
    if (const auto* v = n.op().as<ops::Variable>()) {
      if (v->trainable) box.parameters += v->type.count();
    } else if (const auto* in = n.op().as<ops::Input>()) {
      box.inputs.push_back(in->name + " " + to_string(in->type));
    } else if (!n.op().is<ops::Constant>()) {
      ++box.ops[n.op().name()];
    }
  }

  std::map<std::pair<std::size_t, std::size_t>, Flow> flows() const {
    std::map<std::pair<std::size_t, std::size_t>, Flow> out;
    std::set<std::pair<std::size_t, const Type*>> seen;  // a value flows into a box once
    for (NodeId i = 0; i < graph_.size(); ++i) {
      const Node n = graph_.node(i);
      for (int k = 0; k < n.input_count(); ++k) {
        if (!n.input(k)) continue;
        const std::size_t from = of_[static_cast<std::size_t>(n.input(k).node_id())],
                          to = of_[static_cast<std::size_t>(i)];
        if (from == to || !n.op().info().reads(k)) continue;
        if (is_leaf(n.input(k).node().op()) && !(boxes_[from].is_input() && boxes_[from].phase == boxes_[to].phase))
          continue;
        if (!seen.insert({to, &n.input(k).type()}).second) continue;
        Flow& flow = out[{from, to}];
        ++flow.values;
        flow.bytes += n.input(k).type().bytes();
      }
    }
    return out;
  }

  void vertex(std::string& out, std::size_t b) const {
    const Box& box = boxes_[b];
    const Palette colors = palette(box.phase);
    if (box.is_input()) {
      out += std::to_string(b) + " [label=" + dot_string(shortened(box.inputs[0], 300)) +
             ", shape=oval, color=" + dot_string(colors.line) + ", fontcolor=" + dot_string(colors.line) +
             ", fillcolor=" + dot_string(colors.fill) + (box.is_output ? ", peripheries=2" : "") + "];\n";
      return;
    }
    std::string label = box.scope.empty() ? std::string(name(box.phase)) : box.scope;
    if (!box.scope.empty() && box.phase != Phase::forward) label += " (" + std::string(name(box.phase)) + ")";
    if (box.scopes.size() > 1) label += ", " + std::to_string(box.scopes.size()) + " scopes";
    std::vector<std::pair<int, std::string_view>> most;
    for (const auto& [op, count] : box.ops) most.emplace_back(-count, op);
    std::sort(most.begin(), most.end());
    std::string ops;
    for (std::size_t i = 0; i < most.size() && i < 3; ++i)
      ops += (i > 0 ? ", " : "") + std::to_string(-most[i].first) + " " + std::string(most[i].second);
    label += "\n" + std::to_string(box.nodes) + (box.nodes == 1 ? " node" : " nodes");
    if (!ops.empty()) label += ": " + ops + (most.size() > 3 ? ", ..." : "");
    if (box.parameters > 0) label += "\n" + std::to_string(box.parameters) + " parameters";
    if (box.ns >= 0) label += "\n" + time_text(box.ns);
    for (const std::string& in : box.inputs) label += "\ninput " + in;
    for (const std::string& name : box.outputs) label += "\noutput " + name;
    out += std::to_string(b) + " [label=" + dot_string(shortened(label, 300)) +
           ", color=" + dot_string(box.on_path ? path_color : colors.line) + (box.on_path ? ", penwidth=2" : "") +
           ", fontcolor=" + dot_string(colors.line) + ", fillcolor=" + dot_string(colors.fill) +
           (box.is_output ? ", peripheries=2" : "") + "];\n";
  }

  // Backward's own edges are laid out the other way round, so that it runs up; those between phases lie level.
  void edge(std::string& out, std::size_t from, std::size_t to, const Flow& flow) const {
    const Phase a = boxes_[from].phase, b = boxes_[to].phase;
    const bool up = a == Phase::backward && b == Phase::backward, on_path = path_edges_.contains({from, to});
    std::string text =
        std::to_string(up ? to : from) + "->" + std::to_string(up ? from : to) +
        " [color=" + dot_string(on_path ? path_color : palette(b).line) + ", label=" +
        dot_string(" " + (flow.values > 1 ? std::to_string(flow.values) + " values, " : "") + bytes_text(flow.bytes));
    if (up) text += ", dir=back";
    if (a != b || a == Phase::update) text += ", constraint=false";
    if (on_path || (a == Phase::forward && b == Phase::backward)) text += ", penwidth=2";
    out += text + "];\n";
  }

  const Graph& graph_;
  const FoldOptions& options_;
  std::vector<Box> boxes_;
  std::vector<std::size_t> of_;  // of each node its box
  std::set<std::pair<std::size_t, std::size_t>> path_edges_;
};

}  // namespace

std::string folded_dot(const Graph& graph, const FoldOptions& options) {
  return internal::while_memory_lasts("drawing a graph", [&] { return Folder(graph, options).write(); });
}

}  // namespace oxbow::tools
