// What must hold for any bytes that claim to be a graph's or a plan's text: they are refused with a place, or what they
// say prints as a text that reads back to the same. For the fuzzer and for the test that reads its corpus.
#pragma once

#include <string>
#include <string_view>

namespace oxbow::test {

/// "" when all holds, otherwise what does not.
std::string read_hostile(std::string_view text);

}  // namespace oxbow::test
