// Pictures from files, as Pillow reads them; folders of them; random changes that are drawn again.
// Labels: memory.
#include <oxbow/optim/image.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <set>

#include "support/message.h"
#include "support/places.h"
#include "support/says.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_image)

using namespace oxbow;
using namespace oxbow::test;

namespace {

std::string kept(const std::string& name) { return source("tests/fuzz/corpus/image/") + name; }

// The corners: first and last row, first and last column.
std::vector<int> corners(const Tensor& image) {
  const Shape& s = image.shape();
  std::vector<int> all;
  for (const std::int64_t y : {std::int64_t{0}, s[0] - 1})
    for (const std::int64_t x : {std::int64_t{0}, s[1] - 1})
      for (std::int64_t c = 0; c < s[2]; ++c) all.push_back(image.data<std::uint8_t>()[(y * s[1] + x) * s[2] + c]);
  return all;
}

// [h, w], numbered from 1.
Tensor numbered(std::int64_t h, std::int64_t w) {
  Tensor t({i32, {h, w}});
  for (std::int64_t i = 0; i < h * w; ++i) t.data<std::int32_t>()[i] = static_cast<std::int32_t>(i + 1);
  return t;
}

std::vector<std::int32_t> elements(const Tensor& t) {
  return {t.data<std::int32_t>(), t.data<std::int32_t>() + t.count()};
}

}  // namespace

// The numbers are Pillow 13's.
BOOST_AUTO_TEST_CASE(pictures_are_read_as_others_read_them) {
  const struct {
    const char* file;
    std::int64_t channels;
    std::vector<int> corners;
  } cases[] = {
      {"rgb.png", 3, {255, 228, 34, 243, 205, 24, 98, 2, 243, 192, 164, 156}},
      {"rgb.png", 1, {214, 196, 58, 171}},
      {"rgb.png", 4, {255, 228, 34, 255, 243, 205, 24, 255, 98, 2, 243, 255, 192, 164, 156, 255}},
      {"grey.png", 1, {214, 196, 58, 171}},
      {"grey.png", 3, {214, 214, 214, 196, 196, 196, 58, 58, 58, 171, 171, 171}},
      {"palette.png", 3, {222, 223, 93, 222, 223, 93, 146, 17, 246, 200, 163, 104}},
      {"rgba.png", 3, {255, 228, 34, 243, 205, 24, 98, 2, 243, 192, 164, 156}},
      {"grey_alpha.png", 1, {34, 24, 243, 156}},
      {"bits.png", 1, {255, 255, 0, 255}},
      {"grey16.png", 1, {0, 39, 187, 226}},
      {"baseline.jpg", 3, {10, 248, 90, 108, 149, 89, 118, 135, 90, 213, 36, 90}},
      {"progressive.jpg", 3, {10, 248, 90, 108, 149, 89, 118, 135, 90, 213, 36, 90}},
      {"grey.jpg", 1, {159, 130, 125, 95}},
  };
  for (const auto& [file, channels, expected] : cases)
    BOOST_TEST(corners(load_image(kept(file), {.channels = channels})) == expected, boost::test_tools::per_element());
  BOOST_TEST(to_string(load_image(kept("rgb.png")).type()) == "u8[5, 6, 3]");
}

BOOST_AUTO_TEST_CASE(pictures_are_resized_as_others_resize_them) {
  const std::vector<std::uint8_t> pillow = {207, 173, 124, 119, 161, 135, 180, 144, 158, 192, 199, 70,
                                            155, 98,  168, 113, 148, 112, 101, 125, 156, 89,  128, 120,
                                            110, 101, 158, 43,  69,  104, 84,  97,  186, 124, 146, 143};
  BOOST_TEST(same_bits(load_image(kept("rgb.png"), {.height = 3, .width = 4}), Tensor::of({3, 4, 3}, pillow)));
  const Tensor one = load_image(kept("rgb.png"), {.height = 1, .width = 1});
  BOOST_TEST(same_bits(one, Tensor::of<std::uint8_t>({1, 1, 3}, {120, 129, 138})));
  const Tensor line = Tensor::of<std::uint8_t>({1, 2, 1}, {0, 100});
  BOOST_TEST(same_bits(resize_image(line, 1, 4), Tensor::of<std::uint8_t>({1, 4, 1}, {0, 25, 75, 100})));
  // The middle 5 x 5 of 5 x 6.
  const Tensor square = load_image(kept("rgb.png"), {.height = 5, .width = 5, .crop = true});
  BOOST_TEST(square.data<std::uint8_t>()[0] == 255);
  BOOST_TEST(square.data<std::uint8_t>()[1] == 228);
  BOOST_TEST(to_string(load_image(kept("rgb.png"), {.height = 1, .width = 9, .crop = true}).type()) == "u8[1, 9, 3]");
  says([] { resize_image(Tensor({f32, {2, 2, 3}}), 1, 1); }, "resize_image: the image is f32[2, 2, 3]");
  for (const ImageFormat& f : {ImageFormat{.height = 3}, ImageFormat{.height = -1, .width = -1},
                               ImageFormat{.height = 70'000, .width = 1}, ImageFormat{.channels = 2}})
    says([&] { load_image(kept("rgb.png"), f); }, "an image format of height ");
}

BOOST_AUTO_TEST_CASE(what_is_no_picture_is_refused) {
  const struct {
    const char *file, *said;
  } cases[] = {
      {"empty", "it has no bytes"},
      {"neither", "it begins neither as PNG nor as JPEG"},
      {"cut.png", "its data are damaged ("},
      {"damaged.png", "its data are damaged ("},
      {"cut.jpg", "its data are damaged ("},
      {"cmyk.jpg", "its colours are CMYK, for printing"},
      {"huge.png", "it would unpack to 10800000000 bytes, more than 100 times its own"},
  };
  for (const auto& [file, said] : cases) {
    says([&] { load_image(kept(file)); }, kept(file) + " is not a valid picture: ");
    says([&] { load_image(kept(file)); }, said);
  }
  says([] { load_image(kept("no.png")); }, "no.png");
  says([] { decode_image("\xff\xd8\xff", {}, "a.jpg"); }, "a.jpg is not a valid picture: its data are damaged");
}

BOOST_AUTO_TEST_CASE(a_folder_has_a_subfolder_for_each_class) {
  namespace fs = std::filesystem;
  const TemporaryFolder folder;
  for (const char* name : {"b", "a", "a/deeper", ".hidden"}) fs::create_directories(folder / name);
  for (const char* name : {"b/2.png", "b/1.PNG", "a/deeper/9.png", "a/x.png"}) fs::copy(kept("rgb.png"), folder / name);
  fs::copy(kept("baseline.jpg"), folder / "a/y.JPEG");
  folder.write("a/.DS_Store", "");
  folder.write("a/notes.txt", "");
  folder.write("stray.png", "");
  const std::string path = std::filesystem::path(folder / "a").parent_path();
  const ImageFolder all = image_folder(path, {.height = 4, .width = 4, .channels = 1});
  BOOST_TEST(all.classes == (std::vector<std::string>{"a", "b"}), boost::test_tools::per_element());
  std::vector<std::string> names;
  for (const std::string& p : all.paths) names.push_back(p.substr(path.size() + 1));
  BOOST_TEST(names == (std::vector<std::string>{"a/deeper/9.png", "a/x.png", "a/y.JPEG", "b/1.PNG", "b/2.png"}),
             boost::test_tools::per_element());
  BOOST_TEST(same_bits(all.data["label"], Tensor::of<std::int64_t>({5}, {0, 0, 0, 1, 1})));
  BOOST_TEST(to_string(all.data.type("x")) == "u8[5, 4, 4, 1]");
  const Tensor loaded = all.data.load()["x"];
  BOOST_TEST(same_bits(Rows(loaded)[2], load_image(kept("baseline.jpg"), {.height = 4, .width = 4, .channels = 1})));

  const ImageFolder first = image_folder(path);
  BOOST_TEST(to_string(first.data.type("x")) == "u8[5, 5, 6, 3]");
  says([&] { first.data.load(); }, "a/y.JPEG is u8[16, 16, 3], but the first picture u8[5, 6, 3]. Give a height");
  folder.write("b/3.webp", "");
  says([&] { image_folder(path); }, "b/3.webp is a picture that is not read: PNG and JPEG are");
  says([&] { image_folder(folder / "a/deeper"); }, "a/deeper has no subfolder");
  fs::create_directories(folder / "a/deeper/none");
  says([&] { image_folder(folder / "a/deeper"); }, "there is no picture in ");
  says([&] { image_folder(folder / "c"); }, "there is no folder ");
}

BOOST_AUTO_TEST_CASE(pictures_are_cut_and_mirrored) {
  const Tensor image = numbered(2, 3);
  Draws draws(0, 1, 0);
  BOOST_TEST(elements(center_crop(2, 1)(image, draws)) == (std::vector<std::int32_t>{2, 5}),
             boost::test_tools::per_element());
  BOOST_TEST(same_bits(augment({})(image, draws), image));
  // All that may come of it does, and nothing else.
  const struct {
    Augmentation options;
    std::set<std::vector<std::int32_t>> all;
  } cases[] = {
      {{.flip = true}, {{1, 2, 3, 4, 5, 6}, {3, 2, 1, 6, 5, 4}}},
      {{.flip_vertical = true}, {{1, 2, 3, 4, 5, 6}, {4, 5, 6, 1, 2, 3}}},
      {{.height = 1, .width = 2}, {{1, 2}, {2, 3}, {4, 5}, {5, 6}}},
      {{.shift = 1},
       {{0, 0, 0, 0, 1, 2},
        {0, 0, 0, 1, 2, 3},
        {0, 0, 0, 2, 3, 0},
        {0, 1, 2, 0, 4, 5},
        {1, 2, 3, 4, 5, 6},
        {2, 3, 0, 5, 6, 0},
        {0, 4, 5, 0, 0, 0},
        {4, 5, 6, 0, 0, 0},
        {5, 6, 0, 0, 0, 0}}},
      {{.shift = 1, .height = 2, .width = 3, .flip = true, .flip_vertical = true}, {}},
  };
  for (const auto& [options, all] : cases) {
    std::set<std::vector<std::int32_t>> seen;
    const RowFunction f = augment(options);
    for (int row = 0; row < 300; ++row) {
      Draws one(3, 1, row), again(3, 1, row);
      const Tensor changed = f(image, one);
      BOOST_TEST(same_bits(f(image, again), changed));
      seen.insert(elements(changed));
    }
    if (all.empty())
      BOOST_TEST(seen.size() == 36U);  // all 9 x 4 differ
    else
      BOOST_TEST((seen == all));
  }
  Tensor pixels({u8, {1, 2, 3}});
  for (std::uint8_t i = 0; i < 6; ++i) pixels.data<std::uint8_t>()[i] = i;
  Rows rows(Tensor::of({40, 1, 2, 3}, std::vector<std::uint8_t>(240, 1)));
  BOOST_TEST(to_string(rows.map(augment({.width = 1})).type()) == "u8[40, 1, 1, 3]");
  says([&] { augment({.height = 3})(image, draws); },
       "augment: a part of 3 x 3 pixels is larger than a row, i32[2, 3]");
  says([&] { augment({})(Tensor({f32, {3}}), draws); }, "augment: a row is f32[3]. Give [height, width]");
  says([] { augment({.shift = -1}); }, "augment: shift is -1");
  says([&] { center_crop(0, 1); }, "center_crop: a part of 0 x 1 pixels is none");
}

BOOST_AUTO_TEST_SUITE_END()
