// libpng's simplified interface: its errors come back as a text, not by longjmp.
#include <oxbow/graph/error.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/optim/data/image_bytes.h>
#include <png.h>

namespace oxbow::optim::internal {

bool is_png(std::string_view bytes) { return bytes.starts_with("\x89PNG\r\n\x1a\n"); }

Pixels decode_png(std::string_view bytes) {
  struct Image : png_image {
    Image() : png_image{} { version = PNG_IMAGE_VERSION; }
    ~Image() { png_image_free(this); }
    Image(const Image&) = delete;
    Image& operator=(const Image&) = delete;
    [[noreturn]] void fail() const {
      throw Error("its data are damaged (" + oxbow::internal::escaped(message) + "). Copy it again");
    }
  } image;
  if (png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()) == 0) image.fail();
  image.format &= PNG_FORMAT_FLAG_COLOR | PNG_FORMAT_FLAG_ALPHA;  // 8 bits each, and no palette
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;                       // 16 bits are shades, as 8 bits are
  Pixels pixels = pixels_for(image.height, image.width, PNG_IMAGE_SAMPLE_CHANNELS(image.format), bytes.size());
  if (png_image_finish_read(&image, nullptr, pixels.bytes.data(), 0, nullptr) == 0) image.fail();
  return pixels;
}

}  // namespace oxbow::optim::internal
