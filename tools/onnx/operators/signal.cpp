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
  else if (const auto axis = c.has(2) ? c.fixed_integers(2) : std::nullopt)
    options.axis = axis->at(0);
  return dft(c[0], options);
}

Outputs frames(Context& c) {
  const std::int64_t step = c.fixed_integers(1).value().at(0);
  const auto length = c.has(3) ? c.fixed_integers(3) : std::nullopt;
  return stft(c[0], step, c.optional(2), {.onesided = c.flag("onesided", true), .length = length ? length->at(0) : 0});
}

Outputs mel_weights(Context& c) {
  const auto whole = [&](int i) { return c.fixed_integers(i).value().at(0); };
  return mel_weight_matrix(c.graph(), whole(0), whole(1), whole(2),
                           {.low = c.fixed_numbers(3).value().at(0),
                            .high = c.fixed_numbers(4).value().at(0),
                            .dtype = c.dtype("output_datatype", f32)});
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
