#include <oxbow/ops/signal/dft.h>
#include <oxbow/ops/signal/fft.h>

#include <algorithm>
#include <cmath>

namespace oxbow::ops {

struct Dft::Plan {
  Fft fft;
};

Type Dft::infer(Types in) const {
  check_dtype(dtypes::Floats{}, in[0], "x");
  if (in[0].shape.rank() < 2 || in[0].shape[-1] != 2)
    throw OpError("x is " + to_string(in[0]) + ", whose last axis is not that of a complex number's two parts",
                  "Give x [..., n, 2]");
  return in[0];
}

Prepared<Dft::Plan> Dft::prepare(Types in) const {
  const std::int64_t n = std::max<std::int64_t>(1, in[0].shape[-2]), rows = in[0].count() / (2 * n);
  auto plan = std::make_shared<Plan>(Plan{Fft(n)});
  const double flops = 5.0 * static_cast<double>(in[0].count()) * std::max(1, std::ilogb(static_cast<double>(n)));
  return {{.parts = std::clamp<std::int64_t>(std::min(rows, static_cast<std::int64_t>(flops) >> 17), 1, 256),
           .scratch = (2 * n + plan->fft.scratch()) * size_of(f64),
           .flops = flops,
           .bytes = 2.0 * static_cast<double>(in[0].bytes())},
          plan};
}

void Dft::run(const Run& r, const Plan& plan) const {
  const std::int64_t n = plan.fft.size();
  const auto [begin, end] = r.share(r.in_type(0).count() / (2 * n));
  auto* re = reinterpret_cast<double*>(r.scratch);
  double* im = re + n;
  // The other direction is this one with real and imaginary parts changed over, there and back.
  const int real = inverse ? 1 : 0;
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* x = r.in<T>(0) + 2 * n * row;
      T* y = r.out<T>() + 2 * n * row;
      for (std::int64_t k = 0; k < n; ++k) {
        re[k] = static_cast<double>(x[2 * k + real]);
        im[k] = static_cast<double>(x[2 * k + 1 - real]);
      }
      plan.fft.run({re, im}, im + n);
      for (std::int64_t k = 0; k < n; ++k) {
        y[2 * k + real] = static_cast<T>(re[k]);
        y[2 * k + 1 - real] = static_cast<T>(im[k]);
      }
    }
  });
}

// It is linear, and its matrix is symmetric; of the two parts of each number it turns the other way round.
Grads Dft::gradient(const Node&, Values dy) const { return {apply(Dft{.inverse = !inverse}, {dy[0]}, {})}; }

}  // namespace oxbow::ops
