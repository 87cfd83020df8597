#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/updates.h>
#include <oxbow/ops/layers.h>
#include <oxbow/ops/norm.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shared/layer_state.h>

#include <numeric>

namespace oxbow {
namespace ops {
namespace {

std::vector<std::int64_t> axes_between(int first, int last) {
  std::vector<std::int64_t> axes(static_cast<std::size_t>(last - first));
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

// What halves are computed in from end to end, to be rounded once: the square of 256 is no f16.
Value wide(Value x) { return cast(x, compute_type(x.dtype())); }

class BatchNormState : public LayerState {
 public:
  explicit BatchNormState(BatchNormOptions options)
      : LayerState("BatchNorm", "batch_norm", options.name, options.trainable), options_(std::move(options)) {}

  Value call(Value x, At at) override {
    check_layer_input("batch_norm", x, 2, "[samples, features]", at);
    if (!(options_.momentum >= 0 && options_.momentum <= 1))
      refuse_layer("batch_norm", "the momentum " + internal::short_number(options_.momentum) + " is not in [0, 1]", x,
                   at, "Give what the running statistics keep each step, such as 0.9");
    check_epsilon("batch_norm", options_.epsilon, x, at);
    LayerCall here(*this, x, {"scale"}, at);
    Graph& g = x.graph();
    const OriginGuard line = from_line(g, at, g.origin().phase);
    const Type each{x.dtype(), {x.shape()[-1]}}, statistic{compute_type(x.dtype()), each.shape};
    const Value scale = here.parameter("scale", each, init::ones());
    const Value offset = here.parameter("offset", each, init::zeros());
    Moments running;
    running.mean = here.state("running_mean", statistic, init::zeros());
    running.variance = here.state("running_variance", statistic, init::ones());
    const Value in = wide(x);
    const Moments m = trainable() ? batch_moments(in, running.mean, running.variance, at) : running;
    if (trainable()) update(in, running, m, at);
    return cast(batch_norm(in, wide(scale), wide(offset), m.mean, m.variance, {.epsilon = options_.epsilon}, at),
                x.dtype(), at);
  }

 private:
  void update(Value x, const Moments& running, const Moments& batch, At at) const {
    Graph& g = x.graph();
    const OriginGuard line = from_line(g, at, Phase::update);
    const double kept = options_.momentum;
    const Value count = count_like(x, axes_between(0, x.rank() - 1), at);
    const Value some = greater(count, 0, at);  // an empty batch moves nothing
    const auto moves = [&](Value of, Value to) {
      const Value before = updated(of);  // by earlier calls
      g.add_update(assign(of, in_order(g, [&] { return where(some, before * kept + to * (1 - kept), before); })));
    };
    moves(running.mean, batch.mean);
    moves(running.variance, batch.variance);
  }

  BatchNormOptions options_;
};

// The scale and the offset of each channel that the options of a layer ask for.
struct EachChannel {
  Value scale, offset;
};
template <class Options>
EachChannel each_channel(LayerCall& here, const Options& options, Value x) {
  const Type each{x.dtype(), {x.shape()[-1]}};
  EachChannel made;
  if (options.use_scale) made.scale = here.parameter("scale", each, init::ones());
  if (options.use_offset) made.offset = here.parameter("offset", each, init::zeros());
  return made;
}

class LayerNormState : public LayerState {
 public:
  explicit LayerNormState(LayerNormOptions options)
      : LayerState("LayerNorm", "layer_norm", options.name, options.trainable), options_(std::move(options)) {}

  Value call(Value x, At at) override {
    check_layer_input("layer_norm", x, 1, "[samples, features]", at);
    check_epsilon("layer_norm", options_.epsilon, x, at);
    LayerCall here(*this, x, {"scale", "offset"}, at);
    const OriginGuard line = from_line(x.graph(), at, x.graph().origin().phase);
    const auto [scale, offset] = each_channel(here, options_, x);
    return layer_norm(x, scale, offset, {.epsilon = options_.epsilon}, at);
  }

 private:
  LayerNormOptions options_;
};

class RMSNormState : public LayerState {
 public:
  explicit RMSNormState(RMSNormOptions options)
      : LayerState("RMSNorm", "rms_norm", options.name, options.trainable), options_(std::move(options)) {}

  Value call(Value x, At at) override {
    check_layer_input("rms_norm", x, 1, "[samples, features]", at);
    check_epsilon("rms_norm", options_.epsilon, x, at);
    LayerCall here(*this, x, {"scale"}, at);
    const OriginGuard line = from_line(x.graph(), at, x.graph().origin().phase);
    const Value scale = here.parameter("scale", {x.dtype(), {x.shape()[-1]}}, init::ones());
    return rms_norm(x, scale, {.epsilon = options_.epsilon}, at);
  }

 private:
  RMSNormOptions options_;
};

class GroupNormState : public LayerState {
 public:
  GroupNormState(std::int64_t groups, GroupNormOptions options)
      : LayerState("GroupNorm", "group_norm", options.name, options.trainable),
        groups_(groups),
        options_(std::move(options)) {}

  Value call(Value x, At at) override {
    check_layer_input("group_norm", x, 2, "[samples, features]", at);
    check_layer_size("group_norm", "groups", groups_, x, at);
    check_epsilon("group_norm", options_.epsilon, x, at);
    const std::int64_t channels = x.shape()[-1];
    if (channels % groups_ != 0)
      refuse_layer("group_norm",
                   std::to_string(groups_) + " groups do not divide " + std::to_string(channels) + " channels", x, at,
                   "Give a number of groups that does");
    LayerCall here(*this, x, {"scale", "offset"}, at);
    const OriginGuard line = from_line(x.graph(), at, x.graph().origin().phase);
    const auto [scale, offset] = each_channel(here, options_, x);
    return group_norm(x, groups_, scale, offset, {.epsilon = options_.epsilon}, at);
  }

 private:
  std::int64_t groups_;
  GroupNormOptions options_;
};

}  // namespace
}  // namespace ops

using ops::new_layer;

BatchNorm::BatchNorm(BatchNormOptions options) : Layer(new_layer<ops::BatchNormState>(nullptr, std::move(options))) {}
BatchNorm::BatchNorm(Graph& g, BatchNormOptions options)
    : Layer(new_layer<ops::BatchNormState>(&g, std::move(options))) {}

LayerNorm::LayerNorm(LayerNormOptions options) : Layer(new_layer<ops::LayerNormState>(nullptr, std::move(options))) {}
LayerNorm::LayerNorm(Graph& g, LayerNormOptions options)
    : Layer(new_layer<ops::LayerNormState>(&g, std::move(options))) {}

RMSNorm::RMSNorm(RMSNormOptions options) : Layer(new_layer<ops::RMSNormState>(nullptr, std::move(options))) {}
RMSNorm::RMSNorm(Graph& g, RMSNormOptions options) : Layer(new_layer<ops::RMSNormState>(&g, std::move(options))) {}

GroupNorm::GroupNorm(std::int64_t groups, GroupNormOptions options)
    : Layer(new_layer<ops::GroupNormState>(nullptr, groups, std::move(options))) {}
GroupNorm::GroupNorm(Graph& g, std::int64_t groups, GroupNormOptions options)
    : Layer(new_layer<ops::GroupNormState>(&g, groups, std::move(options))) {}

Value batch_norm(Value x, BatchNormOptions options, At at) { return BatchNorm(std::move(options))(x, at); }

}  // namespace oxbow
