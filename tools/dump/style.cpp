#include "dump/style.h"

#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/graph/support/utf8.h>

#include <algorithm>
#include <cstdio>
#include <vector>

namespace oxbow::dots {
namespace {

// Every op that a tape in these attributes has as a step.
void collect_ops(const AttrValue& value, std::vector<std::string>& ops) {
  if (const auto* list = std::get_if<AttrList>(&value)) {
    for (const AttrValue& v : *list) collect_ops(v, ops);
  } else if (const auto* record = std::get_if<AttrRecord>(&value)) {
    for (const auto& [key, v] : *record) {
      const auto* name = std::get_if<std::string>(&v);
      if (key == "op" && name)
        ops.push_back(*name);
      else
        collect_ops(v, ops);
    }
  }
}

}  // namespace

Palette palette(Phase phase) {
  switch (phase) {
    case Phase::forward:
      return {"#1f4e79", "#dcebfa", "#f6fafe"};
    case Phase::backward:
      return {"#a34708", "#fde3cf", "#fef8f3"};
    case Phase::update:
      break;
  }
  return {"#2c6e3f", "#d9f0df", "#f5fbf6"};
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto [point, length, valid] = internal::utf8_at(text, i);
    if (point < 0x80) {
      if ((point >= 0x20 && point != 0x7f) || point == '\n') out += text[i];
    } else {
      // No control character, nothing that turns the text around, and nothing that XML forbids.
      const bool good = internal::shown_as_is({point, length, valid}) && point != 0xfffe && point != 0xffff;
      out += good ? text.substr(i, length) : std::string_view("\xef\xbf\xbd");
    }
    i += length;
  }
  return out;
}

std::string marked_up(std::string_view text) {
  std::string out;
  for (const char c : printable(text))
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return out;
}

std::string dot_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
  return out + '"';
}

std::string shortened(std::string text, std::size_t length) {
  if (text.size() <= length) return text;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;  // whole characters
  return text.substr(0, length) + "...";
}

std::string caption(std::string_view note, std::string_view path) {
  if (path.empty()) return note.empty() ? "" : "label=" + dot_string(note) + ";\n";
  return "label=<" + marked_up(note) + (note.empty() ? "" : "<br align=\"left\"/>") + "<font color=\"" + path_color +
         "\"><b>" + marked_up(path) + "</b></font><br align=\"left\"/>>;\n";
}

std::string made_of(const Op& op, std::size_t most) {
  std::vector<std::string> ops;
  for (const auto& [key, value] : op.attributes()) collect_ops(value, ops);
  if (ops.empty()) return "";
  if (!op.is<internal::Fused>()) ops.insert(ops.begin(), std::string(op.name()));
  const std::size_t shown = std::min(most, ops.size());
  std::string out;
  for (std::size_t i = 0; i < shown; ++i) out += (i > 0 ? ", " : "") + ops[i];
  return shown == ops.size() ? out : out + " and " + std::to_string(ops.size() - shown) + " more";
}

bool is_given(std::string_view output_name) {
  return output_name.find_first_not_of("0123456789") != std::string_view::npos;
}

std::string computes(const Op& op) {
  const std::string made = made_of(op, 3);
  return made.empty() ? std::string(op.name()) : op.is<internal::Fused>() ? "fused: " + made : made;
}

std::string bytes_text(std::int64_t bytes) {
  const char* units[] = {"B", "kB", "MB", "GB", "TB"};
  auto amount = static_cast<double>(bytes);
  int unit = 0;
  for (; amount >= 999.5 && unit < 4; ++unit) amount /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, amount < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", amount, units[unit]);
  return text;
}

std::string time_text(double ns) {
  const char* units[] = {"ns", "us", "ms", "s"};
  int unit = 0;
  for (; ns >= 999.5 && unit < 3; ++unit) ns /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, ns < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", ns, units[unit]);
  return text;
}

}  // namespace oxbow::dots
