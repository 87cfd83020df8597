// What tests have counted and measured: with OXBOW_FIGURES=FILE in the environment they leave a line each there. Safe
// from several processes at once.
#pragma once

#include <cstdlib>
#include <fstream>
#include <string>

namespace oxbow::test {

/// A figure under its name, of letters and spaces: "flips", "10,240 bits: ...".
inline void figure(const std::string& name, const std::string& text) {
  if (const char* file = std::getenv("OXBOW_FIGURES")) std::ofstream(file, std::ios::app) << name + ": " + text + "\n";
}

/// 12345 as "12,345".
inline std::string counted(std::size_t n) {
  std::string digits = std::to_string(n);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return digits;
}

}  // namespace oxbow::test
