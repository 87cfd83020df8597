// Products, convolutions and pooling: every kernel path, at the tiles' edges, against the plainest loops; and what
// their errors say.
// Labels: levels.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/passes/fusion/epilogue.h>
#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/graph/text.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/depthwise.h>
#include <oxbow/ops/conv/geometry.h>
#include <oxbow/ops/conv/nodes.h>
#include <oxbow/ops/conv/pool.h>
#include <oxbow/ops/linalg.h>
#include <oxbow/ops/linalg/matmul.h>
#include <oxbow/ops/linalg/pack.h>
#include <oxbow/ops/linalg/product.h>
#include <oxbow/ops/norm/batch_norm.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/activation.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/reduction/chunks.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <map>

#include "samples/sample.h"
#include "support/message.h"
#include "support/run_op.h"

BOOST_AUTO_TEST_SUITE(test_products)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::ops;

namespace {

template <class From, class To>
Tensor converted(const Tensor& x) {
  Tensor y({dtype_of<To>, x.shape()});
  for (std::int64_t i = 0; i < x.count(); ++i) y.data<To>()[i] = static_cast<To>(x.data<From>()[i]);
  return y;
}
Tensor floats(const Tensor& x) { return converted<double, float>(x); }
Tensor doubles(const Tensor& x) { return converted<float, double>(x); }

// The largest difference from y, which sums k products of numbers up to 1.
double error(const Tensor& x, const Tensor& y) {
  BOOST_REQUIRE(x.shape() == y.shape());
  double most = 0;
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const double v = x.dtype() == f32 ? static_cast<double>(x.data<float>()[i]) : x.data<double>()[i];
    most = std::max(most, std::isnan(v) ? 1e9 : std::abs(v - y.data<double>()[i]));
  }
  return most;
}
// Rounding of a chain of k sums, each up to sqrt(k) or so.
double bound(std::int64_t k) { return 1e-6 + 3e-7 * static_cast<double>(k); }

// a [m, k], or [k, m] where transposed, by b [k, n], in double.
Tensor plain(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  const std::int64_t m = a.shape()[transpose_a ? -1 : -2], k = a.shape()[transpose_a ? -2 : -1];
  const std::int64_t n = b.shape()[transpose_b ? -2 : -1];
  Tensor y({f64, {m, n}});
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t p = 0; p < k; ++p)
      for (std::int64_t j = 0; j < n; ++j)
        y.data<double>()[i * n + j] += a.data<double>()[transpose_a ? p * m + i : i * k + p] *
                                       b.data<double>()[transpose_b ? j * k + p : p * n + j];
  return y;
}

std::int64_t panel_of(std::int64_t n) { return std::clamp<std::int64_t>((n + 15) / 16 * 16, 16, 64); }

Tensor reshaped(const Tensor& x, const Shape& shape) {
  Tensor y({x.dtype(), shape});
  std::copy_n(x.bytes(), x.type().bytes(), y.bytes());
  return y;
}

// The op's error against its reference, as f32 and as f64.
template <class T>
void check_samples(double tolerance) {
  for (const test::Sample& s : test::samples_of(T::info.name)) {
    const std::vector<Tensor> expected = s.reference(s.inputs);
    BOOST_TEST_CONTEXT(T::info.name << ": " << s.what) {
      BOOST_TEST(error(evaluate(s.op, s.inputs)[0], expected[0]) <= 1e-12);
      std::vector<Tensor> single;
      for (const Tensor& t : s.inputs) single.push_back(floats(t));
      BOOST_TEST(error(evaluate(s.op, single)[0], expected[0]) <= tolerance);
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(panels_of_any_width_change_no_bit) {
  for (const std::int64_t n : {5, 10})
    for (const std::int64_t panel : {n + 1, n + 2, std::int64_t{16}, std::int64_t{64}})
      for (const std::int64_t k : {64, 512}) {
        const Tensor a = floats(draw({200, k}, -1, 1, 1)), b = floats(draw({k, n}, -1, 1, 2));
        const Tensor packed = run_op(Pack{.panel = panel}, {b})[0];
        BOOST_TEST(same_bits(run_op(Product{}, {a, packed})[0], run_op(Product{}, {a, b})[0]),
                   n << " columns in panels of " << panel << ", k " << k);
      }
}

BOOST_AUTO_TEST_CASE(products_at_the_tiles_edges) {
  std::map<std::pair<DType, ProductPath>, int> entered;
  const std::int64_t sizes[] = {0, 1, 15, 16, 17, 63, 64, 65};
  std::vector<Shape> shapes;
  for (std::int64_t m : sizes)
    for (std::int64_t n : sizes)
      for (std::int64_t k : {std::int64_t{0}, std::int64_t{1}, std::int64_t{17}, std::int64_t{64}})
        shapes.push_back({m, n, k});
  for (Shape large :
       {Shape{1000, 10, 33}, Shape{10, 1000, 17}, Shape{33, 65, 1000}, Shape{300, 600, 65}, Shape{129, 3, 700}})
    shapes.push_back(large);
  for (const Shape& s : shapes) {
    const std::int64_t m = s[0], n = s[1], k = s[2];
    const double flops = 2.0 * static_cast<double>(m * n * k);
    for (const DType dtype : {f32, f64, i32})
      if (flops > 0) {
        const ProductPath path =
            product_path(dtype, std::min<std::int64_t>(m, 32), std::min<std::int64_t>(n, 64), k, flops);
        ++entered[{dtype, path}];
      }
    for (bool transpose_a : {false, true})
      for (bool transpose_b : {false, true}) {
        const Tensor a = doubles(floats(draw(transpose_a ? Shape{k, m} : Shape{m, k}, -1, 1, 1)));
        const Tensor b = doubles(floats(draw(transpose_b ? Shape{n, k} : Shape{k, n}, -1, 1, 2)));
        const Tensor expected = plain(a, b, transpose_a, transpose_b);
        const Product op{.transpose_a = transpose_a};
        const Pack pack{.panel = panel_of(n), .transpose = transpose_b};
        const Tensor packed = run_op(pack, {floats(b)})[0];
        const Tensor y = run_op(op, {floats(a), packed})[0];
        BOOST_TEST_CONTEXT(m << " by " << k << " by " << n << ", transposed " << transpose_a << transpose_b) {
          BOOST_TEST(error(y, expected) <= bound(k));
          BOOST_TEST(error(run_op(op, {a, run_op(pack, {b})[0]})[0], expected) <= 1e-11);
          if (!transpose_b) BOOST_TEST(same_bits(run_op(op, {a, b})[0], run_op(op, {a, run_op(pack, {b})[0]})[0]));
          // The layout of b changes no bit.
          if (!transpose_b) BOOST_TEST(same_bits(run_op(op, {floats(a), floats(b)})[0], y));
        }
      }
  }
  // The portable library has no fused multiply-add, and so no kernels of libxsmm's: see tests/CMakeLists.txt.
  const bool portable = std::getenv("OXBOW_PORTABLE") != nullptr;
  const auto takes = [&](DType dtype, ProductPath path) { return entered[{dtype, path}] > 0; };
  BOOST_TEST(takes(f32, ProductPath::loops));
  BOOST_TEST(takes(f32, ProductPath::jit) == !portable);
  BOOST_TEST(takes(f32, ProductPath::eigen) == portable);
  BOOST_TEST((takes(f64, ProductPath::loops) && takes(f64, ProductPath::eigen) && !takes(f64, ProductPath::jit)));
  BOOST_TEST((takes(i32, ProductPath::loops) && !takes(i32, ProductPath::eigen) && !takes(i32, ProductPath::jit)));
}

BOOST_AUTO_TEST_CASE(a_million_terms) {
  constexpr std::int64_t k = 1'000'000;
  for (const DType dtype : {f32, f64}) {
    const Tensor a = dtype == f32 ? floats(draw({2, k}, -1, 1, 1)) : doubles(floats(draw({2, k}, -1, 1, 1)));
    const Tensor b = dtype == f32 ? floats(draw({k, 3}, -1, 1, 2)) : doubles(floats(draw({k, 3}, -1, 1, 2)));
    const Tensor expected =
        plain(doubles(floats(draw({2, k}, -1, 1, 1))), doubles(floats(draw({k, 3}, -1, 1, 2))), false, false);
    BOOST_TEST(error(run_op(Product{}, {a, b})[0], expected) <= (dtype == f32 ? 0.1 : 1e-9));
  }
}

BOOST_AUTO_TEST_CASE(integers_wrap_around) {
  const Tensor a = Tensor::of<std::int32_t>({1, 2}, {2147483647, 3}), b = Tensor::of<std::int32_t>({2, 1}, {2, 5});
  BOOST_TEST(run_op(Product{}, {a, b})[0].item<std::int32_t>() == 13);
  const Tensor c = Tensor::of<std::int64_t>({1, 2}, {1LL << 40, 3}), d = Tensor::of<std::int64_t>({2, 1}, {2, 5});
  BOOST_TEST(run_op(Product{}, {c, d})[0].item<std::int64_t>() == (1LL << 41) + 15);
}

BOOST_AUTO_TEST_CASE(convolutions_at_all_sizes) {
  struct Case {
    Shape x, w;
    std::int64_t stride;
    Padding padding;
  };
  std::vector<Case> cases;
  for (std::int64_t channels : {1, 3, 4, 6, 16, 65})
    for (std::int64_t kernels : {1, 6, 16, 17, 65})
      for (std::int64_t size : {5, 8})
        cases.push_back({{2, size + 2, size, channels}, {3, 3, channels, kernels}, 1 + size % 2, Padding::same});
  for (std::int64_t stride : {1, 2, 3})
    for (const Padding& padding :
         {Padding(Padding::same), Padding(Padding::valid), Padding(2), Padding(0, 3, 1, 0), Padding(5)}) {
      cases.push_back({{3, 9, 14, 6}, {5, 5, 6, 16}, stride, padding});
      cases.push_back({{1, 28, 28, 1}, {5, 5, 1, 6}, stride, padding});
      cases.push_back({{17, 4, 7, 16}, {2, 3, 16, 20}, stride, padding});
      cases.push_back({{2, 10, 10, 24}, {1, 1, 24, 70}, stride, padding});
    }
  for (const Case& c : cases) {
    const ConvAttributes options{.stride = c.stride, .padding = c.padding};
    const ConvShape s = conv_shape(c.x, c.w, options);
    Tensor x = doubles(floats(draw(c.x, -1, 1, 1))), w = doubles(floats(draw(c.w, -1, 1, 2)));
    Tensor dy = doubles(floats(draw(s.y(), -1, 1, 3)));
    Tensor y({f64, s.y()}), dx({f64, c.x}), dw({f64, c.w});
    for (std::int64_t n = 0; n < s.images; ++n)
      for (std::int64_t i = 0; i < s.rows * s.columns; ++i)
        for (std::int64_t tap = 0; tap < s.kh * s.kw; ++tap) {
          const std::int64_t row = i / s.columns * s.stride.down + tap / s.kw - s.top;
          const std::int64_t column = i % s.columns * s.stride.across + tap % s.kw - s.left;
          if (row < 0 || row >= s.height || column < 0 || column >= s.width) continue;
          for (std::int64_t ck = 0; ck < s.channels * s.kernels; ++ck) {
            const std::int64_t at_x = ((n * s.height + row) * s.width + column) * s.channels + ck / s.kernels;
            const std::int64_t at_y = (n * s.rows * s.columns + i) * s.kernels + ck % s.kernels;
            const std::int64_t at_w = tap * s.channels * s.kernels + ck;
            y.data<double>()[at_y] += x.data<double>()[at_x] * w.data<double>()[at_w];
            dx.data<double>()[at_x] += dy.data<double>()[at_y] * w.data<double>()[at_w];
            dw.data<double>()[at_w] += dy.data<double>()[at_y] * x.data<double>()[at_x];
          }
        }
    const auto weight_gradient = [&](const Tensor& images, const Tensor& d) {
      const Tensor chunks = run_op(ConvWeightChunks{options}, {images, d, w})[0];
      Tensor total({f64, c.w});
      for (std::int64_t i = 0; i < chunks.count(); ++i)
        total.data<double>()[i % total.count()] +=
            chunks.dtype() == f32 ? static_cast<double>(chunks.data<float>()[i]) : chunks.data<double>()[i];
      return total;
    };
    const Pack swap{.panel = panel_of(s.channels), .transpose = true};
    BOOST_TEST_CONTEXT(to_string(c.x) << " by " << to_string(c.w) << ", stride " << c.stride << ", padding "
                                      << print(to_attr(c.padding))) {
      const ConvAdjoint adjoint{options, s.height, s.width};
      BOOST_TEST(error(run_op(ConvForward{options}, {x, w})[0], y) <= 1e-11);
      BOOST_TEST(error(run_op(ConvForward{options}, {floats(x), floats(w)})[0], y) <= bound(s.kh * s.kw * s.channels));
      BOOST_TEST(error(run_op(adjoint, {dy, run_op(swap, {w})[0]})[0], dx) <= 1e-11);
      BOOST_TEST(error(run_op(adjoint, {floats(dy), run_op(swap, {floats(w)})[0]})[0], dx) <=
                 bound(s.kh * s.kw * s.kernels));
      if (ConvStrips::pays(c.x, c.w)) {
        const Pack flat{.panel = panel_of(c.w.count(0, 3)), .transpose = true};
        const ConvStrips strips{
            .height = s.height, .width = s.width, .kh = s.kh, .kw = s.kw, .stride = c.stride, .padding = c.padding};
        const auto packed = [&](const Tensor& t) { return run_op(flat, {reshaped(t, {c.w.count(0, 3), c.w[3]})})[0]; };
        BOOST_TEST(error(run_op(strips, {dy, packed(w)})[0], dx) <= 1e-11);
        BOOST_TEST(error(run_op(strips, {floats(dy), packed(floats(w))})[0], dx) <= bound(s.kh * s.kw * s.kernels));
      }
      BOOST_TEST(error(weight_gradient(x, dy), dw) <= 1e-11);
      BOOST_TEST(error(weight_gradient(floats(x), floats(dy)), dw) <= bound(s.images * s.rows * s.columns));
    }
  }
}

BOOST_AUTO_TEST_CASE(pooling_follows_its_definition) {
  check_samples<MaxPool>(1e-7);
  check_samples<MaxPoolGradient>(1e-6);
  check_samples<MaxPoolGradientGradient>(1e-7);
}

BOOST_AUTO_TEST_CASE(all_ops_follow_their_definitions) {
  check_samples<MatMul>(1e-5);
  check_samples<Contract>(1e-5);
  check_samples<Conv2d>(1e-5);
  check_samples<Conv2dGradientOfX>(1e-5);
  check_samples<Conv2dGradientOfWeights>(1e-5);
}

// relu(y + bias) and the mask multiply of a dropout, as a tape that keeps the sum before relu too.
BOOST_AUTO_TEST_CASE(an_epilogue_changes_no_bit) {
  Tape tape{.inputs = 3};
  const std::int32_t sum = tape.add(Add{}, std::vector<std::int32_t>{0, 1});
  const std::int32_t positive = tape.add(Relu{}, std::vector<std::int32_t>{sum});
  const std::int32_t masked = tape.add(Multiply{}, std::vector<std::int32_t>{positive, 2});
  tape.outputs = {masked, sum};
  const auto check = [&](const Op& op, const std::vector<Tensor>& in) {
    const Tensor y = run_op(op, in)[0];
    const Tensor bias = floats(draw({y.shape()[-1]}, -1, 1, 7)), mask = floats(draw(y.shape(), -1, 1, 8));
    std::vector<Tensor> all = in;
    all.push_back(bias);
    all.push_back(mask);
    std::vector<Type> types;
    for (const Tensor& t : all) types.push_back(t.type());
    const std::optional<Op> with = op.with_epilogue(0, tape, types);
    BOOST_REQUIRE(with.has_value());
    const std::vector<Tensor> sums = evaluate(Add{}, std::vector{y, bias});
    const Tensor expected = evaluate(Multiply{}, std::vector{evaluate(Relu{}, sums)[0], mask})[0];
    const std::vector<Tensor> got = run_op(*with, all);
    BOOST_TEST(same_bits(got[0], expected), op.name());
    BOOST_TEST(same_bits(got[1], sums[0]), op.name());
    // In the mask's place, which nothing reads later.
    const int last = static_cast<int>(all.size()) - 1;
    BOOST_TEST(with->overwrites(types)[0].contains(last));
    all.back() = mask.clone();
    BOOST_TEST(same_bits(run_op(*with, all, {last})[0], expected), op.name());
  };
  const auto f = [](const Shape& s, std::uint64_t seed) { return floats(draw(s, -1, 1, seed)); };
  for (std::int64_t n : {1, 10, 64, 100, 300}) {
    check(Product{}, {f({130, 300}, 1), f({300, n}, 2)});
    check(Product{.transpose_a = true}, {f({20, 70}, 1), f({20, n}, 2)});
    check(Product{}, {f({3, 5, 4}, 1), f({3, 4, n}, 2)});
  }
  // More of b than a cache keeps: tiles of several panels.
  const Tensor rows = f({300, 1100}, 2);
  for (const Tensor& b : {rows, run_op(Pack{}, {rows})[0]}) {
    check(Product{}, {f({130, 300}, 1), b});
    check(Product{.transpose_a = true}, {f({300, 130}, 1), b});
  }
  const Tensor x = f({3, 9, 8, 4}, 1), rgb = f({3, 9, 8, 3}, 1), w = f({3, 3, 4, 70}, 2), dy = f({3, 9, 8, 70}, 3);
  check(ConvForward{}, {x, w});
  check(ConvForward{}, {rgb, f({3, 3, 3, 10}, 2)});
  check(ConvAdjoint{{}, 9, 8}, {dy, run_op(Pack{.panel = 16, .transpose = true}, {w})[0]});
  check(ConvStrips{.height = 9, .width = 8, .kh = 3, .kw = 3},
        {dy, run_op(Pack{.transpose = true}, {reshaped(w, {36, 70})})[0]});
  const Tensor each = f({3, 3, 1, 70}, 2);
  check(DepthwiseForward{{.groups = 70}}, {dy, each});
  check(DepthwiseAdjoint{{.stride = 2, .groups = 70}, 17, 16}, {dy, each});
}

// A tape that ends in reductions, beside the same nodes one after another: its sums and moments are those of the whole,
// and an op takes them only where its rows make whole chunks.
BOOST_AUTO_TEST_CASE(reductions_of_products_and_convolutions_change_no_bit) {
  const auto f = [](const Shape& s, std::uint64_t seed) { return floats(draw(s, -1, 1, seed)); };
  const auto check = [&](const Op& op, const std::vector<Tensor>& in) {
    const Tensor y = run_op(op, in)[0], mask = f(y.shape(), 8);
    const Op sum = ReduceChunks<Fold::sum>{.first = 0, .last = y.shape().rank() - 1};
    Tape tape{.inputs = 2};
    const std::int32_t masked = tape.add(Multiply{}, std::vector<std::int32_t>{0, 1});
    tape.outputs = {masked};
    tape.reductions = {{sum, masked}, {sum, 0}};
    std::vector<Tensor> all = in;
    all.push_back(mask);
    std::vector<Type> types;
    for (const Tensor& t : all) types.push_back(t.type());
    const std::optional<Op> with = op.with_epilogue(0, tape, types);
    BOOST_REQUIRE(with.has_value());
    const std::vector<Tensor> got = run_op(*with, all);
    const Tensor product = evaluate(Multiply{}, std::vector{y, mask})[0];
    BOOST_TEST(same_bits(got[0], product), op.name());
    BOOST_TEST(same_bits(got[1], run_op(Fused::of(sum, 1), {product})[0]), op.name());
    BOOST_TEST(same_bits(got[2], run_op(Fused::of(sum, 1), {y})[0]), op.name());

    const Tape alone{.inputs = 1, .outputs = {0}, .reductions = {{ChunkMoments{}, 0}}};
    types.pop_back();
    const std::optional<Op> moments = op.with_epilogue(0, alone, types);
    BOOST_REQUIRE(moments.has_value());
    const std::vector<Tensor> both = run_op(*moments, in);
    BOOST_TEST(same_bits(both[0], y), op.name());
    BOOST_TEST(same_bits(both[1], run_op(Fused::of(ChunkMoments{}, 1), {y})[0]), op.name());
  };
  const Pack swap{.panel = 16, .transpose = true};
  check(ConvForward{}, {f({37, 14, 28, 4}, 1), f({3, 3, 4, 70}, 2)});
  check(ConvForward{{.stride = 2}}, {f({40, 32, 32, 3}, 1), f({3, 3, 3, 16}, 2)});
  check(ConvAdjoint{{}, 16, 24}, {f({128, 16, 24, 70}, 3), run_op(swap, {f({3, 3, 16, 70}, 2)})[0]});
  check(DepthwiseForward{{.groups = 70}}, {f({37, 14, 28, 70}, 1), f({3, 3, 1, 70}, 2)});
  check(DepthwiseForward{{.stride = 2, .groups = 16}}, {f({80, 64, 32, 16}, 1), f({3, 3, 1, 16}, 2)});
  check(DepthwiseAdjoint{{.stride = 2, .groups = 16}, 32, 32}, {f({80, 16, 16, 16}, 1), f({3, 3, 1, 16}, 2)});
  const auto panels = [&](const Tensor& b) { return run_op(Pack{}, {b})[0]; };
  check(Product{}, {f({9001, 40}, 1), f({40, 64}, 2)});             // one panel, and a last tile of some rows
  check(Product{}, {f({37, 14, 28, 40}, 1), f({40, 70}, 2)});       // rows of pixels
  check(Product{}, {f({3000, 300}, 1), panels(f({300, 512}, 2))});  // more than stays in cache
  check(Product{}, {f({80000, 24}, 1), f({24, 10}, 2)});            // narrow
  check(Product{}, {f({70, 16, 16, 64}, 1), panels(f({64, 130}, 2))});

  Tape tape{.inputs = 1, .outputs = {0}, .reductions = {{ReduceChunks<Fold::sum>{.first = 0, .last = 3}, 0}}};
  const std::vector<Type> few{{f32, {2, 64, 64, 8}}, {f32, {3, 3, 8, 16}}};  // eight chunks would be too few parts
  BOOST_TEST(!Op(ConvForward{}).with_epilogue(0, tape, few).has_value());
  tape.reductions = {{ReduceChunks<Fold::sum>{.first = 0, .last = 1}, 0}};
  const auto takes = [&](bool transpose_a, std::int64_t rows, std::int64_t columns) {
    const Shape a = transpose_a ? Shape{600, rows} : Shape{rows, 600};
    return Op(Product{.transpose_a = transpose_a})
        .with_epilogue(0, tape, std::vector<Type>{{f32, a}, {f32, {600, columns}}})
        .has_value();
  };
  BOOST_TEST(takes(false, 4096, 512));
  BOOST_TEST(!takes(false, 64, 512));     // two chunks would be too few parts
  BOOST_TEST(!takes(false, 4096, 1024));  // whole rows would be wider than the tiles that serve such a b best
  BOOST_TEST(!takes(true, 4096, 512));    // a gradient to weights
}

// Small images of many channels go through a matrix of windows, all to the same bits in any batch.
BOOST_AUTO_TEST_CASE(windows_of_small_images_are_rows_of_a_product) {
  const bool fuses = ConvWindows::pays(conv_shape({1, 4, 4, 512}, {3, 3, 512, 512}, {}), f32);  // this library
  const auto check = [&](Conv2d conv, const Shape& of_x, const Shape& of_w) {
    const ConvShape s = conv_shape(of_x, of_w, conv);
    BOOST_TEST(ConvWindows::pays(s, f32) == fuses);
    const Tensor x = floats(draw(of_x, -1, 1, 1)), w = floats(draw(of_w, -1, 1, 2));
    const Tensor windows = run_op(ConvWindows{conv, s.kh, s.kw}, {x})[0];
    BOOST_TEST(windows.shape() == (Shape{s.images, s.rows, s.columns, s.kh * s.kw * s.channels}));
    const Tensor by_rows = run_op(ConvForward{conv}, {x, w})[0];
    const Tensor by_windows =
        evaluate(MatMul{}, std::vector{windows, reshaped(w, {s.kh * s.kw * s.channels, s.kernels})})[0];
    double worst = 0;
    for (std::int64_t i = 0; i < by_rows.count(); ++i)
      worst = std::max(worst, std::abs(static_cast<double>(by_rows.data<float>()[i]) - by_windows.data<float>()[i]));
    BOOST_TEST(worst <= 1e-4);
  };
  check({}, {2, 4, 4, 128}, {3, 3, 128, 256});
  check({{.stride = 2}}, {1, 9, 8, 64}, {3, 3, 64, 512});
  check({{.padding = {1, 0, 2, 1}, .dilation = 2}}, {2, 7, 5, 128}, {3, 2, 128, 512});
  BOOST_TEST(!ConvWindows::pays(conv_shape({1, 32, 32, 256}, {3, 3, 256, 256}, {}), f32));
  BOOST_TEST(!ConvWindows::pays(conv_shape({1, 4, 4, 64}, {3, 3, 64, 64}, {}), f32));
}

BOOST_AUTO_TEST_CASE(of_equal_elements_the_first_takes_the_gradient) {
  const Tensor x = Tensor::of<float>({1, 2, 4, 1}, {3, 3, 1, 2, 3, 3, 2, 2});
  const Tensor dy = Tensor::of<float>({1, 1, 2, 1}, {5, 7});
  const Tensor dx = run_op(MaxPoolGradient{}, {x, dy})[0];
  BOOST_TEST(same_bits(dx, Tensor::of<float>({1, 2, 4, 1}, {5, 0, 0, 7, 0, 0, 0, 0})));
  const Tensor nan = Tensor::of<float>({1, 2, 2, 1}, {1, NAN, 3, 2});
  BOOST_TEST(std::isnan(run_op(MaxPool{}, {nan})[0].data<float>()[0]));
}

BOOST_AUTO_TEST_CASE(messages_say_what_to_do) {
  Graph g;
  const Value a = input(g, "a", f32, {32, 784}), b = input(g, "b", f32, {256, 784}), s = input(g, "s", f32, {});
  const Value x = input(g, "x", f32, {8, 28, 28, 3}), w = input(g, "w", f32, {5, 5, 1, 6});
  const Value v = input(g, "v", f32, {784});
  BOOST_TEST(test::message([&] { matmul(a, b); }) ==
             "matmul: the inner sizes differ: a has 784 columns, b has 256 rows\n"
             "  a: f32[32, 784] from a\n  b: f32[256, 784] from b\n"
             "  at HERE\n  Did you mean {.transpose_b = true}?");
  BOOST_TEST(test::message([&] { matmul(a, s); }) ==
             "matmul: b has no axes where a matrix has two\n"
             "  a: f32[32, 784] from a\n  b: f32[] from s\n"
             "  at HERE\n  To multiply by a number, write a * b");
  BOOST_TEST(test::message([&] { matmul(v, s); }) ==
             "matmul: b has no axes where a matrix has two\n"
             "  a: f32[784] from v\n  b: f32[] from s\n"
             "  at HERE\n  To multiply by a number, write a * b");
  BOOST_TEST(test::message([&] { conv2d(x, w); }) ==
             "conv2d: x has 3 channels and the weights take 1\n"
             "  x: f32[8, 28, 28, 3] from x\n  weights: f32[5, 5, 1, 6] from w\n"
             "  at HERE\n  Images are [n, h, w, channels], weights [kh, kw, channels, kernels]");
  const Value grey = input(g, "grey", f32, {8, 4, 4, 1});
  BOOST_TEST(test::message([&] { conv2d(grey, w, {.padding = Padding::valid}); }) ==
             "conv2d: kernels of 5 by 5 do not fit into padded images of 4 by 4\n"
             "  x: f32[8, 4, 4, 1] from grey\n  weights: f32[5, 5, 1, 6] from w\n"
             "  at HERE\n  Use {.padding = Padding::same}, smaller kernels or larger images");
  Padding read;
  BOOST_TEST(test::message([&] { from_attr(std::string("smae"), read); }) ==
             "there is no padding \"smae\". Did you mean \"same\"? Known are: valid, same, same_lower\n"
             "  Or four numbers: top, bottom, left, right");
  BOOST_TEST(test::message([&] { conv2d(grey, w, {.padding = std::int64_t{1} << 62}); }) ==
             "conv2d: the padding is beyond 1073741824\n"
             "  x: f32[8, 4, 4, 1] from grey\n  weights: f32[5, 5, 1, 6] from w\n"
             "  at HERE\n  Pad by less than the kernels' size");
  BOOST_TEST(test::message([&] { conv2d(grey, w, {.stride = INT64_MAX}); }) ==
             "conv2d: the stride is 9223372036854775807\n"
             "  x: f32[8, 4, 4, 1] from grey\n  weights: f32[5, 5, 1, 6] from w\n"
             "  at HERE\n  It is at least 1 and at most 1073741824");
  BOOST_TEST(test::message([&] { max_pool(x, {.size = 29}); }) ==
             "max_pool: a window of 29 does not fit into images of [28, 28]\n"
             "  x: f32[8, 28, 28, 3] from x\n"
             "  at HERE\n  Pool with a smaller size, or larger images");
}

BOOST_AUTO_TEST_SUITE_END()
