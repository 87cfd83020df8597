#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/optim/data/npy_format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <vector>

namespace oxbow::optim::internal {
using namespace oxbow::internal;

namespace {

static_assert(std::endian::native == std::endian::little);
constexpr std::string_view npy_magic("\x93NUMPY", 6);
constexpr std::int64_t npy_alignment = 64;

// NumPy's name of a dtype without its byte order.
struct NumpyType {
  std::string_view name;
  DType dtype;
};
constexpr NumpyType numpy_types[] = {{"f4", f32}, {"f8", f64}, {"f2", f16}, {"i1", i8},  {"i2", i16}, {"i4", i32},
                                     {"i8", i64}, {"u1", u8},  {"u2", u16}, {"u4", u32}, {"u8", u64}, {"b1", boolean}};

// The header is a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }. Its keys may come in
// any order, each once.
class NpyHeaderReader {
 public:
  explicit NpyHeaderReader(std::string_view text) : text_(text) {}

  NpyHead read() {
    NpyHead header;
    std::string_view seen[3];
    int count = 0;
    expect('{');
    while (!next_is('}')) {
      const std::string_view key = quoted_text();
      expect(':');
      if (count == 3 || std::find(seen, seen + count, key) != seen + count) fail();
      seen[count++] = key;
      if (key == "descr")
        read_type(header);
      else if (key == "fortran_order")
        header.fortran = read_bool();
      else if (key == "shape")
        read_shape();
      else
        fail();
      if (!next_is(',')) {
        expect('}');
        break;
      }
    }
    blanks();
    if (at_ != text_.size() || count != 3) fail();
    header.type.shape = Shape(sizes_);
    return header;
  }

 private:
  [[noreturn]] void fail() const {
    throw NotNpy("its header is not {'descr': ..., 'fortran_order': ..., 'shape': ...}, but " +
                 in_quotes(text_.substr(0, limits::shown_name)));
  }
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool next_is(char c) {
    blanks();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!next_is(c)) fail();
  }
  std::string_view quoted_text() {
    const char quote = next_is('\'') ? '\'' : '"';
    if (quote == '"') expect('"');
    const std::size_t end = text_.find(quote, at_);
    if (end == std::string_view::npos) fail();
    const std::string_view inner = text_.substr(at_, end - at_);
    at_ = end + 1;
    return inner;
  }
  bool read_bool() {
    blanks();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}})
      if (text_.substr(at_).starts_with(word)) {
        at_ += word.size();
        return value;
      }
    fail();
  }
  void read_type(NpyHead& header) {
    blanks();
    if (at_ < text_.size() && text_[at_] == '[')
      throw NotNpy("its elements are records of several fields. Save each field by itself");
    const std::string_view name = quoted_text();
    const auto found = std::find_if(std::begin(numpy_types), std::end(numpy_types),
                                    [&](const NumpyType& t) { return !name.empty() && t.name == name.substr(1); });
    if (found == std::end(numpy_types) || std::string_view("<>|=").find(name[0]) == std::string_view::npos)
      throw NotNpy("its elements are " + in_quotes(name) +
                   " to NumPy, not numbers that a tensor holds. Convert them by astype(numpy.float32), say");
    header.type.dtype = found->dtype;
    header.swapped = name[0] == '>';
  }
  void read_shape() {
    expect('(');
    while (!next_is(')')) {
      blanks();
      std::int64_t size = 0;
      const char* begin = text_.data() + at_;
      const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), size);
      if (error != std::errc() || size < 0) fail();
      at_ += static_cast<std::size_t>(end - begin);
      if (sizes_.size() == Shape::max_rank)
        throw NotNpy("it has more than " + std::to_string(Shape::max_rank) + " axes");
      sizes_.push_back(size);
      if (!next_is(',')) {
        expect(')');
        break;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<std::int64_t> sizes_;
};

// The first axis first in memory to the last one first.
void to_rows_first(const Tensor& from, Tensor& to) {
  const Shape& shape = from.shape();
  const auto bytes = static_cast<std::size_t>(size_of(from.dtype()));
  std::vector<std::int64_t> index(static_cast<std::size_t>(shape.rank())), step(index.size());
  std::int64_t steps = 1, at = 0;
  for (std::size_t axis = 0; axis < step.size(); ++axis) {
    step[axis] = steps;
    steps *= shape[static_cast<int>(axis)];
  }
  for (std::int64_t i = 0; i < from.count(); ++i) {
    std::memcpy(to.bytes() + static_cast<std::size_t>(i) * bytes, from.bytes() + static_cast<std::size_t>(at) * bytes,
                bytes);
    for (std::size_t axis = index.size(); axis-- > 0;) {
      at += step[axis];
      if (++index[axis] < shape[static_cast<int>(axis)]) break;
      at -= step[axis] * index[axis];
      index[axis] = 0;
    }
  }
}

}  // namespace

NpyHead read_npy_head(std::int64_t size, const ReadBytes& read) {
  unsigned char start[12] = {};
  if (size < 10) throw NotNpy("it has only " + std::to_string(size) + " bytes");
  read(start, 10);
  if (std::memcmp(start, npy_magic.data(), npy_magic.size()) != 0)
    throw NotNpy("it does not begin with \"\\x93NUMPY\"");
  const int version = start[6];
  if (version < 1 || version > 3)
    throw NotNpy("it is of version " + std::to_string(version) + ". Versions 1 to 3 are read");
  const std::int64_t head = version == 1 ? 10 : 12;
  if (version > 1 && size >= head) read(start + 10, 2);
  std::uint32_t length = start[8] | static_cast<std::uint32_t>(start[9]) << 8;
  if (version > 1) length |= static_cast<std::uint32_t>(start[10]) << 16 | static_cast<std::uint32_t>(start[11]) << 24;
  if (length > limits::npy_header_bytes || head + length > size)
    throw NotNpy("its header should have " + std::to_string(length) +
                 " bytes. It was cut short or damaged: copy it again");
  std::string text(length, '\0');
  read(text.data(), length);
  NpyHead header;
  try {
    header = NpyHeaderReader(text).read();
  } catch (const Error& e) {
    throw NotNpy(e.what());  // a shape that none is
  }
  header.bytes = head + length;
  if (const std::int64_t bytes = header.type.bytes(), there = size - header.bytes; bytes != there)
    throw NotNpy(to_string(header.type) + " takes " + std::to_string(bytes) + " bytes, but " + std::to_string(there) +
                 " follow its header. It was cut short or damaged: copy it again");
  return header;
}

Tensor read_npy(std::int64_t size, const ReadBytes& read) {
  const NpyHead header = read_npy_head(size, read);
  Tensor tensor(header.type);
  const std::int64_t bytes = header.type.bytes(), width = size_of(header.type.dtype);
  read(tensor.bytes(), bytes);
  for (std::int64_t i = 0; header.swapped && i < bytes; i += width)
    std::reverse(tensor.bytes() + i, tensor.bytes() + i + width);
  if (header.type.dtype == boolean &&
      std::any_of(tensor.bytes(), tensor.bytes() + bytes, [](std::byte b) { return b > std::byte{1}; }))
    throw NotNpy("its elements are bool, but have bytes other than 0 and 1");
  if (!header.fortran || header.type.shape.rank() < 2) return tensor;
  Tensor rows_first(header.type);
  to_rows_first(tensor, rows_first);
  return rows_first;
}

std::string npy_head(const Type& type) {
  const auto found = std::find_if(std::begin(numpy_types), std::end(numpy_types),
                                  [&](const NumpyType& t) { return t.dtype == type.dtype; });
  if (found == std::end(numpy_types))
    throw NotNpy("NumPy has no " + std::string(name(type.dtype)) + ". Cast to f32 first");
  invariant(type.layout.plain(), "a packed tensor is saved");
  std::string shape;
  for (int axis = 0; axis < type.shape.rank(); ++axis)
    shape += std::to_string(type.shape[axis]) + (axis == 0 || axis + 1 < type.shape.rank() ? ", " : "");
  std::string text = "{'descr': '" + std::string(size_of(type.dtype) == 1 ? "|" : "<") + std::string(found->name) +
                     "', 'fortran_order': False, 'shape': (" + shape + "), }";
  const std::size_t head = npy_magic.size() + 4;
  text.append(npy_alignment - 1 - (head + text.size()) % npy_alignment, ' ');
  text += '\n';
  const char version_and_length[] = {1, 0, static_cast<char>(text.size()), static_cast<char>(text.size() >> 8)};
  return std::string(npy_magic) + std::string(version_and_length, sizeof version_and_length) + text;
}

}  // namespace oxbow::optim::internal
