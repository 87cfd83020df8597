// What `oxbow dump` prints: a graph as text, DOT or a picture. Safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>

#include <optional>

namespace oxbow::tools {

enum class Format : std::uint8_t { text, dot, svg };

/// "text", "dot" or "svg"; none for another name.
std::optional<Format> parse_format(std::string_view name);

struct DumpOptions {
  bool locations = false;  ///< text: the user's line behind each node
  bool types = true;       ///< dot and svg: types on the edges
  bool reduced = false;    ///< dot and svg: without edges that others imply
};

/// A picture of more nodes than `fully_drawn` is drawn without types and implied edges, with a note that says so; one
/// of more than `largest_picture` throws `Error`: Graphviz would take minutes, and nobody could read it.
std::string dump(const Graph& graph, Format format, const DumpOptions& options = {});
inline constexpr NodeId fully_drawn = 1000, largest_picture = 4000;

}  // namespace oxbow::tools
