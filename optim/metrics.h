// How good predictions are, over a whole set: what a mean of the batches' metrics cannot tell.
//
//   const Tensor scores = model.predict(test);
//   std::cout << classification_report(scores, test["label"], {.labels = encode.labels()});
//   std::cout << regression_report(model.predict(test), test["y"]);
//
// Sums are in double and in order. scikit-learn's names and definitions. Thread safety: functions without shared state.
#pragma once

#include <oxbow/graph/tensor.h>

#include <iosfwd>
#include <string>
#include <vector>

namespace oxbow {

/// Of one class against all others. What has no sense is NaN: the precision of a class that was never predicted, the
/// recall of one that never occurs, an AUC without both.
struct ClassMetrics {
  std::string label;
  std::int64_t samples = 0;  ///< that are of it
  double precision = 0;      ///< of those predicted to be of it, how many are
  double recall = 0;         ///< of those that are of it, how many were found
  double f1 = 0;             ///< their harmonic mean: 2 tp / (2 tp + fp + fn)
  double auc = 0;            ///< the area under the ROC curve: how likely one of it scores above one that is not
};

struct ClassificationReport {
  std::int64_t samples = 0;
  double accuracy = 0;
  std::int64_t k = 0;     ///< of `top_k`; 0 where there are no more classes than that
  double top_k = 0;       ///< how many have their class among the k highest scores
  double log_loss = 0;    ///< the mean of -log p of the true class
  double perplexity = 0;  ///< its exponential: of a language model, as if it chose among so many symbols
  double precision = 0, recall = 0, f1 = 0, auc = 0;  ///< means over the classes that have one, each as heavy
  std::vector<ClassMetrics> classes;
  Tensor confusion;  ///< i64[classes, classes]: row i, column j: how many of class i were predicted to be of j
};

struct ClassificationOptions {
  std::int64_t k = 5;                    ///< of `top_k`
  std::vector<std::string> labels = {};  ///< the classes' names; else their numbers
};

/// `scores` f32 or f64 [..., classes]: probabilities, where all rows are such (from 0 to 1, with sum 1 to a
/// thousandth), else logits, of which a softmax makes them. `labels`, whole numbers [...]: as many as there are rows.
/// Of two classes one score will do, [n] or [n, 1]: the probability of class 1, or its logit where one is not from 0 to
/// 1; then it has to be above 0.5 or 0 to be predicted. Of equal scores the first class is predicted. Throws `Error`
/// for other shapes, dtypes, labels that are no class, NaN, and no samples.
ClassificationReport classification_report(const Tensor& scores, const Tensor& labels,
                                           const ClassificationOptions& options = {});

struct RegressionReport {
  std::int64_t numbers = 0;
  double mae = 0;   ///< mean absolute error
  double mse = 0;   ///< mean squared error
  double rmse = 0;  ///< its root
  double r2 =
      0;  ///< 1 - mse / variance of the truth: 1 is perfect, 0 no better than its mean; NaN where it is one number
  double bias = 0;       ///< mean of prediction - truth
  double max_error = 0;  ///< the largest absolute error
};

/// Of f32 or f64, as many predictions as true numbers; several columns count together, but R2 is the mean of the
/// columns'. Throws `Error` for other shapes and dtypes, NaN, and no numbers.
RegressionReport regression_report(const Tensor& predictions, const Tensor& truth);

/// A table a reader can take in: a line a class, and the confusion matrix where there are at most 20.
std::string to_string(const ClassificationReport& report);
std::string to_string(const RegressionReport& report);
std::ostream& operator<<(std::ostream& out, const ClassificationReport& report);
std::ostream& operator<<(std::ostream& out, const RegressionReport& report);

}  // namespace oxbow
