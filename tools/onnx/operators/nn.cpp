// Convolution, pooling, normalisation and dropout, of [n, c, spatial...].
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/updates.h>
#include <oxbow/ops/ops.h>

#include <algorithm>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

// The one number of a list that has to be the same along all axes.
std::int64_t same_along_axes(Context& c, const char* name) {
  const auto all = c.integers(name);
  if (!all || all->empty()) return 1;
  if (std::any_of(all->begin(), all->end(), [&](std::int64_t i) { return i != all->front(); }))
    c.fail(std::string(name) + " differ from axis to axis, which is not there yet");
  return all->front();
}

Outputs convolution(Context& c) {
  const Value x = c[0], weights = c[1], bias = c.optional(2);
  const int axes = x.rank() - 2;
  if (axes != 2) c.fail("only images are convolved yet, not " + std::to_string(axes) + " axes");
  const std::string mode = c.text("auto_pad", "NOTSET");
  Conv2dOptions options{.stride = same_along_axes(c, "strides"),
                        .padding = Padding::valid,
                        .dilation = same_along_axes(c, "dilations"),
                        .groups = c.integer("group", 1)};
  if (mode == "SAME_UPPER") {
    options.padding = Padding::same;
  } else if (mode == "NOTSET") {
    const auto pads = c.integers("pads").value_or(std::vector<std::int64_t>(4));
    options.padding = Padding(pads.at(0), pads.at(2), pads.at(1), pads.at(3));
  } else if (mode != "VALID") {
    c.fail("auto_pad " + mode + " is not there yet");
  }
  const Value y = conv2d(channels_last(x), transpose(weights, {2, 3, 1, 0}), options);
  return channels_first(bias ? y + bias : y);
}

// The windows' largest elements; zeros around the images are no elements, so they are cut off.
Outputs largest_of_windows(Context& c) {
  const Value x = c[0];
  const auto size = c.integers("kernel_shape").value_or(std::vector<std::int64_t>{});
  const auto pads = c.integers("pads").value_or(std::vector<std::int64_t>(size.size() * 2));
  const bool square = size.size() == 2 && size[0] == size[1];
  const bool plain = c.text("auto_pad", "NOTSET") == "NOTSET" && !c.flag("ceil_mode") &&
                     same_along_axes(c, "dilations") == 1 &&
                     std::all_of(pads.begin(), pads.end(), [](std::int64_t p) { return p == 0; });
  if (!square || !plain || c.wants(1)) c.fail("only square windows without padding are there yet");
  return channels_first(max_pool(channels_last(x), {.size = size[0], .stride = same_along_axes(c, "strides")}));
}

template <Value (*f)(Value, Axes, bool, At)>
Outputs global_pool(Context& c) {
  const Value x = c[0];
  std::vector<std::int64_t> axes;
  for (int i = 2; i < x.rank(); ++i) axes.push_back(i);
  return f(x, axes, true, At::current());
}

// In training form where its scale or offset is trained: see BatchNorm in ops/layers.h.
Outputs batch_normalisation(Context& c) {
  const Value x = c[0], scale = c[1], offset = c[2], mean = c.state(3), variance = c.state(4);
  Graph& g = c.graph();
  const double epsilon = c.number("epsilon", 1e-5), kept = c.number("momentum", 0.9);
  const bool training = c.flag("training_mode"), layer = mean.node().op().is<ops::Variable>();
  Moments m{mean, variance};
  std::vector<std::int64_t> others = other_axes(x.rank(), {1});
  if (training && !layer) {  // no layer's: as the operator says
    m.mean = oxbow::mean(x, others);
    m.variance = oxbow::mean(square(x - along_channels(m.mean, x)), others);
  } else if (training || c.is_trained(1) || c.is_trained(2)) {
    const Value last = channels_last(x);
    m = batch_moments(last, mean, variance);
    std::vector<std::int64_t> axes;
    for (int i = 0; i + 1 < x.rank(); ++i) axes.push_back(i);
    const Value some = greater(count_like(last, axes), 0);
    const auto moves = [&](Value of, Value to) {
      Origin origin = g.origin();
      origin.phase = Phase::update;
      const OriginGuard update(g, origin);
      const Value before = updated(of);
      g.add_update(assign(of, where(some, before * kept + to * (1 - kept), before)));
    };
    moves(mean, m.mean);
    moves(variance, m.variance);
  }
  const auto along = [&](Value v) { return along_channels(v, x); };
  const Value y = (x - along(m.mean)) * along(scale * rsqrt(m.variance + epsilon)) + along(offset);
  if (!c.wants(1)) return y;
  return {y, mean * kept + m.mean * (1 - kept), variance * kept + m.variance * (1 - kept)};
}

Outputs dropout_of(Context& c) {
  const Value x = c[0];
  double rate = c.number("ratio", 0.5);
  if (c.has(1)) rate = c.fixed_numbers(1)->at(0);
  const bool asked = c.has(2) && c.fixed_numbers(2)->at(0) != 0;
  if (c.wants(1) && asked && rate > 0) c.fail("the mask of a dropout that is drawn is not given");
  const Value y = rate == 0 ? x : dropout(x, rate);
  if (!c.wants(1)) return y;
  const Value all = broadcast_like(constant(c.graph(), 1, boolean), x);
  return {y, c.opset() < 10 ? cast(all, x.dtype()) : all};
}

Outputs layer_normalisation(Context& c) {
  const Value x = c[0], scale = c[1], offset = c.optional(2);
  const std::int64_t first = from_first(c.integer("axis", -1), x.rank());
  std::vector<std::int64_t> axes;
  for (std::int64_t i = first; i < x.rank(); ++i) axes.push_back(i);
  const Value wide = cast(x, compute_type(x.dtype())), centre = mean(wide, axes, true), centred = wide - centre;
  const Value deviation = rsqrt(mean(square(centred), axes, true) + c.number("epsilon", 1e-5));
  Value y = cast(centred * deviation, x.dtype()) * scale;
  if (offset) y = y + offset;
  return {y, centre, deviation};
}

constexpr Operator list[] = {
    {"BatchNormalization", batch_normalisation},
    {"Conv", convolution},
    {"Dropout", dropout_of},
    {"GlobalAveragePool", global_pool<mean>},
    {"GlobalMaxPool", global_pool<max>},
    {"LayerNormalization", layer_normalisation},
    {"MaxPool", largest_of_windows},
};

}  // namespace

Operators nn_operators() { return list; }

}  // namespace oxbow::onnx
