// A table: columns of whole numbers, of numbers, or of text, by name, as `read_csv` reads it. Columns are shared, not
// copied, by the tables that are made of one. `TableEncoder` (optim/table_encoder.h) makes a `Dataset` of it.
//
//   const Table flats = read_csv("flats.csv");
//   flats["rent"].numbers;            // std::vector<double>
//   flats.tensor({"size", "age"});    // f32[n, 2]
//
// Missing values: a number is NaN then, and makes a column of whole numbers one of numbers; a text has the code -1.
// Whoever makes tensors of them is told (`dropna`, `fillna`). Thread safety: read by any number of threads.
#pragma once

#include <oxbow/graph/tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace oxbow {

enum class ColumnType : std::uint8_t { integers, numbers, text };

/// One column. Of its lists that of its type is as long as the table, and the others are empty.
struct TableColumn {
  std::string name;
  ColumnType type = ColumnType::numbers;
  std::vector<std::int64_t> integers = {};
  std::vector<double> numbers = {};          ///< NaN where a value is missing
  std::vector<std::int32_t> codes = {};      ///< of text: which of `categories`; -1 where a value is missing
  std::vector<std::string> categories = {};  ///< the texts that there are, sorted by their bytes
  std::int64_t missing = 0;                  ///< how many values are

  bool is_missing(std::int64_t row) const;
  /// As a number; NaN where it is missing. Not of text.
  double number(std::int64_t row) const;
  /// As a text: numbers as the shortest text that reads back; "" where it is missing.
  std::string text(std::int64_t row) const;
};

class Table {
 public:
  Table() = default;
  /// `source` names the table in messages: its file. Throws `Error` for a name given twice, for columns of different
  /// lengths, and for codes that stand for no category.
  explicit Table(std::vector<TableColumn> columns, std::string source = "the table");

  std::int64_t size() const { return size_; }  ///< rows
  const std::string& source() const { return source_; }
  std::vector<std::string> names() const;
  bool contains(std::string_view name) const;
  /// Throws `Error` with near names when there is no such column.
  const TableColumn& operator[](std::string_view name) const;

  /// Columns of numbers side by side: [n, names]. Throws `Error` for text and for missing values, with the row.
  Tensor tensor(std::span<const std::string> names, DType dtype = f32) const;
  Tensor tensor(std::initializer_list<std::string> names, DType dtype = f32) const {
    return tensor(std::span(names.begin(), names.size()), dtype);
  }

  /// These rows, in this order; a row may come several times. Throws `Error` for one that there is not.
  Table take(std::span<const std::int64_t> rows) const;
  /// Rows from `begin` up to but without `end`.
  Table rows(std::int64_t begin, std::int64_t end) const;
  /// Without the rows in which a value is missing.
  Table dropna() const;
  /// With this value where one is missing. Throws `Error` for a text in a column of numbers and the other way around.
  Table fillna(std::string_view column, double value) const;
  Table fillna(std::string_view column, std::string_view value) const;

 private:
  const std::shared_ptr<const TableColumn>& find(std::string_view name) const;
  Table with(std::string_view column, TableColumn now) const;
  std::vector<std::shared_ptr<const TableColumn>> columns_;
  std::int64_t size_ = 0;
  std::string source_ = "the table";
};

}  // namespace oxbow
