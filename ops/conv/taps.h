// The taps of a convolution along one axis, for the convolution and for its adjoint. Internal to ops/. Pure functions.
#pragma once

#include <cstdint>
#include <vector>

namespace oxbow::ops {

/// A tap that reads, for the t-th pixel of a phase, input pixel t * step + shift.
struct Tap {
  std::int64_t number, shift;
};

/// Output pixels first, first + stride, ...; of one phase all have the same taps, in rising order of shift.
struct Phase {
  std::int64_t count = 0;
  std::vector<Tap> taps;
};

/// One axis: so many output pixels, and taps `dilation` apart, the first `pad` before the image.
struct TapAxis {
  std::int64_t out, taps, pad, stride, dilation;
};

/// The convolution has one phase: y[t] sums x[t * stride + tap * dilation - pad]. The adjoint has one for each
/// remainder of the stride: x[t * stride + phase] sums the y whose tap hits it, which is y[t + (phase + pad - tap *
/// dilation) / stride] for those taps where the division is exact.
std::vector<Phase> phases(const TapAxis& axis, bool adjoint);

/// Pixels [begin, end) of a phase, for which the taps [first, last) are inside an input of `size`, and no others are.
struct Stretch {
  std::int64_t begin, end, first, last;
};
/// All pixels of a phase, in order.
std::vector<Stretch> stretches(const Phase& phase, std::int64_t step, std::int64_t size);

}  // namespace oxbow::ops
