#include <oxbow/runtime/atomic_file.h>

#include <cstdio>

#include "commands.h"
#include "dump.h"
#include "load.h"

namespace oxbow::tools {

int dump(const DumpCommand& o) {
  const std::string text = dump(*load_graph(o.graph), *parse_format(o.format), {.locations = o.locations});
  if (!o.out.empty())
    write_file(o.out, text);
  else if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw Error("cannot write to standard output");
  return 0;
}

}  // namespace oxbow::tools
