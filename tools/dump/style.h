// What the DOT writers share: colours, strings, leaves, captions. Part of their implementation. Pure functions.
#pragma once

#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>

#include <string>
#include <string_view>

namespace oxbow::dots {

/// Line and text colour, the fill of nodes, and the fill of frames; distinguished by lightness too, for those who see
/// few colours.
struct Palette {
  const char *line, *fill, *frame;
};
Palette palette(Phase phase);

/// What any reader of pictures takes, XML's among them: UTF-8, where what is none becomes U+FFFD, without control
/// characters but line ends.
std::string printable(std::string_view text);
/// As text of XML, HTML and Graphviz's labels that are marked up; printable.
std::string marked_up(std::string_view text);
/// In quotes, with escapes; printable.
std::string dot_string(std::string_view text);
/// At most so many bytes, whole characters, with "..." for the rest.
std::string shortened(std::string text, std::size_t length);

/// Of the border of what lies on the path that is shown, and of its edges: told from each phase's.
inline constexpr const char* path_color = "#c4005f";
/// The graph's attribute that puts `note` and, in the path's colour, `path` below a picture; "" without either.
std::string caption(std::string_view note, std::string_view path);

/// "multiply, add and 3 more": the ops whose work a node does that others were fused into, in order, its own first; ""
/// for a node that does its own only.
std::string made_of(const Op& op, std::size_t most);
/// What stands for an op in a label: "matmul", "product, add, relu", "fused: multiply, add, tanh and 3 more".
std::string computes(const Op& op);

/// Whether somebody gave an output this name: `compile` numbers what it fetches.
bool is_given(std::string_view output_name);

inline bool is_leaf(const Op& op) { return op.is<ops::Input>() || op.is<ops::Variable>() || op.is<ops::Constant>(); }

/// "1.5 MB"; "64 B".
std::string bytes_text(std::int64_t bytes);
/// "1.5 ms"; "640 ns".
std::string time_text(double ns);

}  // namespace oxbow::dots
