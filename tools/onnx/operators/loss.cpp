// Losses over classes, which are axis 1.
#include <oxbow/ops/ops.h>

#include "onnx/operators/operators.h"

namespace oxbow::onnx {

namespace {

ClassOptions options(Context& c) {
  const std::string reduction = c.text("reduction", "mean");
  ClassOptions o{.reduction = reduction == "none"  ? Reduction::none
                              : reduction == "sum" ? Reduction::sum
                                                   : Reduction::mean,
                 .axis = 1,
                 .class_weights = c.optional(2)};
  if (c.has_attribute("ignore_index")) o.ignore_index = c.integer("ignore_index");
  return o;
}

Outputs negative_log_likelihood(Context& c) {
  const Value x = c[0], labels = c[1];
  return nll_loss(x, labels, options(c));
}

Outputs softmax_cross_entropy(Context& c) {
  const Value x = c[0], labels = c[1], loss = cross_entropy(x, labels, options(c));
  return {loss, c.wants(1) ? log_softmax(x, 1) : Value()};
}

constexpr Operator list[] = {
    {"NegativeLogLikelihoodLoss", negative_log_likelihood},
    {"SoftmaxCrossEntropyLoss", softmax_cross_entropy},
};

}  // namespace

Operators loss_operators() { return list; }

}  // namespace oxbow::onnx
