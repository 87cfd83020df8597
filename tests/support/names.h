// The full names of values, to be compared with a list.
#pragma once

#include <oxbow/graph/value.h>

#include <string>
#include <vector>

namespace oxbow::test {

using NameList = std::vector<std::string>;

inline NameList names(const std::vector<Value>& values) {
  NameList all;
  for (const Value& v : values) all.push_back(v.node().full_name());
  return all;
}

}  // namespace oxbow::test
