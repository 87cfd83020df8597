// Histories as plots: what `oxbow plot` and `oxbow train` draw. Pure functions.
//
//   write_file("loss.svg", tools::svg(tools::training_curve("adam", tools::read_table("history.csv"))));
#pragma once

#include <oxbow/tools/history/file.h>
#include <oxbow/tools/plot/plot.h>

#include <string>
#include <vector>

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

/// Loss and, where there is one, accuracy over the epochs of a run that `csv_logger` or `oxbow train` wrote.
Plot training_curve(const std::string& title, const Table& history);

/// Of one run that recorded them, gradient norms and update-to-weight ratios: of all parameters together, and of each.
/// Where none is finite, as after a training that blew up at once, the panels are empty.
Plot norms_plot(const Table& table, const std::string& title);

}  // namespace oxbow::tools
