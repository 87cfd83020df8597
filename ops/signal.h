// Windows and Fourier transforms. Complex numbers are pairs along a last axis of size 2: real and imaginary part.
//
//   Value bins = stft(x, 256, hann_window(g, 512), {.onesided = true});            // x [batch, samples, 1]
//   Value power = sum(square(bins), -1);                                        // [batch, frames, 257]
//
// Thread safety: they append to a graph, which is for one thread.
#pragma once

#include <oxbow/graph/value.h>

#include <concepts>
#include <optional>

namespace oxbow {

struct WindowOptions {
  bool periodic = true;  ///< one period of `size` samples, for spectra; else symmetric, for filters
  DType dtype = f32;     ///< floating point
};

namespace ops {  // what the functions of numbers and of known sizes call
enum class Window : std::uint8_t { hann, hamming, blackman };
Value window(Window kind, Graph& g, std::int64_t size, WindowOptions options, At at);
Value window(Window kind, Value size, WindowOptions options, At at);
}  // namespace ops

/// [size]: 1/2 - 1/2 cos t, with t = 2 pi i / size, or / (size - 1) where it is symmetric; a size of 1 gives 1. `size`
/// is a number, or a known scalar.
inline Value hann_window(Graph& g, std::int64_t size, WindowOptions options = {}, At at = At::current()) {
  return ops::window(ops::Window::hann, g, size, options, at);
}
inline Value hann_window(Value size, WindowOptions options = {}, At at = At::current()) {
  return ops::window(ops::Window::hann, size, options, at);
}
/// The same with 25/46 - 21/46 cos t.
inline Value hamming_window(Graph& g, std::int64_t size, WindowOptions options = {}, At at = At::current()) {
  return ops::window(ops::Window::hamming, g, size, options, at);
}
inline Value hamming_window(Value size, WindowOptions options = {}, At at = At::current()) {
  return ops::window(ops::Window::hamming, size, options, at);
}
/// The same with 0.42 - 0.5 cos t + 0.08 cos 2 t.
inline Value blackman_window(Graph& g, std::int64_t size, WindowOptions options = {}, At at = At::current()) {
  return ops::window(ops::Window::blackman, g, size, options, at);
}
inline Value blackman_window(Value size, WindowOptions options = {}, At at = At::current()) {
  return ops::window(ops::Window::blackman, size, options, at);
}

struct DftOptions {
  std::int64_t axis = -2;  ///< along which it is taken; not the last one
  Value length = {};       ///< a known scalar: x is cut, or filled up with zeros, to so many; else the axis as it is
  bool inverse = false;    ///< with + in the exponent, divided by the length
  bool onesided = false;   ///< see below
};
/// y[k] = sum over j of x[j] e^(-2 pi i j k / n) along an axis, by a fast transform of any length. x [..., 1] is real,
/// [..., 2] complex; the result is complex. With `onesided` it has the first n / 2 + 1 of the n, which a real x has the
/// others by; together with `inverse`, x is such a half, `length` says n (else 2 (its size - 1)), and the result is
/// real: [..., 1]. Of floating point.
Value dft(Value x, DftOptions options = {}, At at = At::current());

struct StftOptions {
  bool onesided = true;     ///< the first n / 2 + 1 of n; of real x only
  std::int64_t length = 0;  ///< of a frame; else that of the window
};
/// The transform of each frame of x [batch, samples, 1 or 2]: frames of `window`'s length begin every `step` samples,
/// are multiplied with it, and those that lie within x are there: [batch, frames, bins, 2]. An empty `window` is of
/// ones, and needs a length. ONNX's STFT; it does not pad x, as PyTorch's does with center = true.
Value stft(Value x, std::int64_t step, Value window, StftOptions options = {}, At at = At::current());

struct MelOptions {
  double low = 0, high = 0;  ///< the edge frequencies in hertz; a `high` of 0 is half the sample rate
  DType dtype = f32;         ///< floating point
};
/// [length / 2 + 1, bins]: what a spectrum of `length` samples at so many hertz is multiplied with to have `bins`
/// triangles of equal widths on the mel scale, 2595 log10(1 + f / 700), as ONNX's MelWeightMatrix has them.
Value mel_weight_matrix(Graph& g, std::int64_t bins, std::int64_t length, std::int64_t sample_rate,
                        MelOptions options = {}, At at = At::current());

}  // namespace oxbow
