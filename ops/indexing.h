// Elements by their places: gathered from a tensor, or put into one. `gather`, of whole rows along one axis, and the
// sum that undoes it stand in ops/shape.h.
//
//   Value best = take_along_axis(x, argsort(x, 1)[{range(), range(0, 3)}], 1);      // [n, 3]
//   Value y = scatter_nd(x, indices, updates, ScatterReduction::add);
//
// Indices are integers, of which negative ones count from the end of their axis; one out of range fails the run, with
// its place and the range. Where several updates meet one element they go in one after the other, in the order of the
// indices, whatever the number of threads. Each throws `Error` for shapes and dtypes that do not go together.
// Thread safety: they append to x's graph, which is for one thread.
#pragma once

#include <oxbow/graph/value.h>

namespace oxbow {

/// y[i, j, k] = x[i, indices[i, j, k], k] for axis 1, in the shape of `indices`, which has as many axes as x and none
/// but `axis` longer than x's: NumPy's take_along_axis, PyTorch's gather, ONNX's GatherElements.
Value take_along_axis(Value x, Value indices, std::int64_t axis, At at = At::current());

/// y[b..., i...] = x[b..., indices[b..., i..., :], ...]: each row of `indices` along its last axis names a place in
/// the first axes of x after `batch_dims` ones, which both have in common. ONNX's GatherND.
Value gather_nd(Value x, Value indices, std::int64_t batch_dims = 0, At at = At::current());

/// What becomes of an element that an update meets: the update takes its place (of several the last), is added to it or
/// multiplied with it, or the larger or smaller of both stays.
enum class ScatterReduction : std::uint8_t { none, add, mul, max, min };

/// x, with updates[i, j, k] put in at [i, indices[i, j, k], k] for axis 1; `updates` are x's dtype in the shape of
/// `indices`, which is as `take_along_axis` has it. The gradient of `max` and `min` is shared equally by the elements
/// and updates that are it; that of `mul` divides by the factor, and is the product of the others where the factor is 0
/// (its own gradient leaves factors of 0 out).
Value scatter_elements(Value x, Value indices, Value updates, std::int64_t axis = 0,
                       ScatterReduction reduction = ScatterReduction::none, At at = At::current());

/// The same with rows at the places that `gather_nd` reads: `updates` has the shape of gather_nd(x, indices,
/// batch_dims). ONNX's ScatterND.
Value scatter_nd(Value x, Value indices, Value updates, ScatterReduction reduction = ScatterReduction::none,
                 std::int64_t batch_dims = 0, At at = At::current());

/// The places of the elements that are not 0, of an x that is known while the graph is built (ops/shape.h): i64 [rank,
/// count], in row-major order. Throws `Error` for one that is not known, as the result's shape would not be.
Value nonzero(Value x, At at = At::current());

/// The slices of x along an axis where `condition`, a known vector of bool, is true; one shorter than the axis stands
/// for false beyond its end. Without an axis: of all elements in row-major order.
Value compress(Value x, Value condition, std::int64_t axis, At at = At::current());
Value compress(Value x, Value condition, At at = At::current());

struct UniqueResult {
  Value values;   ///< each once
  Value indices;  ///< where each is first, i64
  Value inverse;  ///< of each element of x its place in `values`, i64, x's elements in row-major order
  Value counts;   ///< how often each is there, i64
};
struct UniqueOptions {
  bool sorted = true;  ///< the smallest first, NaN last; else in the order in which they are first
};
/// The different elements of an x that is known while the graph is built.
UniqueResult unique(Value x, UniqueOptions options = {}, At at = At::current());
/// The different slices along an axis; they are compared by their elements from the first on.
UniqueResult unique(Value x, std::int64_t axis, UniqueOptions options = {}, At at = At::current());

/// x [time, batch, ...] with the first lengths[b] slices of each row b in reverse order; the axes of time and of the
/// batch may be 0 and 1 or 1 and 0. Lengths are integers from 0 up to the size of the axis.
Value reverse_sequence(Value x, Value lengths, std::int64_t time_axis = 0, std::int64_t batch_axis = 1,
                       At at = At::current());

}  // namespace oxbow
