// Losses over classes, which are axis 1.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

// Losses [n, ...] of labels, times their class's weight, 0 for ignored ones; then their sum, or their weighted mean.
Value reduced(Context& c, Value losses, Value labels, Value weights, Value counted) {
  const std::string reduction = c.text("reduction", "mean");
  Value w = weights;
  if (weights) w = gather(weights, labels);
  if (counted) {
    if (w) w = where(counted, w, 0);
    losses = where(counted, losses, 0);
  }
  if (weights) losses = losses * w;
  if (reduction == "none") return losses;
  if (reduction == "sum") return sum(losses);
  if (w) return sum(losses) / sum(w);
  return counted ? sum(losses) / sum(cast(counted, losses.dtype())) : mean(losses);
}

// Which labels count, and labels of which the others are class 0: an index has to be one.
struct Labels {
  Value labels, counted;
  Labels(Context& c, Value given) : labels(given) {
    if (!c.has_attribute("ignore_index")) return;
    counted = not_equal(given, static_cast<double>(c.integer("ignore_index")));
    labels = where(counted, given, 0);
  }
};

Outputs negative_log_likelihood(Context& c) {
  const Value x = c[0], given = c[1], weights = c.optional(2);
  const Labels l(c, given);
  const Value start = constant(c.graph(), 0, i64), step = constant(c.graph(), 1, i64), classes = shape_of(x)[1];
  const Value chosen = equal(with_axes(cast(l.labels, i64), {1}), along_channels(arange(start, classes, step), x));
  return reduced(c, negate(sum(where(chosen, x, 0), 1)), l.labels, weights, l.counted);
}

Outputs softmax_cross_entropy(Context& c) {
  const Value x = c[0], given = c[1], weights = c.optional(2);
  const Labels l(c, given);
  const Value losses = cross_entropy(channels_last(x), l.labels, Reduction::none);
  return {reduced(c, losses, l.labels, weights, l.counted), c.wants(1) ? log_softmax(x, 1) : Value()};
}

constexpr Operator list[] = {
    {"NegativeLogLikelihoodLoss", negative_log_likelihood},
    {"SoftmaxCrossEntropyLoss", softmax_cross_entropy},
};

}  // namespace

Operators loss_operators() { return list; }

}  // namespace oxbow::onnx
