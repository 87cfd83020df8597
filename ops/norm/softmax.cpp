#include <oxbow/ops/norm.h>
#include <oxbow/ops/norm/softmax.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shared/rows.h>

#include <cmath>
#include <numeric>

namespace oxbow::ops {
namespace {

Type check(Types in) {
  check_dtype(dtypes::Floats{}, in[0], "x");
  if (in[0].shape.rank() == 0) throw OpError("x is a scalar, which has no axis", "Give at least one axis");
  return in[0];
}

Work row_work(Types in, std::int64_t scratch) {
  const auto elements = static_cast<double>(in[0].count());
  return {.parts = rows::parts(rows::count(in[0]), rows::length(in[0])),
          .scratch = elements > 0 ? scratch : 0,
          .flops = 20 * elements,
          .bytes = 2 * elements * static_cast<double>(size_of(in[0].dtype))};
}

// Calls `block(x, count, y)` for blocks of rows of this part.
template <class T, class F>
void for_blocks(const Run& r, F block) {
  if (r.in_type(0).count() == 0) return;  // there may be very many rows without an element
  const std::int64_t n = rows::length(r.in_type(0)), step = rows::block_rows(n);
  const auto [begin, end] = r.share(rows::count(r.in_type(0)));
  for (std::int64_t row = begin; row < end; row += step)
    block(r.in<T>(0) + row * n, std::min(step, end - row), r.out<T>() + row * n);
}

}  // namespace

Type Softmax::infer(Types in) const { return check(in); }
Work Softmax::work(Types in) const { return row_work(in, 0); }

void Softmax::run(const Run& r) const {
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    const std::int64_t n = rows::length(r.in_type(0));
    for_blocks<T>(r, [n](const T* x, std::int64_t count, T* y) {
      std::array<T, rows::block_elements> maxima;
      rows::exponentiate(x, count, n, y, maxima.data());
      for (T* row = y; row < y + count * n; row += n) {
        const T scale = T{1} / rows::sum(row, n);
        for (std::int64_t i = 0; i < n; ++i) row[i] *= scale;
      }
    });
  });
}

Grads Softmax::gradient(const Node& n, Values dy) const {
  const Value y = n.output();
  return {y * (dy[0] - sum(y * dy[0], {-1}, true))};
}

Type LogSoftmax::infer(Types in) const { return check(in); }

Work LogSoftmax::work(Types in) const {
  const std::int64_t n = check(in).shape[-1];
  return row_work(in, rows::block_rows(n) * n * size_of(in[0].dtype));
}

void LogSoftmax::run(const Run& r) const {
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    const std::int64_t n = rows::length(r.in_type(0));
    T* e = reinterpret_cast<T*>(r.scratch);
    for_blocks<T>(r, [n, e](const T* x, std::int64_t count, T* y) {
      std::array<T, rows::block_elements> maxima, sums, logs;
      rows::exponentiate(x, count, n, e, maxima.data());
      rows::log_sums(e, count, n, sums.data(), logs.data());
      for (std::int64_t row = 0; row < count; ++row) {
        const T m = maxima[static_cast<std::size_t>(row)], log_sum = logs[static_cast<std::size_t>(row)];
        independent(row * n, (row + 1) * n, [=](std::int64_t i) { y[i] = (x[i] - m) - log_sum; });
      }
    });
  });
}

// A row of dx adds up to 0. Where p is near 1, dy - p sum dy would be what rounding left: there the others tell.
Grads LogSoftmax::gradient(const Node& n, Values dy) const {
  const Value p = exp(n.output());
  const Value dx = dy[0] - p * sum(dy[0], {-1}, true);
  const Value most = greater(p, 0.5);
  const Value others = sum(where(most, 0, dx), {-1}, true);
  return {where(most, -others, dx)};
}

}  // namespace oxbow::ops

namespace oxbow {
namespace {

// What `rows` makes of the last axis, by way of a transposition when `axis` is another.
template <class F>
Value along(std::string_view op, Value x, std::int64_t axis, At at, F rows) {
  if (!x || x.rank() == 0) return rows(x);
  int chosen = 0;
  try {
    chosen = x.shape().axis_of(axis);
  } catch (const Error& e) {
    throw BuildError(op, e.what() + at_line(at));
  }
  if (chosen == x.rank() - 1) return rows(x);
  std::vector<std::int64_t> swapped(static_cast<std::size_t>(x.rank()));
  std::iota(swapped.begin(), swapped.end(), 0);
  std::swap(swapped[static_cast<std::size_t>(chosen)], swapped.back());
  return transpose(rows(transpose(x, swapped, at)), swapped, at);
}

}  // namespace

Value softmax(Value x, std::int64_t axis, At at) {
  return along("softmax", x, axis, at, [&](Value rows) { return apply(ops::Softmax{}, {rows}, at); });
}
Value log_softmax(Value x, std::int64_t axis, At at) {
  return along("log_softmax", x, axis, at, [&](Value rows) { return apply(ops::LogSoftmax{}, {rows}, at); });
}
Value hardmax(Value x, std::int64_t axis, At at) {
  return as_called("hardmax", [&] {
    return along("hardmax", x, axis, at, [&](Value rows) {
      const Value place = argmax(rows, -1, {}, at), classes = slice(shape_of(rows, at), 0, -1, to_end, at);
      return one_hot(place, reshape(classes, {}, at), rows.dtype(), at);
    });
  });
}

}  // namespace oxbow
