#include <oxbow/graph/support/utf8.h>

#include <algorithm>

namespace oxbow::internal {
namespace {

// Marks, embeddings, overrides and isolates of the bidirectional algorithm (Unicode Annex 9): a name with one in it can
// make the rest of the line read as something else.
bool turns_direction(char32_t point) {
  return point == 0x61c || point == 0x200e || point == 0x200f || (point >= 0x202a && point <= 0x202e) ||
         (point >= 0x2066 && point <= 0x2069);
}

bool breaks_line(char32_t point) { return point == 0x2028 || point == 0x2029; }

void append_hex(std::string& out, char32_t point, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += "0123456789abcdef"[point >> shift & 15];
}

// Of a text that was escaped: the bytes of the escape or character that begins at `at`.
std::size_t unit_length(std::string_view text, std::size_t at) {
  if (text[at] != '\\') return utf8_at(text, at).length;
  const char kind = at + 1 < text.size() ? text[at + 1] : ' ';
  const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : 0;
  const bool is_escape = kind == 'n' || kind == 't' || digits > 0;
  const std::string_view follow = text.substr(at).substr(0, 2 + digits);
  const bool whole =
      follow.size() == 2 + digits && follow.substr(2).find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return is_escape && whole ? follow.size() : 1;
}

}  // namespace

Utf8Character utf8_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t k) { return at + k < text.size() ? static_cast<unsigned char>(text[at + k]) : 0u; };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  char32_t point = lead & (0x7fu >> length);
  bool valid = lead >= 0xc2 && lead <= 0xf4;
  for (std::size_t k = 1; k < length; ++k) {
    valid = valid && (byte(k) & 0xc0) == 0x80;
    point = point << 6 | (byte(k) & 0x3f);
  }
  const char32_t least = length == 2 ? 0x80 : length == 3 ? 0x800 : 0x10000;
  valid = valid && point >= least && point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
  return valid ? Utf8Character{point, length, true} : Utf8Character{lead, 1, false};
}

bool shown_as_is(Utf8Character c) {
  const bool obeyed = c.point < 0x20 || (c.point >= 0x7f && c.point < 0xa0);
  return c.valid && !obeyed && !turns_direction(c.point) && !breaks_line(c.point);
}

std::string escaped(std::string_view text, std::string_view kept) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto [point, length, valid] = utf8_at(text, i);
    if (shown_as_is({point, length, valid}) || (valid && length == 1 && kept.find(text[i]) != std::string_view::npos)) {
      out += text.substr(i, length);
    } else if (point == '\n' || point == '\t') {
      out += point == '\n' ? "\\n" : "\\t";
    } else {
      out += length == 1 ? "\\x" : "\\u";
      append_hex(out, point, length == 1 ? 2 : 4);
    }
    i += length;
  }
  return out;
}

std::string shown(std::string_view text, std::size_t most, std::string_view kept) {
  constexpr std::string_view gap = "...";
  // Escapes make no text shorter: of a long one, `most` bytes of each end are more than is shown.
  const std::string whole = text.size() > 2 * most
                                ? escaped(text.substr(0, most), kept) + escaped(text.substr(text.size() - most), kept)
                                : escaped(text, kept);
  if (whole.size() <= most) return whole;
  const std::size_t room = most - std::min(most, gap.size());
  const std::size_t head_ends = room - room / 3, tail_begins = whole.size() - room / 3;
  std::size_t head = 0, tail = 0;
  for (std::size_t i = 0; tail < tail_begins; i = tail) {
    if (i <= head_ends) head = i;
    tail = i + unit_length(whole, i);
  }
  return whole.substr(0, head).append(gap).append(whole, std::min(tail, whole.size()));
}

}  // namespace oxbow::internal
