#include <oxbow/graph/support/library_errors.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/optim/table_encoder.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace oxbow {
using namespace internal;
using Json = nlohmann::json;

namespace {

constexpr const char* kind_names[] = {"number", "one_hot", "codes"};

[[noreturn]] void lacks(const std::string& column, const std::string& source, std::int64_t row) {
  throw Error("column " + in_quotes(column) + " of " + source + " lacks the value of row " + std::to_string(row + 1) +
              ". Leave such rows out by dropna(), fill them by fillna(), or encode with {.fill_missing = true}");
}

// The values that there are, as texts: text by its bytes, numbers by size.
std::vector<std::string> categories_of(const TableColumn& column) {
  if (column.type == ColumnType::text) {
    std::vector<bool> used(column.categories.size());
    for (const std::int32_t code : column.codes)
      if (code >= 0) used[static_cast<std::size_t>(code)] = true;
    std::vector<std::string> there;
    for (std::size_t i = 0; i < used.size(); ++i)
      if (used[i]) there.push_back(column.categories[i]);
    return there;
  }
  const auto rows = static_cast<std::int64_t>(std::max(column.integers.size(), column.numbers.size()));
  std::vector<std::int64_t> order;
  for (std::int64_t row = 0; row < rows; ++row)
    if (!column.is_missing(row)) order.push_back(row);
  const bool whole = column.type == ColumnType::integers;
  const auto value = [&](std::int64_t row) { return column.integers[static_cast<std::size_t>(row)]; };
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return whole ? value(a) < value(b) : column.number(a) < column.number(b);
  });
  std::vector<std::string> there;
  for (const std::int64_t row : order)
    if (std::string text = column.text(row); there.empty() || there.back() != text) there.push_back(std::move(text));
  return there;
}

}  // namespace

TableEncoder::Column TableEncoder::fitted(const TableColumn& column, bool coded, bool fill) {
  Column c{.name = column.name, .text = column.type == ColumnType::text};
  if (!coded && column.type != ColumnType::text) {
    double sum = 0;
    std::int64_t count = 0;
    const auto rows = static_cast<std::int64_t>(std::max(column.integers.size(), column.numbers.size()));
    for (std::int64_t row = 0; row < rows; ++row)
      if (!column.is_missing(row)) sum += column.number(row), ++count;
    if (count == 0) throw Error("TableEncoder: column " + in_quotes(column.name) + " has no value");
    if (fill) c.fill = sum / static_cast<double>(count);
    return c;
  }
  c.becomes = coded ? Becomes::codes : Becomes::one_hot;
  c.categories = categories_of(column);
  if (c.categories.empty()) throw Error("TableEncoder: column " + in_quotes(column.name) + " has no value");
  if (fill && column.missing > 0) c.categories.insert(c.categories.begin(), "");
  return c;
}

TableEncoder::TableEncoder(const Table& table, const TableColumns& columns) {
  std::unordered_set<std::string> seen;
  const auto once = [&](const std::string& name) {
    if (!seen.insert(name).second) throw Error("TableEncoder: column " + in_quotes(name) + " is given twice");
  };
  std::vector<std::string> all = columns.inputs;
  if (!columns.target.empty()) all.push_back(columns.target);
  if (columns.inputs.empty()) throw Error("TableEncoder: there are no inputs. Name them: {.inputs = {\"size\"}}");
  for (const std::string& name : all) once(name);
  for (const std::string& name : columns.codes)
    if (!seen.contains(name))
      throw Error("TableEncoder: column " + in_quotes(name) + " is to have codes, but is neither an input nor the " +
                  "target." + did_you_mean(name, all));
  const auto coded = [&](const std::string& name) {
    return std::find(columns.codes.begin(), columns.codes.end(), name) != columns.codes.end();
  };
  for (const std::string& name : columns.inputs) {
    if (coded(name) && (name == "x" || name == "y"))
      throw Error("TableEncoder: column " + in_quotes(name) + " cannot have codes: the data have this name for others");
    Column c = fitted(table[name], coded(name), columns.fill_missing);
    if (c.becomes == Becomes::one_hot && c.categories.size() > limits::one_hot_columns)
      throw Error("TableEncoder: column " + in_quotes(name) + " has " + std::to_string(c.categories.size()) +
                  " different texts, too many for a column each (" + std::to_string(limits::one_hot_columns) +
                  "). Number them by {.codes = {" + in_quotes(name) + "}}, for an Embedding");
    columns_.push_back(std::move(c));
  }
  if (columns.target.empty()) return;
  const TableColumn& target = table[columns.target];
  target_ = fitted(target, coded(columns.target) || target.type == ColumnType::text, false);
}

std::int64_t TableEncoder::width() const {
  std::int64_t width = 0;
  for (const Column& c : columns_)
    if (c.becomes != Becomes::codes) width += c.becomes == Becomes::number ? 1 : std::ssize(c.categories);
  return width;
}

std::vector<std::string> TableEncoder::inputs() const {
  std::vector<std::string> names;
  for (const Column& c : columns_) names.push_back(c.name);
  return names;
}

CsvOptions TableEncoder::csv_options(bool with_target) const {
  CsvOptions options{.columns = inputs()};
  const auto take_type = [&](const Column& c) {
    options.types[c.name] = c.text ? ColumnType::text : ColumnType::numbers;
  };
  for (const Column& c : columns_) take_type(c);
  if (with_target && !target_.name.empty()) {
    options.columns.push_back(target_.name);
    take_type(target_);
  }
  return options;
}

bool TableEncoder::is_text(std::string_view column) const {
  for (const Column& c : columns_)
    if (c.name == column) return c.text;
  throw Error("the encoder has no input " + in_quotes(column) + "." + did_you_mean(column, inputs()) + " It has " +
              quoted(inputs()));
}

const std::vector<std::string>& TableEncoder::categories(std::string_view column) const {
  if (target_.name == column && !target_.categories.empty()) return target_.categories;
  std::vector<std::string> known;
  for (const Column& c : columns_) {
    if (c.becomes == Becomes::number) continue;
    if (c.name == column) return c.categories;
    known.push_back(c.name);
  }
  throw Error("the encoder has no categories of " + in_quotes(column) + "." + did_you_mean(column, known) +
              (known.empty() ? " It has none of any column" : " It has those of " + quoted(known)));
}

std::vector<std::int64_t> TableEncoder::codes(const Column& column, const TableColumn& from,
                                              const std::string& source) {
  std::unordered_map<std::string_view, std::int64_t> known;
  for (std::size_t i = 0; i < column.categories.size(); ++i)
    known.emplace(column.categories[i], static_cast<std::int64_t>(i));
  const auto code = [&](std::string_view text) {
    const auto found = known.find(text);
    return found == known.end() ? -1 : found->second;
  };
  std::vector<std::int64_t> of_text;  // each text is looked up once
  if (from.type == ColumnType::text)
    for (const std::string& text : from.categories) of_text.push_back(code(text));
  const auto rows = std::max({from.codes.size(), from.integers.size(), from.numbers.size()});
  std::vector<std::int64_t> codes(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto row = static_cast<std::int64_t>(i);
    const bool missing = from.is_missing(row);
    if (missing)
      codes[i] = code("");
    else if (from.type == ColumnType::text)
      codes[i] = of_text[static_cast<std::size_t>(from.codes[i])];
    else
      codes[i] = code(from.text(row));
    if (codes[i] >= 0) continue;
    if (missing) lacks(column.name, source, row);
    const std::string text = from.text(row);
    throw Error("column " + in_quotes(column.name) + " of " + source + " has " + in_quotes(text) + " in row " +
                std::to_string(row + 1) + ", which is none of the " + std::to_string(column.categories.size()) +
                " categories that the encoder was made with." + did_you_mean(text, column.categories));
  }
  return codes;
}

void TableEncoder::numbers(const Column& column, const TableColumn& from, const std::string& source, float* to,
                           std::int64_t step) {
  if (from.type == ColumnType::text)
    throw Error("column " + in_quotes(column.name) + " of " + source +
                " is text, but the encoder was made with numbers. Read it with {.types = {{" + in_quotes(column.name) +
                ", ColumnType::numbers}}} to be told where");
  const auto rows = static_cast<std::int64_t>(std::max(from.integers.size(), from.numbers.size()));
  for (std::int64_t row = 0; row < rows; ++row) {
    const bool missing = from.is_missing(row);
    if (missing && !column.fill) lacks(column.name, source, row);
    const double value = missing ? *column.fill : from.number(row);
    const auto number = static_cast<float>(value);
    if (!std::isfinite(number))
      throw Error("column " + in_quotes(column.name) + " of " + source + " has " + short_number(value) + " in row " +
                  std::to_string(row + 1) +
                  ", which is no finite number in f32. Leave such rows out, or take the column's logarithm first");
    to[row * step] = number;
  }
}

Dataset TableEncoder::inputs_of(const Table& table) const {
  const std::int64_t rows = table.size(), all = width();
  Dataset data;
  Tensor x({f32, {rows, all}});
  std::int64_t at = 0;
  for (const Column& c : columns_) {
    const TableColumn& from = table[c.name];
    if (c.becomes == Becomes::number) {
      numbers(c, from, table.source(), x.data<float>() + at++, all);
      continue;
    }
    const std::vector<std::int64_t> which = codes(c, from, table.source());
    if (c.becomes == Becomes::codes) {
      data.add(c.name, Tensor::of({rows}, which));
      continue;
    }
    for (std::int64_t row = 0; row < rows; ++row)
      x.data<float>()[row * all + at + which[static_cast<std::size_t>(row)]] = 1;
    at += std::ssize(c.categories);
  }
  if (all > 0) data.add("x", std::move(x));
  return data;
}

Dataset TableEncoder::operator()(const Table& table) const {
  Dataset data = inputs_of(table);
  const std::int64_t rows = table.size();
  if (target_.name.empty() || !table.contains(target_.name)) return data;
  if (target_.becomes == Becomes::number) {
    Tensor y({f32, {rows, 1}});
    numbers(target_, table[target_.name], table.source(), y.data<float>(), 1);
    data.add("y", std::move(y));
  } else {
    data.add("y", Tensor::of({rows}, codes(target_, table[target_.name], table.source())));
  }
  return data;
}

std::string TableEncoder::json() const {
  const auto column = [](const Column& c) {
    Json j{{"name", c.name}, {"as", kind_names[static_cast<int>(c.becomes)]}};
    if (c.becomes != Becomes::number) j["categories"] = c.categories;
    if (c.text) j["text"] = true;
    if (c.fill) j["fill"] = *c.fill;
    return j;
  };
  return with_own_errors("cannot write", "the columns of a table", [&] {
    Json all{{"inputs", Json::array()}};
    for (const Column& c : columns_) all["inputs"].push_back(column(c));
    if (!target_.name.empty()) all["target"] = column(target_);
    return all.dump();
  });
}

TableEncoder TableEncoder::parse(std::string_view json) {
  constexpr int deepest = 4;
  return with_own_errors("cannot read", "the columns of a table", [&] {
    const Json all = Json::parse(json, [](int depth, Json::parse_event_t, Json&) {
      if (depth > deepest) throw Error("the columns of a table lie too deep");
      return true;
    });
    const auto column = [](const Json& j) {
      Column c{.name = j.at("name").get<std::string>()};
      const auto kind = std::find(std::begin(kind_names), std::end(kind_names), j.at("as").get<std::string>());
      if (kind == std::end(kind_names)) throw Error("the columns of a table have a kind that there is not");
      c.becomes = static_cast<Becomes>(kind - std::begin(kind_names));
      if (c.becomes != Becomes::number) j.at("categories").get_to(c.categories);
      if (std::set<std::string>(c.categories.begin(), c.categories.end()).size() != c.categories.size() ||
          (c.becomes == Becomes::one_hot && c.categories.size() > limits::one_hot_columns + 1))
        throw Error("the columns of a table have categories twice, or too many");
      c.text = j.value("text", false);
      if (j.contains("fill")) c.fill = j["fill"].get<double>();
      return c;
    };
    TableEncoder encoder;
    for (const Json& j : all.at("inputs")) encoder.columns_.push_back(column(j));
    if (all.contains("target")) encoder.target_ = column(all["target"]);
    return encoder;
  });
}

}  // namespace oxbow
