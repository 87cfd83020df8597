// JSON as text, put together from its smallest pieces up. There is no tree of values in between, as libraries have: to
// free one, they allocate, and where memory has run out that ends the process. Thread safety: regular values.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace oxbow::tools {

class JsonObject;
class JsonList;

/// One value.
class JsonText {
 public:
  JsonText(std::nullptr_t) : text_("null") {}
  JsonText(bool v) : text_(v ? "true" : "false") {}
  template <std::integral T>
  JsonText(T v) : text_(std::to_string(v)) {}
  /// As short as it reads back exactly. JSON knows no infinity and no NaN: they are null.
  JsonText(double v);
  /// Bytes that are no UTF-8 become U+FFFD.
  JsonText(std::string_view v);
  JsonText(const std::string& v) : JsonText(std::string_view(v)) {}
  JsonText(const char* v) : JsonText(std::string_view(v)) {}
  template <std::integral T>
  JsonText(const std::vector<T>& list);
  JsonText(JsonObject object);
  JsonText(JsonList list);

  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Fields in the order in which they are added.
class JsonObject {
 public:
  using Field = std::pair<std::string_view, JsonText>;
  JsonObject(std::initializer_list<Field> fields = {}) : JsonObject(-1, fields) {}
  /// Each field on a line of its own, indented by so many spaces.
  static JsonObject in_lines(int indent, std::initializer_list<Field> fields = {}) { return {indent, fields}; }

  void add(std::string_view name, const JsonText& value);
  std::string finish() &&;

 private:
  JsonObject(int indent, std::initializer_list<Field> fields);
  int indent_;  // -1: all on one line
  std::string text_ = "{";
};

class JsonList {
 public:
  /// Each item on a line of its own.
  static JsonList in_lines() { return JsonList(true); }
  explicit JsonList(bool lines = false) : lines_(lines) {}

  void add(const JsonText& item);
  std::string finish() &&;

 private:
  bool lines_;
  std::string text_ = "[";
};

template <std::integral T>
JsonText::JsonText(const std::vector<T>& list) : text_("[") {
  for (std::size_t i = 0; i < list.size(); ++i) text_.append(i > 0 ? "," : "").append(std::to_string(list[i]));
  text_ += ']';
}

}  // namespace oxbow::tools
