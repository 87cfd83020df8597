#include "plot/image.h"

#include <oxbow/runtime/atomic_file.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

namespace oxbow::tools {
namespace {

std::string big_endian(std::uint32_t v) {
  return {static_cast<char>(v >> 24), static_cast<char>(v >> 16), static_cast<char>(v >> 8), static_cast<char>(v)};
}

std::uint32_t crc_of(std::string_view text) {
  return static_cast<std::uint32_t>(crc32_z(0, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

// A chunk: its length, its kind, its bytes, and the checksum of the latter two.
std::string chunk(const std::string& kind, const std::string& bytes) {
  return big_endian(static_cast<std::uint32_t>(bytes.size())) + kind + bytes + big_endian(crc_of(kind + bytes));
}

std::string deflated(const std::string& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string out(size, '\0');
  if (compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
               static_cast<uLong>(bytes.size())) != Z_OK)
    throw Error("there is no memory to compress the picture");
  out.resize(size);
  return out;
}

// Element i as a shade from 0 to 255.
char shade(const Tensor& t, std::int64_t i) {
  if (t.dtype() == u8) return static_cast<char>(t.data<std::uint8_t>()[i]);
  const float v = t.data<float>()[i];
  return static_cast<char>(v > 0 ? static_cast<std::uint8_t>(std::min(v, 1.0f) * 255 + 0.5f) : 0);
}

// Rows of `width` times `height` shades, of one or three bytes a pixel, each after the number of its filter, none.
std::string rows_of(const Tensor& images, const ImageOptions& o, std::array<std::int64_t, 4> shape) {
  const auto [n, h, w, c] = shape;
  const std::int64_t across = std::min(n, o.columns), down = (n + o.columns - 1) / o.columns;
  const std::int64_t length = across * w * o.scale * c + 1;
  std::string rows(static_cast<std::size_t>(down * h * o.scale * length), '\0');
  for (std::int64_t image = 0; image < n; ++image)
    for (std::int64_t y = 0; y < h * o.scale; ++y)
      for (std::int64_t x = 0; x < w * o.scale; ++x)
        for (std::int64_t k = 0; k < c; ++k) {
          const std::int64_t row = image / o.columns * h * o.scale + y, column = image % o.columns * w * o.scale + x;
          rows[static_cast<std::size_t>(row * length + 1 + column * c + k)] =
              shade(images, ((image * h + y / o.scale) * w + x / o.scale) * c + k);
        }
  return rows;
}

}  // namespace

EncodedImage encode_image(const Tensor& images, ImageOptions o) {
  const Shape& s = images.shape();
  const std::int64_t c = s.rank() == 4 ? s[3] : 1;
  if ((s.rank() != 3 && s.rank() != 4) || (c != 1 && c != 3) || (images.dtype() != f32 && images.dtype() != u8))
    throw Error("the images are " + to_string(images.type()) +
                ". Give f32 or u8, [n, h, w] or, with 1 or 3 channels, [n, h, w, channels]");
  if (o.columns < 1 || o.scale < 1)
    throw Error("ImageOptions: columns is " + std::to_string(o.columns) + " and scale is " + std::to_string(o.scale) +
                ". Give at least 1");
  const std::int64_t n = s[0], across = std::min(n, o.columns), down = n / o.columns + (n % o.columns > 0);
  constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
  for (const std::int64_t images_there : {across * s[2], down * s[1]})
    if (images_there < 1 || images_there > most / o.scale)
      throw Error("a picture of " + to_string(images.type()) + ", scaled by " + std::to_string(o.scale) +
                  ", is empty or too large. Give fewer images, or a smaller scale");
  if (static_cast<double>(across * s[2] * o.scale) * static_cast<double>(down * s[1] * o.scale * c) > most / 2)
    throw Error("a picture of " + to_string(images.type()) + ", scaled by " + std::to_string(o.scale) +
                ", is too large. Give fewer images, or a smaller scale");
  const std::int64_t pixels_down = down * s[1] * o.scale, pixels_across = across * s[2] * o.scale;
  const std::string header = big_endian(static_cast<std::uint32_t>(pixels_across)) +
                             big_endian(static_cast<std::uint32_t>(pixels_down)) +
                             std::string{8, c == 1 ? '\0' : '\2', 0, 0, 0};
  return {"\x89PNG\r\n\x1a\n" + chunk("IHDR", header) +
              chunk("IDAT", deflated(rows_of(images, o, {n, s[1], s[2], c}))) + chunk("IEND", ""),
          pixels_down, pixels_across, c};
}

void save_image(const std::string& path, const Tensor& images, ImageOptions options) {
  write_file(path, encode_image(images, options).png);
}

}  // namespace oxbow::tools
