#include "measure/feeds.h"

#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/loss.h>
#include <oxbow/ops/loss/loss.h>
#include <oxbow/ops/ops.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/gather.h>
#include <oxbow/ops/shape/one_hot.h>
#include <oxbow/runtime/safetensors.h>

#include <algorithm>
#include <limits>

namespace oxbow::tools {
namespace {

// How large the numbers of an index may be, less one, to this reader that it is input `i` of.
std::int64_t limit_of(const Node& reader, int i) {
  if (reader.op().is<ops::CrossEntropy>() && i == 1) return reader.input(0).shape()[-1];
  if (const auto* one_hot = reader.op().as<ops::OneHot>()) return one_hot->classes;
  if (const auto* gather = reader.op().as<ops::Gather>(); gather && i == 1)
    return reader.input(0).shape()[static_cast<int>(gather->axis)];
  if (const auto* scatter = reader.op().as<ops::ScatterAdd>(); scatter && i == 1)
    return reader.input(0).shape()[static_cast<int>(scatter->axis)];
  if (const auto* add = reader.op().as<ops::GatherAdd>(); add && i == 1)
    return reader.input(0).shape()[static_cast<int>(add->axis)];
  return std::numeric_limits<std::int64_t>::max();
}

// The smallest limit of all that read the input, or a value that only moves or converts its numbers.
std::int64_t limit_of(const Graph& graph, NodeId input) {
  constexpr std::int64_t where_nothing_limits = 10;
  std::vector<bool> same(static_cast<std::size_t>(graph.size()));
  same[static_cast<std::size_t>(input)] = true;
  std::int64_t limit = where_nothing_limits;
  bool found = false;
  for (NodeId id = input + 1; id < graph.size(); ++id) {
    const Node n = graph.node(id);
    for (int i = 0; i < n.input_count(); ++i) {
      if (!n.input(i) || !n.op().info().reads(i) || !same[static_cast<std::size_t>(n.input(i).node_id())]) continue;
      if (const std::int64_t own = limit_of(n, i); own != std::numeric_limits<std::int64_t>::max()) {
        limit = found ? std::min(limit, own) : own;
        found = true;
      }
      if (n.input_count() == 1 && n.output_count() == 1 && is_integer(n.output().dtype()))
        same[static_cast<std::size_t>(id)] = true;
    }
  }
  return std::max<std::int64_t>(limit, 1);
}

const ops::Input* find_input(const Graph& graph, const std::string& name, NodeId& id) {
  for (id = 0; id < graph.size(); ++id)
    if (const auto* in = graph.node(id).op().as<ops::Input>(); in && in->name == name) return in;
  return nullptr;
}

[[noreturn]] void no_input(const Graph& graph, const std::string& option, const std::string& name) {
  std::vector<std::string> known;
  for (NodeId id = 0; id < graph.size(); ++id)
    if (const auto* in = graph.node(id).op().as<ops::Input>()) known.push_back(in->name);
  throw Error("--feed " + option + ": the graph has no input " + internal::in_quotes(name) + "." +
              internal::did_you_mean(name, known) +
              (known.empty() ? "\n  It has no inputs" : "\n  Its inputs: " + internal::listed(known)));
}

}  // namespace

Tensor random_feed(const Graph& graph, const std::string& input, const Shape& shape) {
  NodeId id = 0;
  const ops::Input* in = find_input(graph, input, id);
  invariant(in != nullptr, "a feed was asked for an input that is not there");
  const DType dtype = in->type.dtype;
  const double high = dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    if constexpr (is_float(dtype_of<T>)) return 1.0;
    if constexpr (std::is_same_v<T, bool>) return 2.0;
    return std::min(static_cast<double>(limit_of(graph, id)), static_cast<double>(std::numeric_limits<T>::max()));
  });
  return draw(shape, 0, high, 1 + static_cast<std::uint64_t>(id), dtype);
}

Feeds read_feeds(const Graph& graph, std::span<const std::string> options) {
  Feeds feeds;
  for (const std::string& option : options) {
    const std::size_t mark = option.find('=');
    const std::string name = mark == std::string::npos ? "" : option.substr(0, mark);
    const Safetensors file = load_safetensors(mark == std::string::npos ? option : option.substr(mark + 1));
    NodeId id = 0;
    if (mark == std::string::npos) {
      for (const auto& [own, tensor] : file.tensors) {
        if (!find_input(graph, own, id)) no_input(graph, option, own);
        feeds.insert_or_assign(own, tensor);
      }
      continue;
    }
    if (!find_input(graph, name, id)) no_input(graph, option, name);
    const auto own =
        std::find_if(file.tensors.begin(), file.tensors.end(), [&](const auto& t) { return t.first == name; });
    if (own == file.tensors.end() && file.tensors.size() != 1)
      throw Error("--feed " + option + ": the file holds " + std::to_string(file.tensors.size()) +
                  " tensors, and none is named " + internal::in_quotes(name));
    feeds.insert_or_assign(name, own == file.tensors.end() ? file.tensors[0].second : own->second);
  }
  return feeds;
}

Mnist load_mnist_for(const Graph& graph, const std::string& folder) {
  bool images = false;
  for (NodeId id = 0; id < graph.size(); ++id)
    if (const auto* in = graph.node(id).op().as<ops::Input>(); in != nullptr && in->name == "x")
      images = in->type.shape.rank() == 4;
  return load_mnist(folder, {.images = images});
}

}  // namespace oxbow::tools
