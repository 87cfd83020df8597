// What an error says.
#pragma once

#include <oxbow/graph/error.h>

#include <string>

namespace oxbow::test {

/// The text of the `Error` that `f` throws; "no error" when it throws none.
template <class F>
std::string message(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace oxbow::test
