// Windows and Fourier transforms.
#include <oxbow/ops/ops.h>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

template <Value (*f)(Value, WindowOptions, At)>
Outputs window(Context& c) {
  return f(c[0], {.periodic = c.flag("periodic", true), .dtype = c.dtype("output_datatype", f32)}, At::current());
}

Outputs transformed(Context& c) {
  DftOptions options{.length = c.optional(1), .inverse = c.flag("inverse"), .onesided = c.flag("onesided")};
  if (c.opset() < 20)
    options.axis = c.integer("axis", 1);
  else if (c.has(2))
    options.axis = c.fixed_integer(2);
  return dft(c[0], options);
}

Outputs frames(Context& c) {
  return stft(c[0], c.fixed_integer(1), c.optional(2),
              {.onesided = c.flag("onesided", true), .length = c.has(3) ? c.fixed_integer(3) : 0});
}

Outputs mel_weights(Context& c) {
  return mel_weight_matrix(
      c.graph(), c.fixed_integer(0), c.fixed_integer(1), c.fixed_integer(2),
      {.low = c.fixed_number(3), .high = c.fixed_number(4), .dtype = c.dtype("output_datatype", f32)});
}

constexpr Operator list[] = {
    {"BlackmanWindow", window<blackman_window>},
    {"DFT", transformed},
    {"HammingWindow", window<hamming_window>},
    {"HannWindow", window<hann_window>},
    {"MelWeightMatrix", mel_weights},
    {"STFT", frames},
};

}  // namespace

Operators signal_operators() { return list; }

}  // namespace oxbow::onnx
