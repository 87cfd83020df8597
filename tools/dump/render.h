// DOT to pictures by Graphviz's program `dot`. Safe from any thread.
#pragma once

#include <string>

namespace oxbow::tools {

/// A self-contained SVG picture of a DOT text. Throws `Error` when the text is not DOT, or `dot` is not installed.
std::string render_svg(const std::string& dot);
/// The same as the bytes of a PNG file.
std::string render_png(const std::string& dot);

}  // namespace oxbow::tools
