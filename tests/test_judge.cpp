// The judge of loss curves against labels that follow from how the curves were made: tests/support/curves.h.
#include <oxbow/optim/judge.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <iomanip>
#include <limits>
#include <map>
#include <sstream>

#include "support/curves.h"
#include "support/message.h"

using namespace oxbow;
using oxbow::test::message;

namespace {

constexpr int faults = 5;

struct Confusion {
  std::array<std::array<int, faults>, faults> of{};  // [label][verdict]
  int total = 0, right = 0, false_diverging = 0;
  std::map<std::string, std::pair<int, int>> families;  // right, total

  explicit Confusion(test::Seeds seeds) {
    for (const test::LabelledCurve& c : test::labelled_curves(seeds, SOURCE_FOLDER "/tests/support/mnist_curves.csv")) {
      const auto label = static_cast<std::size_t>(c.fault);
      const auto verdict = static_cast<std::size_t>(optim::judge(c.losses).verdict);
      ++of[label][verdict];
      ++total;
      right += label == verdict ? 1 : 0;
      false_diverging += verdict == 0 && label != 0 ? 1 : 0;
      families[c.family].first += label == verdict ? 1 : 0;
      ++families[c.family].second;
    }
  }
  std::string text() const {
    std::ostringstream s;
    s << "label \\ verdict";
    for (const char* n : test::fault_names) s << std::setw(13) << n;
    for (int i = 0; i < faults; ++i) {
      s << "\n" << std::setw(15) << test::fault_names[i];
      for (const int n : of[static_cast<std::size_t>(i)]) s << std::setw(13) << n;
    }
    s << "\n" << right << " of " << total << " right, " << false_diverging << " falsely called diverging;";
    for (const auto& [name, count] : families) s << " " << name << " " << count.first << "/" << count.second;
    return s.str();
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(nearly_all_held_out_curves_are_judged_right) {
  const Confusion c(test::Seeds::held_out);
  BOOST_TEST_MESSAGE(c.text());
  BOOST_TEST(c.total >= 1000);
  for (const auto& row : c.of) {
    int curves = 0;
    for (const int n : row) curves += n;
    BOOST_TEST(curves >= 150);
  }
  BOOST_TEST(100 * c.right >= 99 * c.total, c.text());
  BOOST_TEST(1000 * c.false_diverging <= c.total, c.text());
}
