// Pictures from PNG and JPEG files: one, or a folder with a subfolder for each class, decoded when they are asked for.
// And random changes to them, to train on.
//
//   const ImageFolder flowers = image_folder("flowers", {.height = 64, .width = 64});  // flowers/rose/1.jpg, ...
//   const auto [train, test] = flowers.data.split(0.2, {.stratify = "label"});
//   Value x = input(g, "x", u8, {any(32), 64, 64, 3}), label = input(g, "label", i64, {any(32)});
//   Value h = net(cast(x, f32) / 255.0);
//   model.fit(train.map("x", augment({.flip = true, .shift = 4})), {.epochs = 10, .workers = 2, .validation = test});
//
// Decoding is libpng's and libjpeg-turbo's. Thread safety: functions without shared state.
#pragma once

#include <oxbow/optim/dataset.h>

namespace oxbow {

/// What becomes of a picture.
struct ImageFormat {
  std::int64_t height = 0, width = 0;  ///< 0: as it is in the file. Else each pixel is a mean of those that it covers,
                                       ///< or between its neighbours: Pillow's BILINEAR
  std::int64_t channels = 3;           ///< 1: grey; 3: red, green, blue; 4: alpha too, 255 where there is none
  bool crop = false;  ///< cuts its middle to the height's and width's proportion first, instead of stretching it
};

/// A picture, u8[height, width, channels]. 16 bits a channel become 8; alpha is dropped unless asked for; how a camera
/// was held (EXIF) is not looked at. Throws `Error` that names the file and what is wrong: neither PNG nor JPEG,
/// damaged or cut short, of CMYK colours, too large (graph/support/limits.h), or a format that is none.
Tensor load_image(const std::string& path, const ImageFormat& format = {});
/// The same of bytes in memory, which messages call `name`.
Tensor decode_image(std::string_view bytes, const ImageFormat& format = {}, const std::string& name = "the picture");

/// Another size, as `ImageFormat` says: u8[height, width, channels].
Tensor resize_image(const Tensor& image, std::int64_t height, std::int64_t width);

struct ImageFolder {
  Dataset data;                      ///< "x" u8[n, height, width, channels], decoded in each epoch; "label" i64[n]
  std::vector<std::string> classes;  ///< the subfolders' names, sorted by their bytes: what a label stands for
  std::vector<std::string> paths;    ///< of each row
};

/// Pictures (.png, .jpg, .jpeg) of all subfolders, in the order of their paths. Without a height and a width all must
/// have the size of the first. `data.load()` keeps them in memory. Throws `Error` for a folder without subfolders, one
/// without pictures, and pictures in formats that are not read. Keras: image_dataset_from_directory; torchvision:
/// ImageFolder.
ImageFolder image_folder(const std::string& folder, const ImageFormat& format = {});

/// What `augment` does to a picture, each in its turn.
struct Augmentation {
  std::int64_t shift = 0;              ///< moved by up to so many pixels, down or up and across; what comes in is 0
  std::int64_t height = 0, width = 0;  ///< a part of this size, from anywhere; 0: all
  bool flip = false;                   ///< half of them left to right
  bool flip_vertical = false;          ///< half of them top to bottom
};
/// For `Dataset::map`: random changes to a row [height, width] or [height, width, channels] of any dtype, drawn from
/// the map's seed, the epoch and the row. Throws `Error` for negative numbers, and with the row for a part that is
/// larger than it.
RowFunction augment(const Augmentation& options);
/// For `Dataset::map`, to validate and test with: the middle of each picture.
RowFunction center_crop(std::int64_t height, std::int64_t width);

}  // namespace oxbow
