#include <oxbow/graph/dot_style.h>

#include <cstdio>

namespace oxbow::dots {

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

std::string dot_string(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out + '"';
}

std::string shortened(std::string text, std::size_t length) {
  if (text.size() <= length) return text;
  while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;  // whole characters
  return text.substr(0, length) + "...";
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
