// What random graphs draw by the samples of the catalogue's ops, so that an op is drawn as soon as it has samples.
#include <oxbow/graph/catalog.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/control.h>

#include <algorithm>
#include <cmath>

#include "random_builder.h"
#include "samples/sample.h"

namespace oxbow::test {
namespace {

constexpr std::int64_t largest = 3000;  // elements of a sample's input: most graphs are of small tensors

// f64 numbers in the dtype of a graph; all others stay.
Tensor in_dtype(const Tensor& t, DType dtype) {
  if (t.dtype() != f64 || dtype == f64) return t;
  Tensor narrow({f32, t.shape(), t.type().layout});
  std::transform(t.span<double>().begin(), t.span<double>().end(), narrow.data<float>(),
                 [](double x) { return static_cast<float>(x); });
  return narrow;
}

bool takes(const Op& op, const std::vector<Tensor>& inputs, std::vector<Type>& results) {
  std::vector<Type> types;
  for (const Tensor& t : inputs) types.push_back(t.type());
  types.resize(std::max(types.size(), static_cast<std::size_t>(op.info().inputs.fixed())), Type::absent());
  try {
    results = op.infer(types, Known(inputs, op.info().inputs));
    return true;
  } catch (const OpError&) {
    return false;
  }
}

// Whether it takes its inputs in f32 as well as in f64, and none is large.
bool fits(const Sample& s) {
  for (const DType dtype : {f32, f64}) {
    std::vector<Tensor> inputs;
    for (const Tensor& t : s.inputs) {
      if (t.type() && t.count() > largest) return false;
      inputs.push_back(t.type() ? in_dtype(t, dtype) : t);
    }
    std::vector<Type> results;
    if (!takes(s.op, inputs, results)) return false;
    for (const Type& t : results)
      if (t.count() > largest) return false;
  }
  return true;
}

// Of the finite numbers in input `i` of all samples; of integers too.
Range range_of(const std::vector<Sample>& samples, std::size_t i) {
  Range range{INFINITY, -INFINITY};
  for (const Sample& s : samples) {
    if (i >= s.inputs.size() || !s.inputs[i].type() || !is_float(s.inputs[i].dtype())) continue;
    dispatch(s.inputs[i].dtype(), [&]<class T>(std::type_identity<T>) {
      for (const T x : s.inputs[i].span<T>()) {
        const auto number = static_cast<double>(x);
        if (!std::isfinite(number)) continue;
        range.low = std::min(range.low, number);
        range.high = std::max(range.high, number);
      }
    });
  }
  return range;
}

// An op without attributes that makes of equal types another of that type, element by element.
bool is_elementwise(const Op& op) {
  if (!op.has_tile() || !op.attributes().empty() || op.info().inputs.variadic()) return false;
  for (const DType d : {f32, f64}) {
    const Tensor two({d, {2}});
    const std::vector<Tensor> inputs(static_cast<std::size_t>(op.info().inputs.size()), two);
    std::vector<Type> results;
    if (!takes(op, inputs, results) || results != std::vector<Type>{two.type()}) return false;
  }
  return true;
}

// Whether gradients may flow through it.
bool has_gradient(const Sample& s) {
  Graph g;
  std::vector<Value> inputs, dy;
  for (const Tensor& t : s.inputs) inputs.push_back(t.type() ? constant(g, t) : Value());
  const Node n = g.append(s.op, inputs, {});
  for (int i = 0; i < n.output_count(); ++i)
    dy.push_back(is_float(n.output(i).dtype()) ? constant(g, Tensor(n.output(i).type())) : Value());
  const bool is_flat = std::none_of(dy.begin(), dy.end(), [](const Value& v) { return bool(v); });
  return is_flat || n.op().gradient(n, dy).refusal().empty();
}

}  // namespace

DrawnOps drawn_ops(const std::function<bool(const std::string&)>& wanted) {
  DrawnOps all;
  for (const auto& [name, entry] : catalog().entries()) {
    const std::vector<Sample>& samples = samples_of(name);
    if (entry.made != Made::by_users || samples.empty() || !wanted(name)) continue;
    SampledOp drawn{.name = name, .has_gradient = has_gradient(samples[0])};
    std::size_t most = 0;
    for (const Sample& s : samples) {
      if (fits(s)) drawn.samples.push_back(&s);
      most = std::max(most, s.inputs.size());
    }
    for (std::size_t i = 0; i < most; ++i) drawn.ranges.push_back(range_of(samples, i));
    if (is_elementwise(samples[0].op)) all.elementwise.push_back({samples[0].op, drawn.ranges});
    if (!drawn.samples.empty()) all.sampled.push_back(std::move(drawn));
  }
  return all;
}

Value RandomBuilder::elementwise(const Value& x, bool keep) {
  const ElementwiseOp& drawn = one_of(ops_.elementwise);
  std::vector<Value> operands;
  for (const Range& range : drawn.ranges) {
    Value v = operands.empty() ? x : mate(x);
    if (keep && v.shape() != x.shape()) v = x;
    operands.push_back(range.low < 0 ? v : abs(v) + .25);
  }
  return apply(drawn.op, operands, {});
}

Value RandomBuilder::shaped(const Value& x, const Shape& shape) {
  const std::int64_t count = shape.count(), own = x.type().count();
  Value flat = reshape(x, {-1});
  if (own < count) flat = reshape(broadcast_to(flat, {(count + own - 1) / own, own}), {-1});
  const std::int64_t spare = flat.type().count() - count;
  const std::int64_t begin = spare == 0 ? 0 : pick(static_cast<int>(spare) + 1);
  return reshape(slice(flat, 0, begin, begin + count), shape.vector());
}

Value RandomBuilder::like_sample(const Value& x, const Tensor& sample, const Range& range, bool finite) {
  Graph& g = *out_.graph;
  const Value given = constant(g, sample), v = shaped(x, sample.shape());
  if (!is_float(sample.dtype())) {  // one of the sample's: at its place, or the first
    const Value first = reshape(slice(reshape(given, {-1}), 0, 0, 1), {});
    const Value positive = greater(v, 0);
    return where(positive, given, first);
  }
  const Value within = cast(range.low + (range.high - range.low) * sigmoid(v), sample.dtype());
  if (!finite) return within;
  const Value number = equal(v, v);
  return where(number, within, given);
}

void RandomBuilder::sampled() {
  const SampledOp& drawn = one_of(ops_.sampled);
  const Sample& s = *one_of(drawn.samples);
  const OpInfo& info = s.op.info();
  std::vector<Value> inputs;
  for (std::size_t i = 0; i < s.inputs.size(); ++i) {
    if (!s.inputs[i].type()) {
      inputs.push_back({});
      continue;
    }
    const Tensor sample = in_dtype(s.inputs[i], values_[0].dtype());
    const Value x = drawn.has_gradient ? any_float() : stop_gradient(any_float());
    const bool made = chance(75) && !info.by_value.contains(static_cast<int>(i)) && sample.count() > 0 &&
                      x.type().count() > 0 && drawn.ranges[i].low <= drawn.ranges[i].high;
    inputs.push_back(made ? like_sample(x, sample, drawn.ranges[i], info.can_fail) : constant(*out_.graph, sample));
  }
  const Node n = out_.graph->append(s.op, inputs, {});
  for (int i = 0; i < n.output_count(); ++i) values_.push_back(n.output(i));
  out_.sampled.insert(drawn.name);
}

}  // namespace oxbow::test
