#include "render.h"

#include <graphviz/gvc.h>
#include <oxbow/graph/error.h>

#include <memory>
#include <mutex>

namespace oxbow::tools {
namespace {

// Graphviz prints what it thinks to standard error unless told to keep it for `aglasterr`.
int keep_quiet(char*) { return 0; }

}  // namespace

std::string render_svg(const std::string& dot) {
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  agseterr(AGMAX);
  agseterrf(keep_quiet);
  const std::unique_ptr<GVC_t, int (*)(GVC_t*)> context(gvContext(), gvFreeContext);
  const std::unique_ptr<Agraph_t, int (*)(Agraph_t*)> graph(agmemread(dot.c_str()), agclose);
  if (!graph) throw Error("Graphviz cannot read the DOT text of the graph");
  if (gvLayout(context.get(), graph.get(), "dot") != 0) throw Error("Graphviz cannot lay out the graph");
  char* text = nullptr;
  unsigned int length = 0;
  const bool rendered = gvRenderData(context.get(), graph.get(), "svg", &text, &length) == 0;
  gvFreeLayout(context.get(), graph.get());
  if (!rendered) throw Error("Graphviz cannot render the graph as SVG: is its core plugin installed?");
  std::string svg(text, length);
  gvFreeRenderData(text);
  return svg;
}

}  // namespace oxbow::tools
