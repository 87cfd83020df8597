#include "samples/elementwise.h"

namespace oxbow::test {
namespace {

double element(const Tensor& t, std::int64_t i) {
  return dispatch(t.dtype(), [&]<class T>(std::type_identity<T>) { return static_cast<double>(t.data<T>()[i]); });
}

// The place in a tensor of shape `from` that element `i` of the larger shape `to` is stretched from.
std::int64_t source(const Shape& from, const Shape& to, std::int64_t i) {
  std::int64_t place = 0, stride = 1;
  for (int axis = 1; axis <= to.rank(); ++axis) {
    const std::int64_t at = i % to[-axis];
    i /= to[-axis];
    if (axis > from.rank()) continue;
    if (from[-axis] != 1) place += at * stride;
    stride *= from[-axis];
  }
  return place;
}

}  // namespace

Tensor map_elements(const std::vector<Tensor>& inputs, DType dtype,
                    const std::function<double(const std::vector<double>&)>& f) {
  Shape shape = inputs[0].shape();
  for (const Tensor& t : inputs) shape = broadcast(shape, t.shape());
  Tensor out({dtype, shape});
  std::vector<double> x(inputs.size());
  dispatch(dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < out.count(); ++i) {
      for (std::size_t k = 0; k < inputs.size(); ++k) x[k] = element(inputs[k], source(inputs[k].shape(), shape, i));
      out.data<T>()[i] = static_cast<T>(f(x));
    }
  });
  return out;
}

std::vector<Sample> unary_samples(const Op& op, const std::function<double(double)>& f, const Operands& of) {
  std::vector<Sample> samples;
  std::uint64_t seed = 1;
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{0}, Shape{17}, Shape{3, 5}, Shape{2, 0, 3}, Shape{2, 3, 11}}) {
    samples.push_back({"shape " + to_string(shape),
                       op,
                       {draw(shape, of.x.low, of.x.high, seed++)},
                       [f](const std::vector<Tensor>& in) {
                         return std::vector{map_elements(in, in[0].dtype(), [&](const auto& v) { return f(v[0]); })};
                       },
                       of.smooth});
  }
  for (const DType dtype : of.also) samples.push_back(typed_sample(op, dtype, [f](double x, double) { return f(x); }));
  return samples;
}

std::vector<Sample> binary_samples(const Op& op, const std::function<double(double, double)>& f, const Operands& of) {
  const std::pair<Shape, Shape> shapes[] = {
      {{}, {}},     {{17}, {17}}, {{3, 5}, {3, 5}},    {{3, 5}, {5}}, {{3, 1}, {3, 5}}, {{3, 1}, {5}},
      {{3, 5}, {}}, {{}, {7}},    {{2, 1, 3}, {4, 1}}, {{0}, {0}},    {{0, 3}, {3}},    {{1}, {2, 0}}};
  std::vector<Sample> samples;
  std::uint64_t seed = 1;
  for (const auto& [left, right] : shapes) {
    std::vector<Tensor> in{draw(left, of.x.low, of.x.high, seed), draw(right, of.y.low, of.y.high, seed + 1)};
    const DType result = op.infer(std::vector{in[0].type(), in[1].type()})[0].dtype;
    samples.push_back({to_string(left) + " and " + to_string(right), op, std::move(in),
                       [f, result](const std::vector<Tensor>& x) {
                         return std::vector{map_elements(x, result == boolean ? boolean : x[0].dtype(),
                                                         [&](const auto& v) { return f(v[0], v[1]); })};
                       },
                       of.smooth});
    seed += 2;
  }
  for (const DType dtype : of.also) samples.push_back(typed_sample(op, dtype, f));
  return samples;
}

Sample typed_sample(const Op& op, DType dtype, const std::function<double(double, double)>& f) {
  std::vector<Tensor> in;
  const double low = is_float(dtype) || kind_of(dtype) == DTypeKind::signed_integer ? -5 : 0,
               high = dtype == boolean ? 2 : 7;
  for (int i = 0; i < op.info().inputs.size(); ++i)
    in.push_back(draw({4, 9}, low, high, static_cast<std::uint64_t>(100 + i), dtype));
  const DType result = op.infer(std::vector<Type>(in.size(), in[0].type()))[0].dtype;
  return {std::string(name(dtype)), op, std::move(in),
          [f, result](const std::vector<Tensor>& x) {
            return std::vector{map_elements(x, result, [&](const auto& v) { return f(v[0], v.back()); })};
          },
          false};
}

}  // namespace oxbow::test
