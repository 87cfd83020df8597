// Reading whole text files that a user named. Thread safety: a pure function.
#pragma once

#include <oxbow/graph/support/limits.h>

#include <string>

namespace oxbow::tools {

/// All of a file, or of a pipe. Throws `Error` with its name where it cannot be read (and why), is a folder, or has no
/// end within `most` bytes.
std::string read_text(const std::string& path, std::size_t most = internal::limits::text_bytes);

}  // namespace oxbow::tools
