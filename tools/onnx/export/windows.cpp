// Convolutions and pools, which ONNX has with the channels first.
#include <oxbow/ops/conv/conv.h>
#include <oxbow/ops/conv/pool.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "onnx/export/exporter.h"

namespace oxbow::onnx {

namespace {

using Sizes = std::vector<std::int64_t>;

// Of as many axes as input 0 has.
std::string channels_first(const Written& n, const std::string& x) {
  Sizes order(static_cast<std::size_t>(n.type(0).shape.rank()));
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin() + 1, order.end() - 1, order.end());
  return n.to().transposed(x, order);
}
std::string channels_last(const Written& n, const std::string& x) {
  Sizes order(static_cast<std::size_t>(n.type(0).shape.rank()));
  std::iota(order.begin(), order.end(), 0);
  std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return n.to().transposed(x, order);
}

// What windows over input 0 say along one of its axes.
struct Steps {
  std::int64_t stride, dilation, before, after;
};

// Padding by a rule is written as the numbers that it gives, where they are the same for all that is fed: not all
// readers take a dilation into account.
void add_padding(const Written& n, const Padding& padding, const std::vector<Steps>& axes,
                 std::vector<Attribute>& attributes) {
  bool settled = true, dilated = false;
  Sizes pads, ends;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const bool fixed = n.to().is_fixed(n.node().input(0), static_cast<int>(i) + 1);
    settled = settled && (!padding.is_same() || fixed || axes[i].stride == 1);
    dilated = dilated || axes[i].dilation != 1;
    pads.push_back(axes[i].before);
    ends.push_back(axes[i].after);
  }
  pads.insert(pads.end(), ends.begin(), ends.end());
  if (settled)
    attributes.push_back({"pads", pads});
  else if (dilated)
    n.fail("its padding depends on sizes that are open, which readers of ONNX understand differently with a dilation");
  else
    attributes.push_back({"auto_pad", std::string(padding.kind == Padding::same_lower ? "SAME_LOWER" : "SAME_UPPER")});
}

// A number down and one across, where an attribute is one number or a list.
Sizes per_axis(const Written& n, std::string_view name) {
  if (const auto* all = std::get_if<std::int64_t>(&n.attribute(name))) return {*all, *all};
  return n.get<Sizes>(name);
}

// Strides, dilations, group and the sizes of the window.
std::vector<Attribute> windows(const Written& n) {
  return {{"strides", per_axis(n, "stride")},
          {"dilations", per_axis(n, "dilation")},
          {"group", n.get<std::int64_t>("groups")},
          {"kernel_shape", Sizes{n.type(1).shape[0], n.type(1).shape[1]}}};
}

// The windows of a pool.
std::vector<Attribute> pooled(const Written& n, const ops::PoolAttributes& o) {
  const ops::PoolShape s = ops::pool_shape(n.type(0).shape, o);
  const std::array<ops::PoolShape::Axis, 3> all{s.depth, s.down, s.across};
  Sizes size, stride, dilation;
  std::vector<Steps> steps;
  const int missing = 5 - n.type(0).shape.rank();
  for (int axis = missing; axis < 3; ++axis) {
    const ops::PoolShape::Axis& a = all[static_cast<std::size_t>(axis)];
    // ONNX's checker counts a last window that begins behind x, which there is not, unless no padding is left for it.
    std::int64_t after = a.after;
    if (o.ceil_mode && n.to().is_fixed(n.node().input(0), axis - missing + 1))
      after = std::clamp<std::int64_t>((a.out - 1) * a.stride + a.reach() - a.in - a.before, 0, after);
    size.push_back(a.taps);
    stride.push_back(a.stride);
    dilation.push_back(a.dilation);
    steps.push_back({a.stride, a.dilation, a.before, after});
  }
  std::vector<Attribute> attributes{{"kernel_shape", size}, {"strides", stride}};
  if (!(o.dilation == PerAxis(1))) attributes.push_back({"dilations", dilation});
  add_padding(n, o.padding, steps, attributes);
  if (o.ceil_mode && !o.padding.is_same()) attributes.push_back({"ceil_mode", std::int64_t{1}});
  return attributes;
}

void check_max_pooled(const Written& n) {
  const DType d = n.type(0).dtype;
  if (!(is_float(d) && d != bf16) && d != i8 && d != u8)
    n.fail("ONNX has the largest of windows for f16, f32, f64, i8 and u8 only, not for " + std::string(name(d)));
}

}  // namespace

Names write_conv2d(const Written& n) {
  const std::string weights = n.to().transposed(n.in(1), {3, 2, 0, 1});
  std::vector<Attribute> attributes = windows(n);
  const ops::ConvAttributes& o = *n.node().op().as<ops::Conv2d>();
  const ops::ConvShape s = ops::conv_shape(n.type(0).shape, n.type(1).shape, o);
  add_padding(n, o.padding,
              {{o.stride.down(), o.dilation.down(), s.top, s.bottom},
               {o.stride.across(), o.dilation.across(), s.left, s.right}},
              attributes);
  return {channels_last(n, n.to().add("Conv", {channels_first(n, n.in(0)), weights}, attributes))};
}

// The size that the op has, whatever rule it comes from, by pads and what is added at the end.
Names write_conv2d_transpose(const Written& n) {
  const auto padding = n.get<Padding>("padding");
  const Sizes stride = per_axis(n, "stride"), dilation = per_axis(n, "dilation");
  const Shape &x = n.type(0).shape, &weights = n.type(1).shape, &y = n.node().output_types()[0].shape;
  Sizes begins, ends, added;
  for (int axis = 0; axis < 2; ++axis) {
    const auto i = static_cast<std::size_t>(axis);
    const std::int64_t whole = (x[1 + axis] - 1) * stride[i] + (weights[axis] - 1) * dilation[i] + 1,
                       more = whole - y[1 + axis];
    std::int64_t before = 0, after = 0;
    if (padding.kind == Padding::sides) {
      before = axis == 0 ? padding.top : padding.left;
      after = axis == 0 ? padding.bottom : padding.right;
    } else if (more > 0) {
      before = (more + (padding.kind == Padding::same_lower ? 1 : 0)) / 2;
      after = more - before;
    }
    begins.push_back(before);
    ends.push_back(after);
    added.push_back(before + after - more);
  }
  std::vector<Attribute> attributes = windows(n);
  begins.insert(begins.end(), ends.begin(), ends.end());
  attributes.push_back({"pads", begins});
  attributes.push_back({"output_padding", added});
  const std::string turned = n.to().transposed(n.in(1), {3, 2, 0, 1});
  return {channels_last(n, n.to().add("ConvTranspose", {channels_first(n, n.in(0)), turned}, attributes))};
}

Names write_max_pool(const Written& n) {
  check_max_pooled(n);
  return {channels_last(
      n, n.to().add("MaxPool", {channels_first(n, n.in(0))}, pooled(n, *n.node().op().as<ops::MaxPool>())))};
}

Names write_max_pool_places(const Written& n) {
  check_max_pooled(n);
  const auto& op = *n.node().op().as<ops::MaxPoolPlaces>();
  if (!op.channels_first) n.fail("ONNX counts elements with the channels first");
  std::vector<Attribute> attributes = pooled(n, op);
  attributes.push_back({"storage_order", std::int64_t{op.column_major}});
  return {channels_last(n, n.to().add("MaxPool", {channels_first(n, n.in(0))}, attributes, 2)[1])};
}

Names write_average_pool(const Written& n) {
  const auto& op = *n.node().op().as<ops::AveragePool>();
  const DType d = n.type(0).dtype;
  if (d == bf16) n.fail("ONNX's opset 17 has no mean of windows for bf16");
  if (!(op.dilation == PerAxis(1))) n.fail("ONNX's opset 17 has no dilated windows for it");
  const bool sums = op.divisor == ops::Divisor::one;
  std::vector<Attribute> attributes = pooled(n, op);
  if (sums && op.ceil_mode && !op.padding.is_same())
    n.fail("ONNX has only means of windows that may reach beyond the padding, and these are sums");
  attributes.push_back({"count_include_pad", std::int64_t{op.divisor != ops::Divisor::inside}});
  std::string y = n.to().add("AveragePool", {channels_first(n, n.in(0))}, attributes);
  if (sums) {
    const auto taps = static_cast<double>(ops::pool_shape(n.type(0).shape, op).taps());
    const std::string scalar = n.to().constant(dispatch<dtypes::Floats>(
        d, [&]<class T>(std::type_identity<T>) { return Tensor::scalar<T>(static_cast<T>(taps)); }));
    y = n.to().add("Mul", {y, scalar});
  }
  return {channels_last(n, y)};
}

}  // namespace oxbow::onnx
