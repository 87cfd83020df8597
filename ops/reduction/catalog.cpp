#include <oxbow/ops/catalog/families.h>
#include <oxbow/ops/reduction/argmax.h>
#include <oxbow/ops/reduction/chunks.h>
#include <oxbow/ops/reduction/norm.h>
#include <oxbow/ops/reduction/reduce.h>
#include <oxbow/ops/reduction/scan.h>
#include <oxbow/ops/reduction/top_k.h>

namespace oxbow::ops {

void add_reduction(Catalog& c) {
  c.add<Sum>({.formula = "the sum over axes", .example = inputs({{f64, {2, 3}}}), .op = {.axes = {1}}});
  c.add<Prod>({.formula = "the product over axes", .example = inputs({{f64, {2, 3}}}), .op = {.axes = {1}}});
  c.add<Max>({.formula = "the largest element over axes", .example = inputs({{f64, {2, 3}}}), .op = {.axes = {1}}});
  c.add<Min>({.formula = "the smallest element over axes", .example = inputs({{f64, {2, 3}}}), .op = {.axes = {1}}});
  c.add<Norm>({.formula = "the Euclidean length over axes", .example = inputs({{f64, {2, 3}}}), .op = {.axes = {1}}});
  c.add<ArgMax>({.formula = "the place of the largest element along an axis", .example = inputs({{f64, {2, 3}}})});
  c.add<ArgMin>({.formula = "the place of the smallest element along an axis", .example = inputs({{f64, {2, 3}}})});
  c.add<CumSum>({.formula = "the sum of all elements so far along an axis", .example = inputs({{f64, {2, 3}}})});
  c.add<CumProd>({.formula = "the product of all elements so far along an axis", .example = inputs({{f64, {2, 3}}})});
  c.add<LinearScan>(
      {.formula = "a[i] y[i - 1] + b[i] along an axis", .example = inputs({{f64, {2, 3}}, {f64, {2, 3}}})});
  c.add<TopK>({.formula = "the k largest or smallest elements along the last axis, and their places",
               .example = inputs({{f64, {2, 3}}}),
               .op = {.k = 2}});
  c.add<TopKOf>({.formula = "the k largest or smallest elements along the last axis, and their places",
                 .example = {Tensor({f64, {2, 3}}), Tensor::scalar<std::int64_t>(2)}});
  c.add<SumTo>({.formula = "x summed to the shape of like, which broadcasts to x's",
                .example = inputs({{f64, {2, 3}}, {f64, {3}}})});
  c.add<CountLike>({.formula = "how many elements a reduction of x makes one of", .example = inputs({{f64, {2, 3}}})});
  c.add<ReduceChunks<Fold::sum>>({.formula = "the sum of each chunk of neighbours"}, Made::by_passes);
  c.add<ReduceChunks<Fold::prod>>({.formula = "the product of each chunk of neighbours"}, Made::by_passes);
  c.add<ReduceChunks<Fold::max>>({.formula = "the largest of each chunk of neighbours"}, Made::by_passes);
  c.add<ReduceChunks<Fold::min>>({.formula = "the smallest of each chunk of neighbours"}, Made::by_passes);
  c.add<ReduceColumns<Fold::sum>>({.formula = "the sum over neighbouring axes, by columns"}, Made::by_passes);
  c.add<ReduceColumns<Fold::prod>>({.formula = "the product over neighbouring axes, by columns"}, Made::by_passes);
  c.add<ReduceColumns<Fold::max>>({.formula = "the largest over neighbouring axes, by columns"}, Made::by_passes);
  c.add<ReduceColumns<Fold::min>>({.formula = "the smallest over neighbouring axes, by columns"}, Made::by_passes);
  c.renamed("reduce_max", "max").renamed("reduce_min", "min");
}

}  // namespace oxbow::ops
