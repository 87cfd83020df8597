#include <oxbow/ops/catalog/families.h>
#include <oxbow/ops/random/categorical.h>
#include <oxbow/ops/random/distributions.h>
#include <oxbow/ops/random/dropout.h>

namespace oxbow::ops {

void add_random(Catalog& c) {
  const Tensor state({i64, {2}}), shape = Tensor::of<std::int64_t>({2}, {2, 3});
  c.add<Dropout>(
      {.formula = "x / (1 - rate) with probability 1 - rate, else 0", .example = inputs({{f64, {2, 3}}, {i64, {2}}})});
  c.add<RandomUniform>({.formula = "uniform in [low, high)", .example = {state, shape}});
  c.add<RandomNormal>({.formula = "mean + deviation times a normal number", .example = {state, shape}});
  c.add<RandomTruncatedNormal>(
      {.formula = "the same, without what is more than two deviations from the mean", .example = {state, shape}});
  c.add<RandomBernoulli>(
      {.formula = "1 with probability p, else 0", .example = {Tensor({f64, {3}}), shape, state}, .op = {.dtype = f64}});
  c.add<RandomCategorical>(
      {.formula = "class k with probability softmax(x)[k]", .example = inputs({{f64, {2, 3}}, {i64, {2}}})});
  c.add<RandomNumbers>({.formula = "numbers of a distribution, in a fixed shape"}, Made::by_passes);
}

}  // namespace oxbow::ops
