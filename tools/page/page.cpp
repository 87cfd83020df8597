#include "page.h"

namespace oxbow::tools {

std::string page(std::string_view json) {
  static constexpr std::string_view mark = "@DATA@";
  const std::size_t at = page_source.find(mark);
  std::string out(page_source.substr(0, at));
  out.reserve(page_source.size() + json.size() * 9 / 8);
  // JSON has a `<` within strings only; as it is, "</script>" or "<!--" in one of them would end the data.
  for (const char c : json)
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  out += page_source.substr(at + mark.size());
  return out;
}

}  // namespace oxbow::tools
