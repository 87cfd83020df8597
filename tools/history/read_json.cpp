#include <oxbow/graph/error.h>
#include <oxbow/graph/support/limits.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "history/formats.h"

namespace oxbow::tools {
namespace {

using Json = nlohmann::json;

// Python's json writes these words for numbers that JSON does not have: they become strings, and so cells like others.
std::string with_words_quoted(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool inside = false;  // a string
  for (std::size_t i = 0; i < text.size();) {
    if (inside && text[i] == '\\') {
      out += text.substr(i, 2);
      i += 2;
      continue;
    }
    if (text[i] == '"') inside = !inside;
    std::string_view word;
    for (const std::string_view known : {"NaN", "Infinity", "-Infinity"})
      if (!inside && text.substr(i).starts_with(known)) word = known;
    if (word.empty()) {
      out += text[i++];
    } else {
      out.append("\"").append(word).append("\"");
      i += word.size();
    }
  }
  return out;
}

// Nothing where the text is no JSON.
std::optional<Json> parsed(std::string_view text, const std::string& path) {
  const auto check_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > limits::history_depth)
      throw Error(path + ": it nests deeper than " + std::to_string(limits::history_depth) + " levels");
    return true;
  };
  Json json = Json::parse(text.begin(), text.end(), check_depth, false);
  return json.is_discarded() ? std::nullopt : std::optional(std::move(json));
}

// As the cell of a table; nothing for what is none.
std::optional<std::string> cell(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_number()) return value.dump();
  if (value.is_string()) return value.get<std::string>();
  return std::nullopt;
}

void add_row(Rows& rows, const Json& object, std::size_t line) {
  rows.begin_row();
  for (const auto& [name, value] : object.items())
    if (const auto text = cell(value)) rows.set(rows.column(name), *text, line);
}

bool has_objects(const Json& json) {
  return json.is_array() && !json.empty() &&
         std::all_of(json.begin(), json.end(), [](const Json& e) { return e.is_object(); });
}

Table from_objects(const Json& list, const std::string& path) {
  Rows rows(path);
  std::size_t number = 0;
  for (const Json& object : list) add_row(rows, object, ++number);
  return rows.take();
}

// A column's list; one with something else in it is none.
void add_list(Table& t, const std::string& name, const Json& list, const std::string& path) {
  Rows column(path);
  column.add_column(name);
  for (const Json& v : list) {
    const auto text = cell(v);
    if (!text) return;
    column.begin_row();
    column.set(0, *text, 1);
  }
  if (Table one = column.take(); !one.columns.empty()) t.add(name, std::move(one.values[0]));
}

// An object a line; a last one that is cut short does not count.
std::optional<Table> from_lines(std::string_view text, const std::string& path) {
  Rows rows(path);
  std::size_t line = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view one = text.substr(at, end - at);
    at = end + 1;
    ++line;
    if (one.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto json = parsed(one, path);
    if (!json && end == text.size() && rows.columns() > 0) break;
    if (!json || !json->is_object()) return std::nullopt;
    add_row(rows, *json, line);
  }
  return rows.take();
}

Table from_object(const Json& object, const std::string& path) {
  if (const auto log = object.find("log_history"); log != object.end() && has_objects(*log))
    return from_objects(*log, path);
  Table t;
  for (const auto& [name, list] : object.items())
    if (list.is_array()) add_list(t, name, list, path);
  if (!t.columns.empty()) return t;
  Rows row(path);  // a file of one line
  add_row(row, object, 1);
  return row.take();
}

}  // namespace

Table read_json(const std::string& text, const std::string& path) {
  const std::string plain = with_words_quoted(text);
  const auto whole = parsed(plain, path);
  Table t;
  if (!whole) {
    const auto lines = from_lines(plain, path);
    if (!lines) throw Error(path + ": this is neither CSV nor JSON");
    t = *lines;
  } else if (has_objects(*whole)) {
    t = from_objects(*whole, path);
  } else if (whole->is_array()) {
    add_list(t, "loss", *whole, path);
  } else {
    t = from_object(*whole, path);
  }
  if (t.columns.empty()) throw Error(path + ": there is no list of numbers in it");
  return t;
}

}  // namespace oxbow::tools
