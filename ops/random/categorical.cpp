#include <oxbow/ops/random.h>
#include <oxbow/ops/random/categorical.h>
#include <oxbow/ops/random/numbers.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/moving.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace oxbow::ops {
namespace {

// e^x for x <= 0, to 2 ulp; 0 below -708; NaN for NaN. Unlike `math::exp`, in operations that round the same on every
// instruction set: x = n ln 2 + r, and the series of e^r.
double same_exp(double x) {
  constexpr double round = 0x1.8p52;  // a number that is added to it keeps no fraction
  const double clamped = x < -708.0 ? -708.0 : x;
  const double shifted = clamped * 1.4426950408889634 + round, n = shifted - round;
  const double r = (clamped - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  double y = 1.0 / 6227020800;
  for (const double c : {1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
                         1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0})
    y = y * r + c;
  const double power = std::bit_cast<double>((std::bit_cast<std::uint64_t>(shifted) + 1023) << 52);
  return x < -708.0 ? 0.0 : y * power;
}

// The weights of a row, in proportion to the probabilities. What makes none of them is NaN, negative or infinite.
template <class T>
void weigh(const T* x, std::int64_t classes, bool probabilities, double* weights) {
  if (probabilities) {
    for (std::int64_t k = 0; k < classes; ++k) weights[k] = static_cast<double>(x[k]);
    return;
  }
  T most = x[0];
  for (std::int64_t k = 1; k < classes; ++k) most = most < x[k] ? x[k] : most;
  for (std::int64_t k = 0; k < classes; ++k)
    weights[k] = same_exp(static_cast<double>(x[k]) - static_cast<double>(most));
}

// Weights become their running sums; false where they are no distribution.
bool add_up(double* weights, std::int64_t classes) {
  double sum = 0;
  bool all = true;
  for (std::int64_t k = 0; k < classes; ++k) {
    all = all && weights[k] >= 0;
    weights[k] = sum += weights[k];
  }
  return all && sum > 0 && std::isfinite(sum);
}

}  // namespace

Type RandomCategorical::infer(Types in) const {
  check_dtype(dtypes::Floats{}, in[0], "x");
  check_state(in[1]);
  if (in[0].shape.rank() == 0 || in[0].shape[-1] == 0)
    throw OpError("x is " + to_string(in[0]) + ", which has no classes", "Give [..., classes]");
  return {i64, in[0].shape.without(in[0].shape.rank() - 1)};
}

Work RandomCategorical::work(Types in) const {
  const std::int64_t classes = in[0].shape[-1], rows = in[0].count() / classes;
  return {.parts = std::clamp<std::int64_t>(std::min(rows, in[0].count() / 8192), 1, 256),
          .scratch = classes * static_cast<std::int64_t>(sizeof(double)),
          .flops = 30 * static_cast<double>(in[0].count()),
          .bytes = static_cast<double>(in[0].bytes() + 8 * rows)};
}

void RandomCategorical::run(const Run& r) const {
  using internal::draws;
  const std::int64_t classes = r.in_type(0).shape[-1], rows = r.in_type(0).count() / classes;
  const auto [begin, end] = r.share(rows);
  const internal::DrawKey key = draw_key(r.in<std::int64_t>(1), stream);
  auto* sums = reinterpret_cast<double*>(r.scratch);
  internal::Draws u;
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t row = begin; row < end; ++row) {
      if (row == begin || row % draws == 0) internal::draw(Distribution::uniform, key, row / draws, u);
      weigh(r.in<T>(0) + row * classes, classes, probabilities, sums);
      if (!add_up(sums, classes))
        throw OpError("row " + place_in(r.out_type().shape, row) + " of x is no distribution",
                      probabilities ? "Its probabilities must be finite, none negative, and not all 0"
                                    : "Its logits must be finite or -inf, and not all -inf");
      const double whole = sums[classes - 1], share = u[static_cast<std::size_t>(row % draws)] * whole;
      // Where rounding made the share the whole: the last class that has a probability.
      const double* place =
          std::min(std::upper_bound(sums, sums + classes, share), std::lower_bound(sums, sums + classes, whole));
      r.out<std::int64_t>()[row] = place - sums;
    }
  });
}

std::vector<Value> RandomCategorical::inference(Values in) const {
  if (in_inference) return {};
  return {argmax(in[0], -1)};
}

}  // namespace oxbow::ops

namespace oxbow {

Value random_categorical(Value x, CategoricalOptions options, At at) {
  if (!x) throw BuildError("random_categorical", "x is an empty Value" + at_line(at) + "\n  Build it first");
  const Value state = random_state(x.graph(), at);
  const ops::RandomCategorical op{
      .probabilities = options.probabilities, .stream = x.graph().next_stream(), .in_inference = options.in_inference};
  return apply(op, {x, state}, at);
}

Value random_multinomial(Value x, std::int64_t samples, CategoricalOptions options, At at) {
  return as_called("random_multinomial", [&] {
    if (!x) throw BuildError("random_multinomial", "x is an empty Value" + at_line(at) + "\n  Build it first");
    std::vector<std::int64_t> repeats(static_cast<std::size_t>(x.rank()) + 1, 1);
    if (x.rank() > 0) repeats[repeats.size() - 2] = samples;
    return random_categorical(tile(expand_dims(x, -2, at), repeats, at), options, at);
  });
}

}  // namespace oxbow
