// DOT text as Boost.Graph writes it, for tools/dump/dot.cpp: declared without Boost, so that one file compiles its
// templates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

namespace oxbow::internal {

struct DotEdge {
  std::size_t from, to;  ///< vertices
  std::int32_t input;    ///< which input of `to` it is
};

/// A digraph of `vertices` vertices. The functions write what belongs to the graph, and the attributes of a vertex and
/// of an edge, in square brackets. Throws what they throw, and std::bad_alloc.
std::string graphviz(std::size_t vertices, const std::vector<DotEdge>& edges,
                     const std::function<void(std::ostream&)>& heading,
                     const std::function<void(std::ostream&, std::size_t)>& vertex,
                     const std::function<void(std::ostream&, const DotEdge&)>& edge);

}  // namespace oxbow::internal
