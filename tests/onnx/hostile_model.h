// What must hold for any bytes that claim to be an ONNX model: they are refused with the file's name, or read.
#pragma once

#include <oxbow/graph/error.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/onnx.h>

#include <string>
#include <string_view>

#include "support/memory_file.h"

namespace oxbow::test {

/// "" when all holds, otherwise what does not.
inline std::string read_hostile_model(std::string_view bytes) {
  const MemoryFile file(bytes);
  try {
    Graph g;
    import_onnx(g, file.path());
  } catch (const Error& e) {
    const std::string said = e.what();
    if (said.find(file.path()) == std::string::npos) return "a message without the file's name: " + said;
    if (said.size() > internal::limits::message) return "a message of " + std::to_string(said.size()) + " bytes";
  }
  return "";
}

}  // namespace oxbow::test
