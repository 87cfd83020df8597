// Products as users call them, with sizes at which the plainest loops take too long, against Eigen's: another library,
// with other blocking and another order of summation.
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/ops/linalg/pack.h>
#include <oxbow/ops/shared/gemm.h>
#include <oxbow/oxbow.h>

#include <Eigen/Core>
#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(test_products_large)

using namespace oxbow;
using namespace oxbow::ops;

namespace {

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <class T>
Eigen::Map<const Matrix<T>> mapped(const Tensor& t) {
  return {t.data<T>(), t.shape()[0], t.shape()[1]};
}

// The largest difference of matmul(a, b) from Eigen's product in `Wide`, over entries in [-1, 1) or integers.
template <class T, class Wide>
double difference(std::int64_t m, std::int64_t k, std::int64_t n, MatMulOptions o) {
  const DType dtype = dtype_of<T>;
  const double limit = is_float(dtype) ? 1 : 1000;
  const Tensor a = draw(o.transpose_a ? Shape{k, m} : Shape{m, k}, -limit, limit, 1, dtype);
  const Tensor b = draw(o.transpose_b ? Shape{n, k} : Shape{k, n}, -limit, limit, 2, dtype);

  Graph g;
  const Value x = constant(g, a), y = constant(g, b);
  Store store;
  const Tensor product = compile({matmul(x, y, o)}, {.disable = {"fold"}}).run(store, {})[0];

  const Matrix<Wide> left = mapped<T>(a).template cast<Wide>(), right = mapped<T>(b).template cast<Wide>();
  Matrix<Wide> expected;
  if (o.transpose_a)
    expected.noalias() = left.transpose() * (o.transpose_b ? Matrix<Wide>(right.transpose()) : right);
  else
    expected.noalias() = left * (o.transpose_b ? Matrix<Wide>(right.transpose()) : right);
  return static_cast<double>((mapped<T>(product).template cast<Wide>() - expected).cwiseAbs().maxCoeff());
}

template <class T, class Wide>
void compare(double bound_per_k) {
  constexpr std::int64_t shapes[][3] = {{1000, 1000, 1000}, {1, 1000, 65},   {1000, 17, 63},
                                        {65, 1000, 1},      {257, 63, 1000}, {130, 70, 1024}};
  for (const auto& [m, k, n] : shapes)
    for (const bool transpose_a : {false, true})
      for (const bool transpose_b : {false, true})
        BOOST_TEST((difference<T, Wide>(m, k, n, {.transpose_a = transpose_a, .transpose_b = transpose_b})) <=
                       bound_per_k * static_cast<double>(k),
                   m << " x " << k << " x " << n << ", transposed " << transpose_a << transpose_b);
}

}  // namespace

// A chain of k roundings of sums below k: in f32 3e-7 a term is generous, in f64 1e-15.
BOOST_AUTO_TEST_CASE(single_precision) { compare<float, double>(3e-7); }
BOOST_AUTO_TEST_CASE(double_precision) { compare<double, double>(1e-15); }
BOOST_AUTO_TEST_CASE(integers_are_exact) { compare<std::int64_t, std::int64_t>(0); }

// Over a long sum, tiles of many rows copy what they read: columns past the last panel, with a tape and without.
BOOST_AUTO_TEST_CASE(long_sums_have_the_same_bits_for_fewer_rows) {
  constexpr std::int64_t k = 2050, m = 300, few = 200, n = 520;
  Graph g;
  const Value x = constant(g, draw({k, m}, -1, 1, 1, f32)), dy = constant(g, draw({k, n}, -1, 1, 2, f32)),
              scale = constant(g, draw({n}, -1, 1, 3, f32));
  const Value all = contract(x, dy), some = contract(slice(x, 1, 0, few), dy);
  Store store;
  const std::vector<Tensor> t =
      compile({slice(all, 0, 0, few), some, slice(tanh(all * scale), 0, 0, few), tanh(some * scale)},
              {.disable = {"fold"}})
          .run(store, {});
  BOOST_TEST(same_bits(t[0], t[1]));
  BOOST_TEST(same_bits(t[2], t[3]));
  BOOST_TEST((difference<float, double>(m, k, n, {.transpose_a = true})) <= 3e-7 * k);
}

// Rows of 4 KiB are packed for the gradient of a weight, too, where kernels go over them in strips.
BOOST_AUTO_TEST_CASE(gradients_of_wide_weights) {
  Graph g;
  const Tensor x = draw({96, 200}, -1, 1, 1, f32), dy = draw({96, 1024}, -1, 1, 2, f32);
  const Value w = variable(g, "w", {f32, {200, 1024}}, {.kind = Init::Kind::zeros});
  const Value dw = gradients(sum(matmul(constant(g, x), w) * constant(g, dy)), {w})[0];
  const internal::Rewritten lowered =
      internal::rewrite(*internal::specialise(g, {{dw}}, {}, Mode::training).graph, {.disable = {"fold"}});
  int packed = 0;
  for (NodeId id = 0; id < lowered.graph->size(); ++id) packed += lowered.graph->node(id).op().is<Pack>();
  BOOST_TEST(packed == (ops::gemm::reads_whole_panels() ? 0 : 1));
  Store store(g);
  const Tensor got = compile({dw}, {.disable = {"fold"}}).run(store, {})[0];
  const Matrix<double> expected = mapped<float>(x).cast<double>().transpose() * mapped<float>(dy).cast<double>();
  BOOST_TEST((mapped<float>(got).cast<double>() - expected).cwiseAbs().maxCoeff() <= 3e-7 * 96);
}

BOOST_AUTO_TEST_SUITE_END()
