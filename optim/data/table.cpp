#include <oxbow/graph/support/near_names.h>
#include <oxbow/optim/table.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>
#include <unordered_set>

namespace oxbow {
using namespace internal;

namespace {

std::size_t length(const TableColumn& c) {
  return c.type == ColumnType::integers  ? c.integers.size()
         : c.type == ColumnType::numbers ? c.numbers.size()
                                         : c.codes.size();
}

template <class T>
void take_rows(const std::vector<T>& from, std::span<const std::int64_t> rows, std::vector<T>& to) {
  if (from.empty()) return;
  to.reserve(rows.size());
  for (const std::int64_t row : rows) to.push_back(from[static_cast<std::size_t>(row)]);
}

std::int64_t count_missing(const TableColumn& c) {
  if (c.type == ColumnType::text) return std::count(c.codes.begin(), c.codes.end(), -1);
  return std::count_if(c.numbers.begin(), c.numbers.end(), [](double v) { return std::isnan(v); });
}

}  // namespace

bool TableColumn::is_missing(std::int64_t row) const {
  const auto i = static_cast<std::size_t>(row);
  return type == ColumnType::numbers ? std::isnan(numbers[i]) : type == ColumnType::text && codes[i] < 0;
}

double TableColumn::number(std::int64_t row) const {
  const auto i = static_cast<std::size_t>(row);
  return type == ColumnType::integers ? static_cast<double>(integers[i]) : numbers[i];
}

std::string TableColumn::text(std::int64_t row) const {
  const auto i = static_cast<std::size_t>(row);
  if (is_missing(row)) return "";
  if (type == ColumnType::text) return categories[static_cast<std::size_t>(codes[i])];
  char digits[32];
  char* last = digits + sizeof digits;
  if (type == ColumnType::integers) return {digits, std::to_chars(digits, last, integers[i]).ptr};
  // A large one with an exponent, so that it is not read back as a whole number that does not fit one.
  const bool large = std::abs(numbers[i]) >= 1e15;
  const auto end = large ? std::to_chars(digits, last, numbers[i], std::chars_format::scientific)
                         : std::to_chars(digits, last, numbers[i]);
  return {digits, end.ptr};
}

Table::Table(std::vector<TableColumn> columns, std::string source) : source_(std::move(source)) {
  std::unordered_set<std::string> names;
  for (TableColumn& c : columns) {
    if (!names.insert(c.name).second) throw Error(source_ + " has two columns " + in_quotes(c.name));
    const auto rows = static_cast<std::int64_t>(length(c));
    if (!columns_.empty() && rows != size_)
      throw Error("column " + in_quotes(c.name) + " of " + source_ + " has " + std::to_string(rows) + " values, but " +
                  in_quotes(columns_[0]->name) + " has " + std::to_string(size_));
    for (const std::int32_t code : c.codes)
      if (code < -1 || code >= std::ssize(c.categories))
        throw Error("column " + in_quotes(c.name) + " of " + source_ + " has the code " + std::to_string(code) +
                    ", but " + std::to_string(c.categories.size()) + " categories");
    size_ = rows;
    c.missing = count_missing(c);
    columns_.push_back(std::make_shared<const TableColumn>(std::move(c)));
  }
}

std::vector<std::string> Table::names() const {
  std::vector<std::string> names;
  for (const auto& c : columns_) names.push_back(c->name);
  return names;
}

bool Table::contains(std::string_view name) const {
  return std::any_of(columns_.begin(), columns_.end(), [name](const auto& c) { return c->name == name; });
}

const std::shared_ptr<const TableColumn>& Table::find(std::string_view name) const {
  for (const auto& c : columns_)
    if (c->name == name) return c;
  const std::vector<std::string> known = names();
  throw Error(source_ + " has no column " + in_quotes(name) + "." + did_you_mean(name, known) +
              (known.empty() ? " It has none" : " It has " + quoted(known)));
}

const TableColumn& Table::operator[](std::string_view name) const { return *find(name); }

Tensor Table::tensor(std::span<const std::string> names, DType dtype) const {
  if (dtype != f32 && dtype != f64)
    throw Error("numbers of a table become f32 or f64, not " + std::string(name(dtype)));
  const auto width = static_cast<std::int64_t>(names.size());
  Tensor all({dtype, {size_, width}});
  for (std::int64_t c = 0; c < width; ++c) {
    const TableColumn& column = (*this)[names[static_cast<std::size_t>(c)]];
    if (column.type == ColumnType::text)
      throw Error("column " + in_quotes(column.name) + " of " + source_ +
                  " is text, not numbers. A TableEncoder makes codes of it");
    for (std::int64_t row = 0; row < size_; ++row) {
      const double v = column.number(row);
      if (v != v)
        throw Error("column " + in_quotes(column.name) + " of " + source_ + " lacks the value of row " +
                    std::to_string(row + 1) + ". Leave such rows out by dropna(), or fill them by fillna()");
      if (dtype == f32)
        all.data<float>()[row * width + c] = static_cast<float>(v);
      else
        all.data<double>()[row * width + c] = v;
    }
  }
  return all;
}

Table Table::take(std::span<const std::int64_t> rows) const {
  for (const std::int64_t row : rows)
    if (row < 0 || row >= size_)
      throw Error("row " + std::to_string(row) + " was asked for, but " + source_ + " has " + std::to_string(size_));
  Table taken;
  taken.source_ = source_;
  taken.size_ = std::ssize(rows);
  for (const auto& c : columns_) {
    auto part = std::make_shared<TableColumn>();
    part->name = c->name;
    part->type = c->type;
    part->categories = c->categories;
    take_rows(c->integers, rows, part->integers);
    take_rows(c->numbers, rows, part->numbers);
    take_rows(c->codes, rows, part->codes);
    part->missing = count_missing(*part);
    taken.columns_.push_back(std::move(part));
  }
  return taken;
}

Table Table::rows(std::int64_t begin, std::int64_t end) const {
  if (begin < 0 || end < begin || end > size_)
    throw Error("rows " + std::to_string(begin) + " to " + std::to_string(end) + " were asked for, but " + source_ +
                " has " + std::to_string(size_));
  std::vector<std::int64_t> all(static_cast<std::size_t>(end - begin));
  std::iota(all.begin(), all.end(), begin);
  return take(all);
}

Table Table::dropna() const {
  std::vector<std::int64_t> kept;
  for (std::int64_t row = 0; row < size_; ++row)
    if (std::none_of(columns_.begin(), columns_.end(), [row](const auto& c) { return c->is_missing(row); }))
      kept.push_back(row);
  return take(kept);
}

Table Table::with(std::string_view column, TableColumn now) const {
  Table table = *this;
  now.missing = count_missing(now);
  for (auto& c : table.columns_)
    if (c->name == column) c = std::make_shared<const TableColumn>(std::move(now));
  return table;
}

Table Table::fillna(std::string_view column, double value) const {
  TableColumn filled = (*this)[column];
  if (filled.type == ColumnType::text)
    throw Error("fillna: column " + in_quotes(column) + " of " + source_ + " is text. Give a text");
  for (double& v : filled.numbers)
    if (std::isnan(v)) v = value;
  return with(column, std::move(filled));
}

Table Table::fillna(std::string_view column, std::string_view value) const {
  TableColumn filled = (*this)[column];
  if (filled.type != ColumnType::text)
    throw Error("fillna: column " + in_quotes(column) + " of " + source_ + " has numbers. Give a number");
  if (filled.missing == 0) return *this;
  auto& known = filled.categories;
  const auto place = std::lower_bound(known.begin(), known.end(), value);
  const auto code = static_cast<std::int32_t>(place - known.begin());
  if (place == known.end() || *place != value) {
    known.insert(place, std::string(value));
    for (std::int32_t& c : filled.codes)
      if (c >= code) ++c;
  }
  for (std::int32_t& c : filled.codes)
    if (c < 0) c = code;
  return with(column, std::move(filled));
}

}  // namespace oxbow
