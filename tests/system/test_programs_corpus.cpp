// Programs that build graphs, differentiate and run them: those of the fuzzer's corpus, and some more whose bytes a
// fixed generator draws. See support/hostile_program.h. Labels: memory.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "support/hostile_program.h"
#include "support/places.h"

BOOST_AUTO_TEST_SUITE(test_programs_corpus)

using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(programs_that_a_fuzzer_found) {
  int programs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(source("tests/fuzz/corpus/programs"))) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    const std::string wrong = run_hostile_program(bytes);
    BOOST_TEST(wrong == "", entry.path().filename() << ": " << wrong);
    ++programs;
  }
  BOOST_TEST(programs >= 20);
}

BOOST_AUTO_TEST_CASE(programs_by_chance) {
  std::mt19937 random(11);
  for (int program = 0; program < 500; ++program) {
    std::string bytes(20 + random() % 400, '\0');
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<char>(random() % 256); });
    const std::string wrong = run_hostile_program(bytes);
    BOOST_TEST(wrong == "", "program " << program << ": " << wrong);
  }
}

BOOST_AUTO_TEST_SUITE_END()
