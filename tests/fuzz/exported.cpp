// libFuzzer over the reader of exported models.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "support/hostile_files.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string wrong = oxbow::test::read_hostile_exported({reinterpret_cast<const char*>(data), size});
  if (wrong.empty()) return 0;
  std::fputs(wrong.c_str(), stderr);
  std::abort();
}
