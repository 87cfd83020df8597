// What an error says.
#pragma once

#include <oxbow/graph/error.h>

#include <string>

namespace oxbow::test {

/// The text of the `Error` that `f` throws, "HERE" standing for the line where `message` is called; "no error" when it
/// throws none.
template <class F>
std::string message(F&& f, At at = At::current()) {
  try {
    f();
  } catch (const Error& e) {
    std::string text = e.what();
    const std::string here = to_string(Location(at));
    for (auto place = text.find(here); place != std::string::npos; place = text.find(here))
      text.replace(place, here.size(), "HERE");
    return text;
  }
  return "no error";
}

}  // namespace oxbow::test
