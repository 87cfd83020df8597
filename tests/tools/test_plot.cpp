// Line charts as SVG and as pages.
#include <oxbow/graph/error.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "history/plot.h"
#include "plot/plot.h"
#include "support/has.h"

BOOST_AUTO_TEST_SUITE(test_plot)

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

// a^2 + b^2 about its minimum.
Surface bowl(std::vector<Path> paths) {
  return {.title = "Descents",
          .x_label = "a",
          .y_label = "b",
          .height = [](double a, double b) { return a * a + b * b; },
          .left = -1,
          .right = 1,
          .bottom = -1,
          .top = 1,
          .paths = std::move(paths)};
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

BOOST_AUTO_TEST_CASE(a_table_makes_lines_and_points) {
  const oxbow::Tensor table = oxbow::Tensor::of<float>({3, 3}, {0, 1, 2, 1, 3, 4, 2, 5, 6});
  const std::vector<Series> two = lines(table, {"a", "b"});
  BOOST_TEST(two.size() == 2u);
  BOOST_TEST(two[1].name == "b");
  BOOST_TEST(two[1].x == (std::vector<double>{0, 1, 2}), boost::test_tools::per_element());
  BOOST_TEST(two[1].y == (std::vector<double>{2, 4, 6}), boost::test_tools::per_element());
  const Series points = scatter("p", oxbow::Tensor::of<double>({2, 2}, {0.5, 1, 2, 3}));
  BOOST_TEST(points.points);
  BOOST_TEST(points.y == (std::vector<double>{1, 3}), boost::test_tools::per_element());
  BOOST_CHECK_THROW(lines(table, {"a"}), oxbow::Error);
  BOOST_CHECK_THROW(scatter("p", oxbow::Tensor({oxbow::i64, {2, 2}})), oxbow::Error);
}

BOOST_AUTO_TEST_CASE(points_have_no_line_between_them) {
  Series many{.name = "points"};
  for (int i = 0; i < 100; ++i) {
    many.x.push_back(i);
    many.y.push_back(i * i % 7);
  }
  const auto drawn = [&] {
    return svg({.x_label = "x", .panels = {{.y_label = "y", .series = {many}, .height = 632}}});
  };
  BOOST_TEST(has(drawn(), "L"));
  many.points = true;
  const std::string text = drawn();
  const std::string dots = "<path class=\"c c0 d\" style=\"stroke-width:4\" d=\"";
  const std::size_t path = text.find(dots + "M");
  BOOST_REQUIRE(path != std::string::npos);
  const std::string d = text.substr(path + dots.size(), text.find("/>", path) - path - dots.size());
  BOOST_TEST(std::count(d.begin(), d.end(), 'h') == 100);
  BOOST_TEST(!has(d, "L"));
  BOOST_TEST(has(text, "width=\"632\" height=\"632\""));  // of the panel
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

BOOST_AUTO_TEST_CASE(marks_are_round_numbers_and_few) {
  const auto is = [](double low, double high, const std::vector<double>& marks) {
    BOOST_TEST(ticks(low, high, 5) == marks, boost::test_tools::per_element());
  };
  is(0, 10, {0, 2, 4, 6, 8, 10});
  is(-0.1, 0.21, {-0.1, 0, 0.1, 0.2});
  is(7, 7, {7});
  is(1e16, 1e16 + 2, {1e16, 1e16 + 2});  // there are no numbers between
  is(0, std::numeric_limits<double>::infinity(), {0});
  is(0, 5e-324, {0});
  for (const double about : {0.0, 1.0, 4e15, 1e16, -1e17, 1e300})
    for (const double relative : {1e-17, 1e-16, 1e-15, 1e-9, 0.5})
      for (const int count : {0, 1, 8}) {
        const double high = about + std::abs(about) * relative + (about == 0 ? relative : 0);
        const std::vector<double> marks = ticks(about, high, count);
        BOOST_TEST(marks.size() <= static_cast<std::size_t>(count) + 3, about << " to " << high);
        BOOST_TEST(std::is_sorted(marks.begin(), marks.end(), std::less_equal<>()));
      }
}

// The smoothed losses of a run, by definition and as drawn.
BOOST_AUTO_TEST_CASE(losses_are_smoothed_by_the_mean_about_each) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  std::vector<double> losses;
  for (int i = 0; i < 60; ++i)
    losses.push_back(i % 11 == 7 ? infinite : (i < 20 ? 1e300 : i < 40 ? 1e-3 : 1) * (2 + std::sin(i)));
  const auto drawn = [&](const std::vector<double>& values, int width) {
    Table table;
    table.add("value", values);
    return oxbow::tools::plot({{"run", "FILE", table}}, {.columns = {"value"}, .smooth = width})
        .panels.at(0)
        .series.back()
        .y;
  };
  const int n = static_cast<int>(losses.size());
  for (const int width : {2, 3, 7, 30, 59, 60, 61, 119, 120, 121, 1'000'000'000}) {
    const std::vector<double> smooth = drawn(losses, width);
    BOOST_REQUIRE(smooth.size() == losses.size());
    for (int i = 0; i < n; ++i) {
      double sum = 0, count = 0;
      for (int k = std::max(0, i - width / 2); k < std::min<std::int64_t>(n, std::int64_t{i} + (width + 1) / 2); ++k)
        if (std::isfinite(losses[static_cast<std::size_t>(k)])) sum += losses[static_cast<std::size_t>(k)], ++count;
      const double own = losses[static_cast<std::size_t>(i)], got = smooth[static_cast<std::size_t>(i)];
      if (std::isfinite(own))
        BOOST_TEST(got == sum / count, boost::test_tools::tolerance(1e-14));
      else
        BOOST_TEST(got == own);
    }
  }
  // In a time that does not depend on the width: by the definition, 10^12 additions.
  const std::vector<double> million = drawn(std::vector<double>(1'000'000, 0.5), 1'000'000'000);
  BOOST_TEST(std::all_of(million.begin(), million.end(), [](double v) { return v == 0.5; }));
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

// Names of runs are names of folders, which may hold any bytes; XML may not.
BOOST_AUTO_TEST_CASE(pictures_are_well_formed_whatever_the_names) {
  Plot plot = wave(10);
  plot.title = "a\x01 <&> b\x1b";
  plot.panels[0].y_label = "\xed\xa0\x80 \xc0\xaf h\xc3\xb6he";  // a surrogate, a longer form than is needed, a letter
  plot.panels[0].series[0].name = "run\xff \xf0\x9f\x98\x80 \xe2\x82";
  plot.marks = {{.x = 3, .label = "m\x80\x7f"}};
  const std::string nothing = "\xef\xbf\xbd";
  Surface surface = bowl({{.name = plot.panels[0].series[0].name, .x = {0.5, 0.1}, .y = {0.5, 0.1}}});
  surface.title = plot.title;
  surface.x_label = plot.panels[0].y_label;
  for (const std::string& text : {svg(plot), page(plot), svg(surface), page(surface)}) {
    BOOST_TEST(std::none_of(text.begin(), text.end(), [](unsigned char c) {
      return (c < 0x20 && c != '\n') || c == 0x7f || c == 0xff || c == 0xc0 || c == 0xed;
    }));
    BOOST_TEST(has(text, "a &lt;&amp;&gt; b</title>"), text);
    BOOST_TEST(has(text, nothing + nothing + nothing + " " + nothing + nothing + " h\xc3\xb6he</text>"), text);
    BOOST_TEST(has(text, "run" + nothing + " \xf0\x9f\x98\x80 " + nothing + nothing + "</text>"), text);
  }
  BOOST_TEST(has(svg(plot), ">m" + nothing + "</text>"));
  BOOST_TEST(has(page(plot), "{\"name\":\"run" + nothing + " "));
}

BOOST_AUTO_TEST_CASE(a_picture_without_a_title_says_what_it_is_of) {
  Plot plot = wave(10);
  BOOST_TEST(has(svg(plot), "<title>A wave</title>"));
  plot.title = "";
  plot.panels.push_back(plot.panels[0]);
  plot.panels.push_back(plot.panels[0]);
  plot.panels.back().y_label = "width";
  BOOST_TEST(has(svg(plot), "<title>height, width over step</title>"));
  BOOST_TEST(has(page(plot), "<title>height, width over step</title>"));
}

// A path goes from a ring to a dot; what no picture can show is refused, or ends at its edge.
BOOST_AUTO_TEST_CASE(descents_show_where_they_start_and_end) {
  Surface s =
      bowl({{.name = "one", .x = {-0.5, 0.25}, .y = {0.5, 0}}, {.name = "two", .x = {-0.5, 1e300}, .y = {0.5, 0}}});
  const auto count = [](const std::string& text, std::string_view part) {
    int n = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
    return n;
  };
  const std::string both = svg(s);
  BOOST_TEST(count(both, "<circle class=\"o\" cx=\"230.0\" ") == 1, both);  // both start there
  BOOST_TEST(count(both, ">start</text>") == 1);
  BOOST_TEST(count(both, "<path class=\"c c0 d\" d=\"M467.0 296.0h0\"/>") == 1, both);
  BOOST_TEST(count(both, "<path class=\"c c1 d\"") == 0);  // it left the picture
  const std::size_t away = both.find("<path class=\"c c1\" marker-end");
  BOOST_REQUIRE(away != std::string::npos);
  BOOST_TEST(both.find('/', away) - away < 100u);  // no number of 300 digits
  s.paths[1].x[0] = -0.75;
  BOOST_TEST(count(svg(s), ">start</text>") == 2);
  for (const double height : {1e308, std::nan("")}) {
    s.height = [height](double a, double b) { return height * 10 * (a + b); };
    BOOST_CHECK_EXCEPTION(svg(s), oxbow::Error, [](const oxbow::Error& e) {
      return std::string(e.what()).starts_with("a picture of a surface needs heights that are finite");
    });
  }
}

BOOST_AUTO_TEST_CASE(predictions_are_drawn_against_the_truth) {
  using namespace oxbow;
  const Tensor truth = Tensor::of<float>({3, 1}, {1, 3, 2}), guesses = Tensor::of<double>({3}, {1.5, 2, 2});
  const Plot plot = predictions_against_truth(guesses, truth, "rents");
  BOOST_TEST(plot.panels[0].series[0].x == (std::vector<double>{1, 3, 2}), boost::test_tools::per_element());
  BOOST_TEST(plot.panels[0].series[0].y == (std::vector<double>{1.5, 2, 2}), boost::test_tools::per_element());
  BOOST_TEST(plot.panels[0].series[1].y == (std::vector<double>{1, 3}), boost::test_tools::per_element());
  BOOST_CHECK_THROW(predictions_against_truth(truth, Tensor({f32, {2}})), Error);
  BOOST_CHECK_THROW(predictions_against_truth(truth, Tensor({i64, {3}})), Error);
}

BOOST_AUTO_TEST_CASE(a_confusion_matrix_is_drawn) {
  using namespace oxbow;
  Confusion c{"who is taken for whom", {"cat", "<dog>"}, Tensor::of<std::int64_t>({2, 2}, {3, 1, 0, 4})};
  const std::string picture = svg(c);
  const auto count = [&](const std::string& text) {
    int found = 0;
    for (auto at = picture.find(text); at != std::string::npos; at = picture.find(text, at + 1)) ++found;
    return found;
  };
  BOOST_TEST(count("<rect class=\"k") == 3, picture);  // none for 0
  BOOST_TEST(count("opacity=\"0.770\"") == 1, picture);
  BOOST_TEST(count("1 of 4 that are cat were taken for &lt;dog&gt;") == 1, picture);
  BOOST_TEST(count(">3</text>") == 1, picture);
  BOOST_TEST(count("<dog>") == 0, picture);
  BOOST_TEST(page(c).find(picture) != std::string::npos);
  c.labels = std::vector<std::string>(40, "a class");
  c.counts = Tensor({i64, {40, 40}});
  for (int i = 0; i < 1600; ++i) c.counts.data<std::int64_t>()[i] = 7;
  BOOST_TEST(svg(c).find(">7</text>") == std::string::npos);  // too small to be read
  c.labels.clear();
  BOOST_CHECK_THROW(svg(c), Error);
}

BOOST_AUTO_TEST_SUITE_END()
