#include "commands/train_data.h"

#include <fmt/format.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/ops/ops.h>

#include <algorithm>
#include <numeric>

#include "commands/load.h"
#include "commands/model_data.h"
#include "measure/feeds.h"

namespace oxbow::tools {
using namespace internal;

namespace {

constexpr std::string_view label_name = "label";

// The graph's output of this name. A graph that was dumped with its update has it too.
Value output(const Graph& g, std::string_view name) {
  for (const auto& [known, value] : g.outputs())
    if (known == name) return value;
  return {};
}

// The output's shape for samples as they are in the data.
Shape shape_of_output(const Graph& g, Value output, const Dataset& data) {
  std::map<std::string, Shape> shapes;
  for (NodeId id = 0; id < g.size(); ++id)
    if (const auto* in = g.node(id).op().as<ops::Input>(); in != nullptr && data.contains(in->name))
      shapes[in->name] = data[in->name].shape();
  return specialise(g, std::vector{output}, shapes, Mode::training)(output).shape();
}

// Classes are the axis that labels lack: the last one, or the second of images; -1 where it is neither.
int axis_of_classes(const Shape& scores, const Shape& labels) {
  for (const int axis : {scores.rank() - 1, 1}) {
    if (axis < 1 || axis >= scores.rank()) continue;
    std::vector<std::int64_t> others = scores.vector();
    others.erase(others.begin() + axis);
    if (Shape(others) == labels) return axis;
  }
  return -1;
}

Value moved_last(Value x, int axis) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(x.rank()));
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin() + axis, order.begin() + axis + 1, order.end());
  return axis + 1 == x.rank() ? x : transpose(x, order);
}

Subject read_onnx(const TrainCommand& o, const Dataset& data) {
  if (o.trained.empty())
    throw Error("no parameter of " + o.net +
                " is to be trained\n  Say which are by --train: '*' for all, 'head.*' for some");
  if (!data.contains(label_name))
    throw Error(o.data + " has no tensor \"label\", which the first output of " + o.net + " is compared with");
  Subject s;
  s.graph = std::make_shared<Graph>();
  OnnxModel net = import_onnx(*s.graph, o.net, {.train = o.trained});
  const Value y = s.predictions = net.outputs[0];
  const Type& given = data[label_name].type();
  const Shape actual = shape_of_output(*s.graph, y, data);
  const int axis = is_integer(given.dtype) ? axis_of_classes(actual, given.shape) : -1;
  if (axis < 0 && given != Type{y.dtype(), actual})
    throw Error(
        fmt::format("\"label\" is {}, but the first output of {} is {}\n  Give classes as whole numbers in the "
                    "output's shape without their axis, or numbers in its shape and dtype",
                    to_string(given), o.net, to_string(Type{y.dtype(), actual})));
  std::vector<Dim> sizes;
  for (int i = 0; i < y.rank(); ++i)
    if (i != axis) sizes.push_back(any(y.shape()[i]));
  const Value label = input(*s.graph, label_name, given.dtype, sizes);
  if (axis >= 0) {
    const Value scores = moved_last(y, axis);
    s.loss = cross_entropy(scores, label);
    s.accuracy = accuracy(scores, label);
  } else {
    s.loss = mean_squared_error(y, label);
  }
  s.parameters = std::move(net.store);
  s.outputs = std::move(net.outputs);
  return s;
}

}  // namespace

TrainData read_data(const TrainCommand& o) {
  if (holds_arrays(o.data)) return {read_arrays(o.data), o.test.empty() ? Dataset() : read_arrays(o.test), "samples"};
  if (!o.test.empty()) throw Error("--test goes with a file of samples; MNIST has a test set of its own");
  const auto graph = is_onnx_file(o.net) ? std::make_shared<Graph>() : load_training(o.net);
  try {
    Mnist mnist = load_mnist_for(*graph, o.data);
    return {std::move(mnist.train), std::move(mnist.test), "images"};
  } catch (const Error& e) {
    throw Error(e.what() +
                std::string("\n  Name the folder of the four MNIST files, or a safetensors or npz file, with --data"));
  }
}

Subject read_subject(const TrainCommand& o, const Dataset& data) {
  if (is_onnx_file(o.net)) return read_onnx(o, data);
  if (!o.trained.empty()) throw Error("--train goes with an ONNX file; what " + o.net + " trains is said in its graph");
  Subject s;
  s.graph = load_training(o.net);
  s.loss = output(*s.graph, "loss");
  s.accuracy = output(*s.graph, "accuracy");
  s.predictions = output(*s.graph, "logits");
  for (const auto& [name, value] : {std::pair{"loss", s.loss}, std::pair{"accuracy", s.accuracy}})
    if (!value && (name == std::string_view("loss") || !holds_arrays(o.data)))
      throw Error(fmt::format(
          "{0} has no output \"{1}\", which training needs\n  Call add_output(\"{1}\", value) where the graph is built",
          o.net, name));
  return s;
}

}  // namespace oxbow::tools
