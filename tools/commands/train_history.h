// What `oxbow train` keeps of an earlier run. Private to tools/commands/train*.cpp.
#pragma once

#include <string>

#include "history/writer.h"

namespace oxbow::tools {

struct ResumedHistory {
  Table table;
  std::string missing;  ///< the steps whose rows it lacks: "4, 7 to 12"; empty when it has all
};
/// The rows of a run that is resumed after so many minibatches: what a run that was killed wrote after its last state
/// is left out, for it comes again. A file that is not there or empty has no rows. Throws `Error` for a file that is no
/// history.
ResumedHistory resumed_history(const std::string& path, std::int64_t minibatches);

}  // namespace oxbow::tools
