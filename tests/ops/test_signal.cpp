// Windows and Fourier transforms: against values that were written down, against one another, and with gradients.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/has.h"
#include "support/interpreter.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_signal)

using namespace oxbow;
using namespace oxbow::test;

namespace {

Tensor run(Value v) { return interpret({v})[0]; }

void check_near(const Tensor& got, const Tensor& want, double bound) {
  BOOST_REQUIRE(got.type() == want.type());
  for (std::int64_t i = 0; i < got.count(); ++i)
    BOOST_TEST(std::abs(got.data<double>()[i] - want.data<double>()[i]) <= bound, "element " << i);
}

Value number(Graph& g, std::int64_t n) { return constant(g, Tensor::scalar(n)); }

}  // namespace

BOOST_AUTO_TEST_CASE(windows_are_as_written_down) {
  Graph g;
  const WindowOptions symmetric{.periodic = false, .dtype = f64}, periodic{.dtype = f64};
  check_near(run(hann_window(g, 4, periodic)), Tensor::of<double>({4}, {0, 0.5, 1, 0.5}), 1e-15);
  check_near(run(hann_window(g, 5, symmetric)), Tensor::of<double>({5}, {0, 0.5, 1, 0.5, 0}), 1e-15);
  check_near(run(hamming_window(number(g, 3), symmetric)), Tensor::of<double>({3}, {4.0 / 46, 1, 4.0 / 46}), 1e-15);
  check_near(run(blackman_window(g, 3, symmetric)), Tensor::of<double>({3}, {0, 1, 0}), 1e-15);
  check_near(run(blackman_window(g, 4, periodic)), Tensor::of<double>({4}, {0, 0.34, 1, 0.34}), 1e-15);
  check_near(run(hann_window(g, 1, symmetric)), Tensor::of<double>({1}, {1}), 0);
  BOOST_TEST((hann_window(g, 0).type() == (Type{f32, {0}})));
}

BOOST_AUTO_TEST_CASE(the_inverse_undoes_the_transform) {
  Graph g;
  for (const std::int64_t n : {1, 2, 7, 12, 37, 100}) {
    const Tensor drawn = draw({2, n, 3, 2}, -1, 1, 5);
    const Value x = constant(g, drawn);
    check_near(run(dft(dft(x, {.axis = 1}), {.axis = 1, .inverse = true})), drawn, 1e-14);
    // Of real numbers half of the spectrum says all.
    const Tensor reals = draw({2, n, 1}, -1, 1, 6);
    const Value half = dft(constant(g, reals), {.onesided = true});
    BOOST_TEST((half.shape() == (Shape{2, n / 2 + 1, 2})));
    check_near(run(dft(half, {.length = number(g, n), .inverse = true, .onesided = true})), reals, 1e-14);
    if (n % 2 == 0) check_near(run(dft(half, {.inverse = true, .onesided = true})), reals, 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(a_signal_is_cut_or_filled_up) {
  Graph g;
  const Tensor drawn = draw({5, 1}, -1, 1, 5);
  const Value x = constant(g, drawn);
  for (const std::int64_t n : {3, 5, 8}) {
    const Value other = n < 5 ? slice(x, 0, 0, n) : pad(x, {{0, n - 5}, {0, 0}});
    check_near(run(dft(x, {.length = number(g, n)})), run(dft(other)), 1e-15);
  }
}

BOOST_AUTO_TEST_CASE(frames_are_transformed_one_by_one) {
  Graph g;
  const Value x = constant(g, draw({2, 20, 1}, -1, 1, 5)), window = hann_window(g, 8, {.dtype = f64});
  const Value y = stft(x, 5, window);
  BOOST_TEST((y.shape() == (Shape{2, 3, 5, 2})));
  for (std::int64_t frame = 0; frame < 3; ++frame) {
    const Value one = slice(x, 1, 5 * frame, 5 * frame + 8) * expand_dims(window, 1);
    check_near(run(slice(y, 1, frame, frame + 1)), run(expand_dims(dft(one, {.onesided = true}), 1)), 1e-15);
  }
  BOOST_TEST((stft(x, 5, window, {.onesided = false}).shape() == (Shape{2, 3, 8, 2})));
  BOOST_TEST((stft(x, 1, {}, {.length = 30}).shape() == (Shape{2, 0, 16, 2})));
}

BOOST_AUTO_TEST_CASE(transforms_are_differentiated) {
  Graph g;
  const Value x = input(g, "x", f64, {1, 20, 1});
  const Value loss =
      sum(square(stft(x, 5, hann_window(g, 8, {.dtype = f64})))) + sum(pow(dft(x, {.length = number(g, 11)}), 3));
  const Value slope = gradients(loss, {x})[0];
  Tensor fed = draw({1, 20, 1}, -1, 1, 5);
  const Tensor got = interpret({slope}, {{"x", fed}})[0];
  for (std::int64_t i = 0; i < fed.count(); ++i) {
    const double at = fed.data<double>()[i], h = 1e-4;
    const auto value = [&](double there) {
      Tensor moved = fed.clone();
      moved.data<double>()[i] = there;
      return interpret({loss}, {{"x", moved}})[0].item<double>();
    };
    BOOST_TEST(std::abs((value(at + h) - value(at - h)) / (2 * h) - got.data<double>()[i]) < 1e-5, "element " << i);
  }
}

// Parseval: a sum of squares in each way, of a length with a large prime, by any number of threads.
BOOST_AUTO_TEST_CASE(long_rows_are_transformed_by_any_number_of_threads) {
  Graph g;
  const Value x = input(g, "x", f64, {9, 4001, 2});
  const Value y = dft(x);
  const Value ratio = sum(square(y)) / (sum(square(x)) * 4001.0);
  const Tensor fed = draw({9, 4001, 2}, -1, 1, 5);
  const Tensor want = interpret({y}, {{"x", fed}})[0];
  for (const int threads : {1, 2, 4}) {
    Store store(g);
    const std::vector<Tensor> got = compile({y, ratio}, {.pool = Pool(threads)}).run(store, {{"x", fed}});
    BOOST_TEST(same_bits(got[0], want));
    BOOST_TEST(std::abs(got[1].item<double>() - 1) < 1e-13);
  }
}

BOOST_AUTO_TEST_CASE(mel_bins_are_triangles) {
  Graph g;
  // As onnx's own example: 8 bins of a spectrum of 16 samples at 8192 Hz.
  const Tensor m = run(mel_weight_matrix(g, 8, 16, 8192, {.high = 4096, .dtype = f64}));
  BOOST_REQUIRE(m.shape() == (Shape{9, 8}));
  const double want[9][8] = {{1, 1, 0, 0, 0, 0, 0, 0}, {0, 0, 1, 1, 0, 0, 0, 0}, {0, 0, 0, 0, 1, 0, 0, 0},
                             {0, 0, 0, 0, 0, 1, 0, 0}, {0, 0, 0, 0, 0, 0, 1, 0}, {0, 0, 0, 0, 0, 0, 0, 1},
                             {0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 0, 0}};
  for (std::int64_t i = 0; i < 9; ++i)
    for (std::int64_t j = 0; j < 8; ++j) BOOST_TEST(m.data<double>()[8 * i + j] == want[i][j], i << ", " << j);
}

BOOST_AUTO_TEST_SUITE_END()
