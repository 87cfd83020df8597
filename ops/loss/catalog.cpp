#include <oxbow/ops/catalog/families.h>
#include <oxbow/ops/loss/binary_cross_entropy.h>
#include <oxbow/ops/loss/loss.h>

namespace oxbow::ops {

void add_loss(Catalog& c) {
  c.add<CrossEntropy>({.formula = "log sum exp x - x[label]", .example = inputs({{f64, {2, 3}}, {i64, {2}}})});
  c.add<BinaryCrossEntropy>({.formula = "log(1 + e^x) - t x", .example = inputs({{f64, {2}}, {f64, {2}}})});
  c.add<CrossEntropyGradient>({.formula = "(probabilities - one_hot(labels)) dlosses"}, Made::by_gradients);
  c.add<BinaryCrossEntropyGradient>({.formula = "(sigmoid(x) - t) dlosses"}, Made::by_gradients);
}

}  // namespace oxbow::ops
