#include "dump/mermaid.h"

#include "dump/style.h"

namespace oxbow::tools {
namespace {

// In quotes; what could end them or mean something to Mermaid or HTML becomes an entity; printable.
std::string in_entities(std::string_view text) {
  std::string out = "\"";
  for (const char c : dots::printable(text)) {
    if (std::string_view("\"#&<>`[]{}|\\").find(c) != std::string_view::npos)
      out += "#" + std::to_string(static_cast<int>(c)) + ";";
    else if (c == '\n')
      out += "<br/>";
    else
      out += c;
  }
  return out + '"';
}

std::pair<const char*, const char*> brackets(const Op& op) {
  if (op.is<ops::Input>()) return {"([", "])"};
  if (op.is<ops::Variable>()) return {"[(", ")]"};
  if (op.is<ops::Constant>()) return {"{{", "}}"};
  return {"[", "]"};
}

}  // namespace

std::string mermaid(const Graph& graph, const DotOptions& options) {
  std::string out = "flowchart TD\n";
  for (const Phase phase : {Phase::forward, Phase::backward, Phase::update}) {
    const dots::Palette colors = dots::palette(phase);
    out += "  classDef " + std::string(name(phase)) + " fill:" + colors.fill + ",stroke:" + colors.line +
           ",color:" + colors.line + "\n";
  }
  if (!options.path.empty()) out += std::string("  classDef path stroke:") + dots::path_color + ",stroke-width:3px\n";
  const Origin* frame = nullptr;
  int frames = 0;
  for (NodeId i = 0; i < graph.size(); ++i) {
    const Node n = graph.node(i);
    const Origin& origin = n.origin();
    if (!frame || frame->phase != origin.phase || frame->scope != origin.scope) {
      if (frame) out += "  end\n";
      frame = &origin;
      const std::string title =
          std::string(name(origin.phase)) + (origin.scope.empty() ? "" : " " + origin.scope.str());
      out += "  subgraph s" + std::to_string(frames++) + "[" + in_entities(title) + "]\n";
    }
    const DotRemark& remark = options.remark(i);
    std::string label = dots::computes(n.op());
    if (const std::string& name = remark.name.empty() ? n.name() : remark.name; !name.empty())
      label = name + "\n" + label;
    if (dots::is_leaf(n.op())) label += "\n" + to_string(n.output_types());
    if (!remark.label.empty()) label += "\n" + remark.label;
    const auto [open, close] = brackets(n.op());
    out += "    n" + std::to_string(i) + open + in_entities(label) + close + ":::" + std::string(name(origin.phase)) +
           "\n";
  }
  if (frame) out += "  end\n";
  for (NodeId i = 0; i < graph.size(); ++i) {
    const Node n = graph.node(i);
    for (int k = 0; k < n.input_count(); ++k) {
      if (!n.input(k)) continue;
      const bool shape_only = !n.op().info().reads(k);
      out += "  n" + std::to_string(n.input(k).node_id()) + (shape_only ? " -.->" : " -->");
      if (options.types && !shape_only) out += "|" + in_entities(to_string(n.input(k).type())) + "|";
      out += " n" + std::to_string(i) + "\n";
    }
  }
  for (const auto& [name, value] : graph.outputs())
    out += "  n" + std::to_string(value.node_id()) + " ==> " + "o" + std::to_string(frames++) + "((" +
           in_entities(name) + "))\n";
  if (options.path.empty()) return out;
  out += "  path[" + in_entities(options.path_note) + "]:::path\n  class ";
  for (std::size_t i = 0; i < options.path.size(); ++i) out += (i > 0 ? ",n" : "n") + std::to_string(options.path[i]);
  return out + " path\n";
}

}  // namespace oxbow::tools
