#include "onnx/larger.h"

#include <oxbow/graph/leaf_ops.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/passes/specialise.h>

#include <algorithm>

namespace oxbow::onnx {
using namespace internal;

std::shared_ptr<Graph> larger(const Graph& graph, Values fetches, const Graph& here) {
  std::map<std::string, Shape> shapes;
  for (NodeId id = 0; id < here.size(); ++id)
    if (const auto* in = here.node(id).op().as<ops::Input>()) {
      Shape shape = in->type.shape;
      for (const std::int64_t axis : in->free_axes)
        shape = shape.with(static_cast<int>(axis), std::max<std::int64_t>(1, 2 * shape[static_cast<int>(axis)]));
      shapes[in->name] = shape;
    }
  try {
    std::shared_ptr<Graph> there = specialise(graph, fetches, shapes, Mode::inference).graph;
    if (there->size() != here.size()) return nullptr;
    for (NodeId id = 0; id < here.size(); ++id)
      if (there->node(id).op().name() != here.node(id).op().name()) return nullptr;
    return there;
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace oxbow::onnx
