#include "history/file.h"

#include <fmt/format.h>
#include <oxbow/graph/error.h>
#include <oxbow/graph/support/near_names.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "text_file.h"

namespace oxbow::tools {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

std::string_view trimmed(std::string_view s) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '"'; };
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  return s;
}

std::vector<std::string_view> fields(std::string_view line) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t comma = line.find(',');
    out.push_back(trimmed(line.substr(0, comma)));
    if (comma == std::string_view::npos) return out;
    line.remove_prefix(comma + 1);
  }
}

// "" is an absent number; "nan" is one that is there and not finite, and becomes infinite so that it is told apart.
std::optional<double> number(std::string_view text) {
  if (text.empty()) return none;
  double v = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (wrong == std::errc::result_out_of_range) return std::strtod(std::string(text).c_str(), nullptr);  // 0 or infinite
  if (wrong != std::errc() || end != text.data() + text.size()) return {};
  return std::isnan(v) ? std::numeric_limits<double>::infinity() : v;
}

Table from_json(const std::string& text, const std::string& path) {
  const auto fail = [&](const std::string& what) { throw Error(path + ": " + what); };
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) fail("this is neither CSV nor JSON");
  Table t;
  const auto add = [&](const std::string& name, const nlohmann::json& list) {
    std::vector<double> column;
    for (const auto& v : list) {
      if (!v.is_number() && !v.is_null()) return;  // no column of numbers
      column.push_back(v.is_number() ? v.get<double>() : none);
    }
    t.add(name, std::move(column));
  };
  if (json.is_array())
    add("loss", json);
  else
    for (const auto& [name, list] : json.items())
      if (list.is_array()) add(name, list);
  if (t.columns.empty()) fail("there is no list of numbers in it");
  return t;
}

}  // namespace

const std::vector<double>* Table::find(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i] == column) return &values[i];
  return nullptr;
}

void Table::add(std::string column, std::vector<double> numbers) {
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
    }
    out += '\n';
  }
  return out;
}

Table read_table(const std::string& path) {
  const std::string text = read_text(path);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) throw Error(path + ": the file is empty");
  if (text[first] == '{' || text[first] == '[') return from_json(text, path);

  Table t;
  int line_number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = trimmed(std::string_view(text).substr(at, end - at));
    at = end + 1;
    ++line_number;
    if (line.empty()) continue;
    const auto row = fields(line);
    const auto fail = [&](const std::string& what) { throw Error(fmt::format("{}:{}: {}", path, line_number, what)); };
    if (t.columns.empty()) {
      const bool header = !number(row[0]);
      if (!header && row.size() > 2) fail("a table of more than two columns needs a header: step,loss,...");
      for (std::size_t i = 0; i < row.size(); ++i)
        t.add(header ? std::string(row[i]) : i + 1 == row.size() ? "loss" : "step", {});
      if (header) continue;
    }
    if (row.size() < t.columns.size() && end == text.size()) break;  // cut short
    if (row.size() != t.columns.size()) fail(fmt::format("expected {} fields, found {}", t.columns.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto v = number(row[i]);
      if (!v) fail(fmt::format("\"{}\" is no number", row[i]));
      t.values[i].push_back(*v);
    }
  }
  if (t.values.empty() || t.values[0].empty()) throw Error(path + ": there are no numbers below the header");
  return t;
}

std::vector<double> losses(const Table& table, const std::string& path) {
  const std::vector<double>* found = nullptr;
  for (const char* name : {"loss", "train_loss", "value", "Value"})
    if (found == nullptr) found = table.find(name);
  if (found == nullptr && table.columns.size() <= 2) found = &table.values.back();
  if (found == nullptr) throw Error(path + ": there is no column \"loss\". There are: " + listed(table.columns));
  std::vector<double> out;
  for (double v : *found)
    if (!std::isnan(v)) out.push_back(v);
  return out;
}

}  // namespace oxbow::tools
