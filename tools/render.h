// DOT to SVG by the Graphviz library. Thread safety: Graphviz has global state, so calls wait for one another.
#pragma once

#include <string>

namespace oxbow::tools {

/// A self-contained SVG picture of a DOT text. Throws `Error` when the text is no DOT.
std::string render_svg(const std::string& dot);

}  // namespace oxbow::tools
