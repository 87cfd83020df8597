// Functions that normalise, composed of elementwise ops and reductions.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/conv/channels.h>
#include <oxbow/ops/norm.h>
#include <oxbow/ops/norm/inverse_rms.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>

#include <numeric>

namespace oxbow {

using namespace ops;

namespace {

using AxisList = std::vector<std::int64_t>;

AxisList axes_from(std::int64_t first, int rank) {
  AxisList axes(static_cast<std::size_t>(rank - first));
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

void check(const char* builder, Value x, int least, At at) {
  if (!x) throw BuildError(builder, "x is an empty Value" + at_line(at) + "\n  Build it first");
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw BuildError(builder, problem + "\n  x: " + to_string(x.type()) + " from " + to_string(x.node()) + at_line(at) +
                                  "\n  " + remedy);
  };
  if (!is_float(x.dtype())) refuse("x is not floating point", "Cast it to f32 first");
  if (x.rank() < least)
    refuse("x has " + std::to_string(x.rank()) + " axes, fewer than " + std::to_string(least),
           "Give [samples, ..., channels]");
}

void check_epsilon(const char* builder, double epsilon, At at) {
  if (!(epsilon >= 0))
    throw BuildError(builder, "the epsilon " + internal::short_number(epsilon) + " is negative" + at_line(at) +
                                  "\n  Give a small number, such as 1e-5");
}

// What is given for each channel must be [c].
void check_each(const char* builder, const char* name, Value v, std::int64_t channels, At at) {
  if (v && v.shape() != Shape{channels})
    throw BuildError(builder, std::string(name) + " is " + to_string(v.type()) + at_line(at) + "\n  Give [" +
                                  std::to_string(channels) + "], a number for each channel");
}

Value wide(Value x, At at) { return x ? cast(x, compute_type(x.dtype()), at) : x; }

Value scaled(Value y, Value scale, Value offset, DType dtype, At at) {
  if (scale) y = multiply(y, wide(scale, at), at);
  if (offset) y = add(y, wide(offset, at), at);
  return cast(y, dtype, at);
}

struct Standardised {
  Value y, mean, inverse_deviation;
};

// x, which is wide, over these axes.
Standardised standardised(Value x, const AxisList& axes, double epsilon, At at) {
  const Value m = mean(x, axes, true, at), centred = subtract(x, m, at);
  const Value inverse = apply(InverseRms{.axes = axes, .epsilon = epsilon}, {centred}, at);
  return {multiply(centred, inverse, at), m, inverse};
}

// The axis from which on is normalised, counted from the front.
std::int64_t first_axis(const char* builder, Value x, std::int64_t axis, At at) {
  try {
    return x.shape().axis_of(axis);
  } catch (const Error& e) {
    throw BuildError(builder, e.what() + at_line(at));
  }
}

LayerNormResult layer_norm_of(const char* builder, Value x, Value scale, Value offset,
                              const LayerNormalization& options, At at) {
  check(builder, x, 1, at);
  check_epsilon(builder, options.epsilon, at);
  const std::int64_t first = first_axis(builder, x, options.axis, at);
  return as_called(builder, [&] {
    const Standardised s = standardised(wide(x, at), axes_from(first, x.rank()), options.epsilon, at);
    return LayerNormResult{scaled(s.y, scale, offset, x.dtype(), at), s.mean, s.inverse_deviation};
  });
}

}  // namespace

Value batch_norm(Value x, Value scale, Value offset, Value mean, Value variance, BatchNormalization options, At at) {
  check("batch_norm", x, 2, at);
  check_epsilon("batch_norm", options.epsilon, at);
  if (!mean || !variance)
    throw BuildError("batch_norm", std::string(mean ? "the variance" : "the mean") + " is an empty Value" +
                                       at_line(at) + "\n  Build it first");
  return as_called("batch_norm", [&] {
    const Value in = wide(to_channels_last(x, x.rank(), options.data_format, at), at);
    const std::int64_t channels = in.shape()[-1];
    for (const auto& [name, v] : {std::pair{"the scale", scale}, std::pair{"the offset", offset},
                                  std::pair{"the mean", mean}, std::pair{"the variance", variance}})
      check_each("batch_norm", name, v, channels, at);
    const Value inverse = rsqrt(add(wide(variance, at), options.epsilon, at), at);
    const Value factor = scale ? multiply(wide(scale, at), inverse, at) : inverse;
    const Value y = multiply(subtract(in, wide(mean, at), at), factor, at);
    return from_channels_last(scaled(y, {}, offset, x.dtype(), at), options.data_format, at);
  });
}

BatchNormResult batch_norm_training(Value x, Value scale, Value offset, Value running_mean, Value running_variance,
                                    BatchNormalization options, At at) {
  check("batch_norm_training", x, 2, at);
  if (!(options.momentum >= 0 && options.momentum <= 1))
    throw BuildError("batch_norm_training", "the momentum " + internal::short_number(options.momentum) +
                                                " is not in [0, 1]" + at_line(at) +
                                                "\n  Give what the running statistics keep each step, such as 0.9");
  return as_called("batch_norm_training", [&] {
    const Value in = wide(to_channels_last(x, x.rank(), options.data_format, at), at);
    const Value before_mean = cast(running_mean, in.dtype(), at),
                before_variance = cast(running_variance, in.dtype(), at);
    const Moments m = batch_moments(in, before_mean, before_variance, at);
    BatchNormalization last = options;
    last.data_format = channels_last;
    const Value y = batch_norm(in, wide(scale, at), wide(offset, at), m.mean, m.variance, last, at);
    const auto moved = [&](Value running, Value before, Value batch) {
      const double kept = options.momentum;
      return cast(add(multiply(before, kept, at), multiply(batch, 1 - kept, at), at), running.dtype(), at);
    };
    return BatchNormResult{from_channels_last(cast(y, x.dtype(), at), options.data_format, at),
                           moved(running_mean, before_mean, m.mean),
                           moved(running_variance, before_variance, m.variance)};
  });
}

LayerNormResult layer_norm_with_statistics(Value x, Value scale, Value offset, LayerNormalization options, At at) {
  return layer_norm_of("layer_norm_with_statistics", x, scale, offset, options, at);
}

Value layer_norm(Value x, Value scale, Value offset, LayerNormalization options, At at) {
  return layer_norm_of("layer_norm", x, scale, offset, options, at).y;
}

Value rms_norm(Value x, Value scale, LayerNormalization options, At at) {
  check("rms_norm", x, 1, at);
  check_epsilon("rms_norm", options.epsilon, at);
  const std::int64_t first = first_axis("rms_norm", x, options.axis, at);
  return as_called("rms_norm", [&] {
    const Value in = wide(x, at);
    const Value inverse = apply(InverseRms{.axes = axes_from(first, x.rank()), .epsilon = options.epsilon}, {in}, at);
    return scaled(multiply(in, inverse, at), scale, {}, x.dtype(), at);
  });
}

Value group_norm(Value x, std::int64_t groups, Value scale, Value offset, GroupNormalization options, At at) {
  check("group_norm", x, 2, at);
  check_epsilon("group_norm", options.epsilon, at);
  return as_called("group_norm", [&] {
    const Value last = to_channels_last(x, x.rank(), options.data_format, at), in = wide(last, at);
    const std::int64_t channels = in.shape()[-1];
    if (groups < 1 || channels % groups != 0)
      throw BuildError("group_norm", std::to_string(groups) + " groups do not divide " + std::to_string(channels) +
                                         " channels" + at_line(at) + "\n  Give a number of groups that does");
    check_each("group_norm", "the scale", scale, channels, at);
    check_each("group_norm", "the offset", offset, channels, at);
    AxisList shape(static_cast<std::size_t>(x.rank()) - 1);  // 0: as x has it, any batch
    shape.insert(shape.end(), {groups, channels / groups});
    AxisList axes = axes_from(1, x.rank() - 1);
    axes.push_back(x.rank());
    const Value y =
        reshape_like(standardised(reshape(in, std::move(shape), at), axes, options.epsilon, at).y, last, at);
    return from_channels_last(scaled(y, scale, offset, x.dtype(), at), options.data_format, at);
  });
}

Value instance_norm(Value x, Value scale, Value offset, GroupNormalization options, At at) {
  check("instance_norm", x, 3, at);
  check_epsilon("instance_norm", options.epsilon, at);
  return as_called("instance_norm", [&] {
    const Value in = wide(to_channels_last(x, x.rank(), options.data_format, at), at);
    check_each("instance_norm", "the scale", scale, in.shape()[-1], at);
    check_each("instance_norm", "the offset", offset, in.shape()[-1], at);
    const Value y = standardised(in, axes_from(1, x.rank() - 1), options.epsilon, at).y;
    return from_channels_last(scaled(y, scale, offset, x.dtype(), at), options.data_format, at);
  });
}

Value local_response_norm(Value x, std::int64_t size, LocalResponseOptions options, At at) {
  check("local_response_norm", x, 2, at);
  if (size < 1 || size > 1024)
    throw BuildError("local_response_norm", "the size is " + std::to_string(size) + at_line(at) +
                                                "\n  Give how many channels are summed, 1 to 1024");
  return as_called("local_response_norm", [&] {
    const Value last = to_channels_last(x, x.rank(), options.data_format, at), in = wide(last, at);
    std::vector<std::pair<std::int64_t, std::int64_t>> pads(static_cast<std::size_t>(x.rank()));
    pads.back() = {(size - 1) / 2, size / 2};
    const std::int64_t channels = in.shape()[-1];
    const Value padded = pad(square(in, at), pads, 0, at);
    Value sums = slice(padded, -1, 0, channels, at);
    for (std::int64_t i = 1; i < size; ++i) sums = add(sums, slice(padded, -1, i, i + channels, at), at);
    const Value base = add(multiply(sums, options.alpha / static_cast<double>(size), at), options.bias, at);
    const Value y = multiply(in, pow(base, -options.beta, at), at);
    return from_channels_last(cast(y, x.dtype(), at), options.data_format, at);
  });
}

Value mean_variance_norm(Value x, std::vector<std::int64_t> axes, At at) {
  check("mean_variance_norm", x, 1, at);
  return as_called("mean_variance_norm", [&] {
    const Value in = wide(x, at), centred = subtract(in, mean(in, axes, true, at), at);
    const Value deviation = divide(norm(centred, axes, true, at), sqrt(count_like(centred, axes, at), at), at);
    return cast(divide(centred, add(deviation, 1e-9, at), at), x.dtype(), at);
  });
}

Value lp_normalize(Value x, std::int64_t p, std::int64_t axis, At at) {
  check("lp_normalize", x, 1, at);
  if (p != 1 && p != 2) throw BuildError("lp_normalize", "p is " + std::to_string(p) + at_line(at) + "\n  Give 1 or 2");
  return as_called("lp_normalize", [&] {
    const Value in = wide(x, at);
    const Value size = p == 2 ? norm(in, axis, true, at) : sum(abs(in, at), axis, true, at);
    const Value y = divide(in, where(equal(size, 0, at), 1, size, at), at);
    return cast(y, x.dtype(), at);
  });
}

}  // namespace oxbow
