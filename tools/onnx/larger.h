// A graph at larger sizes than its examples: what has another size there is open. Thread safety: graphs are read.
#pragma once

#include <oxbow/graph/graph.h>

#include <memory>

namespace oxbow::onnx {

/// `here`, which is `graph` specialised for these fetches in inference at its example sizes, with every free axis twice
/// as large: then windows with strides, which round down, have other sizes too. Null where it cannot be that large, or
/// is another graph then.
std::shared_ptr<Graph> larger(const Graph& graph, Values fetches, const Graph& here);

}  // namespace oxbow::onnx
