// libFuzzer over the reader of graphs and plans:
//   tools/build fuzz fuzz_text && build-fuzz/bin/fuzz_text -rss_limit_mb=6000 -max_len=4096 FOLDER
//   tests/fuzz/corpus/text
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "support/hostile_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string wrong = oxbow::test::read_hostile({reinterpret_cast<const char*>(data), size});
  if (wrong.empty()) return 0;
  std::fputs(wrong.c_str(), stderr);
  std::abort();
}
