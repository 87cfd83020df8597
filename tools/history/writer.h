// A run's history, recorded row by row and written during the run.
//
//   HistoryWriter history("out/history.csv", earlier);   // rows of the run that is resumed, or none
//   history.add_row();
//   history.set("loss", loss);
//   history.save();                                      // at a checkpoint
//
// The file is first replaced as a whole, atomically; from then on rows are appended, so that a long run is not written
// again and again; where it is not as the last `save` left it (cut, removed, replaced), it is made anew. A kill at any
// moment leaves all rows of the last `save`, behind them at most a line that is cut short, which `read_table` leaves
// out. Thread safety: one thread at a time.
//
//   model.fit(data, {.epochs = 10, .callbacks = {tools::csv_logger("history.csv")}});   // in C++, all of this in one
#pragma once

#include <oxbow/optim/fit.h>
#include <oxbow/tools/history/file.h>

#include <cstdint>

namespace oxbow::tools {

class HistoryWriter {
 public:
  explicit HistoryWriter(std::string path, Table earlier = {});

  const std::string& path() const { return path_; }
  const Table& table() const { return table_; }
  void add_row();
  /// In the last row. A column that is new is absent in the rows before. A NaN is written as infinity: see Table.
  void set(std::string_view column, double value);
  /// Makes all rows durable. Throws `Error` that names the file and the reason; the file then ends with the last row
  /// that an earlier `save` wrote, and another `save` writes what is missing.
  void save();

 private:
  void write();
  bool append(const std::string& rows);
  std::string path_;
  Table table_;
  std::size_t rows_ = 0, next_ = 0;                 // next_: where `set` looks first
  std::size_t saved_rows_ = 0, saved_columns_ = 0;  // 0 columns: nothing was written
  std::int64_t saved_bytes_ = 0;
};

/// A row a minibatch, numbered over the whole run: its loss, the rate, and what is recorded; an epoch's results are in
/// the row of its last minibatch, "epoch_val_loss". Who calls `save` says when they are written.
Callback recording(HistoryWriter& history);
/// The same, written at each epoch's end. `oxbow plot` and `oxbow lr judge` read it. Keras: CSVLogger.
Callback csv_logger(const std::string& path);

}  // namespace oxbow::tools
