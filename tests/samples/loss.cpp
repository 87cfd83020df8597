// Samples of losses, by plain loops.
#include <oxbow/ops/loss/binary_cross_entropy.h>
#include <oxbow/ops/loss/loss.h>

#include <cmath>

#include "samples/elementwise.h"
#include "samples/families.h"

namespace oxbow::test {

using namespace ops;

namespace {

// The plain loops of the reference: softmax of a row, and its loss.
std::vector<Tensor> cross_entropy_reference(const std::vector<Tensor>& in) {
  const std::int64_t n = in[0].shape()[-1], count = in[1].count();
  Tensor losses({f64, in[1].shape()}), probabilities(in[0].type());
  for (std::int64_t r = 0; r < count; ++r) {
    const double* x = in[0].data<double>() + r * n;
    double* p = probabilities.data<double>() + r * n;
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i) sum += p[i] = std::exp(x[i]);
    for (std::int64_t i = 0; i < n; ++i) p[i] /= sum;
    const auto label = static_cast<std::size_t>(in[1].span<std::int64_t>()[static_cast<std::size_t>(r)]);
    losses.data<double>()[r] = std::log(sum) - x[label];
  }
  return {losses, probabilities};
}

std::vector<Tensor> cross_entropy_gradient_reference(const std::vector<Tensor>& in) {
  const std::int64_t n = in[0].shape()[-1], count = in[1].count();
  Tensor dx(in[0].type());
  for (std::int64_t r = 0; r < count; ++r)
    for (std::int64_t i = 0; i < n; ++i)
      dx.data<double>()[r * n + i] = (in[1].data<std::int64_t>()[r] == i ? std::expm1(-in[3].data<double>()[r])
                                                                         : in[0].data<double>()[r * n + i]) *
                                     in[2].data<double>()[r];
  return {dx};
}

std::vector<Shape> logits_shapes() { return {{3, 5}, {7}, {2, 3, 1}, {2, 2, 33}, {0, 4}}; }

std::vector<Sample> cross_entropy_samples() {
  std::vector<Sample> samples;
  for (const Shape& shape : logits_shapes()) {
    const Shape labels = shape.without(shape.rank() - 1);
    samples.push_back({to_string(shape),
                       CrossEntropy{},
                       {draw(shape, -2, 2, 21), draw(labels, 0, static_cast<double>(shape[-1]), 22, i64)},
                       cross_entropy_reference});
  }
  return samples;
}

std::vector<Sample> cross_entropy_gradient_samples() {
  std::vector<Sample> samples;
  for (const Shape& shape : logits_shapes()) {
    const Shape labels = shape.without(shape.rank() - 1);
    samples.push_back({to_string(shape),
                       CrossEntropyGradient{},
                       {draw(shape, 0, 1, 31), draw(labels, 0, static_cast<double>(shape[-1]), 32, i64),
                        draw(labels, -1, 1, 33), draw(labels, 0.1, 3, 34)},
                       cross_entropy_gradient_reference});
  }
  return samples;
}

std::vector<Sample> binary_cross_entropy_gradient_samples() {
  const auto reference = [](const std::vector<Tensor>& in) {
    return std::vector{
        map_elements(in, in[0].dtype(), [](const auto& v) { return v[2] * (1 / (1 + std::exp(-v[0])) - v[1]); })};
  };
  std::vector<Sample> s;
  std::uint64_t seed = 1;
  for (const Shape& shape : {Shape{}, Shape{17}, Shape{3, 5}, Shape{0, 2}}) {
    s.push_back({to_string(shape),
                 BinaryCrossEntropyGradient{},
                 {draw(shape, -5, 5, seed), draw(shape, 0, 1, seed + 1), draw(shape, -2, 2, seed + 2)},
                 reference});
    seed += 3;
  }
  return s;
}

}  // namespace

void add_loss(Samples& s) {
  s.add<CrossEntropy>(cross_entropy_samples());
  s.add<CrossEntropyGradient>(cross_entropy_gradient_samples());
  binary<BinaryCrossEntropy>(s, [](double x, double t) { return std::log1p(std::exp(x)) - t * x; },
                             {.x = {-5, 5}, .y = {0, 1}});
  s.add<BinaryCrossEntropyGradient>(binary_cross_entropy_gradient_samples());
}

}  // namespace oxbow::test
