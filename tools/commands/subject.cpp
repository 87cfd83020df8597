#include "commands/subject.h"

#include <fmt/format.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/rewriter.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/ops.h>

#include <algorithm>
#include <numeric>

#include "commands/load.h"

namespace oxbow::tools {
using namespace internal;

namespace {

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

// The column that the predictions are compared with: the one that is no input, or "label".
std::string truth_of(const std::string& net, const Graph& g, const Dataset& data) {
  std::vector<std::string> others = data.names();
  for (NodeId id = 0; id < g.size(); ++id)
    if (const auto* in = g.node(id).op().as<ops::Input>()) std::erase(others, in->name);
  if (others.size() == 1) return others[0];
  if (std::count(others.begin(), others.end(), "label")) return "label";
  throw Error(others.empty() ? "the data have no column beside the inputs of " + net +
                                   ", with which its first output would be compared\n  Give one, \"label\" say"
                             : "the data have several columns that are no inputs of " + net + ": " + quoted(others) +
                                   "\n  Call that with which its first output is compared \"label\"");
}

// What a net ends with that gives probabilities is within the loss, which keeps the digits that it rounds away.
Value before(Value y, std::string_view op) { return y.node().op().name() == op ? y.node().input(0) : y; }

// Completes a net that predicts by a loss: its first output beside the truth.
void compare(Subject& s, const std::string& net, const Dataset& data) {
  const std::string truth = truth_of(net, *s.graph, data);
  const Value y = s.predictions;
  const Type& given = data[truth].type();
  const Shape actual = shape_of_output(*s.graph, y, data);
  const int axis = is_integer(given.dtype) ? axis_of_classes(actual, given.shape) : -1;
  if (axis < 0 && given != Type{y.dtype(), actual})
    throw Error(
        fmt::format("{} is {}, but the first output of {} is {}\n  Give classes as whole numbers in the "
                    "output's shape without their axis, or numbers in its shape and dtype",
                    in_quotes(truth), to_string(given), net, to_string(Type{y.dtype(), actual})));
  std::vector<Dim> sizes;
  for (int i = 0; i < y.rank(); ++i)
    if (i != axis) sizes.push_back(any(y.shape()[i]));
  const Value label = input(*s.graph, truth, given.dtype, sizes);
  if (axis >= 0 && actual[axis] == 1) {  // one number: how likely class 1 is
    const Value score = before(y, "sigmoid"), class_1 = reshape_like(cast(label, y.dtype()), score);
    s.loss = binary_cross_entropy(score, class_1);
    s.accuracy = mean(cast(equal(cast(greater(score, 0.0), y.dtype()), class_1), f32));
  } else if (axis >= 0) {
    const Value scores = moved_last(before(y, "softmax"), axis);
    s.loss = cross_entropy(scores, label);
    s.accuracy = accuracy(scores, label);
  } else if (const Value score = before(y, "sigmoid"); !score.same(y)) {
    s.loss = binary_cross_entropy(score, label);
  } else {
    s.loss = mean_squared_error(y, label);
  }
}

Subject read_onnx(const std::string& net, const std::vector<std::string>& trained, const Dataset& data) {
  if (trained.empty())
    throw Error("no parameter of " + net +
                " is to be trained\n  Say which are by --train: '*' for all, 'head.*' for some");
  Subject s;
  s.graph = std::make_shared<Graph>();
  OnnxModel model = import_onnx(*s.graph, net, {.train = trained});
  s.predictions = model.outputs[0];
  s.parameters = std::move(model.store);
  s.outputs = std::move(model.outputs);
  compare(s, net, data);
  return s;
}

Subject read_exported(const std::string& net, const Dataset& data) {
  Subject s;
  s.exported = load_model(net);
  s.graph = copy_of(s.exported->graph()).graph;
  s.predictions = s.graph->outputs()[0].second;
  s.parameters = s.exported->store();
  compare(s, net, data);
  return s;
}

}  // namespace

Subject read_subject(const std::string& net, const std::vector<std::string>& trained, const Dataset& data) {
  if (is_onnx_file(net)) return read_onnx(net, trained, data);
  if (!trained.empty()) throw Error("--train goes with an ONNX file; what " + net + " trains is said in its graph");
  if (is_model_file(net)) return read_exported(net, data);
  Subject s;
  s.graph = load_training(net);
  s.loss = output(*s.graph, "loss");
  s.accuracy = output(*s.graph, "accuracy");
  s.predictions = output(*s.graph, "logits");
  if (!s.loss)
    throw Error(net +
                " has no output \"loss\", which training needs\n  Call add_output(\"loss\", value) where the "
                "graph is built");
  return s;
}

}  // namespace oxbow::tools
