// A training that is saved and goes on in another process has the bits of one that was never interrupted.
#include <oxbow/runtime/safetensors.h>

#include <boost/test/unit_test.hpp>

#include "support/command.h"
#include "support/places.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_resume)

using namespace oxbow;
using test::command;

BOOST_AUTO_TEST_CASE(a_training_that_is_resumed_goes_on_bit_for_bit) {
  const test::TemporaryFolder folder;
  const auto train = [&](const std::string& from, int minibatches, const std::string& to) {
    const std::string source = from == "-" ? from : folder / from;
    const auto done = command(test::program("resume_program") +
                              (" " + source + " " + std::to_string(minibatches) + " " + (folder / to)) + " 2>&1");
    BOOST_REQUIRE_MESSAGE(done.code == 0, done.output);
    return done.output;
  };
  // 11 minibatches an epoch in steps of 3, 3, 3 and 2: 100 ends within an epoch and a step, 110 with an epoch.
  const std::string whole = train("-", 200, "whole.safetensors");
  for (const int first : {100, 110, 1, 102}) {
    train("-", first, "first.safetensors");
    const std::string said = train("first.safetensors", 200 - first, "second.safetensors");
    BOOST_TEST(said == whole);
    const Safetensors a = load_safetensors(folder / "whole.safetensors");
    const Safetensors b = load_safetensors(folder / "second.safetensors");
    BOOST_REQUIRE(a.tensors.size() == b.tensors.size());
    BOOST_TEST(a.tensors.size() > 20u);
    for (std::size_t i = 0; i < a.tensors.size(); ++i) {
      BOOST_TEST(a.tensors[i].first == b.tensors[i].first);
      BOOST_TEST(same_bits(a.tensors[i].second, b.tensors[i].second), a.tensors[i].first << ", after " << first);
    }
  }
  const auto skipped = whole.find(" skipped");
  BOOST_REQUIRE(skipped != std::string::npos);
  BOOST_TEST(whole.substr(skipped - 2, 2) != " 0", whole);  // the scale was too large at times
}

BOOST_AUTO_TEST_SUITE_END()
