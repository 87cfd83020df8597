// What the bits of products and convolutions depend on, and that they follow IEEE's rules on every path.
// Labels: levels.
#include <oxbow/ops/conv/nodes.h>
#include <oxbow/ops/linalg/pack.h>
#include <oxbow/ops/linalg/product.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "support/run_op.h"

BOOST_AUTO_TEST_SUITE(test_product_bits)

using namespace oxbow;
using namespace oxbow::ops;

BOOST_AUTO_TEST_CASE(an_element_depends_on_its_row_and_column_only) {
  // One row by one column, the last ones of ever larger products, on all paths: one row takes loops, and blocks begin
  // and end anywhere.
  const auto check = [](auto type) {
    using T = typename decltype(type)::type;
    const DType dtype = dtype_of<T>;
    Tensor a = draw({300, 700}, -1, 1, 1, dtype), b = draw({700, 250}, -1, 1, 2, dtype);
    for (Tensor* t : {&a, &b})
      for (T& v : t->template span<T>()) v /= 3;  // or sums in double would be exact, in any order
    T first = 0;
    for (std::int64_t m : {1, 6, 11, 40, 129, 300})
      for (std::int64_t n : {1, 8, 10, 16, 24, 28, 64, 97, 130, 250}) {
        Tensor x({dtype, {m, 700}}), w({dtype, {700, n}}), across({dtype, {700, m}});
        for (std::int64_t i = 0; i < m; ++i)
          for (std::int64_t p = 0; p < 700; ++p)
            across.data<T>()[p * m + i] = x.data<T>()[i * 700 + p] = a.data<T>()[(m - 1 - i) * 700 + p];
        for (std::int64_t p = 0; p < 700; ++p) std::copy_n(b.data<T>() + p * 250 + 250 - n, n, w.data<T>() + p * n);
        const T y = run_op(Product{}, {x, w})[0].data<T>()[m * n - 1];
        const T z = run_op(Product{.transpose_a = true}, {across, w})[0].data<T>()[m * n - 1];
        if (first == 0) first = y;
        BOOST_TEST(y == first, "at " << m << " by " << n);
        BOOST_TEST(z == first, "transposed, at " << m << " by " << n);
      }
  };
  check(std::type_identity<float>{});
  check(std::type_identity<double>{});
}

// IEEE's rules hold on every path: 0 times infinity is NaN, a NaN reaches its own row or column only, no term is
// skipped, and results below the normal range are kept.
BOOST_AUTO_TEST_CASE(special_values_go_through) {
  const auto check = [](auto type) {
    using T = typename decltype(type)::type;
    const T infinity = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
    const T tiny = std::numeric_limits<T>::min();
    for (std::int64_t m : {1, 3, 20, 130})
      for (std::int64_t n : {1, 10, 64, 100})
        for (std::int64_t k : {1, 9, 300}) {
          Tensor a({dtype_of<T>, {m, k}}), b({dtype_of<T>, {k, n}});
          std::ranges::fill(b.template span<T>(), T(1));
          a.data<T>()[0] = 0;
          b.data<T>()[n - 1] = infinity;  // times zero in all rows, in the last column
          Tensor y = run_op(Product{}, {a, b})[0];
          for (std::int64_t i = 0; i < m * n; ++i)
            BOOST_TEST_REQUIRE(std::isnan(y.data<T>()[i]) == (i % n == n - 1), m << " x " << k << " x " << n);
          b.data<T>()[n - 1] = 1;
          a.data<T>()[(m - 1) * k + k - 1] = nan;
          y = run_op(Product{}, {a, b})[0];
          for (std::int64_t i = 0; i < m * n; ++i)
            BOOST_TEST_REQUIRE(std::isnan(y.data<T>()[i]) == (i / n == m - 1), m << " x " << k << " x " << n);
          std::ranges::fill(a.template span<T>(), T(0));
          a.data<T>()[0] = tiny;
          std::ranges::fill(b.template span<T>(), T(0.25));
          y = run_op(Product{}, {a, b})[0];
          BOOST_TEST_REQUIRE(y.data<T>()[0] == tiny / 4);
          a.data<T>()[0] = T(-0.0);  // a sum begins at +0, so it never ends at -0
          y = run_op(Product{}, {a, b})[0];
          BOOST_TEST_REQUIRE(!std::signbit(y.data<T>()[0]));
        }
  };
  check(std::type_identity<float>{});
  check(std::type_identity<double>{});
}

// One image alone and among others, whatever path its size takes.
BOOST_AUTO_TEST_CASE(an_image_has_the_same_bits_in_any_batch) {
  for (const DType dtype : {f32, f64})
    for (std::int64_t size : {4, 9, 20})
      for (std::int64_t channels : {1, 3, 8, 20})
        for (std::int64_t kernels : {1, 6, 16, 40}) {
          const Tensor w = draw({3, 3, channels, kernels}, -1, 1, 2, dtype);
          const Tensor x = draw({9, size, size, channels}, -1, 1, 1, dtype);
          const Tensor dy = draw({9, size, size, kernels}, -1, 1, 3, dtype);
          const Tensor packed = run_op(Pack{.panel = channels <= 16 ? 16 : 32, .transpose = true}, {w})[0];
          const auto last = [](const Tensor& t) {  // image
            Tensor one({t.dtype(), {1, t.shape()[1], t.shape()[2], t.shape()[3]}});
            std::copy_n(t.bytes() + 8 * one.type().bytes(), one.type().bytes(), one.bytes());
            return one;
          };
          BOOST_TEST_CONTEXT(name(dtype) << " " << size << " " << channels << " " << kernels) {
            BOOST_TEST(same_bits(run_op(ConvForward{}, {last(x), w})[0], last(run_op(ConvForward{}, {x, w})[0])));
            const ConvAdjoint adjoint{{}, size, size};
            BOOST_TEST(same_bits(run_op(adjoint, {last(dy), packed})[0], last(run_op(adjoint, {dy, packed})[0])));
          }
        }
}

BOOST_AUTO_TEST_SUITE_END()
