// The words of a graph's text, one ahead of the parser. Part of the parser's implementation; for one thread.
#pragma once

#include <oxbow/graph/error.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace oxbow::internal::text {

struct Token {
  enum Kind { end, word, label, string, number, punctuation };
  Kind kind = end;
  std::string_view raw;  ///< as it is in the text; of a label, without "#k"
  std::string value;     ///< of a string, or of a label's name, without quotes and escapes
  int output = -1;       ///< of a label: k of "%x#k", -1 where it says none
  std::uint32_t line = 1;
};

class Lexer {
 public:
  /// Begins at byte `from`, the start of a line. `text` and `file` must outlive the lexer.
  Lexer(std::string_view text, std::string_view file, std::size_t from = 0);

  const Token& peek() const { return next_; }
  /// The token that `peek` shows; reads the one behind it. Throws `Error` for characters that begin no token.
  Token take();

  bool next_is(char punctuation) const;
  bool next_is(std::string_view word) const;
  /// Takes the token if it is this one.
  bool accept(char punctuation);
  bool accept(std::string_view word);
  /// Takes "end" if it comes, after which nothing may follow.
  bool accept_end();
  /// Takes a token that must be this one; `where` completes "expected ')' ...".
  void expect(char punctuation, std::string_view where);
  Token expect(Token::Kind kind, std::string_view what);

  /// Notes that the text makes its reader allocate so many bytes; false when it is `most` altogether.
  bool claim(std::int64_t bytes, std::int64_t most);

  /// Throws `Error`: "file:line:column: expected WHAT, found TOKEN".
  [[noreturn]] void unexpected(std::string_view what) const;
  /// Throws `Error`: "file:line:column: PROBLEM", at a token of this text.
  [[noreturn]] void fail(const Token& at, const std::string& problem) const;

 private:
  void skip_blanks();
  Token read();
  std::string read_string();
  std::string where(std::size_t offset) const;
  [[noreturn]] void fail(std::size_t offset, const std::string& problem) const;

  std::string_view text_, file_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::int64_t claimed_ = 0;
  Token next_;
};

}  // namespace oxbow::internal::text
