// The JSON header of a safetensors file. It is read event by event, so that nothing is built, and nothing destroyed,
// that is as deep or as large as somebody wants it to be. Private to runtime/files. Thread safety: pure functions.
#pragma once

#include <oxbow/graph/type.h>
#include <oxbow/runtime/files/input_file.h>

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oxbow::internal {

struct SafetensorsHeader {
  struct Entry {
    std::string name;
    Type type;
    std::int64_t begin = 0, end = 0;  ///< bytes of the data, which lie behind the header
  };
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
};

/// Reads and checks a header that `data_bytes` follow. Throws `Error` that says what is wrong, without the file's name.
SafetensorsHeader read_header(std::string_view json, std::int64_t data_bytes);
/// That of a file, and where its data begin. Throws `Error` that names the file.
std::pair<SafetensorsHeader, std::int64_t> read_header(const InputFile& file);
/// Without padding. Throws `Error` for a name or metadata that is not UTF-8.
std::string write_header(const SafetensorsHeader& header);

}  // namespace oxbow::internal
