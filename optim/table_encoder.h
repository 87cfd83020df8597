// From a table to tensors: which columns are the inputs, and what becomes of text. Made on the data to train on, used
// for those to predict as well, and kept in an exported model (optim/saved_model.h).
//
//   const Table flats = read_csv("flats.csv");
//   const TableEncoder encode(flats, {.inputs = {"size", "age", "district"}, .target = "rent"});
//   const auto [train, test] = encode(flats).split(0.2);  // "x" f32[n, encode.width()], "y" f32[n, 1]
//
// Thread safety: read by any number of threads.
#pragma once

#include <oxbow/optim/csv.h>
#include <oxbow/optim/dataset.h>

#include <optional>

namespace oxbow {

struct TableColumns {
  /// Side by side in "x", f32[n, width]: a column of numbers is one of it, a column of text one for each text that it
  /// has, 1 where it is that and 0 elsewhere (one-hot).
  std::vector<std::string> inputs = {};
  /// "y": f32[n, 1] of numbers; of text i64[n], which of `labels()`. Empty for none.
  std::string target = {};
  /// Columns whose values, text or numbers, are numbered 0, 1, ... in their order, i64[n]: an input among them is a
  /// column of the data by itself, under its own name, for an `Embedding`; a target has its labels numbered.
  std::vector<std::string> codes = {};
  /// A number that is missing becomes the mean of its column, a text that is missing a category of its own, "". Else a
  /// missing value is an error.
  bool fill_missing = false;
};

class TableEncoder {
 public:
  /// Learns categories and means from `table`. Throws `Error` for a column that there is not, one given twice, a column
  /// without a value, and for text of more than 1,000 categories that is not among the codes.
  TableEncoder(const Table& table, const TableColumns& columns);

  /// The columns of a table with these names; "y" only where the table has it. Throws `Error` with the row for a value
  /// that is missing, or is a category that the encoder has not seen.
  Dataset operator()(const Table& table) const;
  /// The same without "y", whatever the table has.
  Dataset inputs_of(const Table& table) const;
  /// How to read further files: the inputs alone, each of the type that it had; or with the target, to evaluate on.
  CsvOptions csv_options(bool with_target = false) const;

  std::int64_t width() const;               ///< columns of "x"; 0 where there is none
  std::vector<std::string> inputs() const;  ///< names of the table's columns, without the target
  /// Whether an input was of text. Throws `Error` for a column that is none.
  bool is_text(std::string_view column) const;
  const std::string& target() const { return target_.name; }
  /// What the numbers of "y" stand for; empty where the target is a number.
  const std::vector<std::string>& labels() const { return target_.categories; }
  /// Of a column that is text or among the codes. Throws `Error` for another.
  const std::vector<std::string>& categories(std::string_view column) const;

  /// As JSON, and back: for files. `parse` throws `Error` for what is no encoder.
  std::string json() const;
  static TableEncoder parse(std::string_view json);

 private:
  enum class Becomes : std::uint8_t { number, one_hot, codes };
  struct Column {
    std::string name;
    Becomes becomes = Becomes::number;
    bool text = false;  // in the table that it was fitted on
    std::vector<std::string> categories = {};
    std::optional<double> fill = {};
  };
  TableEncoder() = default;
  static Column fitted(const TableColumn& column, bool coded, bool fill);
  static std::vector<std::int64_t> codes(const Column& column, const TableColumn& from, const std::string& source);
  static void numbers(const Column& column, const TableColumn& from, const std::string& source, float* to,
                      std::int64_t step);
  std::vector<Column> columns_;
  Column target_;
};

}  // namespace oxbow
