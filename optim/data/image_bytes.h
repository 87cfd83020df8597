// PNG and JPEG, as their libraries decode them. Private to optim/data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace oxbow::optim::internal {

/// A decoded picture: 1 channel is grey, 2 grey and alpha, 3 red, green and blue, 4 these and alpha.
struct Pixels {
  std::int64_t height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> bytes = {};
};

bool is_png(std::string_view bytes);
bool is_jpeg(std::string_view bytes);
/// Throw `Error` that says what is wrong, without a name of the file.
Pixels decode_png(std::string_view bytes);
Pixels decode_jpeg(std::string_view bytes);

/// Memory for a picture. Throws `Error` where it is larger than the limits say (graph/support/limits.h), given the size
/// of its file.
Pixels pixels_for(std::int64_t height, std::int64_t width, std::int64_t channels, std::size_t file_bytes);

}  // namespace oxbow::optim::internal
