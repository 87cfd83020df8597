// The fuzzers' corpora of files of tensors, tables, pictures and models, read in every build.
// Labels: memory.
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/hostile_files.h"
#include "support/places.h"

BOOST_AUTO_TEST_SUITE(test_files_corpus)

BOOST_AUTO_TEST_CASE(files_that_a_fuzzer_found_are_read_or_refused) {
  for (const auto& [name, read] :
       {std::pair{"safetensors", &oxbow::test::read_hostile_safetensors},
        std::pair{"idx", &oxbow::test::read_hostile_idx}, std::pair{"csv", &oxbow::test::read_hostile_csv},
        std::pair{"npy", &oxbow::test::read_hostile_npy}, std::pair{"npz", &oxbow::test::read_hostile_npz},
        std::pair{"image", &oxbow::test::read_hostile_image},
        std::pair{"exported", &oxbow::test::read_hostile_exported}}) {
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(oxbow::test::source("tests/fuzz/corpus/") + name)) {
      std::ifstream file(entry.path(), std::ios::binary);
      BOOST_TEST(read(std::string(std::istreambuf_iterator<char>(file), {})) == "", entry.path());
      ++files;
    }
    BOOST_TEST(files >= 8, name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
