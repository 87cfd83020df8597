#include "history/file.h"

#include <fmt/format.h>
#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "history/formats.h"
#include "text_file.h"

namespace oxbow::tools {
using namespace internal;

namespace {

// What other programs call the step, each in any case; the first that there is counts.
constexpr std::array step_names{"step", "_step", "global_step", "trainer/global_step"};
// And the loss of a step.
constexpr std::array loss_names{"loss",  "train_loss",      "training_loss",    "train/loss",
                                "value", "train_loss_step", "train_loss_epoch", "loss_step"};

const std::vector<double>* find_any_case(const Table& t, std::string_view name) {
  for (std::size_t i = 0; i < t.columns.size(); ++i)
    if (lower_case(t.columns[i]) == name) return &t.values[i];
  return nullptr;
}

// A chart of Weights & Biases names columns "RUN - METRIC", each with its "__MIN" and "__MAX" of the steps that a point
// stands for: they become METRIC, or METRIC/RUN where there are several runs.
void rename_runs(Table& t) {
  constexpr std::string_view low = "__MIN", high = "__MAX", between = " - ";
  const auto is_bound = [&](const std::string& name) {
    if (!name.ends_with(low) && !name.ends_with(high)) return false;
    return t.find(std::string_view(name).substr(0, name.size() - low.size())) != nullptr;
  };
  std::vector<std::string> kept;
  for (const std::string& name : t.columns)
    if (!is_bound(name)) kept.push_back(name);
  if (kept.size() == t.columns.size()) return;
  std::set<std::string> runs;
  for (const std::string& name : kept)
    if (const std::size_t mark = name.find(between); mark != std::string::npos) runs.insert(name.substr(0, mark));
  Table renamed;
  renamed.texts = std::move(t.texts);
  for (const std::string& name : kept) {
    std::vector<double> values = *t.find(name);
    const std::size_t mark = name.find(between);
    if (mark == std::string::npos)
      renamed.add(name, std::move(values));
    else
      renamed.add(name.substr(mark + between.size()) + (runs.size() > 1 ? "/" + name.substr(0, mark) : ""),
                  std::move(values));
  }
  t = std::move(renamed);
}

}  // namespace

const std::vector<double>* Table::find(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i] == column) return &values[i];
  return nullptr;
}

const std::vector<double>* Table::steps() const {
  for (const char* name : step_names)
    if (const std::vector<double>* found = find_any_case(*this, name)) return found;
  return nullptr;
}

void Table::add(std::string column, std::vector<double> numbers) {
  if (values.size() == values.capacity())
    values.reserve(2 * values.size() + 1);  // from here on both are added, or none
  columns.push_back(std::move(column));
  values.push_back(std::move(numbers));
}

std::string csv(const Table& table) {
  std::string header;
  for (const std::string& c : table.columns) header += (header.empty() ? "" : ",") + c;
  return header + '\n' + csv_rows(table, 0);
}

std::string csv_rows(const Table& table, std::size_t first) {
  std::string out;
  std::size_t rows = 0;
  for (const auto& column : table.values) rows = std::max(rows, column.size());
  for (std::size_t row = first; row < rows; ++row) {
    for (std::size_t i = 0; i < table.values.size(); ++i) {
      if (i > 0) out += ',';
      if (row < table.values[i].size() && !std::isnan(table.values[i][row]))
        out += fmt::format("{}", table.values[i][row]);
      else if (table.values.size() == 1)
        out += "NA";  // an empty line is not a row
    }
    out += '\n';
  }
  return out;
}

Table parse_table(const std::string& text, const std::string& path) {
  return with_own_errors("cannot read", path, [&] {
    constexpr std::string_view mark = "\xef\xbb\xbf";  // that some programs begin UTF-8 with
    const std::size_t begin = text.starts_with(mark) ? mark.size() : 0;
    const std::size_t first = text.find_first_not_of(" \t\r\n", begin);
    if (first == std::string::npos) throw Error(path + ": the file is empty");
    const bool json = text[first] == '{' || text[first] == '[';
    Table t = json ? read_json(text.substr(begin), path) : read_csv(std::string_view(text).substr(begin), path);
    rename_runs(t);
    if (t.columns.empty() && !t.texts.empty())
      throw Error(path + ": there is not a column of numbers. " + t.texts.front().first_text);
    if (t.values.empty() || t.values[0].empty()) throw Error(path + ": there are no numbers below the header");
    return t;
  });
}

Table read_table(const std::string& path) { return parse_table(read_text(path, limits::history_bytes), path); }

Error no_column(const Table& table, const std::string& path, const std::string& column) {
  for (const auto& [name, first_text] : table.texts)
    if (name == column)
      return Error(path + ": column " + in_quotes(column) + " is not a column of numbers. " + first_text);
  return Error(path + ": there is no column " + in_quotes(column) + ". There are: " + listed(table.columns));
}

std::vector<double> losses(const Table& table, const std::string& path, const std::string& column) {
  const std::vector<double>* found = column.empty() ? nullptr : table.find(column);
  if (column.empty()) {
    for (const char* name : loss_names)
      if (found == nullptr) found = find_any_case(table, name);
    if (found == nullptr && table.texts.empty() && table.columns.size() <= 2) found = &table.values.back();
  }
  if (found == nullptr) throw no_column(table, path, column.empty() ? "loss" : column);
  std::vector<double> out;
  for (double v : *found)
    if (!std::isnan(v)) out.push_back(v);
  return out;
}

}  // namespace oxbow::tools
