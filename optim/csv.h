// Tables from and to CSV (RFC 4180): a header with the columns' names, then a row a line; a field in quotes may hold
// separators, line ends and doubled quotes. UTF-8. Empty lines are none; lines end with \n or \r\n.
//
// Types are found: a column is of whole numbers where all its values are (64 bits), else of numbers, else of text.
// Missing is a value that is empty or one of `CsvOptions::missing`. Blanks around numbers do not count; those of a text
// are kept. Numbers are read to the nearest double. Thread safety: functions without shared state.
#pragma once

#include <oxbow/optim/table.h>

#include <map>
#include <string>
#include <vector>

namespace oxbow {

struct CsvOptions {
  char separator = ',';  ///< ';', '\t', '|' and the like
  bool header = true;    ///< without one the columns are called "0", "1", ...
  /// Those to read; empty for all. Throws `Error` for one that the file lacks.
  std::vector<std::string> columns = {};
  /// What a column has to be, instead of what is found: a value that is something else is an `Error`. As text, numbers
  /// keep the letters that they are written with: postal codes, long identifiers.
  std::map<std::string, ColumnType> types = {};
  std::vector<std::string> missing = {"NA", "N/A", "NaN", "nan", "null", "NULL", "None"};
};

/// Reads a file, mapped: it must be left alone meanwhile. Time and memory are in proportion to its size. Throws `Error`
/// that begins with FILE:line:column (bytes, from 1) for what is no CSV or no number that a double holds.
Table read_csv(const std::string& path, const CsvOptions& options = {});

/// The same of a text in memory, which messages call `name`.
Table parse_csv(std::string_view text, const CsvOptions& options = {}, const std::string& name = "CSV");

/// The table as CSV: what `read_csv` reads to the same table, but that a text which looks like a number is one then.
std::string to_csv(const Table& table);

}  // namespace oxbow
