// Where tests find files and programs. Here, in one file, so that no test is compiled with paths of this machine.
#pragma once

#include <string>

namespace oxbow::test {

/// A file of the repository: `source("README.md")`.
std::string source(const std::string& path);

/// A program that was built with the tests: `program("first_graph")`.
std::string program(const std::string& name);

/// A browser without a window; empty when the tools are not built.
std::string browser();

}  // namespace oxbow::test
