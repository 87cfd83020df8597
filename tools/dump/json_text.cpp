#include "dump/json_text.h"

#include <nlohmann/json.hpp>

namespace oxbow::tools {
namespace {

// A single value of the library's: freeing that allocates nothing.
template <class T>
std::string scalar(const T& v) {
  return nlohmann::json(v).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

JsonText::JsonText(double v) : text_(scalar(v)) {}
JsonText::JsonText(std::string_view v) : text_(scalar(v)) {}
JsonText::JsonText(JsonObject object) : text_(std::move(object).finish()) {}
JsonText::JsonText(JsonList list) : text_(std::move(list).finish()) {}

JsonObject::JsonObject(int indent, std::initializer_list<Field> fields) : indent_(indent) {
  for (const auto& [name, value] : fields) add(name, value);
}

void JsonObject::add(std::string_view name, const JsonText& value) {
  if (text_.size() > 1) text_ += ',';
  if (indent_ >= 0) text_.append("\n").append(static_cast<std::size_t>(indent_), ' ');
  text_ += scalar(name);
  text_ += indent_ >= 0 ? ": " : ":";
  text_ += value.text();
}

std::string JsonObject::finish() && {
  if (indent_ >= 0) text_.append("\n").append(static_cast<std::size_t>(indent_) - 1, ' ');
  return std::move(text_ += '}');
}

void JsonList::add(const JsonText& item) {
  if (text_.size() > 1) text_ += ',';
  if (lines_) text_ += "\n  ";
  text_ += item.text();
}

std::string JsonList::finish() && { return std::move(text_ += ']'); }

}  // namespace oxbow::tools
