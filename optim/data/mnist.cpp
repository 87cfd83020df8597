#include <oxbow/graph/support/library_errors.h>
#include <oxbow/optim/idx.h>
#include <oxbow/optim/mnist.h>
#include <oxbow/runtime/files/input_file.h>

#include <filesystem>

namespace oxbow {
namespace {

std::string find(const std::string& folder, const std::string& name) {
  for (const char* ending : {"", ".gz"})
    if (const auto path = (std::filesystem::path(folder) / (name + ending)).string(); internal::something_at(path))
      return path;
  throw Error("there is neither " + name + " nor " + name + ".gz in " + folder);
}

void expect(const std::string& path, const Tensor& t, int rank, const char* what) {
  if (t.dtype() != u8 || t.shape().rank() != rank)
    throw Error(path + " holds " + to_string(t.type()) + ", but " + what);
}

Dataset load_part(const std::string& folder, const std::string& part, const MnistOptions& options, Mnist& sizes) {
  const std::string image_path = find(folder, part + "-images-idx3-ubyte");
  const std::string label_path = find(folder, part + "-labels-idx1-ubyte");
  const Tensor images = load_idx(image_path), labels = load_idx(label_path);
  expect(image_path, images, 3, "images are u8[n, rows, columns]");
  expect(label_path, labels, 1, "labels are u8[n]");
  const std::int64_t n = images.shape()[0];
  if (labels.shape()[0] != n)
    throw Error(label_path + " has " + std::to_string(labels.shape()[0]) + " labels, but " + image_path + " has " +
                std::to_string(n) + " images");
  sizes.rows = images.shape()[1];
  sizes.columns = images.shape()[2];

  const Shape images_or_rows =
      options.images ? Shape{n, sizes.rows, sizes.columns, 1} : Shape{n, sizes.rows * sizes.columns};
  Tensor x({f32, images_or_rows}), label({i64, {n}});
  const std::span<const std::uint8_t> pixels = images.span<std::uint8_t>(), digits = labels.span<std::uint8_t>();
  for (std::size_t i = 0; i < pixels.size(); ++i) x.data<float>()[i] = static_cast<float>(pixels[i]) / 255.0f;
  for (std::size_t i = 0; i < digits.size(); ++i) label.data<std::int64_t>()[i] = digits[i];
  return {{"x", x}, {"label", label}};
}

}  // namespace

Mnist load_mnist(const std::string& folder, const MnistOptions& options) {
  Mnist set, test_sizes;
  internal::with_own_errors("cannot read the images in", folder, [&] {
    set.train = load_part(folder, "train", options, set);
    set.test = load_part(folder, "t10k", options, test_sizes);
  });
  if (set.rows != test_sizes.rows || set.columns != test_sizes.columns)
    throw Error("the images to train on and to test with in " + folder + " differ in size");
  return set;
}

}  // namespace oxbow
