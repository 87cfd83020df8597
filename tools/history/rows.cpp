#include <fmt/format.h>
#include <oxbow/graph/error.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>

#include "history/formats.h"

namespace oxbow::tools {
using namespace internal;

namespace {

constexpr double absent = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<std::string_view, 5> absent_words{"", "na", "n/a", "null", "none"};

// "nan" is a number that is there and not finite, and becomes infinite so that it is not taken for an absent one.
std::optional<double> number(std::string_view text) {
  double v = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (wrong == std::errc::result_out_of_range) return std::strtod(std::string(text).c_str(), nullptr);  // 0 or infinite
  if (wrong == std::errc() && end == text.data() + text.size())
    return std::isnan(v) ? std::numeric_limits<double>::infinity() : v;
  if (std::find(absent_words.begin(), absent_words.end(), lower_case(text.substr(0, 5))) != absent_words.end() &&
      text.size() <= 5)
    return absent;
  return std::nullopt;
}

}  // namespace

bool is_number(std::string_view text) { return number(text).has_value(); }

void check_size(const Source& file, std::size_t rows, std::size_t columns) {
  if (columns > limits::history_columns)
    throw Error(fmt::format("{}: it has more than {} columns", file.path, limits::history_columns));
  const std::size_t cells = std::min(limits::history_cells, limits::history_cells_a_byte * file.bytes);
  if (rows > cells / std::max<std::size_t>(columns, 1))
    throw Error(fmt::format("{}: {} rows of {} columns are more than {} cells", file.path, rows, columns, cells));
}

std::size_t Rows::add_column(std::string name) {
  check_size(file_, rows_, columns_.size() + 1);
  columns_.push_back({.name = std::move(name), .values = {}, .first_text = {}});
  return columns_.size() - 1;
}

std::size_t Rows::column(const std::string& name) {
  const auto [place, added] = by_name_.try_emplace(name, columns_.size());
  if (added) add_column(name);
  return place->second;
}

void Rows::begin_row() {
  check_size(file_, rows_ + 1, columns_.size());
  ++rows_;
}

void Rows::set(std::size_t column, std::string_view text, std::size_t line) {
  Column& c = columns_[column];
  const std::optional<double> v = number(text);
  if (!v && c.first_text.empty())
    c.first_text = fmt::format("{}:{}: {} is not a number", file_.path, line, in_quotes(text));
  set(column, v.value_or(absent));
}

void Rows::set(std::size_t column, double number) {
  Column& c = columns_[column];
  c.values.resize(rows_, absent);
  c.values.back() = number;
}

Table Rows::take() {
  Table t;
  for (Column& c : columns_) {
    if (!c.first_text.empty()) {
      t.texts.push_back({std::move(c.name), std::move(c.first_text)});
      continue;
    }
    c.values.resize(rows_, absent);
    t.add(std::move(c.name), std::move(c.values));
  }
  return t;
}

}  // namespace oxbow::tools
