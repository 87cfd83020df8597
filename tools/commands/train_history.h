// What `oxbow train` keeps of its minibatches and epochs, and its picture. Private to tools/commands/train*.cpp.
#pragma once

#include <oxbow/optim/fit.h>

#include <string>

#include "history/writer.h"
#include "plot/plot.h"

namespace oxbow::tools {

struct ResumedHistory {
  Table table;
  std::string missing;  ///< the steps whose rows it lacks: "4, 7 to 12"; empty when it has all
};
/// The rows of a run that is resumed after so many minibatches: what a run that was killed wrote after its last state
/// is left out, for it comes again. A file that is not there or empty has no rows. Throws `Error` for a file that is no
/// history.
ResumedHistory resumed_history(const std::string& path, std::int64_t minibatches);

/// A row a minibatch, numbered over the whole run; an epoch's results are in the row of its last minibatch.
Callback recording(HistoryWriter& history);

/// Loss and, where there is one, accuracy over epochs.
Plot training_curve(const std::string& title, const Table& history, std::int64_t minibatches_per_epoch);

}  // namespace oxbow::tools
