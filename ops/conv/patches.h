// The patches of an image with few channels, a row of output pixels at a time: [columns][kh][kw][channels], so that all
// taps are one product. Internal to ops/. Immutable; the caller brings the scratch.
#pragma once

#include <oxbow/ops/conv/geometry.h>

#include <algorithm>
#include <cstring>

namespace oxbow::ops {

class ConvPatches {
 public:
  explicit ConvPatches(const ConvShape& s) : s_(s) {}

  /// With up to three channels a tap's own product would be tiny. Taps that touch are one run of the row.
  static bool pay(const ConvShape& s) { return s.channels <= 3 && s.dilation == DownAcross{}; }
  /// Elements of a patch.
  std::int64_t size() const { return s_.kh * s_.kw * s_.channels; }
  /// Elements of scratch that `row` takes: the patches, then the input's rows with their padding.
  std::int64_t scratch() const { return s_.columns * size() + slack + s_.kh * across() + slack; }

  /// Elements from one of the rows that `pad` writes to the next.
  std::int64_t across() const { return (s_.width + s_.left + s_.right) * s_.channels; }

  /// Writes the rows of an image that output row i reads, with their padding, into `scratch`, and returns the first.
  template <class T>
  T* pad(const T* image, std::int64_t i, T* scratch) const {
    T* padded = scratch + s_.columns * size() + slack;
    for (std::int64_t tap = 0; tap < s_.kh; ++tap) {
      T* to = padded + tap * across();
      const std::int64_t from = i * s_.stride.down + tap - s_.top, width = s_.width * s_.channels;
      if (from < 0 || from >= s_.height) {
        std::fill_n(to, across(), T(0));
      } else {
        std::fill_n(to, s_.left * s_.channels, T(0));
        std::copy_n(image + from * width, width, to + s_.left * s_.channels);
        std::fill_n(to + s_.left * s_.channels + width, s_.right * s_.channels, T(0));
      }
    }
    return padded;
  }

  /// Writes the patches of output row i of an image to the front of `scratch`.
  template <class T>
  void row(const T* image, std::int64_t i, T* scratch) const {
    const T* padded = pad(image, i, scratch);
    // A tap's row of a patch is one run. It is copied in eights that may write beyond it: what comes next is written
    // later, and the last ones have slack. Sizes are copied first: the compiler must think that memcpy changes members.
    const std::int64_t run = s_.kw * s_.channels, taps = s_.kh, columns = s_.columns, apart = across();
    const std::int64_t step = s_.stride.across * s_.channels;
    T* to = scratch;
    for (std::int64_t j = 0; j < columns; ++j, padded += step)
      for (std::int64_t tap = 0; tap < taps; ++tap, to += run)
        for (std::int64_t e = 0; e < run; e += 8) std::memcpy(to + e, padded + tap * apart + e, 8 * sizeof(T));
  }

 private:
  static constexpr std::int64_t slack = 8;
  ConvShape s_;
};

}  // namespace oxbow::ops
