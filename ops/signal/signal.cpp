#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/numbers.h>
#include <oxbow/ops/signal.h>
#include <oxbow/ops/signal/dft.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace oxbow {

using namespace ops;

namespace {

Value number(Graph& g, std::int64_t n, At at) { return constant(g, Tensor::scalar(n), at); }

Value scalar(Value v, At at) { return v.rank() == 0 ? v : reshape(v, std::vector<std::int64_t>(), at); }

// n / d, without a fraction, of known numbers that are not negative: f64 holds them exactly.
Value quotient(Value n, std::int64_t d, At at) {
  return cast(divide(cast(n, f64, at), static_cast<double>(d), at), i64, at);
}

// 0, 1, ... below a known number.
Value places(Value count, At at) {
  const Value zero = number(count.graph(), 0, at), one = number(count.graph(), 1, at);
  return arange(zero, count, one, at);
}

void check_signal(const char* builder, Value x, At at) {
  check_built(builder, x, at);
  if (x.rank() < 2 || (x.shape()[-1] != 1 && x.shape()[-1] != 2) || !is_float(x.dtype()))
    throw BuildError(builder, "x is " + to_string(x.type()) + at_line(at) +
                                  "\n  Give real numbers [..., 1] or complex ones [..., 2], of floating point");
}

// x with `axis` changed over with the last but one.
Value turned(Value x, int axis, At at) {
  if (axis == x.rank() - 2) return x;
  std::vector<std::int64_t> order(static_cast<std::size_t>(x.rank()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::swap(order[static_cast<std::size_t>(axis)], order[order.size() - 2]);
  return transpose(x, order, at);
}

// x [..., m, c] cut or filled up with zeros to [..., size, c].
Value resized(Value x, Value size, At at) {
  const Value missing = subtract(size, size_of_axis(x, x.rank() - 2, at), at);
  const Value none = number(x.graph(), 0, at);
  const Value pads = reshape(stack({none, missing}, 0, at), {1, 2}, at);
  return pad(x, pads, {.axes = {-2}}, at);
}

// Elements [0, count) of the last axis but one.
Value first_of(Value x, Value count, At at) {
  const Value none = constant(x.graph(), whole({0}), at);
  return slice(x, none, reshape(count, {1}, at), {-2}, at);
}

// All n numbers of a spectrum whose first n / 2 + 1 are x: the others are their conjugates.
Value whole_spectrum(Value x, Value n, Value half, At at) {
  Graph& g = x.graph();
  const Value last = reshape(subtract(n, half, at), {1}, at), first = constant(g, whole({0}), at),
              back = constant(g, whole({-1}), at);
  const Value others = slice(x, last, first, back, {-2}, at);
  const Value conjugate = cast(constant(g, Tensor::of<float>({2}, {1, -1}), at), x.dtype(), at);
  return concat({x, multiply(others, conjugate, at)}, -2, at);
}

}  // namespace

Value dft(Value x, DftOptions options, At at) {
  return as_called("dft", [&] {
    check_signal("dft", x, at);
    const int axis = axis_of("dft", x, options.axis, at);
    if (axis == x.rank() - 1)
      throw BuildError("dft", "the last axis is that of a number's parts" + at_line(at) + "\n  Name another one");
    if (options.onesided && !options.inverse && x.shape()[-1] != 1)
      throw BuildError("dft", "x is complex, so that half of the result does not tell the other" + at_line(at) +
                                  "\n  Leave out `onesided`, or give a real x [..., 1]");
    Value y = turned(x, axis, at);
    const bool to_real = options.inverse && options.onesided;
    const Value given = size_of_axis(y, y.rank() - 2, at);
    const Value n = options.length ? cast(scalar(options.length, at), i64, at)
                    : to_real      ? multiply(subtract(given, 1, at), 2, at)
                                   : given;
    const Value half = add(quotient(n, 2, at), 1, at);
    if (options.length) y = resized(y, to_real ? half : n, at);
    if (y.shape()[-1] == 1) y = pad(y, {{0, 1}}, PadOptions{.axes = {-1}}, at);
    if (to_real) y = whole_spectrum(y, n, half, at);
    y = apply(Dft{.inverse = options.inverse}, {y}, at);
    if (options.inverse) y = divide(y, cast(n, y.dtype(), at), at);
    if (to_real)
      y = slice(y, -1, 0, 1, at);
    else if (options.onesided)
      y = first_of(y, half, at);
    return turned(y, axis, at);
  });
}

Value stft(Value x, std::int64_t step, Value window, StftOptions options, At at) {
  return as_called("stft", [&] {
    check_signal("stft", x, at);
    const std::int64_t length = options.length > 0 || !window ? options.length : window.shape().count();
    if (x.rank() != 3 || step < 1 || length < 1 ||
        (window && (window.rank() != 1 || window.shape()[0] != length || window.dtype() != x.dtype())))
      throw BuildError("stft", "x is " + to_string(x.type()) + ", frames of " + std::to_string(length) +
                                   " begin every " + std::to_string(step) +
                                   (window ? ", the window is " + to_string(window.type()) : "") + at_line(at) +
                                   "\n  Give x [batch, samples, 1 or 2], a step, and a window of x's "
                                   "dtype as long as a frame");
    Graph& g = x.graph();
    const Value samples = size_of_axis(x, 1, at), long_enough = greater_equal(samples, static_cast<double>(length), at);
    const Value beyond = maximum(subtract(samples, static_cast<double>(length), at), 0, at);
    const Value frames = where(long_enough, add(quotient(beyond, step, at), 1, at), number(g, 0, at), at);
    const Value begins = expand_dims(multiply(places(frames, at), number(g, step, at), at), 1, at);
    Value y = gather(x, add(begins, places(number(g, length, at), at), at), 1, at);  // [batch, frames, length, c]
    if (window) y = multiply(y, expand_dims(window, 1, at), at);
    return dft(y, {.onesided = options.onesided}, at);
  });
}

Value mel_weight_matrix(Graph& g, std::int64_t bins, std::int64_t length, std::int64_t sample_rate, MelOptions options,
                        At at) {
  const double high = options.high == 0 ? static_cast<double>(sample_rate) / 2 : options.high;
  if (bins < 1 || length < 1 || sample_rate < 1 || !is_float(options.dtype) || !(options.low >= 0) ||
      !(options.low < high) || !(high <= static_cast<double>(sample_rate) / 2))
    throw BuildError("mel_weight_matrix",
                     std::to_string(bins) + " bins of a spectrum of " + std::to_string(length) + " samples at " +
                         std::to_string(sample_rate) + " Hz" + at_line(at) +
                         "\n  Give at least 1 of each, and edges 0 <= low < high <= half the rate");
  const std::int64_t rows = length / 2 + 1, most = internal::limits::known_bytes / 8;  // that f64 takes
  if (bins > most / rows)
    throw BuildError("mel_weight_matrix", std::to_string(bins) + " bins of a spectrum of " + std::to_string(length) +
                                              " samples are more than " + std::to_string(most) + " weights" +
                                              at_line(at) + "\n  Give fewer bins, or a shorter spectrum");
  const auto mel = [](double f) { return 2595 * std::log10(1 + f / 700); };
  const double low = mel(options.low), width = (mel(high) - low) / static_cast<double>(bins + 2);
  std::vector<std::int64_t> edges;  // of the triangles, as numbers of the spectrum
  for (std::int64_t i = 0; i < bins + 2; ++i) {
    const double f = 700 * (std::pow(10, (static_cast<double>(i) * width + low) / 2595) - 1);
    edges.push_back(
        static_cast<std::int64_t>(std::floor(static_cast<double>(length + 1) * f / static_cast<double>(sample_rate))));
  }
  Tensor weights({f64, {rows, bins}});
  for (std::int64_t i = 0; i < bins; ++i) {
    const auto* edge = edges.data() + i;
    const auto set = [&](std::int64_t row, double value) {
      if (row < rows) weights.data<double>()[row * bins + i] = value;
    };
    const auto share = [](std::int64_t part, std::int64_t all) {
      return static_cast<double>(part) / static_cast<double>(all);
    };
    if (edge[0] == edge[1]) set(edge[1], 1);
    for (std::int64_t row = edge[0]; row <= edge[1] && edge[0] < edge[1]; ++row)
      set(row, share(row - edge[0], edge[1] - edge[0]));
    for (std::int64_t row = edge[1]; row < edge[2]; ++row) set(row, share(edge[2] - row, edge[2] - edge[1]));
  }
  return cast(constant(g, weights, at), options.dtype, at);
}

namespace ops {

Value window(Window kind, Value size, WindowOptions options, At at) {
  return as_called(kind == Window::hann      ? "hann_window"
                   : kind == Window::hamming ? "hamming_window"
                                             : "blackman_window",
                   [&] {
                     check_built("window", size, at);
                     if (!is_float(options.dtype) || size.type().count() != 1)
                       throw BuildError("window", "size is " + to_string(size.type()) + ", the dtype " +
                                                      std::string(name(options.dtype)) + at_line(at) +
                                                      "\n  Give one number, and a dtype of floating point");
                     const Value n = cast(scalar(size, at), i64, at);
                     // In double: a window is made once.
                     const Value turns = maximum(options.periodic ? n : subtract(n, 1, at), 1, at);
                     const Value t = divide(multiply(cast(places(n, at), f64, at), 2, at), cast(turns, f64, at), at);
                     const Value wave = cospi(t, at);
                     const auto raised = [&](double mean) { return subtract(mean, multiply(1 - mean, wave, at), at); };
                     Value y;
                     if (kind == Window::blackman)
                       y = add(subtract(0.42, multiply(0.5, wave, at), at),
                               multiply(0.08, cospi(multiply(t, 2, at), at), at), at);
                     else
                       y = raised(kind == Window::hann ? 0.5 : 25.0 / 46.0);
                     return cast(where(oxbow::equal(n, 1, at), 1, y, at), options.dtype, at);
                   });
}

Value window(Window kind, Graph& g, std::int64_t size, WindowOptions options, At at) {
  return window(kind, constant(g, Tensor::scalar(size), at), options, at);
}

}  // namespace ops

}  // namespace oxbow
