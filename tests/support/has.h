// Whether a text has a part: `BOOST_TEST(has(text, part), text)`.
#pragma once

#include <string_view>

namespace oxbow::test {

inline bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace oxbow::test
