// IDX files and MNIST's four: every element type, and what is said about files that are cut short or corrupt.
// Labels: memory.
#include <oxbow/optim/idx.h>
#include <oxbow/optim/mnist.h>
#include <sys/stat.h>
#include <zlib.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "support/message.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_idx)

using namespace oxbow;
using oxbow::test::bytes;
using oxbow::test::message;
using oxbow::test::TemporaryFolder;

namespace {

std::string gzipped(const TemporaryFolder& folder, std::string_view raw) {
  gzFile f = gzopen((folder / "gz").c_str(), "wb");
  gzwrite(f, raw.data(), static_cast<unsigned>(raw.size()));
  gzclose(f);
  return folder.read("gz");
}

}  // namespace

BOOST_AUTO_TEST_CASE(idx_files_of_every_element_type) {
  const TemporaryFolder folder;
  const auto load = [&](std::initializer_list<int> list) { return load_idx(folder.write("a.idx", bytes(list))); };
  BOOST_TEST(
      same_bits(load({0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 255}), Tensor::of<std::uint8_t>({1, 3}, {1, 2, 255})));
  BOOST_TEST(same_bits(load({0, 0, 9, 1, 0, 0, 0, 2, 1, 255}), Tensor::of<std::int32_t>({2}, {1, -1})));
  BOOST_TEST(same_bits(load({0, 0, 11, 1, 0, 0, 0, 2, 1, 2, 255, 254}), Tensor::of<std::int32_t>({2}, {258, -2})));
  BOOST_TEST(same_bits(load({0, 0, 12, 1, 0, 0, 0, 1, 1, 2, 3, 4}), Tensor::of<std::int32_t>({1}, {0x01020304})));
  BOOST_TEST(same_bits(load({0, 0, 13, 0, 0x3f, 0xc0, 0, 0}), Tensor::scalar(1.5f)));
  BOOST_TEST(same_bits(load({0, 0, 14, 1, 0, 0, 0, 1, 0xbf, 0xf8, 0, 0, 0, 0, 0, 0}), Tensor::of<double>({1}, {-1.5})));
  BOOST_TEST(load({0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 3}).count() == 0);
}

BOOST_AUTO_TEST_CASE(broken_idx_files_are_named_with_what_is_wrong) {
  const TemporaryFolder folder;
  const std::string good = bytes({0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3});
  const std::string zipped = gzipped(folder, std::string(good));
  std::string crc = zipped;
  crc[zipped.size() - 6] ^= 1;  // within the checksum
  std::string inside = zipped;
  inside[11] ^= 0x55;
  const std::string no_magic = "not with two zeros and the code of an element type";
  const std::vector<std::pair<std::string, std::string>> table{
      {"", "it has only 0 bytes"},
      {bytes({0, 0, 8}), "it has only 3 bytes"},
      {bytes({0x89, 'P', 'N', 'G', 1, 2, 3, 4}), "it begins with 89 50 4e 47, " + no_magic},
      {bytes({0, 0, 10, 1}), "it begins with 00 00 0a 01, " + no_magic},
      {bytes({1, 0, 8, 1, 0, 0, 0, 1, 7}), "it begins with 01 00 08 01, " + no_magic},
      {bytes({0, 1, 8, 1, 0, 0, 0, 1, 7}), "it begins with 00 01 08 01, " + no_magic},
      {bytes({0, 0, 8, 9}), "it has 9 axes, but at most 8 are possible"},
      {bytes({0, 0, 8, 2, 0, 0, 0, 3, 0}), "it ends before the size of axis 1"},
      {good.substr(0, 10), "shape [3] takes 3 bytes, but only 2 follow. It was cut short: copy it again"},
      {good + "x", "shape [3] takes 3 bytes, but more follow"},
      {bytes({0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255}),
       "shape [4294967295, 4294967295] has more elements than memory can address"},
      {bytes({0, 0, 8, 2, 255, 255, 255, 255, 0, 1, 0, 0, 7}),
       "shape [4294967295, 65536] takes 281474976645120 bytes, but only 1 follow. It was cut short: copy it again"},
      {zipped.substr(0, zipped.size() - 9), "its compressed data end too early. It was cut short: copy it again"},
      {crc, "its compressed data are corrupt (incorrect data check). Copy it again"}};
  for (const auto& [content, expected] : table) {
    const std::string path = folder.write("broken-idx1-ubyte.gz", content);
    BOOST_TEST(message([&] { load_idx(path); }) == path + " is not a valid IDX file: " + expected);
  }
  BOOST_CHECK_THROW(load_idx(folder.write("inside.gz", inside)), Error);
  for (std::size_t size = 0; size < zipped.size(); ++size)
    BOOST_CHECK_THROW(load_idx(folder.write("cut.gz", zipped.substr(0, size))), Error);
  BOOST_TEST(load_idx(folder.write("good.gz", zipped)).count() == 3);
  const std::string missing = folder / "missing";
  BOOST_TEST(message([&] { load_idx(missing); }) == "cannot read " + missing + ": No such file or directory");
}

// What is not a file has no end or nobody who writes it; what unpacks to far more than it holds is suspect.
BOOST_AUTO_TEST_CASE(idx_files_that_would_never_end_are_refused) {
  const TemporaryFolder folder;
  const std::string pipe = folder / "pipe";
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  BOOST_TEST(message([&] { load_idx(pipe); }) == "cannot read " + pipe + ": it is not a regular file");
  std::filesystem::create_symlink("circle", folder / "circle");
  BOOST_TEST(message([&] { load_idx(folder / "circle"); }) ==
             "cannot read " + (folder / "circle") + ": Too many levels of symbolic links");
  std::filesystem::create_symlink("t10k-labels-idx1-ubyte", folder / "t10k-labels-idx1-ubyte");
  std::filesystem::create_symlink("train-images-idx3-ubyte", folder / "train-images-idx3-ubyte");
  folder.write("train-labels-idx1-ubyte", "");
  BOOST_TEST(message([&] { load_mnist(folder / ""); }) ==
             "cannot read " + (folder / "train-images-idx3-ubyte") + ": Too many levels of symbolic links");

  const std::string zeros = bytes({0, 0, 8, 1, 4, 64, 0, 0}) + std::string((4 << 24) + (64 << 16), '\0');
  const std::string packed = gzipped(folder, zeros), path = folder.write("zeros.gz", packed);
  BOOST_TEST(message([&] { load_idx(path); }) ==
             path + " is not a valid IDX file: it would unpack to 71303168 bytes, more than 100 times its own " +
                 std::to_string(packed.size()) + ". If that is meant, unpack it with gunzip first");
  BOOST_TEST(load_idx(folder.write("zeros", zeros)).count() == 71303168);
}

BOOST_AUTO_TEST_CASE(mnist_reads_images_and_labels_that_match) {
  const TemporaryFolder folder;
  const std::string images = bytes({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 255, 51, 102});
  const std::string labels = bytes({0, 0, 8, 1, 0, 0, 0, 2, 7, 3});
  const auto path = folder / "";
  folder.write("train-images-idx3-ubyte", images);
  folder.write("train-labels-idx1-ubyte.gz", gzipped(folder, labels));
  BOOST_TEST(message([&] { load_mnist(path); }) ==
             "there is neither t10k-images-idx3-ubyte nor t10k-images-idx3-ubyte.gz in " + path);
  folder.write("t10k-images-idx3-ubyte.gz", images);
  const std::string test_labels = folder.write("t10k-labels-idx1-ubyte", bytes({0, 0, 8, 1, 0, 0, 0, 1, 7}));
  BOOST_TEST(message([&] { load_mnist(path); }) ==
             test_labels + " has 1 labels, but " + folder.operator/("t10k-images-idx3-ubyte.gz") + " has 2 images");
  folder.write("t10k-labels-idx1-ubyte", labels);
  folder.write("t10k-images-idx3-ubyte.gz",
               bytes({0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8}));
  BOOST_TEST(message([&] { load_mnist(path); }) ==
             "the images to train on and to test with in " + path + " differ in size");
  folder.write("t10k-images-idx3-ubyte.gz", images);
  const Mnist set = load_mnist(path);
  const Tensor pictures = load_mnist(path, {.images = true}).train["x"];
  BOOST_TEST(pictures.shape() == (Shape{set.train.size(), set.rows, set.columns, 1}));
  BOOST_TEST(pictures.span<float>() == set.train["x"].span<float>(), boost::test_tools::per_element());
  BOOST_TEST(set.rows == 1);
  BOOST_TEST(set.columns == 2);
  BOOST_TEST(same_bits(set.train["x"], Tensor::of<float>({2, 2}, {0, 1, 0.2f, 0.4f})));
  BOOST_TEST(same_bits(set.test["label"], Tensor::of<std::int64_t>({2}, {7, 3})));
}

BOOST_AUTO_TEST_SUITE_END()
