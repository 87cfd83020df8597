// Pictures as tensors: from bytes, to a number of channels, to a size.
#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/optim/data/image_bytes.h>
#include <oxbow/optim/image.h>
#include <oxbow/runtime/files/input_file.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace oxbow {
using namespace internal;
using namespace optim::internal;

namespace {

void check_format(const ImageFormat& f) {
  const bool none = f.height == 0 && f.width == 0;
  const auto side = [](std::int64_t n) { return n >= 1 && n <= limits::image_side; };
  if ((!none && (!side(f.height) || !side(f.width))) || (f.channels != 1 && f.channels != 3 && f.channels != 4))
    throw Error("an image format of height " + std::to_string(f.height) + ", width " + std::to_string(f.width) +
                " and " + std::to_string(f.channels) + " channels is none. Give both sides, up to " +
                std::to_string(limits::image_side) + ", or none, and 1, 3 or 4 channels");
}

Pixels decoded(std::string_view bytes) {
  if (is_png(bytes)) return decode_png(bytes);
  if (is_jpeg(bytes)) return decode_jpeg(bytes);
  throw Error(bytes.empty() ? "it has no bytes" : "it begins neither as PNG nor as JPEG. Other formats are not read");
}

// Grey by the luma of ITU-R BT.601, in 16 bits: what most programs make of a picture in colour.
std::uint8_t luma(const std::uint8_t* p) {
  return static_cast<std::uint8_t>((19595u * p[0] + 38470u * p[1] + 7471u * p[2] + 0x8000u) >> 16);
}

// The part of a picture from (top, left) on, of this size, with so many channels.
Tensor part_of(const Pixels& from, std::int64_t top, std::int64_t left, std::int64_t height, std::int64_t width,
               std::int64_t channels) {
  Tensor image({u8, {height, width, channels}});
  const std::int64_t c = from.channels;
  const bool colour = c >= 3, alpha = c == 2 || c == 4;
  auto* to = image.data<std::uint8_t>();
  for (std::int64_t y = 0; y < height; ++y) {
    const std::uint8_t* p = from.bytes.data() + ((top + y) * from.width + left) * c;
    for (std::int64_t x = 0; x < width; ++x, p += c, to += channels) {
      if (channels == 1)
        to[0] = colour ? luma(p) : p[0];
      else
        for (int k = 0; k < 3; ++k) to[k] = p[colour ? k : 0];
      if (channels == 4) to[3] = alpha ? p[c - 1] : 255;
    }
  }
  return image;
}

// Which pixels of `from` make pixel i of `to`, and with what weights, in 2^22nds: a triangle as wide as two pixels of
// the coarser of the two.
struct Weights {
  std::int64_t first = 0;
  std::vector<std::int64_t> of = {};
};
constexpr int weight_bits = 22;

std::vector<Weights> weights(std::int64_t from, std::int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to), reach = std::max(scale, 1.0);
  std::vector<Weights> all(static_cast<std::size_t>(to));
  for (std::int64_t i = 0; i < to; ++i) {
    Weights& w = all[static_cast<std::size_t>(i)];
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    w.first = std::max<std::int64_t>(static_cast<std::int64_t>(centre - reach + 0.5), 0);
    const std::int64_t last = std::min<std::int64_t>(static_cast<std::int64_t>(centre + reach + 0.5), from);
    std::vector<double> heights;
    double sum = 0;
    for (std::int64_t x = w.first; x < last; ++x) {
      heights.push_back(std::max(1 - std::abs((static_cast<double>(x) - centre + 0.5) / reach), 0.0));
      sum += heights.back();
    }
    for (const double h : heights) w.of.push_back(static_cast<std::int64_t>(h / sum * (1 << weight_bits) + 0.5));
  }
  return all;
}

// Along the middle one of [outer, from, inner].
std::vector<std::uint8_t> resized(const std::uint8_t* p, std::int64_t outer, std::int64_t from, std::int64_t inner,
                                  std::int64_t to) {
  const std::vector<Weights> all = weights(from, to);
  std::vector<std::uint8_t> out(static_cast<std::size_t>(outer * to * inner));
  std::uint8_t* next = out.data();
  std::vector<std::int64_t> sums(static_cast<std::size_t>(inner));
  for (std::int64_t o = 0; o < outer; ++o)
    for (const Weights& w : all) {
      std::fill(sums.begin(), sums.end(), std::int64_t{1} << (weight_bits - 1));
      const std::uint8_t* row = p + (o * from + w.first) * inner;
      for (const std::int64_t weight : w.of)
        for (std::int64_t& sum : sums) sum += weight * *row++;
      for (const std::int64_t sum : sums)
        *next++ = static_cast<std::uint8_t>(std::clamp<std::int64_t>(sum >> weight_bits, 0, 255));
    }
  return out;
}

Tensor formatted(const Pixels& pixels, const ImageFormat& f) {
  std::int64_t height = pixels.height, width = pixels.width;
  if (f.crop && f.height > 0) {
    height = std::clamp<std::int64_t>(pixels.width * f.height / f.width, 1, height);
    width = std::clamp<std::int64_t>(pixels.height * f.width / f.height, 1, width);
  }
  Tensor image = part_of(pixels, (pixels.height - height) / 2, (pixels.width - width) / 2, height, width, f.channels);
  return f.height > 0 ? resize_image(image, f.height, f.width) : image;
}

}  // namespace

Pixels optim::internal::pixels_for(std::int64_t height, std::int64_t width, std::int64_t channels,
                                   std::size_t file_bytes) {
  if (height < 1 || width < 1 || height > limits::image_side || width > limits::image_side)
    throw Error("it is " + std::to_string(height) + " x " + std::to_string(width) +
                " pixels large, and a side may have 1 to " + std::to_string(limits::image_side));
  const std::int64_t bytes = height * width * channels;
  if (bytes > limits::unpacked_bytes && bytes / limits::unpacked_times > static_cast<std::int64_t>(file_bytes))
    throw Error("it would unpack to " + std::to_string(bytes) + " bytes, more than " +
                std::to_string(limits::unpacked_times) + " times its own " + std::to_string(file_bytes) +
                ". If that is meant, make it smaller first");
  return {height, width, channels, std::vector<std::uint8_t>(static_cast<std::size_t>(bytes))};
}

Tensor resize_image(const Tensor& image, std::int64_t height, std::int64_t width) {
  const Shape& s = image.shape();
  check_format({.height = height, .width = width});
  if (image.dtype() != u8 || s.rank() != 3 || image.count() == 0 || height == 0)
    throw Error("resize_image: the image is " + to_string(image.type()) + ", to become " + std::to_string(height) +
                " x " + std::to_string(width) +
                " pixels large. Give u8[height, width, channels], and sides of at least 1");
  const std::vector<std::uint8_t> wide = resized(image.data<std::uint8_t>(), s[0], s[1], s[2], width);
  const std::vector<std::uint8_t> all = resized(wide.data(), 1, s[0], width * s[2], height);
  return Tensor::of({height, width, s[2]}, all);
}

Tensor decode_image(std::string_view bytes, const ImageFormat& format, const std::string& name) {
  check_format(format);
  return with_own_errors("cannot read", name, [&] {
    try {
      return formatted(decoded(bytes), format);
    } catch (const Error& e) {
      throw Error(name + " is not a valid picture: " + e.what());
    }
  });
}

Tensor load_image(const std::string& path, const ImageFormat& format) {
  return with_own_errors("cannot read", path, [&] {
    const InputFile file(path);
    std::string bytes(static_cast<std::size_t>(file.size()), '\0');
    file.read(0, bytes.data(), file.size());
    return decode_image(bytes, format, path);
  });
}

}  // namespace oxbow
