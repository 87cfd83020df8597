// Reading whole text files that a user named. Thread safety: a pure function.
#pragma once

#include <string>

namespace oxbow::tools {

/// All of a file. Throws `Error` with its name where it cannot be read (and why), is a folder, or has no end within 1
/// GiB.
std::string read_text(const std::string& path);

}  // namespace oxbow::tools
