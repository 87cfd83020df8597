#include <oxbow/graph/error.h>
#include <oxbow/graph/support/limits.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <variant>

#include "history/formats.h"

namespace oxbow::tools {
namespace {

// What a text holds. Freeing it allocates nothing, as the library's own tree does: where memory runs out while a text
// is read, that would end the process.
struct Json {
  struct List;
  struct Object;
  std::variant<std::nullptr_t, bool, double, std::unique_ptr<std::string>, std::unique_ptr<List>,
               std::unique_ptr<Object>>
      value = nullptr;

  const List* list() const;
  const Object* object() const;
};
struct Json::List {
  std::vector<Json> items;
};
struct Json::Object {
  std::vector<std::pair<std::string, Json>> fields;  // by name; of equal ones the last counts

  const Json* find(std::string_view name) const {
    for (const auto& [key, held] : fields)
      if (key == name) return &held;
    return nullptr;
  }
};

const Json::List* Json::list() const {
  const auto* l = std::get_if<std::unique_ptr<List>>(&value);
  return l ? l->get() : nullptr;
}
const Json::Object* Json::object() const {
  const auto* o = std::get_if<std::unique_ptr<Object>>(&value);
  return o ? o->get() : nullptr;
}

// Takes the events of the JSON library's parser. Members that it calls have its names.
class Builder {
 public:
  explicit Builder(const std::string& path) : path_(path) {}
  Json take() { return std::move(whole_); }

  bool null() { return add(nullptr); }
  bool boolean(bool v) { return add(v); }
  bool number_integer(std::int64_t v) { return add(static_cast<double>(v)); }
  bool number_unsigned(std::uint64_t v) { return add(static_cast<double>(v)); }
  bool number_float(double v, const std::string&) { return add(v); }
  bool string(std::string& v) { return add(std::make_unique<std::string>(std::move(v))); }
  bool binary(std::vector<std::uint8_t>&) { return false; }  // which JSON does not have
  bool key(std::string& name) {
    key_ = std::move(name);
    return true;
  }
  bool start_array(std::size_t) { return begin(std::make_unique<Json::List>()); }
  bool start_object(std::size_t) { return begin(std::make_unique<Json::Object>()); }
  bool end_array() {
    around_.pop_back();
    return true;
  }
  bool end_object() {
    auto& fields = std::get<std::unique_ptr<Json::Object>>(around_.back()->value)->fields;
    around_.pop_back();
    std::reverse(fields.begin(), fields.end());
    std::stable_sort(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    fields.erase(
        std::unique(fields.begin(), fields.end(), [](const auto& a, const auto& b) { return a.first == b.first; }),
        fields.end());
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const std::exception&) { return false; }

 private:
  template <class T>
  bool add(T value) {
    place(std::move(value));
    return true;
  }

  template <class T>
  bool begin(T value) {
    if (std::ssize(around_) == internal::limits::history_depth)
      throw Error(path_ + ": it nests deeper than " + std::to_string(internal::limits::history_depth) + " levels");
    around_.reserve(static_cast<std::size_t>(internal::limits::history_depth));
    around_.push_back(&place(std::move(value)));
    return true;
  }

  // Where the value that comes belongs. What is around it does not move until that is complete.
  template <class T>
  Json& place(T value) {
    if (around_.empty()) return whole_ = Json{std::move(value)};
    if (auto* list = std::get_if<std::unique_ptr<Json::List>>(&around_.back()->value))
      return (*list)->items.emplace_back(Json{std::move(value)});
    auto& object = std::get<std::unique_ptr<Json::Object>>(around_.back()->value);
    return object->fields.emplace_back(std::move(key_), Json{std::move(value)}).second;
  }

  const std::string& path_;
  Json whole_;
  std::vector<Json*> around_;  // lists and objects that have begun, outermost first
  std::string key_;            // of the value that comes
};

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
  Builder builder(path);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return std::nullopt;
  return builder.take();
}

// Puts the cell of a table into a column; false for what is none.
bool set_cell(Rows& rows, std::size_t column, const Json& json, std::size_t line) {
  if (std::holds_alternative<std::nullptr_t>(json.value))
    rows.set(column, "", line);
  else if (const auto* number = std::get_if<double>(&json.value))
    rows.set(column, *number);
  else if (const auto* text = std::get_if<std::unique_ptr<std::string>>(&json.value))
    rows.set(column, **text, line);
  else
    return false;
  return true;
}

bool is_cell(const Json& json) { return !json.list() && !json.object() && !std::holds_alternative<bool>(json.value); }

void add_row(Rows& rows, const Json::Object& object, std::size_t line) {
  rows.begin_row();
  for (const auto& [name, value] : object.fields)
    if (is_cell(value)) rows.column(name);  // too many are refused before the first of them takes memory
  for (const auto& [name, value] : object.fields)
    if (is_cell(value)) set_cell(rows, rows.column(name), value, line);
}

// The list where it is one of objects, and not empty.
const Json::List* objects(const Json& json) {
  const Json::List* list = json.list();
  const bool all = list && !list->items.empty() &&
                   std::all_of(list->items.begin(), list->items.end(), [](const Json& e) { return e.object(); });
  return all ? list : nullptr;
}

Table from_objects(const Json::List& list, const Source& file) {
  Rows rows(file);
  std::size_t number = 0;
  for (const Json& e : list.items) add_row(rows, *e.object(), ++number);
  return rows.take();
}

// A column's list; one with something else in it is none.
void add_list(Table& t, const std::string& name, const Json::List& list, const Source& file) {
  std::size_t longest = list.items.size();
  for (const auto& other : t.values) longest = std::max(longest, other.size());
  check_size(file, longest, t.columns.size() + 1);
  Rows column(file);
  column.add_column(name);
  for (const Json& v : list.items) {
    column.begin_row();
    if (!set_cell(column, 0, v, 1)) return;
  }
  if (Table one = column.take(); !one.columns.empty()) t.add(name, std::move(one.values[0]));
}

// An object a line; a last one that is cut short does not count.
std::optional<Table> from_lines(std::string_view text, const Source& file) {
  Rows rows(file);
  std::size_t line = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view one = text.substr(at, end - at);
    at = end + 1;
    ++line;
    if (one.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto json = parsed(one, file.path);
    if (!json && end == text.size() && rows.columns() > 0) break;
    if (!json || !json->object()) return std::nullopt;
    add_row(rows, *json->object(), line);
  }
  return rows.take();
}

Table from_object(const Json::Object& object, const Source& file) {
  const Json* log = object.find("log_history");
  if (const Json::List* list = log ? objects(*log) : nullptr) return from_objects(*list, file);
  Table t;
  for (const auto& [name, value] : object.fields)
    if (const Json::List* list = value.list()) add_list(t, name, *list, file);
  if (!t.columns.empty()) return t;
  Rows row(file);  // a file of one line
  add_row(row, object, 1);
  return row.take();
}

}  // namespace

Table read_json(const std::string& text, const std::string& path) {
  const std::string plain = with_words_quoted(text);
  const Source file{path, text.size()};
  const auto whole = parsed(plain, path);
  Table t;
  if (!whole) {
    const auto lines = from_lines(plain, file);
    if (!lines) throw Error(path + ": this is neither CSV nor JSON");
    t = *lines;
  } else if (const Json::List* rows = objects(*whole)) {
    t = from_objects(*rows, file);
  } else if (const Json::List* list = whole->list()) {
    add_list(t, "loss", *list, file);
  } else {
    t = from_object(*whole->object(), file);
  }
  if (t.columns.empty()) throw Error(path + ": there is no list of numbers in it");
  return t;
}

}  // namespace oxbow::tools
