// A run's history as a file that others read: a table of numbers, one row a step.
//
//   step,epoch,learning_rate,loss,epoch_loss,epoch_accuracy,epoch_val_loss,epoch_val_accuracy
//   1,1,0.001,2.3417,,,,
//
// `oxbow train` writes history.csv so, with --record norms also gradient_norm, update_ratio and both of each parameter,
// gradient_norm/dense/kernel. An empty field holds no number; an epoch's fields are in its last step's row.
// Read are CSV with such a header, plain CSV of one or two columns (losses, or steps and losses) without one, and JSON:
// an object of lists of numbers, one list, a list of objects, Hugging Face's trainer_state.json, an object a line. Of a
// chart that Weights & Biases exported, "RUN - loss" becomes "loss", or "loss/RUN" where there are several runs. A
// column with a text in it is put aside: only who asks for it is refused. "NA" and "null" are absent numbers.
// Safe from any thread.
#pragma once

#include <oxbow/graph/error.h>

#include <string>
#include <string_view>
#include <vector>

namespace oxbow::tools {

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<double>> values;  ///< a column's; NaN where a field is empty
  struct Text {
    std::string column, first_text;  ///< the text with its place: log.csv:3: "warm-up" is not a number
  };
  std::vector<Text> texts;  ///< columns that are none of numbers

  /// The column, or null when there is none.
  const std::vector<double>* find(std::string_view column) const;
  /// The column "step" or "global_step", in any case, or null.
  const std::vector<double>* steps() const;
  void add(std::string column, std::vector<double> numbers);
};

/// With a header; numbers as short as they read back exactly. Not finite ones are "nan" and "inf", absent ones empty.
std::string csv(const Table& table);
/// The lines of the rows from `first` on, without a header.
std::string csv_rows(const Table& table, std::size_t first);
/// Throws `Error` with file and line for a file that is not a table, or has no numbers. A last line that is cut short,
/// as a program that was killed leaves it, does not count.
Table read_table(const std::string& path);
/// The same of a text; `path` is its name in messages.
Table parse_table(const std::string& text, const std::string& path);
/// The losses, step by step: of this column; by default "loss" or what other programs call it ("train_loss", "value",
/// "train_loss_step", ...), in any case, or else the last one of at most two. Throws `Error` with the columns that
/// there are.
std::vector<double> losses(const Table& table, const std::string& path, const std::string& column = {});
/// That a column is not there, or is not one of numbers.
Error no_column(const Table& table, const std::string& path, const std::string& column);

}  // namespace oxbow::tools
