// Runs a command line as a user does.
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

namespace oxbow::test {

struct Finished {
  int code;            ///< what the program returned; 128 + the signal that ended it, as shells say it
  std::string output;  ///< standard output, and standard error where the command line sends it there
};

inline Finished command(const std::string& line) {
  FILE* pipe = ::popen(line.c_str(), "r");
  std::string output;
  std::array<char, 4096> buffer;
  while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) output.append(buffer.data(), n);
  const int status = ::pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), output};
}

}  // namespace oxbow::test
