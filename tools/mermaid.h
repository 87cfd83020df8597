// Graphs as Mermaid flowcharts, which many readers of Markdown draw. The same text every time. Pure functions.
#pragma once

#include <oxbow/graph/graph.h>

#include <string>

namespace oxbow::tools {

/// Colours as in graph/dot.h; frames are phases and scopes; dotted arrows carry a shape only.
std::string mermaid(const Graph& graph, bool types = true);

}  // namespace oxbow::tools
