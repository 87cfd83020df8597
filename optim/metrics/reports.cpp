#include <oxbow/graph/op.h>
#include <oxbow/optim/metrics.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace oxbow {

namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

std::vector<double> numbers_of(const Tensor& t, const char* who, const char* what) {
  if (t.dtype() != f32 && t.dtype() != f64)
    throw Error(std::string(who) + ": the " + what + " are " + to_string(t.type()) + ". Give f32 or f64");
  if (t.count() == 0) throw Error(std::string(who) + ": there are no " + what);
  std::vector<double> all(static_cast<std::size_t>(t.count()));
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = t.dtype() == f32 ? static_cast<double>(t.data<float>()[i]) : t.data<double>()[i];
    if (all[i] != all[i])
      throw Error(std::string(who) + ": number " + std::to_string(i) + " of the " + what + " is NaN");
  }
  return all;
}

std::vector<std::int64_t> labels_of(const Tensor& t, std::int64_t classes) {
  if (is_float(t.dtype()))
    throw Error("classification_report: the labels are " + to_string(t.type()) + ". Give whole numbers");
  std::vector<std::int64_t> all(static_cast<std::size_t>(t.count()));
  dispatch(t.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      all[i] = static_cast<std::int64_t>(t.data<T>()[i]);
      if (all[i] < 0 || all[i] >= classes)
        throw Error("classification_report: label " + std::to_string(i) + " is " + std::to_string(all[i]) +
                    ", but there are " + std::to_string(classes) + " classes, numbered from 0");
    }
  });
  return all;
}

double logistic(double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); }

// Rows of probabilities, [samples, classes].
struct Probabilities {
  std::int64_t classes = 0;
  std::vector<double> all, log;  // and their logarithms, exact where a probability is all but 0

  // Of one score a sample.
  static Probabilities binary(const std::vector<double>& scores) {
    const bool given = std::all_of(scores.begin(), scores.end(), [](double s) { return s >= 0 && s <= 1; });
    Probabilities p{2, {}, {}};
    for (const double s : scores)
      for (const bool one : {false, true}) {
        const double logit = one ? s : -s;
        p.all.push_back(given ? (one ? s : 1 - s) : logistic(logit));
        p.log.push_back(given ? std::log(p.all.back()) : std::min(logit, 0.0) - std::log1p(std::exp(-std::abs(logit))));
      }
    return p;
  }

  static Probabilities of(std::vector<double> scores, std::int64_t classes) {
    Probabilities p{classes, std::move(scores), {}};
    const auto n = static_cast<std::size_t>(classes);
    bool given = true;
    for (std::size_t at = 0; at < p.all.size() && given; at += n) {
      double sum = 0;
      for (std::size_t c = 0; c < n; ++c) {
        given = given && p.all[at + c] >= 0 && p.all[at + c] <= 1;
        sum += p.all[at + c];
      }
      given = given && std::abs(sum - 1) <= 1e-3;
    }
    p.log.resize(p.all.size());
    for (std::size_t at = 0; at < p.all.size(); at += n) {
      const auto row = p.all.begin() + static_cast<std::ptrdiff_t>(at);
      const double highest = *std::max_element(row, row + classes);
      double sum = 0;
      for (std::size_t c = 0; c < n; ++c) sum += std::exp(p.all[at + c] - highest);
      for (std::size_t c = 0; c < n; ++c) {
        p.log[at + c] = given ? std::log(p.all[at + c]) : p.all[at + c] - highest - std::log(sum);
        if (!given) p.all[at + c] = std::exp(p.log[at + c]);
      }
    }
    return p;
  }
};

// Mann and Whitney 1947: of all pairs of one in the class and one not, how many are in order, halves for equal scores.
double area(const std::vector<double>& p, const std::vector<std::int64_t>& truth, std::int64_t classes,
            std::int64_t c) {
  std::vector<std::size_t> order(truth.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto score = [&](std::size_t i) {
    return p[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(c)];
  };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return score(a) < score(b); });
  double below = 0, in_order = 0, in = 0;
  for (std::size_t i = 0; i < order.size();) {
    double here = 0, others = 0;
    const double s = score(order[i]);
    for (; i < order.size() && score(order[i]) == s; ++i) (truth[order[i]] == c ? here : others) += 1;
    in_order += here * (below + others / 2);
    below += others;
    in += here;
  }
  return in > 0 && below > 0 ? in_order / (in * below) : undefined;
}

double mean_of_defined(const std::vector<ClassMetrics>& classes, double ClassMetrics::*what) {
  double sum = 0, count = 0;
  for (const ClassMetrics& c : classes)
    if (c.*what == c.*what) {
      sum += c.*what;
      ++count;
    }
  return count > 0 ? sum / count : undefined;
}

double ratio(std::int64_t a, std::int64_t b) {
  return b > 0 ? static_cast<double>(a) / static_cast<double>(b) : undefined;
}

}  // namespace

ClassificationReport classification_report(const Tensor& scores, const Tensor& labels, const ClassificationOptions& o) {
  const Shape& s = scores.shape();
  std::vector<double> numbers = numbers_of(scores, "classification_report", "scores");
  const bool binary = s.rank() == 1 || (s.rank() >= 1 && s[s.rank() - 1] == 1);
  const std::int64_t classes = binary ? 2 : s.rank() == 0 ? 0 : s[s.rank() - 1];
  if (classes < 2 || std::ssize(numbers) != labels.count() * (binary ? 1 : classes))
    throw Error("classification_report: the scores are " + to_string(scores.type()) + " and the labels " +
                to_string(labels.type()) + ". Give a row of scores for each label");
  if (!o.labels.empty() && std::ssize(o.labels) != classes)
    throw Error("classification_report: " + std::to_string(o.labels.size()) + " names are given for " +
                std::to_string(classes) + " classes");
  if (o.k < 1) throw Error("classification_report: k is " + std::to_string(o.k) + ". Give at least 1");
  const std::vector<std::int64_t> truth = labels_of(labels, classes);
  const Probabilities p = binary ? Probabilities::binary(numbers) : Probabilities::of(std::move(numbers), classes);

  ClassificationReport r;
  r.samples = std::ssize(truth);
  r.k = o.k < classes ? o.k : 0;
  r.confusion = Tensor({i64, {classes, classes}});
  auto* confusion = r.confusion.data<std::int64_t>();
  std::int64_t right = 0, among = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const auto row = p.all.begin() + static_cast<std::ptrdiff_t>(i) * classes;
    const std::int64_t guess = std::max_element(row, row + classes) - row, t = truth[i];
    // Those before it in the order of scores, equal ones by their numbers.
    std::int64_t before = 0;
    for (std::int64_t c = 0; c < classes; ++c) before += row[c] > row[t] || (row[c] == row[t] && c < t);
    right += guess == t;
    among += before < o.k;
    ++confusion[t * classes + guess];
    r.log_loss -= p.log[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(t)];
  }
  r.accuracy = ratio(right, r.samples);
  r.top_k = r.k > 0 ? ratio(among, r.samples) : undefined;
  r.log_loss /= static_cast<double>(r.samples);
  r.perplexity = std::exp(r.log_loss);
  for (std::int64_t c = 0; c < classes; ++c) {
    std::int64_t predicted = 0, there = 0;
    for (std::int64_t other = 0; other < classes; ++other) {
      predicted += confusion[other * classes + c];
      there += confusion[c * classes + other];
    }
    const std::int64_t hits = confusion[c * classes + c];
    r.classes.push_back({.label = o.labels.empty() ? std::to_string(c) : o.labels[static_cast<std::size_t>(c)],
                         .samples = there,
                         .precision = ratio(hits, predicted),
                         .recall = ratio(hits, there),
                         .f1 = ratio(2 * hits, predicted + there),
                         .auc = area(p.all, truth, classes, c)});
  }
  r.precision = mean_of_defined(r.classes, &ClassMetrics::precision);
  r.recall = mean_of_defined(r.classes, &ClassMetrics::recall);
  r.f1 = mean_of_defined(r.classes, &ClassMetrics::f1);
  r.auc = mean_of_defined(r.classes, &ClassMetrics::auc);
  return r;
}

RegressionReport regression_report(const Tensor& predictions, const Tensor& truth) {
  const std::vector<double> guesses = numbers_of(predictions, "regression_report", "predictions");
  const std::vector<double> values = numbers_of(truth, "regression_report", "true numbers");
  const std::int64_t rows = predictions.shape().rank() > 0 ? predictions.shape()[0] : 1;
  if (guesses.size() != values.size() || (truth.shape().rank() > 0 ? truth.shape()[0] : 1) != rows)
    throw Error("regression_report: the predictions are " + to_string(predictions.type()) + " and the true numbers " +
                to_string(truth.type()) + ". Give as many of each");
  const std::size_t n = guesses.size(), columns = n / static_cast<std::size_t>(rows);
  RegressionReport r{.numbers = static_cast<std::int64_t>(n)};
  for (std::size_t column = 0; column < columns; ++column) {
    double mean = 0, squares = 0, variance = 0;
    for (std::size_t i = column; i < n; i += columns) mean += values[i];
    mean /= static_cast<double>(rows);
    for (std::size_t i = column; i < n; i += columns) {
      const double error = guesses[i] - values[i];
      r.mae += std::abs(error);
      r.bias += error;
      r.max_error = std::max(r.max_error, std::abs(error));
      squares += error * error;
      variance += (values[i] - mean) * (values[i] - mean);
    }
    r.mse += squares;
    r.r2 += variance > 0 ? 1 - squares / variance : undefined;
  }
  const auto count = static_cast<double>(n);
  r.mae /= count;
  r.bias /= count;
  r.mse /= count;
  r.rmse = std::sqrt(r.mse);
  r.r2 /= static_cast<double>(columns);
  return r;
}

}  // namespace oxbow
