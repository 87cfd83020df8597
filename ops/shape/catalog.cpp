#include <oxbow/ops/catalog/families.h>
#include <oxbow/ops/shape/broadcast.h>
#include <oxbow/ops/shape/by_value.h>
#include <oxbow/ops/shape/concat.h>
#include <oxbow/ops/shape/flat_index.h>
#include <oxbow/ops/shape/found.h>
#include <oxbow/ops/shape/gather.h>
#include <oxbow/ops/shape/indexing.h>
#include <oxbow/ops/shape/one_hot.h>
#include <oxbow/ops/shape/pad.h>
#include <oxbow/ops/shape/rearrange.h>
#include <oxbow/ops/shape/reshape.h>
#include <oxbow/ops/shape/scatter.h>
#include <oxbow/ops/shape/slice.h>
#include <oxbow/ops/shape/slice_by.h>
#include <oxbow/ops/shape/strided_slice.h>
#include <oxbow/ops/shape/transpose.h>

namespace oxbow::ops {

void add_shape(Catalog& c) {
  c.add<Reshape>(
      {.formula = "x's elements in another shape", .example = inputs({{f64, {2, 3}}}), .op = {.shape = {3, 2}}});
  c.add<ReshapeLike>({.formula = "x in the shape of like", .example = inputs({{f64, {2, 3}}, {f64, {6}}})});
  c.add<ReshapeTo>({.formula = "x's elements in the shape that is given",
                    .example = {Tensor({f64, {2, 3}}), Tensor::of<std::int64_t>({2}, {3, 2})}});
  c.add<Squeeze>({.formula = "x without axes of size 1", .example = inputs({{f64, {2, 1}}}), .op = {.axes = {1}}});
  c.add<ExpandDims>({.formula = "x with axes of size 1 more", .example = inputs({{f64, {2, 3}}}), .op = {.axes = {1}}});
  c.add<Transpose>({.formula = "x with its axes in another order",
                    .example = inputs({{f64, {2, 3}}}),
                    .op = {.permutation = {1, 0}}});
  c.add<Slice>({.formula = "the elements [begin, end) along an axis",
                .example = inputs({{f64, {2, 3}}}),
                .op = {.axis = 1, .begin = 0, .end = 2}});
  c.add<StridedSlice>({.formula = "the elements begin, begin + step, ... of [begin, end) along an axis",
                       .example = inputs({{f64, {2, 3}}}),
                       .op = {.axis = 1, .begin = -1, .step = -2}});
  c.add<SliceBy>(
      {.formula = "the elements from begins to ends along axes",
       .example = {Tensor({f64, {2, 3}}), Tensor::of<std::int64_t>({1}, {0}), Tensor::of<std::int64_t>({1}, {1})},
       .op = {.axes = {0}}});
  c.add<Split>({.formula = "x in parts along an axis, of equal or of given sizes",
                .example = inputs({{f64, {5, 3}}}),
                .op = {.parts = 2}});
  c.add<Roll>({.formula = "x with its elements so many places further along an axis, counted round",
               .example = inputs({{f64, {2, 3}}}),
               .op = {.shift = 1, .axis = 1}});
  c.add<Concat>(
      {.formula = "the values one after another along an axis", .example = inputs({{f64, {2, 3}}, {f64, {4, 3}}})});
  c.add<BroadcastTo>({.formula = "x repeated to a shape", .example = inputs({{f64, {3}}}), .op = {.shape = {2, 3}}});
  c.add<BroadcastLike>({.formula = "x repeated to the shape of like", .example = inputs({{f64, {3}}, {f64, {2, 3}}})});
  c.add<ExpandTo>({.formula = "x repeated to the shape that is given",
                   .example = {Tensor({f64, {3}}), Tensor::of<std::int64_t>({2}, {2, 3})}});
  c.add<Tile>({.formula = "x repeated along each axis",
               .example = {Tensor({f64, {2, 3}}), Tensor::of<std::int64_t>({2}, {2, 1})}});
  c.add<Pad>({.formula = "x with elements before and after it along axes: of one value, or its own",
              .example = {Tensor({f64, {2, 3}}), Tensor::of<std::int64_t>({2, 2}, {0, 0, 1, 1})}});
  c.add<Gather>({.formula = "the rows of the table that indices name", .example = inputs({{f64, {4, 3}}, {i64, {2}}})});
  c.add<ScatterAdd>({.formula = "zeros like `like`, plus each row of updates at its index",
                     .example = inputs({{f64, {4, 3}}, {i64, {2}}, {f64, {2, 3}}})});
  c.add<TakeAlongAxis>(
      {.formula = "x[i, indices[i, j]] where the axis is 1", .example = inputs({{f64, {4, 3}}, {i64, {2, 3}}})});
  c.add<GatherNd>({.formula = "the rows of x at the places that rows of indices name",
                   .example = inputs({{f64, {4, 3}}, {i64, {2, 1}}})});
  c.add<ScatterElements>(
      {.formula = "x, with updates put in, added, multiplied or compared where take_along_axis reads",
       .example = inputs({{f64, {4, 3}}, {i64, {2, 3}}, {f64, {2, 3}}})});
  c.add<ScatterNd>({.formula = "x, with rows put in, added, multiplied or compared where gather_nd reads",
                    .example = inputs({{f64, {4, 3}}, {i64, {2, 1}}, {f64, {2, 3}}})});
  c.add<NonZero>({.formula = "the places of the elements that are not 0",
                  .example = {Tensor::of<std::int64_t>({2, 2}, {1, 0, 0, 1})}});
  c.add<Unique>({.formula = "the different elements, their first places, each one's number, and how often they are",
                 .example = {Tensor::of<std::int64_t>({4}, {2, 1, 2, 3})}});
  c.add<OneHot>({.formula = "1 at the label, 0 elsewhere", .example = inputs({{i64, {2}}}), .op = {.classes = 3}});
  c.add<OneHotOf>(
      {.formula = "1 at the label, 0 elsewhere", .example = {Tensor({i64, {2}}), Tensor::scalar<std::int64_t>(3)}});
  c.add<ShapeOf>({.formula = "the sizes of x", .example = inputs({{f64, {2, 3}}})});
  c.add<Arange>(
      {.formula = "start, start + step, ... up to but without limit",
       .example = {Tensor::scalar<std::int64_t>(0), Tensor::scalar<std::int64_t>(6), Tensor::scalar<std::int64_t>(2)}});
  c.add<SliceGradient>({.formula = "zeros like like, with dy added where the slice was taken"}, Made::by_gradients);
  c.add<StridedSliceGradient>({.formula = "dy where the slice was taken from like, 0 elsewhere"}, Made::by_gradients);
  c.add<StridedSliceAdd>({.formula = "x, with part added where the slice was taken by steps"}, Made::by_gradients);
  c.add<SliceAdd>({.formula = "x, with part added where the slice was taken"}, Made::by_gradients);
  c.add<SliceByGradient>({.formula = "dy where the slices were taken from like, 0 elsewhere"}, Made::by_gradients);
  c.add<TileGradient>({.formula = "dy summed over the repeats of like's elements"}, Made::by_gradients);
  c.add<ConcatGradient>({.formula = "of dy, the part of each of the values"}, Made::by_gradients);
  c.add<GatherAdd>({.formula = "x, with each row of updates added at its index"}, Made::by_gradients);
  c.add<PadGradient>({.formula = "dy summed over the places that each of like's elements takes"}, Made::by_gradients);
  c.add<FlatIndexAlong>({.formula = "row-major places of elements by their indices along an axis"}, Made::by_passes);
  c.add<FlatIndexNd>({.formula = "row-major places of rows by their indices along the first axes"}, Made::by_passes);
  c.add<ScatterRows>({.formula = "x, with each row of updates in the place of the one at its index"}, Made::by_passes);
  c.add<FoldRows>({.formula = "x, with each row of updates folded into the one at its index"}, Made::by_passes);
  c.add<Iota>({.formula = "start, start + step, ... as many as count"}, Made::by_passes);
  c.renamed("index_add", "gather_add");
}

}  // namespace oxbow::ops
