// Samples of random ops, word by word.
#include <oxbow/graph/support/random.h>
#include <oxbow/ops/random/categorical.h>
#include <oxbow/ops/random/distributions.h>
#include <oxbow/ops/random/dropout.h>

#include <cmath>

#include "samples/families.h"

namespace oxbow::test {

using namespace ops;

namespace {

const Tensor& some_state() {
  static const Tensor state = Tensor::of<std::int64_t>({2}, {12345678901234, 7});
  return state;
}

std::vector<Tensor> plain_dropout(const ops::Dropout& op, const std::vector<Tensor>& in) {
  Tensor y(in[0].type());
  const auto* state = in[1].data<std::int64_t>();
  for (std::int64_t i = 0; i < y.count(); ++i) {
    const auto block = static_cast<std::uint64_t>(i / 256 * 64 + i % 64);
    const auto words =
        internal::random_block(static_cast<std::uint64_t>(state[0]), static_cast<std::uint32_t>(state[1]),
                               static_cast<std::uint32_t>(op.stream), block);
    const bool kept = words[static_cast<std::size_t>(i / 64 % 4)] >= static_cast<std::uint32_t>(op.rate * 0x1p32);
    y.data<double>()[i] = kept ? in[0].data<double>()[i] / (1 - op.rate) : 0;
  }
  return {y};
}

std::vector<Sample> dropout_samples() {
  std::vector<Sample> samples;
  for (const Shape& shape : {Shape{}, Shape{3, 5}, Shape{257}, Shape{0, 3}, Shape{2, 300}})
    for (const ops::Dropout op : {ops::Dropout{.rate = 0.3, .stream = 5}, ops::Dropout{.rate = 0, .stream = 1}})
      samples.push_back(
          {to_string(shape), op, {draw(shape, -1, 1, 51), some_state()}, [op](const std::vector<Tensor>& in) {
             return plain_dropout(op, in);
           }});
  return samples;
}

// Number i in (0, 1) of a stream: 52 bits of block i / 2.
double plain_uniform(const Tensor& state, std::int64_t stream, std::int64_t i) {
  const auto* s = state.data<std::int64_t>();
  const auto words = internal::random_block(static_cast<std::uint64_t>(s[0]), static_cast<std::uint32_t>(s[1]),
                                            static_cast<std::uint32_t>(stream), static_cast<std::uint64_t>(i / 2));
  const auto k = static_cast<std::size_t>(2 * (i % 2));
  return (words[k] * 0x1p20 + (words[k + 1] >> 12) + 0.5) * 0x1p-52;
}

// Where the normal distribution reaches p, by halving.
double plain_quantile(double p) {
  double low = -9, high = 9;
  for (int i = 0; i < 70; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < p ? low : high) = middle;
  }
  return low;
}

Tensor plain_numbers(const Tensor& state, std::int64_t stream, const Shape& shape, double (*number)(double)) {
  Tensor y({f64, shape});
  for (std::int64_t i = 0; i < y.count(); ++i) y.data<double>()[i] = number(plain_uniform(state, stream, i));
  return y;
}

std::vector<Sample> number_samples(const Op& op, std::int64_t stream, double (*number)(double)) {
  std::vector<Sample> samples;
  for (const Shape& shape : {Shape{}, Shape{3, 5}, Shape{257}, Shape{0, 3}, Shape{2, 300}}) {
    const Tensor wanted = Tensor::of({shape.rank()}, shape.vector());
    samples.push_back(
        {to_string(shape), op, {some_state(), wanted}, [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
           return {plain_numbers(in[0], stream, shape, number)};
         }});
  }
  return samples;
}

std::vector<Sample> bernoulli_samples() {
  const auto of = [](const Shape& p, const Shape& shape) {
    const Tensor wanted = Tensor::of({shape.rank()}, shape.vector());
    return Sample{to_string(p) + " in " + to_string(shape),
                  RandomBernoulli{.dtype = f64, .stream = 4},
                  {draw(p, 0, 1, 3), wanted, some_state()},
                  [shape](const std::vector<Tensor>& in) -> std::vector<Tensor> {
                    Tensor y({f64, shape});
                    for (std::int64_t i = 0; i < y.count(); ++i)
                      y.data<double>()[i] = plain_uniform(in[2], 4, i) < in[0].data<double>()[i % in[0].count()];
                    return {y};
                  }};
  };
  return {of({3, 5}, {3, 5}), of({}, {257}), of({5}, {3, 5}), of({2, 300}, {2, 300})};
}

std::vector<Sample> categorical_samples() {
  std::vector<Sample> samples;
  for (const bool probabilities : {false, true})
    for (const Shape& shape : {Shape{5}, Shape{300, 3}, Shape{2, 4, 7}, Shape{0, 3}, Shape{4, 1}}) {
      const RandomCategorical op{.probabilities = probabilities, .stream = 6};
      samples.push_back({to_string(shape) + (probabilities ? " of probabilities" : ""),
                         op,
                         {draw(shape, 0.1, 3, 8), some_state()},  // random graphs draw from the range of both
                         [op](const std::vector<Tensor>& in) -> std::vector<Tensor> {
                           const Shape& s = in[0].shape();
                           Tensor y({i64, s.without(s.rank() - 1)});
                           for (std::int64_t row = 0; row < y.count(); ++row) {
                             const double* x = in[0].data<double>() + row * s[-1];
                             const auto weight = [&](std::int64_t k) {
                               return op.probabilities ? x[k] : std::exp(x[k]);
                             };
                             double whole = 0, sum = 0;
                             for (std::int64_t k = 0; k < s[-1]; ++k) whole += weight(k);
                             std::int64_t k = 0;
                             while ((sum += weight(k)) <= plain_uniform(in[1], op.stream, row) * whole) ++k;
                             y.data<std::int64_t>()[row] = k;
                           }
                           return {y};
                         }});
    }
  return samples;
}

}  // namespace

void add_random(Samples& s) {
  s.add<ops::Dropout>(dropout_samples());
  s.add<RandomUniform>(number_samples(RandomUniform{.low = -1, .high = 3, .dtype = f64, .stream = 2}, 2,
                                      [](double u) { return 4 * u - 1; }));
  s.add<RandomNormal>(number_samples(RandomNormal{.mean = 1, .deviation = 2, .dtype = f64, .stream = 3}, 3,
                                     [](double u) { return 1 + 2 * plain_quantile(u); }));
  s.add<RandomTruncatedNormal>(
      number_samples(RandomTruncatedNormal{.deviation = 0.5, .dtype = f64, .stream = 5}, 5, [](double u) {
        const double below = std::erfc(std::sqrt(2.0)) / 2;
        return plain_quantile(below + (1 - 2 * below) * u) / 2;
      }));
  s.add<RandomBernoulli>(bernoulli_samples());
  s.add<RandomCategorical>(categorical_samples());
}

}  // namespace oxbow::test
