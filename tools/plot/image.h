// Pictures out of tensors, as PNG files: what a network drew, beside what it was to draw. Thread safety: functions
// without shared state.
#pragma once

#include <oxbow/graph/tensor.h>

#include <string>

namespace oxbow::tools {

struct ImageOptions {
  std::int64_t columns = 8;  ///< images in a row
  std::int64_t scale = 1;    ///< so many pixels, down and across, each element becomes
};

/// Images [n, h, w] or [n, h, w, 1] in grey, or [n, h, w, 3] in red, green and blue, in rows from left to right: f32
/// from 0 to 1, what is beyond being cut off and NaN black, or u8. Torchvision: `save_image(x, path, nrow)`, of
/// [n, c, h, w]. The format: ISO/IEC 15948, https://www.w3.org/TR/png-3. The file appears whole or not at all. Throws
/// `Error` for other shapes and dtypes, for a picture of no pixels or of 2^31 pixels or more along a side, for columns
/// or a scale below 1, and when the file cannot be written.
void save_image(const std::string& path, const Tensor& images, ImageOptions options = {});

/// A PNG file's bytes, and what they show.
struct EncodedImage {
  std::string png;
  std::int64_t height, width, channels;
};
/// What `save_image` writes.
EncodedImage encode_image(const Tensor& images, ImageOptions options = {});

}  // namespace oxbow::tools
