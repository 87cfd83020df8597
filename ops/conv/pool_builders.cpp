#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/conv/channels.h>
#include <oxbow/ops/conv/pool.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pool.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>

#include <cmath>
#include <numeric>

namespace oxbow {

using namespace ops;

namespace {

template <class Options>
PoolAttributes windows_of(const Options& o) {
  const PerAxis stride = o.stride == PerAxis(0) ? o.size : o.stride;
  return {o.size, stride, o.padding, o.dilation, o.ceil_mode};
}

// x with its channels last: any of the ranks that are pooled.
Value last(Value x, DataFormat format, At at) {
  return x && x.rank() >= 3 && x.rank() <= 5 ? to_channels_last(x, x.rank(), format, at) : x;
}

// What `reduce(x, axes)` makes of all axes but the batch and the channels, in the format of x.
template <class F>
Value over_everything(const char* builder, Value x, DataFormat format, At at, F&& reduce) {
  if (!x) throw BuildError(builder, "x is an empty Value" + at_line(at) + "\n  Build it first");
  if (x.rank() < 3)
    throw BuildError(builder, "x is " + to_string(x.type()) + " from " + to_string(x.node()) + at_line(at) +
                                  "\n  Give [images, height, width, channels], or the channels second");
  return as_called(builder, [&] {
    std::vector<std::int64_t> axes(static_cast<std::size_t>(x.rank()) - 2);
    std::iota(axes.begin(), axes.end(), 1);
    return from_channels_last(reduce(to_channels_last(x, x.rank(), format, at), axes), format, at);
  });
}

void check_order(const char* builder, double p, At at) {
  if (!(p >= 1) || !std::isfinite(p))
    throw BuildError(builder,
                     "p is " + internal::short_number(p) + at_line(at) + "\n  Give a finite number of at least 1");
}

// The p-th root of what `sum` makes of |x|^p, powers being f64, which holds the squares of all that is narrower. The
// slope at 0 is 0.
template <class F>
Value norm_by(Value x, double p, At at, F&& sum) {
  if (p == 1) return sum(abs(x, at));
  const Value in = cast(x, f64, at);
  const Value sums = sum(p == 2 ? square(in, at) : pow(abs(in, at), p, at));
  const Value some = not_equal(sums, 0, at), safe = where(some, sums, 1, at);
  return cast(where(some, p == 2 ? sqrt(safe, at) : pow(safe, 1 / p, at), sums, at), x.dtype(), at);
}

}  // namespace

Value max_pool(Value x, MaxPoolOptions options, At at) {
  const Value y = apply(MaxPool{windows_of(options)}, {last(x, options.data_format, at)}, at);
  return from_channels_last(y, options.data_format, at);
}

MaxPoolResult max_pool_with_indices(Value x, MaxPoolOptions options, bool column_major, At at) {
  return as_called("max_pool_with_indices", [&] {
    const DataFormat format = options.data_format;
    const Value values = max_pool(x, options, at);
    const MaxPoolPlaces op{windows_of(options), format == channels_first, column_major};
    return MaxPoolResult{values, from_channels_last(apply(op, {last(x, format, at)}, at), format, at)};
  });
}

Value max_unpool(Value x, Value indices, std::vector<std::int64_t> shape, At at) {
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw BuildError("max_unpool", problem + at_line(at) + "\n  " + remedy);
  };
  if (!x || !indices) refuse(std::string(x ? "indices are" : "x is") + " an empty Value", "Build it first");
  if (x.shape() != indices.shape())
    refuse("x is " + to_string(x.type()) + " and the indices are " + to_string(indices.type()),
           "Give an index for each element of x");
  return as_called("max_unpool", [&] {
    const Shape all(shape);
    // One place more than there are, for windows of nothing but padding, whose index is -1.
    const std::int64_t nowhere = all.count();
    const Value zeros = broadcast_to(cast(constant(x.graph(), 0.0, f32, at), x.dtype(), at), {nowhere + 1}, at);
    const Value places = reshape(where(less(indices, 0, at), nowhere, indices, at), {-1}, at);
    const Value sums = scatter_add(zeros, places, reshape(x, {-1}, at), 0, at);
    return reshape(slice(sums, 0, 0, nowhere, at), shape, at);
  });
}

Value average_pool(Value x, AveragePoolOptions options, At at) {
  const Divisor divisor = options.count_include_pad ? Divisor::padded : Divisor::inside;
  const Value y = apply(AveragePool{windows_of(options), divisor}, {last(x, options.data_format, at)}, at);
  return from_channels_last(y, options.data_format, at);
}

Value lp_pool(Value x, LpPoolOptions options, At at) {
  if (!x) throw BuildError("lp_pool", "x is an empty Value" + at_line(at) + "\n  Build it first");
  check_order("lp_pool", options.p, at);
  return as_called("lp_pool", [&] {
    const Value y = norm_by(last(x, options.data_format, at), options.p, at, [&](Value powers) {
      return apply(AveragePool{windows_of(options), Divisor::one}, {powers}, at);
    });
    return from_channels_last(y, options.data_format, at);
  });
}

Value global_average_pool(Value x, DataFormat format, At at) {
  return over_everything("global_average_pool", x, format, at,
                         [&](Value v, std::vector<std::int64_t> axes) { return mean(v, std::move(axes), true, at); });
}

Value global_max_pool(Value x, DataFormat format, At at) {
  return over_everything("global_max_pool", x, format, at,
                         [&](Value v, std::vector<std::int64_t> axes) { return max(v, std::move(axes), true, at); });
}

Value global_lp_pool(Value x, double p, DataFormat format, At at) {
  check_order("global_lp_pool", p, at);
  return over_everything("global_lp_pool", x, format, at, [&](Value v, std::vector<std::int64_t> axes) {
    if (p == 2) return norm(v, std::move(axes), true, at);
    return norm_by(v, p, at, [&](Value powers) { return sum(powers, axes, true, at); });
  });
}

}  // namespace oxbow
