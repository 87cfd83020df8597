// Line charts as SVG and as pages.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "plot.h"

using namespace oxbow::tools;

namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Plot wave(int points) {
  Series s{.name = "wave", .x = {}, .y = {}};
  for (int i = 0; i < points; ++i) {
    s.x.push_back(i);
    s.y.push_back(i == points / 3 ? 7 : std::sin(i * 0.01));
  }
  return {.title = "A wave", .x_label = "step", .panels = {{.y_label = "height", .series = {s}}}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_long_title_takes_several_lines) {
  Plot plot = wave(10);
  const std::string one = svg(plot);
  BOOST_TEST(has(one, "y=\"24\">A wave</text>"));
  plot.title = "mnist_mlp, adam, learning rate one_cycle(peak=0.001, steps=625, warmup=0.3, start=25, end=10000)";
  const std::string two = svg(plot);
  BOOST_TEST(has(two, "y=\"24\">mnist_mlp, adam, learning rate one_cycle(peak=0.001, steps=625,</text>"), two);
  BOOST_TEST(has(two, "y=\"42\">warmup=0.3, start=25, end=10000)</text>"), two);
  const auto height = [](const std::string& text) { return std::stod(text.substr(text.find("0 0 720 ") + 8)); };
  BOOST_TEST(height(two) == height(one) + 18);
}

BOOST_AUTO_TEST_CASE(a_long_run_takes_no_more_room_than_it_shows) {
  const std::string small = svg(wave(4000)), large = svg(wave(400000));
  BOOST_TEST(small.size() > 40000u);  // all points
  BOOST_TEST(large.size() < 60000u);  // some four for each pixel
  BOOST_TEST(page(wave(400000)).size() < 200000u);
  // A peak of one step stays: the axis ends right above it, so it reaches into the picture's topmost twentieth.
  const auto peak = [](const std::string& text) {
    double top = 1e9;
    std::size_t at = text.find("<path stroke=");
    at = text.find("<path stroke=", at + 1);  // behind the legend's
    const std::size_t end = text.find("\"/>", at);
    for (at = text.find('L', at); at < end; at = text.find('L', at + 1))
      top = std::min(top, std::stod(text.substr(text.find(' ', at) + 1)));
    return top;
  };
  BOOST_TEST(peak(large) == peak(small));
}
