#include <oxbow/ops/reduction.h>
#include <oxbow/ops/reduction/argmax.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/moving.h>

namespace oxbow::ops {
namespace {

constexpr std::int64_t columns_at_once = 64;

// The rows of one [reduced, inner] slice for the columns [first, first + columns).
template <bool largest, class T>
void extremes(const T* x, std::int64_t rows, std::int64_t inner, std::int64_t columns, bool last, std::int64_t* y) {
  T best[columns_at_once];
  for (std::int64_t j = 0; j < columns; ++j) {
    best[j] = x[j];
    y[j] = 0;
  }
  for (std::int64_t i = 1; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) {
      const T v = x[i * inner + j];
      const bool better = largest ? v > best[j] : v < best[j];
      const bool v_is_nan = v != v, best_is_nan = best[j] != best[j];
      const bool alike = (v == best[j]) | (v_is_nan & best_is_nan);
      const bool wins = best_is_nan ? v_is_nan & last : better | v_is_nan | (alike & last);
      best[j] = wins ? v : best[j];
      y[j] = wins ? i : y[j];
    }
}

}  // namespace

template <bool largest>
Type ArgExtreme<largest>::infer(Types in) const {
  const int a = in[0].shape.axis_of(axis);
  const Shape y = keep ? in[0].shape.with(a, 1) : in[0].shape.without(a);
  if (in[0].shape[a] == 0 && y.count() > 0)
    throw OpError("axis " + std::to_string(axis) + " of " + to_string(in[0].shape) + " is empty",
                  std::string("There is no ") + (largest ? "largest" : "smallest") + " of no elements");
  return {i64, y};
}

template <bool largest>
Work ArgExtreme<largest>::work(Types in) const {
  Work w = moving(in[0].bytes());
  w.flops = static_cast<double>(in[0].count());
  return w;
}

template <bool largest>
void ArgExtreme<largest>::run(const Run& r) const {
  const AroundAxis a(r.in_type(0).shape, r.in_type(0).shape.axis_of(axis));
  const std::int64_t blocks = (a.inner + columns_at_once - 1) / columns_at_once;
  const auto [begin, end] = r.share(a.outer * blocks);
  dispatch<dtypes::Computed>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t o = i / blocks, first = i % blocks * columns_at_once;
      extremes<largest>(r.in<T>(0) + o * a.size * a.inner + first, a.size, a.inner,
                        std::min(columns_at_once, a.inner - first), last, r.out<std::int64_t>() + o * a.inner + first);
    }
  });
}

template struct ArgExtreme<true>;
template struct ArgExtreme<false>;

}  // namespace oxbow::ops

namespace oxbow {

Value argmax(Value x, std::int64_t axis, ArgOptions options, At at) {
  return apply(ops::ArgMax{.axis = axis, .keep = options.keepdims, .last = options.select_last_index}, {x}, at);
}
Value argmin(Value x, std::int64_t axis, ArgOptions options, At at) {
  return apply(ops::ArgMin{.axis = axis, .keep = options.keepdims, .last = options.select_last_index}, {x}, at);
}

}  // namespace oxbow
