#include "text_file.h"

#include <oxbow/graph/error.h>
#include <oxbow/graph/support/library_errors.h>
#include <oxbow/runtime/files/input_file.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

namespace oxbow::tools {
namespace {

[[noreturn]] void refuse_more(const std::string& path, std::size_t most) {
  throw Error("cannot read " + path + ": it has more than " + std::to_string(most >> 20) + " MiB");
}

}  // namespace

std::string read_text(const std::string& path, std::size_t most) {
  return internal::with_own_errors("cannot read", path, [&] {
    std::error_code unknown;
    if (std::filesystem::is_directory(path, unknown)) throw Error("cannot read " + path + ": it is a folder");
    std::ifstream file(path, std::ios::binary);
    std::string text;
    std::size_t read = 0;
    while (file) {  // what it says about its size may be wrong: a pipe, a device
      text.resize(std::min(std::max<std::size_t>(2 * read, 64 << 10), most + 1));
      file.read(text.data() + read, static_cast<std::streamsize>(text.size() - read));
      read += static_cast<std::size_t>(file.gcount());
      if (read > most) refuse_more(path, most);
    }
    if (!file.eof()) throw Error("cannot read " + path + ": " + std::generic_category().message(errno));
    text.resize(read);
    return text;
  });
}

std::string read_regular_text(const std::string& path, std::size_t most) {
  return internal::with_own_errors("cannot read", path, [&] {
    const internal::InputFile file(path);
    const auto size = static_cast<std::size_t>(file.size());
    if (size > most) refuse_more(path, most);
    std::string text(size, '\0');
    file.read(0, text.data(), file.size());
    return text;
  });
}

}  // namespace oxbow::tools
