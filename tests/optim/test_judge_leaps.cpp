// What the judge of loss curves says of a leap: overshot, unless it is made good. Curves written out by hand; those of
// real nets are in test_judge.cpp.
#include <oxbow/optim/judge.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(test_judge_leaps)

using namespace oxbow;

namespace {

// Losses of a net whose units die in the first steps, with a minibatch's noise.
std::vector<double> leaping(double start, double peak, double end, double noise = 0.02) {
  std::vector<double> l;
  for (int i = 0; i < 100; ++i) {
    const double level = i == 0 ? start : end + (peak - end) * std::exp(-(i - 1) / 0.8);
    l.push_back(level * (1 + noise * std::sin(12.9898 * i * i + 78.233 * i)));
  }
  return l;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_leap_that_leaves_the_loss_where_it_began_is_overshot) {
  for (const double peak : {5.0, 40.0, 1.1e4, 1e9}) {
    const optim::Judgement j = optim::judge(leaping(1.65, peak, 1.48));
    BOOST_CHECK(j.verdict == optim::Verdict::overshot);
    BOOST_TEST(std::abs(j.evidence.start - 1.65) < 0.05);  // before the leap, and no mean over it
    BOOST_TEST(std::abs(j.evidence.peak / peak - 1) < 0.03);
  }
  const std::string said = to_string(optim::judge(leaping(1.65, 1.1e4, 1.48, 0)));
  BOOST_TEST(
      said ==
      "overshot: the loss leapt from 1.65 to 1.1e+04 at step 2, and then stays at 1.48, near where it began\n"
      "The steps were far too large and left dead or saturated units, or weights far off: divide the learning rate by "
      "10, or let it rise from a small one over the first hundred steps (Warmup). Begin with new weights: these may "
      "not recover.\n");
  // What a small bump or a high leap does not keep from learning is healthy, and says from where it fell.
  const optim::Judgement bump = optim::judge(leaping(2.3, 3.1, 0.2)), fell = optim::judge(leaping(2.3, 40, 0.3));
  BOOST_CHECK(bump.verdict != optim::Verdict::overshot);
  BOOST_CHECK(fell.verdict != optim::Verdict::overshot);
  std::vector<double> learns = leaping(2.3, 4.8, 1);
  for (std::size_t i = 0; i < learns.size(); ++i) learns[i] *= std::exp(-0.03 * static_cast<double>(i));
  const std::string healthy = to_string(optim::judge(learns));
  BOOST_TEST(healthy.starts_with("healthy: the loss fell from 2.3 to 0.0"), healthy);
}

// However long the way back from the leap takes: what ends where it began is not healthy.
BOOST_AUTO_TEST_CASE(a_leap_is_seen_where_the_way_back_is_long) {
  struct Leap {
    int steps;
    double tau, height;
  };
  for (const Leap& leap :
       {Leap{60, 3, 998}, Leap{200, 10, 1000}, Leap{100, 10, 100}, Leap{60, 3, 100}, Leap{40, 3, 40}})
    for (const double down : {0.0, 5.0}) {  // below 0 as well
      std::vector<double> l{2.3 - down, 48 - down};
      for (int i = 0; i + 2 < leap.steps; ++i)
        l.push_back(2.3 + leap.height * std::exp(-i / leap.tau) + 0.01 * std::sin(7.3 * i) - down);
      const optim::Judgement j = optim::judge(l);
      BOOST_TEST((j.verdict == optim::Verdict::overshot), leap.steps << " steps: " << to_string(j));
      BOOST_TEST(j.evidence.start == 2.3 - down, boost::test_tools::tolerance(0.02));
    }
  // Two of the log likelihood that gain by the end, with and without a leap.
  for (const double peak : {2.3, 40.0}) {
    std::vector<double> l = leaping(2.3, peak, 1);
    for (std::size_t i = 0; i < l.size(); ++i) l[i] -= 3 + 0.02 * static_cast<double>(i);
    BOOST_CHECK(optim::judge(l).verdict != optim::Verdict::overshot);
  }
}

// Late, from a loss that had fallen, to a level that is noisy, and anything from half to twice the start.
BOOST_AUTO_TEST_CASE(a_leap_of_four_times_the_start_is_overshot_unless_it_is_made_good) {
  struct Leap {
    double at, fallen, peak, level, noise;  // the share of the run, of the start, and so on
    bool overshot;
  };
  constexpr int steps = 400;
  const std::vector<Leap> leaps = {
      {0.01, 1, 8, 0.55, 0.3, true},    {0.01, 1, 1e5, 0.7, 0.4, true}, {0.03, 1, 100, 0.95, 0.4, true},
      {0.03, 1, 12, 1.7, 0.03, true},   {0.2, 0.5, 20, 0.9, 0.3, true}, {0.36, 0.5, 30, 0.6, 0.03, true},
      {0.45, 0.5, 30, 1, 0.2, true},    {0.45, 1, 30, 1.6, 0.03, true}, {0.01, 1, 1.5, 0.6, 0.1, false},
      {0.01, 1, 2, 0.55, 0.3, false},   {0.02, 1, 3, 0.3, 0.1, false},  {0.01, 1, 30, 0.2, 0.2, false},
      {0.01, 1, 1e4, 0.35, 0.2, false}, {0.2, 0.5, 5, 0.3, 0.1, false}};
  for (const Leap& leap : leaps) {
    std::vector<double> l;
    for (int i = 0; i < steps; ++i) {
      const double t = i, from = leap.at * steps;
      const double level = t < from ? leap.fallen + (1 - leap.fallen) * std::exp(-4 * t / from)
                                    : leap.level + (leap.peak - leap.level) * std::exp(-(t - std::ceil(from)) / 3);
      l.push_back(11.4 * level * std::exp(leap.noise * std::sin(12.9898 * i * i + 78.233 * i)));
    }
    const optim::Judgement j = optim::judge(l);
    BOOST_TEST((j.verdict == optim::Verdict::overshot) == leap.overshot,
               leap.at << " " << leap.peak << " " << leap.level << ": " << to_string(j));
    if (!leap.overshot) continue;
    BOOST_TEST(std::abs(std::log(j.evidence.start / 11.4)) < 0.5);
    BOOST_TEST(j.evidence.peak == *std::max_element(l.begin(), l.end()));
    BOOST_TEST(l[static_cast<std::size_t>(j.evidence.peak_step) - 1] == j.evidence.peak);
    BOOST_TEST(j.because.find(leap.level > 0.8 && leap.level < 1.1 ? " near where it began" : " times its start") !=
                   std::string::npos,
               j.because);
  }
}

BOOST_AUTO_TEST_SUITE_END()
