// Reports on predictions, with scikit-learn 1's numbers.
#include <oxbow/optim/metrics.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/message.h"
#include "support/says.h"

BOOST_AUTO_TEST_SUITE(test_metrics)

using namespace oxbow;
using namespace oxbow::test;

namespace {

const Tensor probabilities = Tensor::of<double>(
    {8, 3}, {.7, .2, .1, .1, .6, .3, .3, .3, .4, .2, .5, .3, .6, .3, .1, .1, .2, .7, .4, .5, .1, .25, .5, .25});
const Tensor classes = Tensor::of<std::int64_t>({8}, {0, 1, 2, 2, 0, 2, 0, 1});

void near(double a, double b) { BOOST_TEST(std::abs(a - b) < 1e-12, a << " is not " << b); }

}  // namespace

BOOST_AUTO_TEST_CASE(classes_are_judged_as_scikit_learn_does) {
  Tensor logits({f64, {2, 4, 3}});  // in any number of axes, and moved by a number a row
  for (std::int64_t i = 0; i < 24; ++i)
    logits.data<double>()[i] = std::log(probabilities.data<double>()[i]) + static_cast<double>(i / 3);
  // Scores that are equal as probabilities need not be so as logits: their areas differ.
  for (const auto& [scores, labels] :
       {std::pair{probabilities, classes}, {logits, Tensor::of<std::int32_t>({2, 4}, {0, 1, 2, 2, 0, 2, 0, 1})}}) {
    const ClassificationReport r = classification_report(scores, labels, {.k = 2, .labels = {"a", "b", "c"}});
    BOOST_TEST(r.samples == 8);
    near(r.accuracy, 0.75);
    near(r.top_k, 1);
    near(r.log_loss, 0.6830878230054547);
    near(r.perplexity, std::exp(0.6830878230054547));
    const bool given = same_bits(scores, probabilities);
    if (given) near(r.auc, 0.9611111111111111);
    near(r.precision, 2.5 / 3);
    BOOST_TEST(same_bits(r.confusion, Tensor::of<std::int64_t>({3, 3}, {2, 1, 0, 0, 2, 0, 0, 1, 2})));
    const double table[3][4] = {
        {1, 2.0 / 3, .8, 1}, {.5, 1, 2.0 / 3, 0.9166666666666667}, {1, 2.0 / 3, .8, 0.9666666666666667}};
    for (std::size_t c = 0; c < 3; ++c) {
      near(r.classes[c].precision, table[c][0]);
      near(r.classes[c].recall, table[c][1]);
      near(r.classes[c].f1, table[c][2]);
      if (given) near(r.classes[c].auc, table[c][3]);
    }
    if (given)
      BOOST_TEST(to_string(r) ==
                 "samples                8\n"
                 "accuracy          0.7500\n"
                 "top-2 accuracy    1.0000\n"
                 "log loss        0.683088\n"
                 "perplexity       1.97998\n"
                 "\n"
                 "      precision  recall      f1     auc  samples\n"
                 "a        1.0000  0.6667  0.8000  1.0000        3\n"
                 "b        0.5000  1.0000  0.6667  0.9167        2\n"
                 "c        1.0000  0.6667  0.8000  0.9667        3\n"
                 "mean     0.8333  0.7778  0.7556  0.9611        8\n"
                 "\n"
                 "true \\ predicted  a  b  c\n"
                 "a                 2  1  0\n"
                 "b                 0  2  0\n"
                 "c                 0  1  2\n");
  }
}

BOOST_AUTO_TEST_CASE(of_two_classes_one_score_will_do) {
  const Tensor logits = Tensor::of<float>({5, 1}, {-2, 1.5f, 0.3f, -0.2f, 3});
  Tensor given({f64, {5}});
  for (std::int64_t i = 0; i < 5; ++i) given.data<double>()[i] = 1 / (1 + std::exp(-logits.data<float>()[i]));
  const Tensor labels = Tensor::of<std::uint8_t>({5}, {0, 1, 0, 1, 1});
  for (const Tensor& scores : {logits, given}) {
    const ClassificationReport r = classification_report(scores, labels);
    BOOST_TEST(r.accuracy == 0.6);
    BOOST_TEST(std::abs(r.log_loss - 0.40588455088991715) < 1e-7);
    near(r.classes[1].auc, 0.8333333333333333);
    BOOST_TEST(r.k == 0);
  }
}

BOOST_AUTO_TEST_CASE(what_has_no_sense_is_no_number) {
  // One class that is never predicted and never there; a logit of which no probability is left.
  const Tensor scores = Tensor::of<float>({2, 3}, {1000, 0, 0, 0, 1000, 0}),
               labels = Tensor::of<std::int64_t>({2}, {1, 1});
  const ClassificationReport r = classification_report(scores, labels);
  BOOST_TEST(r.log_loss == 500);
  BOOST_TEST(std::isinf(r.perplexity) == false);
  for (const double v : {r.classes[2].precision, r.classes[2].recall, r.classes[2].f1, r.classes[2].auc, r.auc})
    BOOST_TEST(std::isnan(v));
  BOOST_TEST(r.classes[1].precision == 1);
  BOOST_TEST(r.recall == 0.5);
  // Equal scores: the first class; half of an AUC.
  const ClassificationReport even =
      classification_report(Tensor({f32, {2, 3}}), Tensor::of<std::int64_t>({2}, {0, 1}), {.k = 1});
  BOOST_TEST(even.accuracy == 0.5);
  BOOST_TEST(even.top_k == 0.5);
  BOOST_TEST(even.classes[0].auc == 0.5);
}

BOOST_AUTO_TEST_CASE(numbers_are_judged_as_scikit_learn_does) {
  const Tensor guesses = Tensor::of<float>({3, 2}, {1, 2, 3, 5, 2, 7});
  const Tensor truth = Tensor::of<double>({3, 2}, {1.5, 2, 2, 4, 2, 9});
  const RegressionReport r = regression_report(guesses, truth);
  near(r.mae, 0.75);
  near(r.mse, 1.0416666666666667);
  near(r.rmse, std::sqrt(1.0416666666666667));
  near(r.r2, -2.846153846153846);
  near(r.bias, -0.08333333333333333);
  near(r.max_error, 2);
  BOOST_TEST(std::isnan(regression_report(Tensor({f32, {2}}), Tensor({f32, {2, 1}})).r2));
  BOOST_TEST(to_string(r) ==
             "numbers                       6\n"
             "mean absolute error        0.75\n"
             "mean squared error      1.04167\n"
             "its root                1.02062\n"
             "R2                     -2.84615\n"
             "bias                 -0.0833333\n"
             "largest error                 2\n");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_judged_is_told) {
  const Tensor bad = Tensor::of<std::int64_t>({8}, {0, 1, 3, 2, 0, 2, 0, 1});
  says([&] { classification_report(probabilities, bad); },
       "classification_report: label 2 is 3, but there are 3 classes, numbered from 0");
  says(
      [&] {
        classification_report(probabilities, Tensor({i64, {7}}));
      },
      "the scores are f64[8, 3] and the labels i64[7]. Give a row of scores for each label");
  says([&] { classification_report(probabilities, Tensor({f32, {8}})); }, "the labels are f32[8]. Give whole numbers");
  says([&] { classification_report(classes, classes); }, "the scores are i64[8]. Give f32 or f64");
  says([&] { classification_report(probabilities, classes, {.labels = {"a"}}); }, "1 names are given for 3 classes");
  says([&] { classification_report(Tensor({f32, {0, 3}}), Tensor({i64, {0}})); }, "there are no scores");
  says(
      [&] {
        classification_report(Tensor::of<float>({1, 2}, {0, NAN}), Tensor({i64, {1}}));
      },
      "number 1 of the scores is NaN");
  says(
      [&] {
        regression_report(Tensor({f32, {3}}), Tensor({f32, {2}}));
      },
      "regression_report: the predictions are f32[3] and the true numbers f32[2]. Give as many of each");
}

BOOST_AUTO_TEST_SUITE_END()
