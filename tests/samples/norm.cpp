// Samples of softmax and of batch statistics, by plain loops.
#include <oxbow/ops/norm/batch_norm.h>
#include <oxbow/ops/norm/softmax.h>

#include <algorithm>
#include <cmath>

#include "samples/families.h"

namespace oxbow::test {

using namespace ops;

namespace {

// Rows of a tensor in plain double, for the references.
template <class F>
std::function<std::vector<Tensor>(const std::vector<Tensor>&)> by_rows(F row) {
  return [row](const std::vector<Tensor>& in) {
    Tensor y(in[0].type());
    const std::int64_t n = in[0].shape()[-1], count = n == 0 ? 0 : in[0].count() / n;
    for (std::int64_t r = 0; r < count; ++r) {
      const double* x = in[0].data<double>() + r * n;
      const double m = *std::max_element(x, x + n);
      double sum = 0;
      for (std::int64_t i = 0; i < n; ++i) sum += std::exp(x[i] - m);
      for (std::int64_t i = 0; i < n; ++i) y.data<double>()[r * n + i] = row(x[i] - m, sum);
    }
    return std::vector{y};
  };
}

template <class O, class F>
std::vector<Sample> row_samples(F row) {
  std::vector<Sample> samples;
  for (const Shape& shape : {Shape{7}, Shape{1}, Shape{3, 5}, Shape{2, 3, 33}, Shape{4, 1}, Shape{0, 4}, Shape{3, 0}})
    samples.push_back({to_string(shape), O{}, {draw(shape, -3, 3, 11)}, by_rows(row)});
  samples.push_back(
      {"large", O{}, {Tensor::of<double>({2, 4}, {900, 903.5, 901.25, 906, -905, -900.5, -901, -908})}, by_rows(row)});
  return samples;
}

std::vector<Sample> softmax_samples() {
  return row_samples<Softmax>([](double shifted, double sum) { return std::exp(shifted) / sum; });
}

std::vector<Sample> log_softmax_samples() {
  return row_samples<LogSoftmax>([](double shifted, double sum) { return shifted - std::log(sum); });
}

// Mean and variance of each channel.
std::vector<Tensor> plain_moments(const std::vector<Tensor>& in) {
  const Shape& x = in[0].shape();
  const std::int64_t c = x[-1], n = x.count(0, x.rank() - 1);
  Tensor mean({f64, {c}}), variance({f64, {c}});
  for (std::int64_t k = 0; k < c; ++k) {
    double sum = 0, squares = 0;
    for (std::int64_t r = 0; r < n; ++r) sum += in[0].data<double>()[r * c + k];
    const double m = sum / static_cast<double>(n);
    for (std::int64_t r = 0; r < n; ++r)
      squares += (in[0].data<double>()[r * c + k] - m) * (in[0].data<double>()[r * c + k] - m);
    mean.data<double>()[k] = m;
    variance.data<double>()[k] = squares / static_cast<double>(n);
  }
  return {mean, variance};
}

std::vector<Sample> batch_moments_samples() {
  std::vector<Sample> samples;
  for (const Shape& shape : {Shape{5, 3}, Shape{2, 3, 2, 17}, Shape{1, 4}, Shape{3, 1}, Shape{4, 0}, Shape{2, 33}}) {
    const Tensor running({f64, {shape[-1]}});
    samples.push_back({to_string(shape), BatchMoments{}, {draw(shape, -1, 2, 41), running, running}, plain_moments});
  }
  samples.push_back({"far from zero",
                     BatchMoments{},
                     {Tensor::of<double>({3, 2}, {1000, -999.5, 1000.75, -999, 1001.25, -1000}), Tensor({f64, {2}}),
                      Tensor({f64, {2}})},
                     plain_moments});
  return samples;
}

}  // namespace

void add_norm(Samples& s) {
  s.add<Softmax>(softmax_samples());
  s.add<LogSoftmax>(log_softmax_samples());
  s.add<BatchMoments>(batch_moments_samples());
}

}  // namespace oxbow::test
