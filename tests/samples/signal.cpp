// Samples of transforms of signals.
#include <oxbow/ops/signal/dft.h>

#include <cmath>
#include <numbers>

#include "samples/families.h"

namespace oxbow::test {

using namespace ops;

namespace {

std::vector<Sample> dft_samples() {
  const auto of = [](const Shape& shape, bool inverse) {
    return Sample{to_string(shape) + (inverse ? ", inverse" : ""),
                  Dft{inverse},
                  {draw(shape, -1, 1, 1)},
                  [inverse](const std::vector<Tensor>& in) {
                    Tensor y(in[0].type());
                    const std::int64_t n = y.shape()[-2];
                    for (std::int64_t i = 0; i < y.count() / 2; ++i) {
                      const std::int64_t k = i % n;
                      const double* x = in[0].data<double>() + 2 * (i - k);
                      for (std::int64_t j = 0; j < n; ++j) {
                        const double angle = (inverse ? 2 : -2) * std::numbers::pi * static_cast<double>(j * k % n) /
                                             static_cast<double>(n);
                        y.data<double>()[2 * i] += x[2 * j] * std::cos(angle) - x[2 * j + 1] * std::sin(angle);
                        y.data<double>()[2 * i + 1] += x[2 * j] * std::sin(angle) + x[2 * j + 1] * std::cos(angle);
                      }
                    }
                    return std::vector<Tensor>{y};
                  }};
  };
  std::vector<Sample> samples;
  // Products of small factors, powers of two, and primes that are too large for a factor.
  for (const std::int64_t n : {1, 2, 3, 4, 6, 8, 16, 30, 37, 64, 74, 120}) samples.push_back(of({n, 2}, n % 4 == 2));
  for (Sample s : {of({2, 3, 12, 2}, false), of({2, 12, 2}, true), of({0, 4, 2}, false), of({3, 0, 2}, false)})
    samples.push_back(std::move(s));
  return samples;
}

}  // namespace

void add_signal(Samples& s) { s.add<Dft>(dft_samples()); }

}  // namespace oxbow::test
