// libFuzzer over programs that build graphs, differentiate and run them: bytes say which calls they make.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "support/hostile_program.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string wrong = oxbow::test::run_hostile_program({reinterpret_cast<const char*>(data), size});
  if (wrong.empty()) return 0;
  std::fputs(wrong.c_str(), stderr);
  std::abort();
}
