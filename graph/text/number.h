// Numbers, tensors and strings as characters, exactly: what the printer and the parser of graphs share.
// Part of graph/text's implementation. Pure functions.
#pragma once

#include <oxbow/graph/tensor.h>

#include <optional>
#include <string>
#include <string_view>

namespace oxbow::internal::text {

/// A tensor up to this many elements is written as a list.
inline constexpr std::int64_t listed_elements = 16;
/// Appends the shortest text that reads back to the same bits: "3", "0.1", "-0.0", "1e+30", "inf", "nan". A NaN that is
/// not the usual one shows its bits: "nan(0x7fc00001)".
template <Element T>
void append_number(std::string& out, T v);

/// Reads one element of the dtype from `text` (as lexed: no blanks). Floats also read integers. None when it is not one
/// or does not fit.
template <Element T>
std::optional<T> read_number(std::string_view text);

/// Appends `text` in quotes, with escapes for quotes, backslashes and all that a message does not show as it is either
/// (graph/support/utf8.h): control characters, what turns the direction of writing, bytes that are no UTF-8.
void append_quoted(std::string& out, std::string_view text);

/// A letter or underscore, then letters, digits and underscores: needs no quotes.
bool is_word(std::string_view text);

void append_base64(std::string& out, const std::byte* bytes, std::size_t size);
/// Decodes into exactly `size` bytes; false when `text` is not base64 of as many.
bool read_base64(std::string_view text, std::byte* bytes, std::size_t size);

/// Appends "tensor f32[2] [0.5, 1.0]", or with `splat 0.0` or `base64 "..."` for the elements.
void append_tensor(std::string& out, const Tensor& t);

}  // namespace oxbow::internal::text
