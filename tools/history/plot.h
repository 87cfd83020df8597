// Histories as plots: what `oxbow plot` and `oxbow train` draw. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "history/file.h"
#include "plot/plot.h"

namespace oxbow::tools {

struct HistoryPlot {
  std::vector<std::string> columns = {"loss"};  ///< a panel each; "gradient_norm*": all columns that match, in one
  std::string title = {};                       ///< when empty, the columns' names
  int smooth = 0;                               ///< mean over so many steps; 1: none; 0: a fiftieth of the run
  bool linear = false;                          ///< else losses, norms and ratios are drawn on logarithmic axes
};
/// One of several runs in a plot.
struct RunHistory {
  std::string name, file;  ///< in the legend; in messages
  Table table;
};
/// Runs on one axis, over their steps. Throws `Error` for a negative `smooth`, with the file and its columns when it
/// has none that matches, and where no run has a value that a column's panel can show.
Plot plot(const std::vector<RunHistory>& runs, const HistoryPlot& how);

/// Of one run that recorded them, gradient norms and update-to-weight ratios: of all parameters together, and of each.
/// Where none is finite, as after a training that blew up at once, the panels are empty.
Plot norms_plot(const Table& table, const std::string& title);

}  // namespace oxbow::tools
