// Characters of texts that come from elsewhere: names, scopes, files. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace oxbow::internal {

/// One character of UTF-8. Where the bytes are none (cut short, longer than needed, a surrogate, beyond U+10FFFF),
/// `valid` is false, `length` is 1 and `point` is the byte.
struct Utf8Character {
  char32_t point;
  std::size_t length;
  bool valid;
};
Utf8Character utf8_at(std::string_view text, std::size_t at);

/// As a message shows a text that anybody may have written: what a terminal obeys is shown as an escape ("\n", "\x1b",
/// "\u009b"), and so does what turns the direction of writing around ("\u202e") and what is no UTF-8 ("\xff"). The
/// characters in `kept` stay. A text that is shown twice is the same.
std::string escaped(std::string_view text, std::string_view kept = {});

/// Whether `escaped` leaves a character as it is.
bool shown_as_is(Utf8Character c);

/// As much of a text, escaped, as a message shows: all of it up to `most` bytes, else so many of its beginning and its
/// end with "..." between them. Cut between characters, and between escapes.
std::string shown(std::string_view text, std::size_t most, std::string_view kept = {});

}  // namespace oxbow::internal
