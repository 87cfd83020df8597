#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/channels.h>
#include <oxbow/ops/conv/geometry.h>

namespace oxbow::ops {

void check_same_floats(Types in) {
  if (in[0].dtype != in[1].dtype)
    throw OpError("the dtypes differ: " + std::string(name(in[0].dtype)) + " and " + std::string(name(in[1].dtype)),
                  "Cast one of them");
  if (!is_float(in[0].dtype))
    throw OpError("there is no convolution of " + std::string(name(in[0].dtype)) +
                      ", only of: " + dtypes::served_by(dtypes::Floats{}),
                  "Cast to f32 first");
}

namespace {

void check_is(const char* which, const Shape& given, const Shape& wanted) {
  if (given != wanted)
    throw OpError(std::string(which) + " has the shape " + to_string(given) + " where " + to_string(wanted) + " fits",
                  "");
}

Work conv_work(Types in, const ConvShape& s) {
  Work w{.flops = s.flops()};
  for (const Type& t : in) w.bytes += static_cast<double>(t.bytes());
  return w;
}

}  // namespace

Type Conv2d::infer(Types in) const {
  check_same_floats(in);
  return {in[0].dtype, conv_shape(in[0].shape, in[1].shape, *this).y()};
}
Type Conv2dGradientOfX::infer(Types in) const {
  check_same_floats(in);
  check_is("dy", in[0].shape, conv_shape(in[2].shape, in[1].shape, *this).y());
  return {in[0].dtype, in[2].shape};
}
Type Conv2dGradientOfWeights::infer(Types in) const {
  check_same_floats(in);
  check_is("dy", in[1].shape, conv_shape(in[0].shape, in[2].shape, *this).y());
  return {in[0].dtype, in[2].shape};
}

Work Conv2d::work(Types in) const { return conv_work(in, conv_shape(in[0].shape, in[1].shape, *this)); }
Work Conv2dGradientOfX::work(Types in) const { return conv_work(in, conv_shape(in[2].shape, in[1].shape, *this)); }
Work Conv2dGradientOfWeights::work(Types in) const {
  return conv_work(in, conv_shape(in[0].shape, in[2].shape, *this));
}

Grads Conv2d::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0), w = n.input(1);
  return {apply(Conv2dGradientOfX{*this}, {dy[0], w, x}, Location{}),
          apply(Conv2dGradientOfWeights{*this}, {x, dy[0], w}, Location{})};
}
// dx is linear in dy and w; seen from dy, d(dx) is an image like x.
Grads Conv2dGradientOfX::gradient(const Node& n, Values d) const {
  const Value dy = n.input(0), w = n.input(1);
  return {apply(Conv2d{*this}, {d[0], w}, Location{}), apply(Conv2dGradientOfWeights{*this}, {d[0], dy, w}, Location{}),
          Value()};
}
Grads Conv2dGradientOfWeights::gradient(const Node& n, Values d) const {
  const Value x = n.input(0), dy = n.input(1);
  return {apply(Conv2dGradientOfX{*this}, {dy, d[0], x}, Location{}), apply(Conv2d{*this}, {x, d[0]}, Location{}),
          Value()};
}

}  // namespace oxbow::ops

namespace oxbow {

Value conv2d(Value x, Value weights, Conv2dOptions options, At at) {
  using namespace ops;
  const DataFormat format = options.data_format;
  const Value y = apply(Conv2d{{options.stride, options.padding.of_images(), options.dilation, options.groups}},
                        {to_channels_last(x, 4, format, at), weights_last(weights, 4, format, at)}, at);
  return with_bias("conv2d", y, options.bias, format, at);
}

}  // namespace oxbow
