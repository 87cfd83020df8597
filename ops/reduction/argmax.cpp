#include <oxbow/ops/reduction.h>
#include <oxbow/ops/reduction/argmax.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/moving.h>

namespace oxbow::ops {
namespace {

constexpr std::int64_t columns_at_once = 64;
constexpr std::int64_t lanes = 16;  // of a row that is searched as so many columns

// Whether v is further out than best, NaN being furthest; whether neither is.
template <bool largest, class T>
bool beats(T v, T best) {
  return (best == best) & ((v != v) | (largest ? v > best : v < best));
}
template <class T>
bool alike(T v, T best) {
  return (v == best) | ((v != v) & (best != best));
}

// Of so many columns, at most `columns_at_once`; element i of column j is x[i * row + j * column].
template <bool largest, class T>
void extremes(const T* x, std::int64_t rows, std::int64_t row, std::int64_t columns, std::int64_t column, bool last,
              T* best, std::int64_t* y) {
  for (std::int64_t j = 0; j < columns; ++j) {
    best[j] = x[j * column];
    y[j] = 0;
  }
  for (std::int64_t i = 1; i < rows; ++i)
    for (std::int64_t j = 0; j < columns; ++j) {
      const T v = x[i * row + j * column];
      const bool wins = beats<largest>(v, best[j]) | (alike(v, best[j]) & last);
      best[j] = wins ? v : best[j];
      y[j] = wins ? i : y[j];
    }
}

// Of n elements side by side, which are searched as 16 columns. Their winners and what is left over come last.
template <bool largest, class T>
std::int64_t extreme(const T* x, std::int64_t n, bool last) {
  T values[lanes];
  std::int64_t rows[lanes];
  extremes<largest>(x, n / lanes, lanes, lanes, 1, last, values, rows);
  T best = values[0];
  std::int64_t place = rows[0] * lanes;
  const auto meets = [&](T v, std::int64_t i) {
    const bool wins = beats<largest>(v, best) | (alike(v, best) & (last ? i > place : i < place));
    best = wins ? v : best;
    place = wins ? i : place;
  };
  for (std::int64_t j = 1; j < lanes; ++j) meets(values[j], rows[j] * lanes + j);
  for (std::int64_t i = n / lanes * lanes; i < n; ++i) meets(x[i], i);
  return place;
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
  w.flops = 16 * static_cast<double>(in[0].count());  // comparisons and choices, in two widths
  return w;
}

template <bool largest>
void ArgExtreme<largest>::run(const Run& r) const {
  const AroundAxis a(r.in_type(0).shape, r.in_type(0).shape.axis_of(axis));
  dispatch<dtypes::Computed>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    const T* x = r.in<T>(0);
    std::int64_t* y = r.out<std::int64_t>();
    if (a.inner == 1 && a.size >= 4 * lanes) {
      const auto [begin, end] = r.share(a.outer);
      for (std::int64_t o = begin; o < end; ++o) y[o] = extreme<largest>(x + o * a.size, a.size, last);
      return;
    }
    // Columns are those beside one another or, where there is one, whole rows.
    const bool in_rows = a.inner == 1;
    const std::int64_t groups = in_rows ? 1 : a.outer, columns = in_rows ? a.outer : a.inner;
    const std::int64_t beside = in_rows ? a.size : 1;  // from one to the next
    const std::int64_t blocks = (columns + columns_at_once - 1) / columns_at_once;
    T best[columns_at_once];
    const auto [begin, end] = r.share(groups * blocks);
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t o = i / blocks, first = i % blocks * columns_at_once;
      extremes<largest>(x + o * a.size * a.inner + first * beside, a.size, a.inner,
                        std::min(columns_at_once, columns - first), beside, last, best, y + o * a.inner + first);
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
