#include "places.h"

namespace oxbow::test {

std::string source(const std::string& path) { return SOURCE_FOLDER "/" + path; }

std::string program(const std::string& name) { return PROGRAMS "/" + name; }

std::string browser() { return BROWSER; }

}  // namespace oxbow::test
