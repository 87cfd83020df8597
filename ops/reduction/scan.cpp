#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/reduction/scan.h>
#include <oxbow/ops/shape/moving.h>

namespace oxbow::ops {
namespace {

constexpr std::int64_t lines_at_once = 64;

// What a line is added up in: integers wrap around.
template <class T>
using Running = std::conditional_t<std::is_integral_v<T>, dtypes::Word<sizeof(T)>, double>;

Type check(const ScanAlong& s, const Type& x, std::string_view name) {
  check_dtype(dtypes::Numbers{}, x, name);
  (void)x.shape.axis_of(s.axis);
  return x;
}

// Along each line s = step(s, place), from `start`; `step` reads at that place. An output may be an input.
template <class T, class F>
void scan(const ScanAlong& how, const Run& r, Running<T> start, F step) {
  const AroundAxis a(r.in_type(0).shape, r.in_type(0).shape.axis_of(how.axis));
  const std::int64_t blocks = (a.inner + lines_at_once - 1) / lines_at_once;
  const auto [begin, end] = r.share(a.outer * blocks);
  T* y = r.out<T>();
  for (std::int64_t unit = begin; unit < end; ++unit) {
    const std::int64_t first = unit % blocks * lines_at_once, columns = std::min(lines_at_once, a.inner - first);
    Running<T> sums[lines_at_once];
    std::fill(sums, sums + columns, start);
    for (std::int64_t k = 0; k < a.size; ++k) {
      const std::int64_t i = how.reverse ? a.size - 1 - k : k, row = (unit / blocks * a.size + i) * a.inner + first;
      for (std::int64_t j = 0; j < columns; ++j) {
        const Running<T> next = step(sums[j], row + j);
        y[row + j] = static_cast<T>(how.exclusive ? sums[j] : next);
        sums[j] = next;
      }
    }
  }
}

}  // namespace

Work ScanAlong::work(Types in) const {
  Work w = moving(in[0].bytes());
  const AroundAxis a(in[0].shape, in[0].shape.axis_of(axis));
  w.parts = std::min(w.parts, std::max<std::int64_t>(1, a.outer * ((a.inner + lines_at_once - 1) / lines_at_once)));
  w.flops = 2 * static_cast<double>(in[0].count());
  return w;
}

Type CumSum::infer(Types in) const { return check(*this, in[0], "x"); }

void CumSum::run(const Run& r) const {
  dispatch<dtypes::Numbers>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    scan<T>(*this, r, 0, [x = r.in<T>(0)](Running<T> s, std::int64_t i) { return s + static_cast<Running<T>>(x[i]); });
  });
}

Grads CumSum::gradient(const Node&, Values dy) const {
  return {cumsum(dy[0], axis, {.exclusive = exclusive, .reverse = !reverse})};
}

Type CumProd::infer(Types in) const { return check(*this, in[0], "x"); }

void CumProd::run(const Run& r) const {
  dispatch<dtypes::Numbers>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    scan<T>(*this, r, 1, [x = r.in<T>(0)](Running<T> s, std::int64_t i) { return s * static_cast<Running<T>>(x[i]); });
  });
}

// Let p be the product before a place. x[i] is in y[j] for j >= i (exclusive: j > i), so dx[i] = p[i] g[i] with
// g[i] = dy[i] + x[i + 1] g[i + 1] (exclusive: dy[i + 1] + x[i + 1] g[i + 1]); nothing is divided by x.
Grads CumProd::gradient(const Node& n, Values dy) const {
  const Value x = n.input(0);
  const CumulativeOptions back{.exclusive = true, .reverse = !reverse};
  if (exclusive) return {n.output() * linear_scan(x, dy[0], axis, back)};
  const Value g = dy[0] + linear_scan(x, x * dy[0], axis, back);
  return {cumprod(x, axis, {.exclusive = true, .reverse = reverse}) * g};
}

Type LinearScan::infer(Types in) const {
  if (in[0] != in[1]) throw OpError("a is " + to_string(in[0]) + " and b " + to_string(in[1]), "Give both one type");
  return check(*this, in[0], "a");
}

void LinearScan::run(const Run& r) const {
  dispatch<dtypes::Numbers>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    scan<T>(*this, r, 0, [a = r.in<T>(0), b = r.in<T>(1)](Running<T> s, std::int64_t i) {
      return static_cast<Running<T>>(a[i]) * s + static_cast<Running<T>>(b[i]);
    });
  });
}

// With s[i - 1] before a place: db[i] = dy[i] + a[i + 1] db[i + 1] (exclusive: dy[i + 1] + ...), da[i] = s[i - 1]
// db[i], which is 0 at the first place, however large db is.
Grads LinearScan::gradient(const Node& n, Values dy) const {
  const Value a = n.input(0), b = n.input(1);
  const CumulativeOptions back{.exclusive = true, .reverse = !reverse};
  if (exclusive) {
    const Value db = linear_scan(a, dy[0], axis, back);
    return {masked_multiply(n.output(), db), db};
  }
  const Value db = dy[0] + linear_scan(a, a * dy[0], axis, back);
  return {masked_multiply(linear_scan(a, b, axis, {.exclusive = true, .reverse = reverse}), db), db};
}

}  // namespace oxbow::ops

namespace oxbow {
namespace {

template <class O>
O along(std::int64_t axis, CumulativeOptions options) {
  O op;
  op.axis = axis;
  op.exclusive = options.exclusive;
  op.reverse = options.reverse;
  return op;
}

}  // namespace

Value cumsum(Value x, std::int64_t axis, CumulativeOptions options, At at) {
  return apply(along<ops::CumSum>(axis, options), {x}, at);
}
Value cumprod(Value x, std::int64_t axis, CumulativeOptions options, At at) {
  return apply(along<ops::CumProd>(axis, options), {x}, at);
}
Value linear_scan(Value a, Value b, std::int64_t axis, CumulativeOptions options, At at) {
  return apply(along<ops::LinearScan>(axis, options), {a, b}, at);
}

}  // namespace oxbow
