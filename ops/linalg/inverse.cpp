#include <oxbow/ops/linalg.h>
#include <oxbow/ops/linalg/inverse.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace oxbow::ops {
namespace {

Type check(const Type& a) {
  check_dtype(dtypes::Floats{}, a, "a");
  if (a.shape.rank() < 2 || a.shape[-1] != a.shape[-2])
    throw OpError("a is " + to_string(a) + ", not a square matrix", "Give [..., n, n]");
  return a;
}

std::int64_t matrices(const Type& a) { return a.shape.count(0, a.shape.rank() - 2); }

// The matrix, and `columns` more of what is solved for, in double.
Work elimination(const Type& a, std::int64_t columns) {
  const std::int64_t n = a.shape[-1];
  const double flops = static_cast<double>(matrices(a)) * std::pow(static_cast<double>(n), 3);
  return {.parts = std::clamp<std::int64_t>(static_cast<std::int64_t>(flops / 1e5), 1,
                                            std::max<std::int64_t>(1, matrices(a))),
          .scratch = n * (n + columns) * static_cast<std::int64_t>(sizeof(double)),
          .flops = (columns > 0 ? 2 : 0.67) * flops,
          .bytes = 2 * static_cast<double>(a.bytes())};
}

// Makes rows [n, width] upper triangular, with the largest pivot that there is; below it only, or above it as well.
// Returns the product of the pivots, its sign turned by each exchange of rows: the determinant.
double eliminate(double* rows, std::int64_t n, std::int64_t width, bool above) {
  double det = 1;
  for (std::int64_t k = 0; k < n; ++k) {
    std::int64_t pivot = k;
    for (std::int64_t i = k + 1; i < n; ++i)
      if (std::abs(rows[i * width + k]) > std::abs(rows[pivot * width + k])) pivot = i;
    if (pivot != k) {
      std::swap_ranges(rows + k * width, rows + (k + 1) * width, rows + pivot * width);
      det = -det;
    }
    const double* from = rows + k * width;
    det *= from[k];
    if (from[k] == 0) return det * 0;  // NaN where there was one
    for (std::int64_t i = above ? 0 : k + 1; i < n; ++i) {
      double* to = rows + i * width;
      if (i == k) continue;
      const double times = to[k] / from[k];
      for (std::int64_t j = k; j < width; ++j) to[j] -= times * from[j];
    }
  }
  return det;
}

Value transposed(Value a) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(a.rank()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::swap(order[order.size() - 1], order[order.size() - 2]);
  return transpose(a, order);
}

}  // namespace

Type Det::infer(Types in) const {
  const Shape& a = check(in[0]).shape;
  return {in[0].dtype, Shape(std::span(a.begin(), a.end() - 2))};
}

Work Det::work(Types in) const { return elimination(in[0], 0); }

void Det::run(const Run& r) const {
  const std::int64_t n = r.in_type(0).shape[-1];
  const auto [begin, end] = r.share(matrices(r.in_type(0)));
  auto* rows = reinterpret_cast<double*>(r.scratch);
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t m = begin; m < end; ++m) {
      const T* a = r.in<T>(0) + m * n * n;
      std::copy(a, a + n * n, rows);
      r.out<T>()[m] = static_cast<T>(eliminate(rows, n, n, false));
    }
  });
}

Grads Det::gradient(const Node& n, Values dy) const {
  const Value a = n.input(0);
  std::vector<std::int64_t> scalars(static_cast<std::size_t>(a.rank()), 0);  // the leading axes kept, and two of size 1
  scalars.end()[-1] = scalars.end()[-2] = 1;
  const Value each = reshape(dy[0] * n.output(), scalars);
  return {each * transposed(inverse(a))};
}

Type Inverse::infer(Types in) const { return check(in[0]); }

Work Inverse::work(Types in) const { return elimination(in[0], in[0].shape[-1]); }

void Inverse::run(const Run& r) const {
  const std::int64_t n = r.in_type(0).shape[-1];
  const auto [begin, end] = r.share(matrices(r.in_type(0)));
  auto* rows = reinterpret_cast<double*>(r.scratch);
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t m = begin; m < end; ++m) {
      const T* a = r.in<T>(0) + m * n * n;
      T* y = r.out<T>() + m * n * n;  // may be a
      for (std::int64_t i = 0; i < n; ++i) {
        double* row = rows + i * 2 * n;
        std::copy(a + i * n, a + (i + 1) * n, row);
        std::fill(row + n, row + 2 * n, 0.0);
        row[n + i] = 1;
      }
      const double det = eliminate(rows, n, 2 * n, true);
      for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < n; ++j)
          y[i * n + j] = det == 0 ? std::numeric_limits<T>::quiet_NaN()
                                  : static_cast<T>(rows[i * 2 * n + n + j] / rows[i * 2 * n + i]);
    }
  });
}

Grads Inverse::gradient(const Node& n, Values dy) const {
  const Value y = n.output(), left = matmul(y, dy[0], {.transpose_a = true});
  return {-matmul(left, y, {.transpose_b = true})};
}

}  // namespace oxbow::ops

namespace oxbow {

Value det(Value a, At at) { return apply(ops::Det{}, {a}, at); }
Value inverse(Value a, At at) { return apply(ops::Inverse{}, {a}, at); }

}  // namespace oxbow
