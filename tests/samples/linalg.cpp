// Samples of products: the definition, element by element.
#include <oxbow/ops/linalg/inverse.h>
#include <oxbow/ops/linalg/matmul.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "samples/families.h"

namespace oxbow::test {

using namespace ops;

namespace {

// The definition, element by element.
Tensor plain_matmul(const Tensor& a, const Tensor& b, const MatMul& op) {
  const Type types[] = {a.type(), b.type()};
  Tensor y(op.infer(types));
  const std::int64_t m = y.shape()[-2], n = y.shape()[-1], k = a.shape()[op.transpose_a ? -2 : -1];
  const auto matrix_of = [&](const Shape& s, std::int64_t batch) {  // the operand's matrix for one of the output
    std::int64_t index = 0, stride = 1;
    for (int axis = -3; axis >= -y.shape().rank(); --axis) {
      const std::int64_t i = batch % y.shape()[axis];
      batch /= y.shape()[axis];
      if (-axis > s.rank()) continue;
      index += (s[axis] == 1 ? 0 : i) * stride;
      stride *= s[axis];
    }
    return index * s[-1] * s[-2];
  };
  const std::int64_t batches = y.shape().count(0, y.shape().rank() - 2);
  for (std::int64_t batch = 0; batch < batches; ++batch) {
    const double* x = a.data<double>() + matrix_of(a.shape(), batch);
    const double* w = b.data<double>() + matrix_of(b.shape(), batch);
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        double sum = 0;
        for (std::int64_t p = 0; p < k; ++p)
          sum += x[op.transpose_a ? p * m + i : i * k + p] * w[op.transpose_b ? j * k + p : p * n + j];
        y.data<double>()[(batch * m + i) * n + j] = sum;
      }
  }
  return y;
}

Sample sample(const char* what, MatMul op, const Shape& a, const Shape& b) {
  return {what, op, {draw(a, -1, 1, 1), draw(b, -1, 1, 2)}, [op](const std::vector<Tensor>& in) {
            return std::vector{plain_matmul(in[0], in[1], op)};
          }};
}

std::vector<Sample> mat_mul_samples() {
  return {
      sample("plain", {}, {3, 5}, {5, 4}),
      sample("one element", {}, {1, 1}, {1, 1}),
      sample("a row by a column", {}, {1, 7}, {7, 1}),
      sample("a column by a row", {}, {6, 1}, {1, 3}),
      sample("no rows", {}, {0, 3}, {3, 2}),
      sample("nothing to sum", {}, {2, 0}, {0, 3}),
      sample("no columns", {}, {2, 3}, {3, 0}),
      sample("a transposed", {.transpose_a = true}, {5, 3}, {5, 4}),
      sample("b transposed", {.transpose_b = true}, {3, 5}, {4, 5}),
      sample("both transposed", {.transpose_a = true, .transpose_b = true}, {5, 3}, {4, 5}),
      sample("a batch by a matrix", {}, {2, 3, 4}, {4, 2}),
      sample("a batch by a transposed matrix", {.transpose_b = true}, {2, 3, 4}, {2, 4}),
      sample("a transposed batch by a matrix", {.transpose_a = true}, {2, 4, 3}, {4, 2}),
      sample("a matrix by a batch", {}, {3, 4}, {2, 4, 2}),
      sample("batches that broadcast", {}, {2, 1, 3, 2}, {3, 2, 2}),
      sample("batches, both transposed", {.transpose_a = true, .transpose_b = true}, {2, 4, 3}, {2, 2, 4}),
      sample("an empty batch", {}, {0, 3, 4}, {4, 2}),
      sample("wider than a panel", {}, {2, 3}, {3, 66}),
  };
}

std::vector<Sample> contract_samples() {
  const auto sample = [](const char* what, const Shape& a, const Shape& b) {
    return Sample{what, Contract{}, {draw(a, -1, 1, 1), draw(b, -1, 1, 2)}, [](const std::vector<Tensor>& in) {
                    const std::int64_t m = in[0].shape()[-1], n = in[1].shape()[-1];
                    const std::int64_t rows = in[0].shape().count(0, in[0].shape().rank() - 1);
                    Tensor y({f64, {m, n}});
                    for (std::int64_t p = 0; p < rows; ++p)
                      for (std::int64_t i = 0; i < m; ++i)
                        for (std::int64_t j = 0; j < n; ++j)
                          y.data<double>()[i * n + j] +=
                              in[0].data<double>()[p * m + i] * in[1].data<double>()[p * n + j];
                    return std::vector{y};
                  }};
  };
  return {sample("matrices", {5, 3}, {5, 2}), sample("rank three", {2, 3, 4}, {2, 3, 2}),
          sample("one element", {1, 1}, {1, 1}), sample("nothing to sum", {0, 2}, {0, 3}),
          sample("no columns", {2, 0}, {2, 3})};
}

// The sum over all permutations, of n axes [n, n] from `a` on; without row `row` and column `column` where given.
double leibniz(const double* a, std::int64_t n, std::int64_t row = -1, std::int64_t column = -1) {
  std::vector<std::int64_t> rows, order;
  for (std::int64_t i = 0; i < n; ++i) {
    if (i != row) rows.push_back(i);
    if (i != column) order.push_back(i);
  }
  double all = 0;
  do {
    double product = 1;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      product *= a[rows[i] * n + order[i]];
      for (std::size_t k = 0; k < i; ++k)
        if (order[k] > order[i]) product = -product;
    }
    all += product;
  } while (std::next_permutation(order.begin(), order.end()));
  return all;
}

std::vector<Tensor> square_matrices() {
  std::vector<Tensor> all{Tensor::of<double>({2, 2}, {0, 2, -3, 1}), Tensor::of<double>({1, 1}, {-4})};
  for (const Shape& shape : {Shape{3, 3}, Shape{2, 4, 4}, Shape{2, 1, 2, 2}, Shape{0, 2, 2}, Shape{2, 0, 0}}) {
    Tensor a = draw(shape, -1, 1, 3);
    for (std::int64_t i = 0, n = shape[-1]; n > 0 && i < a.count(); ++i)
      if (i % (n * n) % (n + 1) == 0) a.data<double>()[i] += 2;
    all.push_back(a);
  }
  return all;
}

std::vector<Sample> det_samples() {
  std::vector<Sample> samples;
  for (const Tensor& a : square_matrices())
    samples.push_back({to_string(a.shape()), Det{}, {a}, [](const std::vector<Tensor>& in) {
                         const Shape& shape = in[0].shape();
                         const std::int64_t n = shape[-1];
                         Tensor y({f64, shape.without(-1).without(-1)});
                         for (std::int64_t m = 0; m < y.count(); ++m)
                           y.data<double>()[m] = leibniz(in[0].data<double>() + m * n * n, n);
                         return std::vector{y};
                       }});
  return samples;
}

std::vector<Sample> inverse_samples() {
  std::vector<Sample> samples;
  for (const Tensor& a : square_matrices())
    samples.push_back({to_string(a.shape()), Inverse{}, {a}, [](const std::vector<Tensor>& in) {
                         const std::int64_t n = in[0].shape()[-1];
                         Tensor y(in[0].type());
                         for (std::int64_t k = 0; k < y.count(); ++k) {
                           const double* m = in[0].data<double>() + k / (n * n) * n * n;
                           const std::int64_t i = k / n % n, j = k % n;
                           y.data<double>()[k] = ((i + j) % 2 == 0 ? 1 : -1) * leibniz(m, n, j, i) / leibniz(m, n);
                         }
                         return std::vector{y};
                       }});
  return samples;
}

}  // namespace

void add_linalg(Samples& s) {
  s.add<MatMul>(mat_mul_samples());
  s.add<Contract>(contract_samples());
  s.add<Det>(det_samples());
  s.add<Inverse>(inverse_samples());
}

}  // namespace oxbow::test
