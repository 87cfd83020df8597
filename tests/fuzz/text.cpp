// libFuzzer over the reader of graphs and plans, and over all that shows what it read:
//   tools/build fuzz fuzz_text && build-fuzz/bin/fuzz_text -rss_limit_mb=6000 -max_len=4096 FOLDER
//   tests/fuzz/corpus/text
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "support/hostile_dump.h"
#include "support/hostile_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string wrong = oxbow::test::read_hostile(text);
  if (wrong.empty()) {
    oxbow::test::show_hostile(text);
    return 0;
  }
  std::fputs(wrong.c_str(), stderr);
  std::abort();
}
