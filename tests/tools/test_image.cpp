// Tensors as PNG files: what a reader of the format finds in them, and what is refused.
#include <oxbow/graph/error.h>
#include <zlib.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "plot/image.h"
#include "support/has.h"
#include "support/message.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_image)

using namespace oxbow;
using namespace oxbow::test;
using namespace oxbow::tools;

namespace {

std::uint32_t number(const std::string& text, std::size_t at) {
  std::uint32_t v = 0;
  for (std::size_t i = 0; i < 4; ++i) v = v << 8 | static_cast<unsigned char>(text[at + i]);
  return v;
}

struct Picture {
  std::uint32_t width = 0, height = 0;
  int colours = 0;  // 1 or 3
  std::string shades;
};

// Of files with one chunk of data, whose rows are not filtered.
Picture read(const std::string& file) {
  BOOST_REQUIRE(file.starts_with("\x89PNG\r\n\x1a\n"));
  Picture p;
  std::string kinds;
  for (std::size_t at = 8; at < file.size();) {
    const std::uint32_t length = number(file, at);
    const std::string kind = file.substr(at + 4, 4), bytes = file.substr(at + 8, length);
    const std::string checked = kind + bytes;
    BOOST_TEST(number(file, at + 8 + length) ==
               crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size())));
    if (kind == "IHDR") {
      p.width = number(bytes, 0), p.height = number(bytes, 4), p.colours = bytes[9] == 2 ? 3 : 1;
      BOOST_TEST(bytes[8] == 8);
    } else if (kind == "IDAT") {
      const uLong row = p.width * static_cast<uLong>(p.colours) + 1;
      uLong size = row * p.height;
      std::string rows(size, '?');
      BOOST_REQUIRE(uncompress(reinterpret_cast<Bytef*>(rows.data()), &size,
                               reinterpret_cast<const Bytef*>(bytes.data()), length) == Z_OK);
      BOOST_REQUIRE(size == row * p.height);
      for (std::uint32_t y = 0; y < p.height; ++y) {
        BOOST_TEST(rows[y * row] == 0);
        p.shades += rows.substr(y * row + 1, row - 1);
      }
    }
    kinds += kind;
    at += 12 + length;
  }
  BOOST_TEST(kinds == "IHDRIDATIEND");
  return p;
}

}  // namespace

BOOST_AUTO_TEST_CASE(images_stand_in_rows) {
  const TemporaryFolder folder;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor three = Tensor::of<float>({3, 1, 2}, {0, 1, 0.5, -1, 2, nan});
  save_image(folder / "grey.png", three, {.columns = 2});
  const Picture p = read(folder.read("grey.png"));
  BOOST_TEST(p.width == 4u);
  BOOST_TEST(p.height == 2u);
  BOOST_TEST((p.shades == bytes({0, 255, 128, 0, 255, 0, 0, 0})));
  save_image(folder / "grey.png", three, {.scale = 2});
  const Picture large = read(folder.read("grey.png"));
  const std::string row = bytes({0, 0, 255, 255, 128, 128, 0, 0, 255, 255, 0, 0});
  BOOST_TEST(large.width == 12u);
  BOOST_TEST((large.shades == row + row));
}

BOOST_AUTO_TEST_CASE(colours_and_bytes_are_taken_as_they_are) {
  const TemporaryFolder folder;
  save_image(folder / "colours.png", Tensor::of<std::uint8_t>({1, 1, 2, 3}, {1, 2, 3, 253, 254, 255}));
  const Picture p = read(folder.read("colours.png"));
  BOOST_TEST(p.colours == 3);
  BOOST_TEST((p.shades == bytes({1, 2, 3, 253, 254, 255})));
}

BOOST_AUTO_TEST_CASE(what_is_no_picture_is_refused) {
  const TemporaryFolder folder;
  const auto refused = [&](const Tensor& t, ImageOptions o = {}) {
    return message([&] { save_image(folder / "a.png", t, o); });
  };
  BOOST_TEST(has(refused(Tensor({f32, {4, 4}})), "the images are f32[4, 4]. Give f32 or u8, [n, h, w]"));
  BOOST_TEST(has(refused(Tensor({f32, {1, 4, 4, 2}})), "the images are f32[1, 4, 4, 2]"));
  BOOST_TEST(has(refused(Tensor({f64, {1, 4, 4}})), "the images are f64[1, 4, 4]"));
  BOOST_TEST(has(refused(Tensor({f32, {1, 4, 4}}), {.columns = 0}), "columns is 0 and scale is 1"));
  BOOST_TEST(has(refused(Tensor({f32, {0, 4, 4}})), "is empty or too large"));
  BOOST_TEST(has(refused(Tensor({f32, {1, 4, 4}}), {.scale = std::int64_t{1} << 40}), "is empty or too large"));
  BOOST_TEST(has(refused(Tensor({u8, {1, 1, 1, 3}}), {.scale = std::int64_t{1} << 30}), "is too large"));
  BOOST_TEST(has(message([&] { save_image(folder / "no/a.png", Tensor({u8, {1, 1, 1}})); }), "no/a.png"));
}

BOOST_AUTO_TEST_SUITE_END()
