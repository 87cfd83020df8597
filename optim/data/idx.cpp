#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/optim/data/idx_format.h>
#include <oxbow/optim/idx.h>
#include <oxbow/runtime/files/input_file.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <vector>

namespace oxbow {
using namespace internal;
using namespace optim::internal;

namespace {

// A file, inflated while it is read if it is gzipped; every complaint names it. It reads by calls of our own: zlib's
// (gzread) loses bytes where a signal interrupts one.
class Reader {
 public:
  explicit Reader(const std::string& path) : file_(path), packed_(1 << 18) {
    stream_.next_in = packed_.data();
    refill();
    gzipped_ = begins_member();
    if (gzipped_ && inflateInit2(&stream_, 16 + MAX_WBITS) != Z_OK) throw std::bad_alloc();  // 16: gzip's format alone
  }
  ~Reader() {
    if (gzipped_) inflateEnd(&stream_);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  [[noreturn]] void fail(const std::string& what) const {
    throw Error(file_.path() + " is not a valid IDX file: " + what);
  }

  // Before so many bytes are read: a small file can unpack to more than a disk holds.
  void check_unpacked(std::int64_t bytes) const {
    if (!gzipped_ || bytes <= limits::unpacked_bytes || bytes / limits::unpacked_times <= file_.size()) return;
    fail("it would unpack to " + std::to_string(bytes) + " bytes, more than " + std::to_string(limits::unpacked_times) +
         " times its own " + std::to_string(file_.size()) + ". If that is meant, unpack it with gunzip first");
  }

  // How many of `count` bytes there were.
  std::int64_t read(std::byte* to, std::int64_t count) {
    std::int64_t done = 0;
    while (done < count && !ended_)
      done += gzipped_ ? inflated(to + done, count - done) : copied(to + done, count - done);
    return done;
  }

 private:
  // Behind what is left of the packed bytes, as many more as there is room for.
  void refill() {
    const auto left = stream_.avail_in;
    std::memmove(packed_.data(), stream_.next_in, left);
    const std::int64_t more = std::min(std::ssize(packed_) - left, file_.size() - at_);
    file_.read(at_, packed_.data() + left, more);
    at_ += more;
    stream_.next_in = packed_.data();
    stream_.avail_in = left + static_cast<uInt>(more);
  }
  bool begins_member() const {
    return stream_.avail_in >= 2 && stream_.next_in[0] == 0x1f && stream_.next_in[1] == 0x8b;
  }

  // Some of `count` bytes.
  std::int64_t copied(std::byte* to, std::int64_t count) {
    if (stream_.avail_in == 0) refill();
    const auto some = static_cast<uInt>(std::min<std::int64_t>(count, stream_.avail_in));
    std::memcpy(to, stream_.next_in, some);
    stream_.next_in += some;
    stream_.avail_in -= some;
    ended_ = some == 0;
    return some;
  }
  std::int64_t inflated(std::byte* to, std::int64_t count) {
    if (stream_.avail_in == 0) refill();
    const auto room = static_cast<uInt>(std::min<std::int64_t>(count, 1 << 30));  // zlib counts in 32 bits
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = room;
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code == Z_MEM_ERROR) throw std::bad_alloc();
    if (code == Z_BUF_ERROR) fail("its compressed data end too early. It was cut short: copy it again");
    if (code != Z_OK && code != Z_STREAM_END)
      fail("its compressed data are corrupt (" + std::string(stream_.msg ? stream_.msg : "a dictionary is needed") +
           "). Copy it again");
    if (code == Z_STREAM_END) {  // another member may follow; what is none is left, as gunzip does
      if (stream_.avail_in < 2) refill();
      ended_ = !begins_member();
      inflateReset(&stream_);
    }
    return room - stream_.avail_out;
  }

  InputFile file_;
  std::vector<Bytef> packed_;
  std::int64_t at_ = 0;  // of the file: behind what is in `packed_`
  z_stream stream_{};
  bool gzipped_ = false, ended_ = false;
};

std::uint32_t big_endian(const std::byte* b) {
  return std::uint32_t(b[0]) << 24 | std::uint32_t(b[1]) << 16 | std::uint32_t(b[2]) << 8 | std::uint32_t(b[3]);
}

// What an element is in the file and what it becomes.
struct Kind {
  int code;
  std::int64_t bytes;
  DType dtype;
};
constexpr Kind kinds[] = {{0x08, 1, u8},  {0x09, 1, i32}, {0x0B, 2, i32},
                          {0x0C, 4, i32}, {0x0D, 4, f32}, {0x0E, 8, f64}};

Tensor load(const std::string& path) {
  Reader file(path);
  IdxHead head;
  try {
    head = read_idx_head([&](std::byte* to, std::int64_t count) { return file.read(to, count); });
  } catch (const NotIdx& e) {
    file.fail(e.what());
  }
  const Type& type = head.type;

  // Read in pieces, so that a corrupt size cannot ask for more memory than the file fills.
  const std::int64_t expected = type.count() * head.element;
  file.check_unpacked(expected);
  constexpr std::int64_t piece = 1 << 24;
  std::vector<std::byte> raw;
  while (static_cast<std::int64_t>(raw.size()) < expected) {
    const auto have = static_cast<std::int64_t>(raw.size());
    const std::int64_t want = std::min(piece, expected - have);
    raw.resize(static_cast<std::size_t>(have + want));
    if (const std::int64_t got = file.read(raw.data() + have, want); got < want)
      file.fail("shape " + to_string(type.shape) + " takes " + std::to_string(expected) + " bytes, but only " +
                std::to_string(have + got) + " follow. It was cut short: copy it again");
  }
  std::byte more;
  if (file.read(&more, 1) > 0)
    file.fail("shape " + to_string(type.shape) + " takes " + std::to_string(expected) + " bytes, but more follow");

  Tensor tensor(type);
  convert_idx(head, raw.data(), tensor.count(), tensor.bytes());
  return tensor;
}

}  // namespace

IdxHead optim::internal::read_idx_head(const std::function<std::int64_t(std::byte* to, std::int64_t count)>& read) {
  std::byte magic[4];
  if (const std::int64_t got = read(magic, 4); got < 4) throw NotIdx("it has only " + std::to_string(got) + " bytes");
  const int code = std::to_integer<int>(magic[2]), rank = std::to_integer<int>(magic[3]);
  const auto kind = std::find_if(std::begin(kinds), std::end(kinds), [code](const Kind& k) { return k.code == code; });
  if (magic[0] != std::byte{0} || magic[1] != std::byte{0} || kind == std::end(kinds)) {
    constexpr char digits[] = "0123456789abcdef";
    std::string hex;
    for (const std::byte b : magic)
      hex += {' ', digits[std::to_integer<int>(b >> 4)], digits[std::to_integer<int>(b & std::byte{15})]};
    throw NotIdx("it begins with" + hex + ", not with two zeros and the code of an element type");
  }
  if (rank > Shape::max_rank) throw NotIdx("it has " + std::to_string(rank) + " axes, but at most 8 are possible");
  std::vector<std::int64_t> sizes;
  for (int axis = 0; axis < rank; ++axis) {
    std::byte size[4];
    if (read(size, 4) < 4) throw NotIdx("it ends before the size of axis " + std::to_string(axis));
    sizes.push_back(big_endian(size));
  }
  try {
    return {{kind->dtype, Shape(sizes)}, kind->bytes, 4 + 4 * rank};
  } catch (const Error& e) {
    throw NotIdx(e.what());
  }
}

void optim::internal::convert_idx(const IdxHead& head, std::byte* raw, std::int64_t count, std::byte* to) {
  for (std::int64_t i = 0; i < count; ++i) std::reverse(raw + i * head.element, raw + (i + 1) * head.element);
  const std::int64_t size = size_of(head.type.dtype);
  if (head.element == size) {
    std::copy_n(raw, count * size, to);
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) {  // to i32
    std::int16_t narrow = static_cast<std::int8_t>(raw[i * head.element]);
    if (head.element == 2) std::memcpy(&narrow, raw + 2 * i, sizeof narrow);
    const std::int32_t value = narrow;
    std::memcpy(to + 4 * i, &value, sizeof value);
  }
}

Tensor load_idx(const std::string& path) {
  return with_own_errors("cannot read", path, [&] { return load(path); });
}

}  // namespace oxbow
