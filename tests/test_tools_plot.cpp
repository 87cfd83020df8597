// Line charts as SVG and as pages.
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "plot.h"
#include "support/has.h"

using namespace oxbow::tools;
using oxbow::test::has;

namespace {

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
  plot.title = "";
  BOOST_TEST(height(svg(plot)) == height(one) - 18);
}

BOOST_AUTO_TEST_CASE(a_long_run_takes_no_more_room_than_it_shows) {
  const std::string small = svg(wave(4000)), large = svg(wave(400000));
  BOOST_TEST(small.size() > 40000u);  // all points
  BOOST_TEST(large.size() < 60000u);  // some four for each pixel
  BOOST_TEST(page(wave(400000)).size() < 200000u);
  // A peak of one step stays: the axis ends right above it, so it reaches into the picture's topmost twentieth.
  const auto peak = [](const std::string& text) {
    double top = 1e9;
    std::size_t at = text.find("<path class=\"c c0\"");
    at = text.find("<path class=\"c c0\"", at + 1);  // behind the legend's
    const std::size_t end = text.find("\"/>", at);
    for (at = text.find('L', at); at < end; at = text.find('L', at + 1))
      top = std::min(top, std::stod(text.substr(text.find(' ', at) + 1)));
    return top;
  };
  BOOST_TEST(peak(large) == peak(small));
}

// Colours are classes, so that a dark page's are other ones than a light page's.
BOOST_AUTO_TEST_CASE(each_series_has_a_colour_on_light_and_dark_pages) {
  Plot plot = wave(10);
  for (int i = 1; i < 9; ++i) {
    plot.panels[0].series.push_back(plot.panels[0].series[0]);
    plot.panels[0].series.back().name = "wave " + std::to_string(i);
  }
  const std::string picture = svg(plot), light = picture.substr(0, picture.find("@media")),
                    dark = picture.substr(light.size(), picture.find("</style>") - light.size());
  for (const std::string colour : {"c0", "c1", "c2", "c3", "c4", "c5", "c6"}) {
    BOOST_TEST(has(light, "." + colour + "{color:#"), colour);
    BOOST_TEST(has(picture, "<path class=\"c " + colour + "\" d="), colour);
  }
  BOOST_TEST(has(dark, ".c0{color:#"));
  BOOST_TEST(has(picture, "<path class=\"c c0\" stroke-dasharray="));  // the eighth
  BOOST_TEST(!has(picture, "stroke=\""));
}

// What a page says under the pointer: a smoothed line and the values that it is the mean of are told apart.
BOOST_AUTO_TEST_CASE(a_page_tells_values_from_their_mean) {
  Plot plot = wave(10);
  plot.panels[0].series.push_back(plot.panels[0].series[0]);
  plot.panels[0].series[0].faint = true;
  const std::string both = page(plot);
  BOOST_TEST(has(both, "{\"name\":\"wave\",\"colour\":0,\"faint\":true,"), both);
  BOOST_TEST(has(both, "{\"name\":\"wave\",\"colour\":0,\"faint\":false,"), both);
  plot.panels[0].series.pop_back();
  BOOST_TEST(!has(page(plot), "\"faint\":true"));  // nothing to tell it from
}
