// A graph of inputs to misuse, for tests of what a user is told.
#pragma once

#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

namespace oxbow::test {

struct SomeGraph {
  Graph g, other;
  At declared = At::current();  // one line for all that messages name
  Value x = input(g, "x", f32, {any(2), 4}, declared), label = input(g, "label", i64, {any(2)}, declared);
  Value v = input(g, "v", f32, {3}), i = input(g, "i", i64, {any(2), 4}), w = input(g, "w", f32, {5, 6});
  Value x2 = input(g, "x2", f32, {3, 4}), narrow = input(g, "narrow", f32, {3, 3, 2, 4});
  Value image = input(g, "image", f32, {any(2), 8, 8, 3}), kernel = input(g, "kernel", f32, {3, 3, 3, 4});
  Value state = variable(g, "state", {f32, {2, 4}});
  Value foreign = input(other, "foreign", f32, {4}, declared);
  Store store{g};
  Session session{compile({square(x)}), store};

  /// Each pair: what was said, and what should have been, "DECLARED" standing for the line of the inputs.
  void check(const std::vector<std::pair<std::string, std::string>>& table) const {
    const std::string line = to_string(Location(declared));
    for (auto [said, expected] : table) {
      for (auto place = said.find(line); place != std::string::npos; place = said.find(line))
        said.replace(place, line.size(), "DECLARED");
      BOOST_TEST(said == expected);
    }
  }
};

}  // namespace oxbow::test
