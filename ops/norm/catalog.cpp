#include <oxbow/ops/catalog/families.h>
#include <oxbow/ops/norm/batch_norm.h>
#include <oxbow/ops/norm/inverse_rms.h>
#include <oxbow/ops/norm/softmax.h>

namespace oxbow::ops {

void add_norm(Catalog& c) {
  c.add<Softmax>(
      {.formula = "exp(x - max x) / sum exp(x - max x) along the last axis", .example = inputs({{f64, {2, 3}}})});
  c.add<LogSoftmax>(
      {.formula = "x - max x - log sum exp(x - max x) along the last axis", .example = inputs({{f64, {2, 3}}})});
  c.add<BatchMoments>({.formula = "mean and variance over all axes but the last",
                       .example = inputs({{f64, {2, 3}}, {f64, {3}}, {f64, {3}}})});
  c.add<InverseRms>({.formula = "1 / sqrt(mean(x x) + epsilon) over axes, which stay with size 1",
                     .example = inputs({{f64, {2, 3}}}),
                     .op = {.axes = {1}}});
  c.add<ChunkMoments>({.formula = "means and squared deviations of each chunk of rows"}, Made::by_passes);
  c.add<MergeMoments>({.formula = "mean and variance of all chunks"}, Made::by_passes);
}

}  // namespace oxbow::ops
