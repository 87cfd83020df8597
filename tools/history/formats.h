// The formats that histories are read from, and the rows that their readers fill. Private to tools/history.
// Thread safety: pure functions; one thread at a time for `Rows`.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "history/file.h"

namespace oxbow::tools {

/// The file that is read: its name in messages, and how many bytes it has.
struct Source {
  std::string path;
  std::size_t bytes;
};

/// Throws `Error` for a table of more columns or cells than are read of such a file (limits.h). Who makes a table asks
/// before it takes the memory.
void check_size(const Source& file, std::size_t rows, std::size_t columns);

/// A table that is filled row by row, by cells as they are in a file. Cells that nobody sets are absent.
class Rows {
 public:
  explicit Rows(Source file) : file_(std::move(file)) {}

  std::size_t columns() const { return columns_.size(); }
  /// A new column, whose cells take memory once one is set. Throws as `check_size` does.
  std::size_t add_column(std::string name);
  /// The column of this name, which is new if there is none yet.
  std::size_t column(const std::string& name);
  /// Throws as `check_size` does.
  void begin_row();
  /// In the last row. A text that is not a number makes the whole column a text column.
  void set(std::size_t column, std::string_view text, std::size_t line);
  void set(std::size_t column, double number);
  Table take();

 private:
  struct Column {
    std::string name;
    std::vector<double> values;
    std::string first_text;  // with its place; empty while there are only numbers
  };
  Source file_;
  std::vector<Column> columns_;
  std::unordered_map<std::string, std::size_t> by_name_;
  std::size_t rows_ = 0;
};

/// Whether a text stands for a number, or for one that is absent.
bool is_number(std::string_view text);

/// Fields in quotes may hold commas and line ends. A last record that is cut short does not count. Throws `Error` with
/// file and line for what is not a table.
Table read_csv(std::string_view text, const std::string& path);
/// An object of lists of numbers, a list of numbers or of objects, an object with a "log_history" of objects, or an
/// object a line. NaN and Infinity are read as Python writes them.
Table read_json(const std::string& text, const std::string& path);

}  // namespace oxbow::tools
