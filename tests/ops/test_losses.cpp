// The losses that are made of other functions, each against loops over its definition.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "support/gradient_check.h"
#include "support/interpreter.h"
#include "support/says.h"

BOOST_AUTO_TEST_SUITE(test_losses)

using namespace oxbow;
using test::interpret;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

void check(const Tensor& got, const Tensor& want, const std::string& what, double bound = 1e-13) {
  BOOST_REQUIRE_MESSAGE(got.shape() == want.shape(),
                        what << ": " << to_string(got.type()) << ", not " << to_string(want.type()));
  for (std::int64_t i = 0; i < want.count(); ++i) {
    const double x = got.data<double>()[i], y = want.data<double>()[i];
    BOOST_TEST((x == y || std::abs(x - y) <= bound * std::max(1.0, std::abs(y)) || (std::isnan(x) && std::isnan(y))),
               what << "[" << i << "] is " << x << ", not " << y);
  }
}

}  // namespace

namespace {

// The losses of rows, with their weights.
struct Loss {
  std::vector<double> each, weights;
  double mean() const {
    double all = 0, count = 0;
    for (std::size_t i = 0; i < each.size(); ++i) all += each[i], count += weights[i];
    return all / count;
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(cross_entropies_with_options) {
  Graph g;
  const Value x = input(g, "x", f64, {2, 3, 4}), w = input(g, "w", f64, {3});
  const Tensor at = draw({2, 3, 4}, -2, 2, 9), weights = Tensor::of<double>({3}, {0.5, 2, 1});
  const Tensor classes = Tensor::of<std::int64_t>({2, 4}, {0, 1, -1, 2, 1, 1, 0, -1});
  const Value labels = constant(g, classes);
  for (const double smoothing : {0.0, 0.1})
    for (const bool weighted : {false, true}) {
      Loss want;
      for (std::int64_t r = 0; r < 8; ++r) {
        const std::int64_t label = classes.data<std::int64_t>()[r];
        const auto logit = [&](std::int64_t c) { return at.data<double>()[(r / 4 * 3 + c) * 4 + r % 4]; };
        const auto weight = [&](std::int64_t c) { return weighted ? weights.data<double>()[c] : 1; };
        const double all = std::log(std::exp(logit(0)) + std::exp(logit(1)) + std::exp(logit(2)));
        if (label < 0) {
          want.each.push_back(0);
          want.weights.push_back(0);
          continue;
        }
        double loss = (1 - smoothing) * weight(label) * (all - logit(label));
        for (std::int64_t c = 0; c < 3; ++c) loss += smoothing / 3 * weight(c) * (all - logit(c));
        want.each.push_back(loss);
        want.weights.push_back(weight(label));
      }
      ClassOptions o{.reduction = Reduction::none, .axis = 1, .ignore_index = -1, .label_smoothing = smoothing};
      if (weighted) o.class_weights = w;
      test::Tensors feeds{{"x", at}};
      if (weighted) feeds.emplace("w", weights);
      check(interpret({cross_entropy(x, labels, o)}, feeds)[0], Tensor::of({2, 4}, want.each), "each row");
      o.reduction = Reduction::mean;
      const Value mean = cross_entropy(x, labels, o);
      check(interpret({mean}, feeds)[0], Tensor::scalar(want.mean()), "the mean");
      test::check_gradients(mean, {x}, feeds);
      if (smoothing == 0) {
        const Value nll = nll_loss(log_softmax(x, 1), labels, o);
        check(interpret({nll}, feeds)[0], Tensor::scalar(want.mean()), "nll_loss");
        test::check_gradients(nll, {x}, feeds);
      }
    }
}

BOOST_AUTO_TEST_CASE(cross_entropy_of_smoothed_probabilities) {
  Graph g;
  const Value x = input(g, "x", f64, {2, 3}), t = constant(g, Tensor::of<double>({2, 3}, {1, 0, 0, .2, .3, .5}));
  const Value hard = constant(g, Tensor::of<std::int64_t>({1}, {0}));
  const test::Tensors feeds{{"x", draw({2, 3}, -2, 2, 9)}};
  const ClassOptions o{.reduction = Reduction::none, .label_smoothing = 0.3};
  const Value first = x[{range(0, 1)}];
  const std::vector<Tensor> y =
      interpret({cross_entropy(x, t, o)[{range(0, 1)}], cross_entropy(first, hard, o)}, feeds);
  check(y[0], y[1], "a label and its probabilities");
}

BOOST_AUTO_TEST_CASE(other_losses) {
  Graph g;
  const Value x = input(g, "x", f64, {2, 5}), t = input(g, "t", f64, {2, 5});
  const Tensor tx = draw({2, 5}, -3, 3, 1), tt = draw({2, 5}, 0.1, 1, 2);
  const test::Tensors feeds{{"x", tx}, {"t", tt}};
  const auto is = [&](const std::string& what, Value y, const std::function<double(double, double)>& f) {
    Tensor want(tx.type());
    for (std::int64_t i = 0; i < want.count(); ++i)
      want.data<double>()[i] = f(tx.data<double>()[i], tt.data<double>()[i]);
    check(interpret({y}, feeds)[0], want, what);
    test::check_gradients(y, {x, t}, feeds);
  };
  is("huber_loss", huber_loss(x, t, 0.7, Reduction::none), [](double a, double b) {
    const double d = std::abs(a - b);
    return d <= 0.7 ? d * d / 2 : 0.7 * (d - 0.35);
  });
  is("hinge_loss", hinge_loss(x, t, Reduction::none), [](double a, double b) { return std::max(0.0, 1 - a * b); });
  is("kl_divergence", kl_divergence(x, t, Reduction::none), [](double a, double b) { return b * (std::log(b) - a); });
  Tensor cosine({f64, {2}});
  for (std::int64_t r = 0; r < 2; ++r) {
    double both = 0, a = 0, b = 0;
    for (std::int64_t i = r * 5; i < r * 5 + 5; ++i) {
      both += tx.data<double>()[i] * tt.data<double>()[i];
      a += tx.data<double>()[i] * tx.data<double>()[i];
      b += tt.data<double>()[i] * tt.data<double>()[i];
    }
    cosine.data<double>()[r] = both / std::sqrt(a * b);
  }
  check(interpret({cosine_similarity(x, t)}, feeds)[0], cosine, "cosine_similarity");
  test::check_gradients(cosine_similarity(x, t), {x, t}, feeds);
  const Value none = constant(g, Tensor::of<double>({2}, {0, 1})),
              log_p = constant(g, Tensor::of<double>({2}, {-inf, 0}));
  check(interpret({kl_divergence(log_p, none, Reduction::sum)})[0], Tensor::scalar(0.0), "0 log 0");
}

namespace {

// The probability of the text by its definition: all ways of choosing a class a step, of which repeated ones and blanks
// are left out.
double probability(const std::vector<std::vector<double>>& p, const std::vector<std::int64_t>& text) {
  const auto classes = static_cast<std::int64_t>(p[0].size());
  std::int64_t ways = 1;
  for (std::size_t t = 0; t < p.size(); ++t) ways *= classes;
  double all = 0;
  for (std::int64_t way = 0; way < ways; ++way) {
    std::vector<std::int64_t> read;
    double product = 1;
    std::int64_t rest = way, before = 0;
    for (const auto& row : p) {
      const std::int64_t c = rest % classes;
      rest /= classes;
      product *= row[static_cast<std::size_t>(c)];
      if (c != 0 && c != before) read.push_back(c);
      before = c;
    }
    if (read == text) all += product;
  }
  return all;
}

}  // namespace

BOOST_AUTO_TEST_CASE(ctc_is_its_definition) {
  Graph g;
  const std::int64_t steps = 5, batch = 6, classes = 3;
  const Value x = input(g, "x", f64, {steps, batch, classes});
  const Tensor at = draw({steps, batch, classes}, -1, 1, 4);
  const std::vector<std::vector<std::int64_t>> texts = {{1, 2}, {1, 1}, {2}, {}, {1, 2}, {1, 1}};
  const std::vector<std::int64_t> lengths = {5, 4, 3, 2, 2, 2};  // two that are alike need a blank between
  Tensor labels({i64, {batch, 2}}), counts({i64, {batch}});
  std::vector<double> want;
  for (std::size_t n = 0; n < texts.size(); ++n) {
    std::vector<std::vector<double>> p;
    for (std::int64_t t = 0; t < lengths[n]; ++t) {
      const double* row = at.data<double>() + (t * batch + static_cast<std::int64_t>(n)) * classes;
      const double all = std::exp(row[0]) + std::exp(row[1]) + std::exp(row[2]);
      p.push_back({std::exp(row[0]) / all, std::exp(row[1]) / all, std::exp(row[2]) / all});
    }
    want.push_back(-std::log(probability(p, texts[n])));
    counts.data<std::int64_t>()[n] = static_cast<std::int64_t>(texts[n].size());
    for (std::size_t i = 0; i < texts[n].size(); ++i) labels.data<std::int64_t>()[2 * n + i] = texts[n][i];
  }
  BOOST_REQUIRE(std::isinf(want.back()));
  const Value of = constant(g, labels), long_as = constant(g, Tensor::of({batch}, lengths)), many = constant(g, counts);
  const Value losses = ctc_loss(log_softmax(x), of, long_as, many, {.reduction = Reduction::none});
  check(interpret({losses}, {{"x", at}})[0], Tensor::of({batch}, want), "ctc_loss", 1e-12);
  const Value possible = slice(losses, 0, 0, batch - 1);
  test::check_gradients(possible, {x}, {{"x", at}});
  const Value mean = ctc_loss(log_softmax(x), of, long_as, many);
  BOOST_TEST(std::isinf(interpret({mean}, {{"x", at}})[0].item<double>()));
}

BOOST_AUTO_TEST_CASE(messages_say_what_to_do) {
  Graph g;
  const Value a = input(g, "a", f32, {2, 3}), b = input(g, "b", f32, {3, 4}), i = input(g, "i", i64, {2});
  test::says([&] { nll_loss(a, a); }, "nll_loss: labels are f32[2, 3] for f32[2, 3]");
  test::says([&] { nll_loss(a, i, {.label_smoothing = 0.1}); }, "nll_loss: there is no label smoothing");
  test::says([&] { cross_entropy(a, i, {.class_weights = i}); },
             "cross_entropy: class_weights are i64[2] for f32[2, 3]");
  test::says([&] { ctc_loss(a, i, i, i); }, "ctc_loss: log_probabilities are f32[2, 3]");
  test::says([&] { huber_loss(a, b); }, "huber_loss: prediction and target differ");
}

BOOST_AUTO_TEST_SUITE_END()
