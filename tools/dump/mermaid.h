// Graphs as Mermaid flowcharts, which many readers of Markdown draw. The same text every time. Pure functions.
#pragma once

#include <string>

#include "dump/dot.h"

namespace oxbow::tools {

/// Colours and remarks as in tools/dump/dot.h, and the path's nodes have thick borders of a colour of their own; frames
/// are phases and scopes; dotted arrows carry a shape only. Draws edges that others imply, and no tooltips.
std::string mermaid(const Graph& graph, const DotOptions& options = {});

}  // namespace oxbow::tools
