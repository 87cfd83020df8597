#include <oxbow/graph/error.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/utf8.h>

namespace oxbow {
namespace {

// Names and files may be of any length and have any bytes in them.
std::string shown(const std::string& message) { return internal::shown(message, internal::limits::message, "\n\t"); }

}  // namespace

std::string to_string(const Location& at) {
  return at.known() ? std::string(at.file) + ":" + std::to_string(at.line) : std::string();
}

std::string at_line(const Location& at, std::string_view words) {
  return at.known() ? "\n  " + std::string(words) + " " + to_string(at) : std::string();
}

Error::Error(const std::string& message) : std::runtime_error(shown(message)) {}

BuildError::BuildError(std::string_view builder, std::string rest)
    : Error(std::string(builder) + ": " + rest), rest_(std::move(rest)) {}

InternalError::InternalError(const std::string& message)
    : std::logic_error("internal error in Oxbow: " + shown(message) +
                       " (please report this, with the program that caused it)") {}

OpError::OpError(const std::string& problem, const std::string& remedy)
    : Error(remedy.empty() ? problem : problem + ". " + remedy), problem_(problem), remedy_(remedy) {}

}  // namespace oxbow
