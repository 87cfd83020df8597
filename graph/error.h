// Errors, in two families. `Error` is the caller's fault and says what to do; `InternalError` is ours.
// The library never aborts and never prints. Thread safety: values, and pure functions.
#pragma once

#include <cstdint>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>

namespace oxbow {

/// A line of user code, as `std::source_location` gives it; an empty file means unknown.
/// The characters outlive every graph that refers to them (string literals, or names interned by the parser).
struct Location {
  const char* file = "";
  std::uint32_t line = 0;
  Location() = default;
  Location(const char* f, std::uint32_t l) : file(f), line(l) {}
  Location(const std::source_location& s) : file(s.file_name()), line(s.line()) {}  // implicit: builders pass theirs on
  bool known() const { return line != 0; }
};

/// "mnist.cpp:12", or "" when unknown.
std::string to_string(const Location& at);
/// A line of a message: "\n  at mnist.cpp:12", or "" when unknown. Other words may replace "at".
std::string at_line(const Location& at, std::string_view words = "at");

/// The default argument by which every builder function learns its caller's line.
using At = std::source_location;

/// The caller's fault: wrong shapes, names, files, data. `what()` is the whole message: what happened, where, what to
/// do. Names and files may have any bytes in them: what a terminal obeys, but line ends and tabs, is shown as an
/// escape. A name's own line end becomes one through `in_quotes` (near_names.h) and `to_string(node)`.
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message);
};

/// What a builder refuses: `builder` is its name, with which the message begins.
class BuildError : public Error {
 public:
  BuildError(std::string_view builder, std::string rest);
  /// The same, told by the builder that the user called, which is made of this one.
  BuildError by(std::string_view caller) const { return {caller, rest_}; }

 private:
  std::string rest_;
};

/// What `build` returns. Where it is refused, the message begins with `builder`: the function that the user called, not
/// one of those that it is made of.
///   Value mean(Value x) { return as_called("mean", [&] { return sum(x) / count_like(x); }); }
template <class F>
auto as_called(std::string_view builder, F&& build) {
  try {
    return build();
  } catch (const BuildError& e) {
    throw e.by(builder);
  }
}

/// An invariant of Oxbow failed. The message asks for a report.
class InternalError : public std::logic_error {
 public:
  explicit InternalError(const std::string& message);
};

/// Thrown by an op that knows what is wrong but not where it is: the graph (while building) or the executor (while
/// running) adds op, node, scope, shapes and the user's line, and throws `Error`. `remedy` says what to do.
class OpError : public Error {
 public:
  explicit OpError(const std::string& problem, const std::string& remedy = {});
  const std::string& problem() const { return problem_; }
  const std::string& remedy() const { return remedy_; }

 private:
  std::string problem_, remedy_;
};

/// Throws `InternalError` unless `ok`.
inline void invariant(bool ok, const char* what) {
  if (!ok) [[unlikely]]
    throw InternalError(what);
}

}  // namespace oxbow
