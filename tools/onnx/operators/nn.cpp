// Normalisation and dropout, of [n, c, spatial...].
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/updates.h>
#include <oxbow/ops/ops.h>

#include <algorithm>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

constexpr DataFormat format = DataFormat::channels_first;

// In training form where its scale or offset is trained: see BatchNorm in ops/layers.h. Before opset 14 one that gives
// its statistics is in that form, since then it is said.
Outputs batch_normalisation(Context& c) {
  if (!c.flag("spatial", true)) c.fail("it has statistics of each pixel by itself, which no opset from 9 on has");
  const Value x = c[0], scale = c[1], offset = c[2], mean = c.state(3), variance = c.state(4);
  Graph& g = c.graph();
  const double epsilon = c.number("epsilon", 1e-5), kept = c.number("momentum", 0.9);
  const bool training = c.opset() < 14 ? c.wants(1) : c.flag("training_mode"),
             layer = mean.node().op().is<ops::Variable>();
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
  const Value y = batch_norm(x, scale, offset, m.mean, m.variance, {.epsilon = epsilon, .data_format = format});
  if (!c.wants(1)) return y;
  return {y, mean * kept + m.mean * (1 - kept), variance * kept + m.variance * (1 - kept), m.mean, m.variance};
}

Outputs dropout_of(Context& c) {
  const Value x = c[0];
  double rate = c.number("ratio", 0.5);
  if (c.has(1)) rate = c.fixed_number(1);
  const bool asked = c.has(2) && c.fixed_number(2) != 0;
  if (c.wants(1) && asked && rate > 0) c.fail("the mask of a dropout that is drawn is not given");
  const Value y = rate == 0 ? x : dropout(x, rate);
  if (!c.wants(1)) return y;
  const Value all = broadcast_like(constant(c.graph(), 1, boolean), x);
  return {y, c.opset() < 10 ? cast(all, x.dtype()) : all};
}

Outputs layer_normalisation(Context& c) {
  const LayerNormResult r = layer_norm_with_statistics(
      c[0], c[1], c.optional(2), {.axis = c.integer("axis", -1), .epsilon = c.number("epsilon", 1e-5)});
  return {r.y, r.mean, r.inverse_deviation};
}

// Up to opset 20 scale and bias are given for each group.
Outputs group_normalisation(Context& c) {
  const Value x = c[0];
  const std::int64_t groups = c.integer("num_groups"), channels = x.shape()[1];
  const auto each = [&](Value v) {
    if (c.opset() >= 21 || v.shape() == Shape{channels}) return v;
    return reshape(broadcast_to(reshape(v, {groups, 1}), Shape{groups, channels / groups}), {channels});
  };
  return group_norm(x, groups, each(c[1]), each(c[2]), {.epsilon = c.number("epsilon", 1e-5), .data_format = format});
}

Outputs local_response_normalisation(Context& c) {
  return local_response_norm(c[0], c.integer("size"),
                             {.alpha = c.number("alpha", 1e-4),
                              .beta = c.number("beta", 0.75),
                              .bias = c.number("bias", 1),
                              .data_format = format});
}

constexpr Operator list[] = {
    {"BatchNormalization", batch_normalisation},
    {"Dropout", dropout_of},
    {"GroupNormalization", group_normalisation},
    {"InstanceNormalization",
     [](Context& c) -> Outputs {
       return instance_norm(c[0], c[1], c[2], {.epsilon = c.number("epsilon", 1e-5), .data_format = format});
     }},
    {"LRN", local_response_normalisation},
    {"LayerNormalization", layer_normalisation},
    {"LpNormalization",
     [](Context& c) -> Outputs { return lp_normalize(c[0], c.integer("p", 2), c.integer("axis", -1)); }},
    {"MeanVarianceNormalization",
     [](Context& c) -> Outputs {
       return mean_variance_norm(c[0], c.integers("axes").value_or(std::vector<std::int64_t>{0, 2, 3}));
     }},
    {"RMSNormalization",
     [](Context& c) -> Outputs {
       return rms_norm(c[0], c[1], {.axis = c.integer("axis", -1), .epsilon = c.number("epsilon", 1e-5)});
     }},
};

}  // namespace

Operators nn_operators() { return list; }

}  // namespace oxbow::onnx
