// Samples of softmax and of statistics, by plain loops.
#include <oxbow/ops/norm/batch_norm.h>
#include <oxbow/ops/norm/inverse_rms.h>
#include <oxbow/ops/norm/softmax.h>

#include <algorithm>
#include <cmath>

#include "samples/families.h"
#include "samples/rearranged.h"

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

std::vector<Sample> inverse_rms_samples() {
  const auto sample = [](Tensor x, std::vector<std::int64_t> axes, double epsilon, const char* what = "") {
    const InverseRms op{.axes = std::move(axes), .epsilon = epsilon};
    return Sample{to_string(x.type()) + ", " + std::to_string(op.axes.size()) + " axes" + what,
                  op,
                  {x},
                  [op](const std::vector<Tensor>& in) {
                    const std::vector<Type> types{in[0].type()};
                    Tensor y(op.infer(types));
                    const Shape &from = in[0].shape(), to = y.shape();
                    const double n = static_cast<double>(in[0].count()) / static_cast<double>(y.count());
                    std::vector<double> root(static_cast<std::size_t>(y.count()));  // by hypot: no square at all
                    for (std::int64_t i = 0; i < in[0].count(); ++i) {
                      Index at = index_of(from, i);
                      for (int axis = 0; axis < from.rank(); ++axis)
                        if (to[axis] == 1) at[static_cast<std::size_t>(axis)] = 0;
                      double& r = root[static_cast<std::size_t>(flat_of(to, at))];
                      r = std::hypot(r, in[0].data<double>()[i] / std::sqrt(n));
                    }
                    for (std::int64_t i = 0; i < y.count(); ++i)
                      y.data<double>()[i] = 1 / std::hypot(root[static_cast<std::size_t>(i)], std::sqrt(op.epsilon));
                    return std::vector{y};
                  }};
  };
  return {sample(draw({7}, 0.5, 2, 51), {}, 1e-5),         sample(draw({}, 0.5, 2, 51), {}, 0.25),
          sample(draw({3, 5}, -2, 2, 52), {1}, 1e-3),      sample(draw({3, 5}, 0.5, 2, 53), {0}, 0),
          sample(draw({2, 3, 4}, -1, 2, 54), {0, 2}, 0.1), sample(draw({3, 1}, 0.5, 2, 55), {1}, 1e-3),
          sample(Tensor({f64, {0, 3}}), {1}, 1e-5),        sample(draw({2, 33}, -2, 2, 56), {-1}, 0.1)};
}

}  // namespace

void add_norm(Samples& s) {
  s.add<Softmax>(softmax_samples());
  s.add<LogSoftmax>(log_softmax_samples());
  s.add<BatchMoments>(batch_moments_samples());
  s.add<InverseRms>(inverse_rms_samples());
}

}  // namespace oxbow::test
