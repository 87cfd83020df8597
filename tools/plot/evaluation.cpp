// How good predictions are, drawn: points beside a line, and a matrix of classes.
#include <oxbow/graph/error.h>

#include "plot/parts.h"

namespace oxbow::tools {
namespace {

constexpr std::int64_t most_classes = 1000, most_numbers = 25;  // numbers within squares

std::vector<double> numbers_of(const Tensor& t) {
  std::vector<double> all(static_cast<std::size_t>(t.count()));
  for (std::size_t i = 0; i < all.size(); ++i)
    all[i] = t.dtype() == f32 ? static_cast<double>(t.data<float>()[i]) : t.data<double>()[i];
  return all;
}

bool is_number(const Tensor& t) { return t.dtype() == f32 || t.dtype() == f64; }

// As many letters as there is room for.
std::string shortened(const std::string& text, double room) {
  const auto most = static_cast<std::size_t>(std::max(room / 6.6, 2.0));
  if (text.size() <= most) return text;
  std::size_t end = most - 1;
  while (end > 0 && (text[end] & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "\u2026";
}

}  // namespace

Plot predictions_against_truth(const Tensor& predictions, const Tensor& truth, const std::string& title) {
  if (!is_number(predictions) || !is_number(truth) || predictions.count() != truth.count() || truth.count() == 0)
    throw Error("predictions_against_truth: the predictions are " + to_string(predictions.type()) + " and the truth " +
                to_string(truth.type()) + ". Give as many of each, f32 or f64");
  const std::vector<double> x = numbers_of(truth), y = numbers_of(predictions);
  const auto [low, high] = std::minmax_element(x.begin(), x.end());
  return {.title = title,
          .x_label = "truth",
          .panels = {{.y_label = "prediction",
                      .series = {{.name = "predictions", .x = x, .y = y, .points = true},
                                 {.name = "perfect", .x = {*low, *high}, .y = {*low, *high}, .faint = true}},
                      .height = 632}}};
}

std::string svg(const Confusion& c) {
  const std::int64_t n = std::ssize(c.labels);
  if (c.counts.type() != Type{i64, {n, n}} || n == 0 || n > most_classes)
    throw Error("a picture of a confusion matrix: the counts are " + to_string(c.counts.type()) + ", and there are " +
                std::to_string(n) + " labels. Give i64[labels, labels], of 1 to " + std::to_string(most_classes));
  const Title title(c.title);
  const double top = title.bottom + 24, room = 110,
               side = std::min((width - room - right) / static_cast<double>(n), 56.0);
  const double whole = side * static_cast<double>(n), height = top + whole + bottom;
  const bool named = side >= 13;
  std::string out;
  const auto add = [&]<class... A>(fmt::format_string<A...> format, A&&... a) {
    fmt::format_to(std::back_inserter(out), format, std::forward<A>(a)...);
  };
  add("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1:.0f}\" width=\"{0}\" height=\"{1:.0f}\" "
      "role=\"img\">\n",
      width, height);
  add("<title>{}</title>\n<style>{}.k{{fill:currentColor}}.w{{fill:#fff}}</style>\n",
      dots::marked_up(c.title.empty() ? "confusion matrix" : c.title), style);
  out += title.svg();
  add("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">predicted</text>\n", room + whole / 2,
      top + whole + (named ? 36 : 20));
  add("<text transform=\"translate(16 {:.1f}) rotate(-90)\" text-anchor=\"middle\">true</text>\n", top + whole / 2);
  const auto* counts = c.counts.data<std::int64_t>();
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t row = 0;
    for (std::int64_t j = 0; j < n; ++j) row += counts[i * n + j];
    const double y = top + side * static_cast<double>(i);
    const std::string& label = c.labels[static_cast<std::size_t>(i)];
    if (named) {
      add("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", room - 8, y + side / 2 + 4,
          dots::marked_up(shortened(label, room - 36)));
      add("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
          room + side * (static_cast<double>(i) + 0.5), top + whole + 18, dots::marked_up(shortened(label, side)));
    }
    for (std::int64_t j = 0; j < n; ++j) {
      const std::int64_t count = counts[i * n + j];
      if (count == 0) continue;
      const double x = room + side * static_cast<double>(j),
                   share = static_cast<double>(count) / static_cast<double>(row);
      add("<rect class=\"k c{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" opacity=\"{:.3f}\">"
          "<title>{} of {} that are {} were taken for {}</title></rect>\n",
          i == j ? 0 : 1, x, y, side, side, 0.08 + 0.92 * share, count, row, dots::marked_up(label),
          dots::marked_up(c.labels[static_cast<std::size_t>(j)]));
      if (n <= most_numbers)
        add("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\"{}>{}</text>\n", x + side / 2, y + side / 2 + 4,
            share > 0.5 ? " class=\"w\"" : "", count);
    }
  }
  add("<rect class=\"f\" x=\"{}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n</svg>\n", room, top, whole,
      whole);
  return out;
}

std::string page(const Confusion& c) { return page_of(c.title.empty() ? "confusion matrix" : c.title, svg(c)); }

}  // namespace oxbow::tools
