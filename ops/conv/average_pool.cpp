// Sums of windows by convolutions with a kernel of ones a channel: along the depth of volumes apart from the other two
// axes, which is less work and gives the same windows.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/tables.h>
#include <oxbow/ops/conv/depthwise.h>
#include <oxbow/ops/conv/pool.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>

#include <algorithm>
#include <array>
#include <functional>

namespace oxbow::ops {
namespace {

constexpr std::array<std::string_view, 3> divisors{"inside", "padded", "one"};

using Axis = PoolShape::Axis;

// Windows down and across as a convolution with a kernel for each of so many channels.
ConvAttributes attributes_of(const Axis& down, const Axis& across, std::int64_t channels) {
  // What `ceil_mode` adds lies beyond the padding; an edge that no window reaches needs none.
  const auto after = [](const Axis& a) {
    return std::max<std::int64_t>(0, (a.out - 1) * a.stride + a.reach() - a.in - a.before);
  };
  return {.stride = {down.stride, across.stride},
          .padding = Padding(down.before, after(down), across.before, after(across)),
          .dilation = {down.dilation, across.dilation},
          .groups = channels};
}

Value ones(Graph& g, DType dtype, const Shape& shape) { return broadcast_to(constant(g, 1.0, dtype), shape); }

Value ones_of(Value x, const Axis& down, const Axis& across, std::int64_t channels) {
  return ones(x.graph(), x.dtype(), {down.taps, across.taps, 1, channels});
}

bool is_empty(const PoolShape& s) { return s.images * s.channels * s.windows() * s.image() == 0; }

// x [n, ..., c] to the sums [n, ..., c] of its windows.
Value sums(Value x, const PoolShape& s) {
  const std::int64_t c = s.channels;
  Value y = apply(DepthwiseForward{attributes_of(s.down, s.across, c)},
                  {reshape(x, {s.images * s.depth.in, s.down.in, s.across.in, c}), ones_of(x, s.down, s.across, c)},
                  Location{});
  if (s.depth.in != 1 || s.depth.out != 1) {
    const Axis pixels{s.down.out * s.across.out, 1, 1, 1, 0, 0, s.down.out * s.across.out};
    y = apply(DepthwiseForward{attributes_of(s.depth, pixels, c)},
              {reshape(y, {s.images, s.depth.in, pixels.in, c}), ones_of(x, s.depth, pixels, c)}, Location{});
  }
  return reshape(y, s.y(x.rank()).vector());
}

// Back: each dy [n, ..., c] is added to all elements of its window.
Value spread(Value dy, const PoolShape& s, const Shape& x) {
  const std::int64_t c = s.channels;
  const Axis pixels{s.down.out * s.across.out, 1, 1, 1, 0, 0, s.down.out * s.across.out};
  Value d = reshape(dy, {s.images, s.depth.out, pixels.in, c});
  if (s.depth.in != 1 || s.depth.out != 1)
    d = apply(DepthwiseAdjoint{attributes_of(s.depth, pixels, c), s.depth.in, pixels.in},
              {d, ones_of(dy, s.depth, pixels, c)}, Location{});
  d = apply(DepthwiseAdjoint{attributes_of(s.down, s.across, c), s.down.in, s.across.in},
            {reshape(d, {s.images * s.depth.in, s.down.out, s.across.out, c}), ones_of(dy, s.down, s.across, c)},
            Location{});
  return reshape(d, x.vector());
}

// How many elements each window along an axis has.
std::vector<double> counts(const Axis& a, bool padded) {
  internal::claim_table(a.out, sizeof(double));
  std::vector<double> all(static_cast<std::size_t>(a.out));
  const std::int64_t begin = padded ? -a.before : 0, end = padded ? a.in + a.after : a.in;
  for (std::int64_t i = 0; i < a.out; ++i) {
    const std::int64_t at = i * a.stride - a.before;
    const std::int64_t first = at >= begin ? 0 : (begin - at + a.dilation - 1) / a.dilation;
    const std::int64_t last = at >= end ? 0 : std::min(a.taps, (end - 1 - at) / a.dilation + 1);
    all[static_cast<std::size_t>(i)] = static_cast<double>(std::max<std::int64_t>(0, last - first));
  }
  return all;
}

// v [n, ..., c] divided by the number of elements of each window.
Value divided(Value v, const PoolShape& s, Divisor divisor) {
  if (divisor == Divisor::one) return v;
  const bool padded = divisor == Divisor::padded;
  const std::vector<double> depth = counts(s.depth, padded), down = counts(s.down, padded),
                            across = counts(s.across, padded);
  Graph& g = v.graph();
  const auto alike = [](const std::vector<double>& each) {
    return std::adjacent_find(each.begin(), each.end(), std::not_equal_to()) == each.end();
  };
  if (alike(depth) && alike(down) && alike(across)) return v / constant(g, depth[0] * down[0] * across[0], v.dtype());
  Shape shape = s.y(v.rank()).with(0, 1);
  internal::claim_table(s.windows(), size_of(v.dtype()));
  Tensor numbers({v.dtype(), shape.with(shape.rank() - 1, 1)});
  dispatch<dtypes::Floats>(v.dtype(), [&]<class T>(std::type_identity<T>) {
    T* to = numbers.data<T>();
    for (const double a : depth)
      for (const double b : down)
        for (const double c : across) *to++ = static_cast<T>(a * b * c);
  });
  return v / constant(g, numbers);
}

}  // namespace

AttrValue to_attr(Divisor v) { return std::string(divisors[static_cast<std::size_t>(v)]); }
void from_attr(const AttrValue& a, Divisor& v) { v = static_cast<Divisor>(word_of(a, "divisor", divisors)); }

Type AveragePool::infer(Types in) const {
  check_dtype(dtypes::Floats{}, in[0], "x");
  return {in[0].dtype, pool_shape(in[0].shape, *this).y(in[0].shape.rank())};
}

std::vector<Value> AveragePool::lower(Values in) const {
  const PoolShape s = pool_shape(in[0].shape(), *this);
  if (is_empty(s)) return {broadcast_to(constant(in[0].graph(), 0.0, in[0].dtype()), s.y(in[0].rank()))};
  return {divided(sums(in[0], s), s, divisor)};
}

Grads AveragePool::gradient(const Node& n, Values dy) const {
  return {apply(AveragePoolGradient{*this, divisor}, {dy[0], n.input(0)}, Location{})};
}

Type AveragePoolGradient::infer(Types in) const {
  check_dtype(dtypes::Floats{}, in[0], "dy");
  const Shape y = pool_shape(in[1].shape, *this).y(in[1].shape.rank());
  if (in[0].shape != y)
    throw OpError("dy has the shape " + to_string(in[0].shape) + " where " + to_string(y) + " fits");
  return {in[0].dtype, in[1].shape};
}

std::vector<Value> AveragePoolGradient::lower(Values in) const {
  const Shape& x = in[1].shape();
  const PoolShape s = pool_shape(x, *this);
  if (is_empty(s)) return {broadcast_to(constant(in[0].graph(), 0.0, in[0].dtype()), x)};
  return {spread(divided(in[0], s, divisor), s, x)};
}

Grads AveragePoolGradient::gradient(const Node&, Values d) const {
  return {apply(AveragePool{*this, divisor}, {d[0]}, Location{}), Value()};
}

}  // namespace oxbow::ops
