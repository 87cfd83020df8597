#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/graph/text/number.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

namespace oxbow::internal::text {
namespace {

constexpr std::string_view digits64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

template <class T>
using Bits = dtypes::Word<sizeof(T)>;

template <class T>
constexpr bool is_half = std::is_same_v<T, float16> || std::is_same_v<T, bfloat16>;

template <class T>
T usual_nan() {
  return std::numeric_limits<T>::quiet_NaN();
}

template <class... Format>
void append_chars(std::string& out, Format... format) {
  char buffer[64];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, format...).ptr);
}

template <class T, class... Format>
std::optional<T> read_chars(std::string_view text, Format... format) {
  T v{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v, format...);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return v;
}

// A finite number's shortest digits that read back as it: those of the double that they are nearest to.
template <class T>
double shortest(T v) {
  const double exact = static_cast<double>(v);
  for (int digits = 0; digits < std::numeric_limits<T>::max_digits10; ++digits) {
    std::string text;
    append_chars(text, exact, std::chars_format::scientific, digits);
    const double d = *read_chars<double>(text);
    if (std::bit_cast<Bits<T>>(T(d)) == std::bit_cast<Bits<T>>(v)) return d;
  }
  return exact;
}

bool all_equal(const std::byte* bytes, std::size_t count, std::size_t size) {
  // Each element equals the next one: one comparison of the array with itself, one element on.
  return count < 2 || std::memcmp(bytes, bytes + size, (count - 1) * size) == 0;
}

}  // namespace

template <Element T>
void append_number(std::string& out, T v) {
  if constexpr (std::is_same_v<T, bool>) {
    out += v ? "true" : "false";
  } else if constexpr (std::is_integral_v<T>) {
    append_chars(out, v);
  } else if (v != v) {
    out += "nan";
    const auto bits = std::bit_cast<Bits<T>>(v);
    if (bits == std::bit_cast<Bits<T>>(usual_nan<T>())) return;
    out += "(0x";
    append_chars(out, bits, 16);
    out += ")";
  } else {
    const std::size_t first = out.size();
    if constexpr (is_half<T>)
      append_chars(out, shortest(v));
    else
      append_chars(out, v);
    // A real number always looks like one.
    if (std::string_view(out).substr(first).find_first_of(".en") == std::string_view::npos) out += ".0";
  }
}

template <Element T>
std::optional<T> read_number(std::string_view text) {
  if constexpr (std::is_same_v<T, bool>) {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
  } else if constexpr (std::is_integral_v<T>) {
    return read_chars<T>(text);
  } else {
    if (text == "inf") return std::numeric_limits<T>::infinity();
    if (text == "-inf") return T(-std::numeric_limits<T>::infinity());
    if (text == "nan") return usual_nan<T>();
    if (text.starts_with("nan(0x") && text.ends_with(")")) {
      const auto bits = read_chars<Bits<T>>(text.substr(6, text.size() - 7), 16);
      if (!bits || std::bit_cast<T>(*bits) == std::bit_cast<T>(*bits)) return std::nullopt;
      return std::bit_cast<T>(*bits);
    }
    const std::size_t first = text.starts_with('-') ? 1 : 0;
    if (first >= text.size() || text[first] < '0' || text[first] > '9') return std::nullopt;
    if constexpr (is_half<T>) {
      const std::optional<double> exact = read_chars<double>(text);
      if (!exact) return std::nullopt;
      const T v(*exact);  // neither infinite nor 0 unless the text is
      return std::isfinite(static_cast<double>(v)) && (v != 0 || *exact == 0) ? std::optional(v) : std::nullopt;
    } else {
      return read_chars<T>(text);
    }
  }
}

template void append_number(std::string&, float);
template void append_number(std::string&, double);
template void append_number(std::string&, float16);
template void append_number(std::string&, bfloat16);
template void append_number(std::string&, std::int8_t);
template void append_number(std::string&, std::int16_t);
template void append_number(std::string&, std::int32_t);
template void append_number(std::string&, std::int64_t);
template void append_number(std::string&, std::uint8_t);
template void append_number(std::string&, std::uint16_t);
template void append_number(std::string&, std::uint32_t);
template void append_number(std::string&, std::uint64_t);
template void append_number(std::string&, bool);
template std::optional<float> read_number(std::string_view);
template std::optional<double> read_number(std::string_view);
template std::optional<float16> read_number(std::string_view);
template std::optional<bfloat16> read_number(std::string_view);
template std::optional<std::int8_t> read_number(std::string_view);
template std::optional<std::int16_t> read_number(std::string_view);
template std::optional<std::int32_t> read_number(std::string_view);
template std::optional<std::int64_t> read_number(std::string_view);
template std::optional<std::uint8_t> read_number(std::string_view);
template std::optional<std::uint16_t> read_number(std::string_view);
template std::optional<std::uint32_t> read_number(std::string_view);
template std::optional<std::uint64_t> read_number(std::string_view);
template std::optional<bool> read_number(std::string_view);

void append_quoted(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const Utf8Character character = utf8_at(text, i);
    const std::string_view bytes = text.substr(i, character.length);
    i += bytes.size();
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (shown_as_is(character)) {
      out += bytes;
    } else {
      for (const char b : bytes) {
        const auto byte = static_cast<unsigned char>(b);
        out += "\\x";
        out += hex[byte >> 4];
        out += hex[byte & 15];
      }
    }
  }
  out += '"';
}

bool is_word(std::string_view text) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && letter(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

void append_base64(std::string& out, const std::byte* bytes, std::size_t size) {
  out.reserve(out.size() + (size + 2) / 3 * 4);
  for (std::size_t i = 0; i < size; i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8 | (i + k < size ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += i + k <= size ? digits64[three >> (18 - 6 * k) & 63] : '=';
  }
}

bool read_base64(std::string_view text, std::byte* bytes, std::size_t size) {
  if (text.size() != (size + 2) / 3 * 4) return false;
  std::array<std::uint8_t, 256> value;
  value.fill(64);
  for (std::size_t i = 0; i < digits64.size(); ++i)
    value[static_cast<unsigned char>(digits64[i])] = static_cast<std::uint8_t>(i);
  for (std::size_t i = 0, at = 0; i < size; i += 3, at += 4) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const bool padding = i + k > size;
      const std::uint8_t digit = value[static_cast<unsigned char>(text[at + k])];
      if (padding ? text[at + k] != '=' : digit == 64) return false;
      three = three << 6 | (padding ? 0u : digit);
    }
    for (std::size_t k = 0; k < 3 && i + k < size; ++k)
      bytes[i + k] = static_cast<std::byte>(three >> (16 - 8 * k) & 255);
    const std::size_t left = size - i;
    if (left < 3 && (three & (left == 1 ? 0xFFFFu : 0xFFu)) != 0) return false;  // bits that no byte takes are zeros
  }
  return true;
}

void append_tensor(std::string& out, const Tensor& t) {
  const Type& type = t.type();
  const auto count = static_cast<std::size_t>(type.stored()), size = static_cast<std::size_t>(size_of(type.dtype));
  invariant(count == 0 || t.bytes() != nullptr, "a tensor without bytes is printed");
  out += "tensor " + to_string(type);
  const bool odd_bool = type.dtype == boolean && std::any_of(t.bytes(), t.bytes() + count,
                                                             [](std::byte b) { return std::to_integer<int>(b) > 1; });
  const bool splat = count > 4 && type.bytes() <= limits::splat_bytes && all_equal(t.bytes(), count, size);
  if (odd_bool || (!splat && count > static_cast<std::size_t>(listed_elements))) {
    out += " base64 \"";
    append_base64(out, t.bytes(), count * size);
    out += '"';
    return;
  }
  dispatch(type.dtype, [&]<class T>(std::type_identity<T>) {
    const T* v = t.data<T>();
    if (splat) {
      out += " splat ";
      append_number(out, v[0]);
      return;
    }
    out += " [";
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out += ", ";
      append_number(out, v[i]);
    }
    out += ']';
  });
}

}  // namespace oxbow::internal::text
