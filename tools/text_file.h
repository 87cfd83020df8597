// Reading whole text files that a user named. Thread safety: pure functions.
#pragma once

#include <oxbow/graph/support/limits.h>

#include <string>

namespace oxbow::tools {

/// All of a file, or of a pipe. Throws `Error` with its name where it cannot be read (and why), is a folder, or has no
/// end within `most` bytes.
std::string read_text(const std::string& path, std::size_t most = internal::limits::text_bytes);
/// The same of a regular file alone, where nobody asked for a pipe: to open one would wait for whoever writes it.
std::string read_regular_text(const std::string& path, std::size_t most = internal::limits::text_bytes);

}  // namespace oxbow::tools
