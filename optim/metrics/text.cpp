// Reports as tables.
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/optim/metrics.h>

#include <algorithm>
#include <charconv>
#include <ostream>

namespace oxbow {
using namespace internal;

namespace {

using Cells = std::vector<std::string>;

std::string share(double v) {
  if (v != v) return "-";
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, v, std::chars_format::fixed, 4).ptr};
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

// The first column to the left, the others to the right.
std::string columns_of(const std::vector<Cells>& rows) {
  std::vector<std::size_t> widths;
  for (const Cells& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], characters(row[c]));
  }
  std::string text;
  for (const Cells& row : rows) {
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string room(widths[c] - characters(row[c]), ' ');
      text += c == 0 ? row[c] + (row.size() > 1 ? room : "") : "  " + room + row[c];
    }
    text += '\n';
  }
  return text;
}

}  // namespace

std::string to_string(const ClassificationReport& r) {
  constexpr std::size_t most = 20;  // classes whose confusion is still read
  std::vector<Cells> rows{{"samples", std::to_string(r.samples)}, {"accuracy", share(r.accuracy)}};
  if (r.k > 0) rows.push_back({"top-" + std::to_string(r.k) + " accuracy", share(r.top_k)});
  rows.push_back({"log loss", short_number(r.log_loss)});
  rows.push_back({"perplexity", short_number(r.perplexity)});
  std::string text = columns_of(rows) + "\n";
  rows = {{"", "precision", "recall", "f1", "auc", "samples"}};
  for (const ClassMetrics& c : r.classes)
    rows.push_back(
        {escaped(c.label), share(c.precision), share(c.recall), share(c.f1), share(c.auc), std::to_string(c.samples)});
  rows.push_back({"mean", share(r.precision), share(r.recall), share(r.f1), share(r.auc), std::to_string(r.samples)});
  text += columns_of(rows);
  if (r.classes.size() > most) return text;
  const std::size_t n = r.classes.size();
  rows = {{"true \\ predicted"}};
  for (std::size_t i = 0; i < n; ++i) {
    rows[0].push_back(escaped(r.classes[i].label));
    rows.push_back({escaped(r.classes[i].label)});
    for (std::size_t j = 0; j < n; ++j)
      rows.back().push_back(std::to_string(r.confusion.data<std::int64_t>()[i * n + j]));
  }
  return text + "\n" + columns_of(rows);
}

std::string to_string(const RegressionReport& r) {
  return columns_of({{"numbers", std::to_string(r.numbers)},
                     {"mean absolute error", short_number(r.mae)},
                     {"mean squared error", short_number(r.mse)},
                     {"its root", short_number(r.rmse)},
                     {"R2", r.r2 == r.r2 ? short_number(r.r2) : "-"},
                     {"bias", short_number(r.bias)},
                     {"largest error", short_number(r.max_error)}});
}

std::ostream& operator<<(std::ostream& out, const ClassificationReport& report) { return out << to_string(report); }
std::ostream& operator<<(std::ostream& out, const RegressionReport& report) { return out << to_string(report); }

}  // namespace oxbow
