// The fuzzer's corpus and its neighbourhood: every file, cut short everywhere, and with bytes and lines replaced,
// doubled and swapped by a fixed generator.
// Labels: memory.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "support/hostile_text.h"
#include "support/places.h"

BOOST_AUTO_TEST_SUITE(test_text_corpus)

using namespace oxbow;

namespace {

std::vector<std::pair<std::string, std::string>> corpus() {
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& entry : std::filesystem::directory_iterator(test::source("tests/fuzz/corpus/text"))) {
    std::ifstream file(entry.path(), std::ios::binary);
    files.emplace_back(entry.path().filename().string(), std::string(std::istreambuf_iterator<char>(file), {}));
  }
  std::sort(files.begin(), files.end());
  return files;
}

void check(const std::string& name, const std::string& text) {
  const std::string wrong = test::read_hostile(text);
  BOOST_TEST(wrong == "", name << ": " << wrong << "\nof\n" << text);
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_corpus) {
  const auto files = corpus();
  BOOST_TEST(files.size() >= 20u);
  for (const auto& [name, text] : files) check(name, text);
}

BOOST_AUTO_TEST_CASE(texts_that_end_early) {
  for (const auto& [name, text] : corpus())
    for (std::size_t end = 0; end < text.size(); end += 1 + text.size() / 100) check(name, text.substr(0, end));
}

BOOST_AUTO_TEST_CASE(damaged_texts) {
  constexpr std::string_view bytes("\"\\%#{}[]():=,.-09azn\n\t\0\xff\xc3", 26);
  std::mt19937 random(7);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % std::max<std::size_t>(n, 1)); };
  for (const auto& [name, whole] : corpus()) {
    if (whole.empty()) continue;
    for (int round = 0; round < 150; ++round) {
      std::string text = whole;
      for (std::size_t edits = 1 + below(4); edits-- > 0 && !text.empty();) {
        const std::size_t at = below(text.size());
        const std::size_t line = text.find('\n', at), length = std::min(line, text.size()) - at;
        switch (below(6)) {
          case 0:
            text[at] = bytes[below(bytes.size())];
            break;
          case 1:
            text.insert(at, 1, bytes[below(bytes.size())]);
            break;
          case 2:
            text.erase(at, 1 + below(length));
            break;
          case 3:
            text.insert(below(text.size()), text.substr(at, length + 1));
            break;
          case 4:
            text.insert(at, std::to_string(random()) + std::to_string(random()));
            break;
          default:
            std::swap(text[at], text[below(text.size())]);
        }
      }
      check(name, text);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
