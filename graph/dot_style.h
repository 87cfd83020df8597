// What the DOT writers share: colours, strings, leaves. Part of their implementation. Pure functions.
#pragma once

#include <oxbow/graph/leaves.h>

#include <string>
#include <string_view>

namespace oxbow::dots {

/// Line and text colour, the fill of nodes, and the fill of frames; told apart by lightness too, for those who see few
/// colours.
struct Palette {
  const char *line, *fill, *frame;
};
Palette palette(Phase phase);

/// In quotes, with escapes; control characters go.
std::string dot_string(std::string_view text);
/// At most so many bytes, whole characters, with "..." for the rest.
std::string shortened(std::string text, std::size_t length);

inline bool is_leaf(const Op& op) { return op.is<Input>() || op.is<Variable>() || op.is<Constant>(); }

/// "1.5 MB"; "64 B".
std::string bytes_text(std::int64_t bytes);
/// "1.5 ms"; "640 ns".
std::string time_text(double ns);

}  // namespace oxbow::dots
