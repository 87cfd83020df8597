#include "dump.h"

#include <oxbow/graph/dot.h>
#include <oxbow/graph/text.h>

#include "render.h"

namespace oxbow::tools {

std::optional<Format> parse_format(std::string_view name) {
  if (name == "text") return Format::text;
  if (name == "dot") return Format::dot;
  if (name == "svg") return Format::svg;
  return std::nullopt;
}

std::string dump(const Graph& graph, Format format, const DumpOptions& options) {
  if (format == Format::text) return print(graph, {.locations = options.locations});
  DotOptions drawing{.types = options.types, .reduced = options.reduced};
  if (format == Format::dot) return dot(graph, drawing);
  if (graph.size() > largest_picture)
    throw Error("the graph has " + std::to_string(graph.size()) + " nodes, too many for a picture (at most " +
                std::to_string(largest_picture) + "). Dump it as text, or as dot for a viewer of large graphs");
  if (graph.size() > fully_drawn) {
    drawing = {.types = false, .reduced = true};
    drawing.note = std::to_string(graph.size()) + " nodes: drawn without types and without edges that others imply";
  }
  return render_svg(dot(graph, drawing));
}

}  // namespace oxbow::tools
