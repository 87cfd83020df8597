#include <oxbow/graph/text/lexer.h>
#include <oxbow/graph/text/number.h>

#include <algorithm>

namespace oxbow::internal::text {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// "'x'" for what prints, "the byte 0x07" for what does not.
std::string show(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte > 0x20 && byte < 0x7f) return std::string("'") + c + "'";
  constexpr std::string_view hex = "0123456789abcdef";
  return std::string("the byte 0x") + hex[byte >> 4] + hex[byte & 15];
}

std::string shortened(std::string_view text) {
  return text.size() <= 40 ? std::string(text) : std::string(text.substr(0, 37)) + "...";
}

std::string show(const Token& t) {
  switch (t.kind) {
    case Token::end:
      return "the end of the text";
    case Token::punctuation:
      return "'" + std::string(t.raw) + "'";
    case Token::string: {
      std::string quoted;
      append_quoted(quoted, shortened(t.value));
      return "the string " + quoted;
    }
    default:
      return "\"" + shortened(t.raw) + "\"";
  }
}

}  // namespace

Lexer::Lexer(std::string_view text, std::string_view file, std::size_t from) : text_(text), file_(file), at_(from) {
  line_ += static_cast<std::uint32_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(from), '\n'));
  next_ = read();
}

std::string Lexer::where(std::size_t offset) const {
  const std::string_view before = text_.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t start = before.find_last_of('\n') + 1;  // npos + 1 is 0
  // Columns count characters: bytes that do not continue an UTF-8 sequence.
  const auto column = std::count_if(before.begin() + static_cast<std::ptrdiff_t>(start), before.end(),
                                    [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }) +
                      1;
  return std::string(file_) + ":" + std::to_string(line) + ":" + std::to_string(column) + ": ";
}

void Lexer::fail(std::size_t offset, const std::string& problem) const { throw Error(where(offset) + problem); }

void Lexer::fail(const Token& at, const std::string& problem) const {
  fail(static_cast<std::size_t>(at.raw.data() - text_.data()), problem);
}

void Lexer::unexpected(std::string_view what) const {
  fail(next_, "expected " + std::string(what) + ", found " + show(next_));
}

Token Lexer::take() {
  Token taken = std::move(next_);
  next_ = read();
  return taken;
}

bool Lexer::next_is(char punctuation) const { return next_.kind == Token::punctuation && next_.raw[0] == punctuation; }
bool Lexer::next_is(std::string_view word) const { return next_.kind == Token::word && next_.raw == word; }

bool Lexer::accept(char punctuation) {
  if (!next_is(punctuation)) return false;
  take();
  return true;
}

bool Lexer::accept(std::string_view word) {
  if (!next_is(word)) return false;
  take();
  return true;
}

bool Lexer::accept_end() {
  if (!accept("end")) return false;
  if (next_.kind != Token::end) unexpected("nothing behind \"end\"");
  return true;
}

void Lexer::expect(char punctuation, std::string_view where) {
  if (!accept(punctuation)) unexpected(std::string("'") + punctuation + "' " + std::string(where));
}

Token Lexer::expect(Token::Kind kind, std::string_view what) {
  if (next_.kind != kind) unexpected(what);
  return take();
}

bool Lexer::claim(std::int64_t bytes, std::int64_t most) {
  if (bytes > most - claimed_) return false;
  claimed_ += bytes;
  return true;
}

void Lexer::skip_blanks() {
  for (; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '\n') {
      ++line_;
    } else if (text_.substr(at_).starts_with("//")) {
      at_ = std::min(text_.find('\n', at_), text_.size());
      --at_;
    } else if (c != ' ' && c != '\t' && c != '\r') {
      return;
    }
  }
}

// At an opening quote; afterwards behind the closing one.
std::string Lexer::read_string() {
  const std::size_t first = at_++;
  std::string value;
  while (true) {
    const std::size_t stop = text_.find_first_of("\"\\\n", at_);
    if (stop == std::string_view::npos || text_[stop] == '\n')
      fail(first, "this string has no closing '\"' on its line");
    value += text_.substr(at_, stop - at_);
    at_ = stop + 1;
    if (text_[stop] == '"') return value;
    const char c = at_ < text_.size() ? text_[at_++] : ' ';
    if (c == '"' || c == '\\') {
      value += c;
    } else if (c == 'n') {
      value += '\n';
    } else if (c == 't') {
      value += '\t';
    } else {
      const auto digit = [&](std::size_t i) {
        return i < text_.size() ? std::string_view("0123456789abcdef").find(text_[i]) : std::string_view::npos;
      };
      const std::size_t high = digit(at_), low = digit(at_ + 1);
      if (c != 'x' || high == std::string_view::npos || low == std::string_view::npos)
        fail(stop, "expected an escape: \\\", \\\\, \\n, \\t, or \\x with two of the digits 0-9 a-f");
      value += static_cast<char>(high * 16 + low);
      at_ += 2;
    }
  }
}

Token Lexer::read() {
  skip_blanks();
  Token t;
  t.line = line_;
  const std::size_t first = at_;
  const auto finish = [&](Token::Kind kind) {
    t.kind = kind;
    t.raw = text_.substr(first, at_ - first);
    return t;
  };
  if (at_ == text_.size()) return finish(Token::end);
  const auto skip_while = [&](auto&& wanted) {
    while (at_ < text_.size() && wanted(text_[at_])) ++at_;
  };
  const char c = text_[at_];
  const char after = at_ + 1 < text_.size() ? text_[at_ + 1] : ' ';
  if (is_letter(c)) {
    skip_while([](char x) { return is_letter(x) || is_digit(x); });
    return finish(Token::word);
  }
  if (is_digit(c) || (c == '-' && (is_digit(after) || is_letter(after)))) {
    ++at_;
    skip_while([&](char x) {
      const char before = text_[at_ - 1];
      return is_digit(x) || is_letter(x) || x == '.' || ((x == '+' || x == '-') && (before == 'e' || before == 'E'));
    });
    return finish(Token::number);
  }
  if (c == '"') {
    t.value = read_string();
    return finish(Token::string);
  }
  if (c == '%') {
    ++at_;
    if (after == '"') {
      t.value = read_string();
      if (t.value.empty()) fail(first, "a label has at least one character");
    } else if (is_letter(after)) {
      skip_while([](char x) { return is_letter(x) || is_digit(x) || x == '.' || x == '/' || x == '-'; });
      t.value = text_.substr(first + 1, at_ - first - 1);
    } else if (is_digit(after)) {
      skip_while(is_digit);
    } else {
      fail(first, "expected a name or a number behind '%'");
    }
    finish(Token::label);
    if (at_ < text_.size() && text_[at_] == '#') {
      const std::size_t hash = at_++;
      skip_while(is_digit);
      const auto output = read_number<std::int32_t>(text_.substr(hash + 1, at_ - hash - 1));
      if (!output) fail(hash, "expected the number of an output behind '#'");
      t.output = *output;
    }
    return t;
  }
  if (std::string_view("=(){}[],:").find(c) != std::string_view::npos) {
    ++at_;
    return finish(Token::punctuation);
  }
  fail(first, show(c) + " begins nothing that a graph's text may hold");
}

}  // namespace oxbow::internal::text
