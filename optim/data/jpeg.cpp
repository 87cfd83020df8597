// libjpeg-turbo by its classic interface. It tells errors by longjmp: the two functions that it may jump back into have
// no C++ object of their own, and between them and the jump there are the library's frames alone.
#include <oxbow/graph/error.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/optim/data/image_bytes.h>

#include <csetjmp>
// clang-format off: jpeglib.h takes what stands before it
#include <jerror.h>
#include <jpeglib.h>

#include <cstdio>
// clang-format on
#include <cstring>

namespace oxbow::optim::internal {
using namespace oxbow::internal;

namespace {

struct JpegReader {
  jpeg_decompress_struct info = {};
  jpeg_error_mgr errors = {};
  jpeg_progress_mgr progress = {};
  std::jmp_buf back = {};
  char said[JMSG_LENGTH_MAX] = {};

  JpegReader() = default;
  ~JpegReader() { jpeg_destroy_decompress(&info); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
};

JpegReader& reader_of(j_common_ptr common) { return *static_cast<JpegReader*>(common->client_data); }

void on_jpeg_error(j_common_ptr common) {
  JpegReader& reader = reader_of(common);
  (*common->err->format_message)(common, reader.said);
  std::longjmp(reader.back, 1);
}

// What is made up where data are missing is an error to us; other warnings, a stray byte between markers, are not.
void on_jpeg_message(j_common_ptr common, int level) {
  const int code = common->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) on_jpeg_error(common);
}

// Each pass over a progressive picture takes time, and hardly a byte.
void on_jpeg_progress(j_common_ptr common) {
  if (reinterpret_cast<j_decompress_ptr>(common)->input_scan_number <= limits::image_passes) return;
  JpegReader& reader = reader_of(common);
  std::snprintf(reader.said, sizeof reader.said, "it has more than %d passes", limits::image_passes);
  std::longjmp(reader.back, 1);
}

bool jpeg_begin(JpegReader& reader, const char* bytes, std::size_t size) {
  jpeg_decompress_struct& info = reader.info;
  info.err = jpeg_std_error(&reader.errors);
  info.client_data = &reader;
  reader.errors.error_exit = on_jpeg_error;
  reader.errors.emit_message = on_jpeg_message;
  reader.progress.progress_monitor = on_jpeg_progress;
  if (setjmp(reader.back) != 0) return false;
  jpeg_create_decompress(&info);  // which keeps `err` and `client_data`
  info.progress = &reader.progress;
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes), size);
  jpeg_read_header(&info, TRUE);
  info.out_color_space = info.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  return true;
}

bool jpeg_read(JpegReader& reader, std::uint8_t* to, std::size_t row_bytes) {
  if (setjmp(reader.back) != 0) return false;
  jpeg_start_decompress(&reader.info);
  while (reader.info.output_scanline < reader.info.output_height) {
    JSAMPROW row = to + reader.info.output_scanline * row_bytes;
    jpeg_read_scanlines(&reader.info, &row, 1);
  }
  jpeg_finish_decompress(&reader.info);
  return true;
}

}  // namespace

bool is_jpeg(std::string_view bytes) { return bytes.starts_with("\xff\xd8\xff"); }

Pixels decode_jpeg(std::string_view bytes) {
  JpegReader reader;
  const auto fail = [&] { throw Error("its data are damaged (" + escaped(reader.said) + "). Copy it again"); };
  if (!jpeg_begin(reader, bytes.data(), bytes.size())) fail();
  const J_COLOR_SPACE space = reader.info.jpeg_color_space;
  if (space == JCS_CMYK || space == JCS_YCCK)
    throw Error("its colours are CMYK, for printing. Convert it to RGB first");
  Pixels pixels = pixels_for(reader.info.image_height, reader.info.image_width,
                             reader.info.out_color_space == JCS_GRAYSCALE ? 1 : 3, bytes.size());
  if (!jpeg_read(reader, pixels.bytes.data(), static_cast<std::size_t>(pixels.width * pixels.channels))) fail();
  return pixels;
}

}  // namespace oxbow::optim::internal
