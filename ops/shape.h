// Functions that move elements and leave them as they are: other shapes, other orders, parts and joins.
// Thread safety: they append to x's graph, which is for one thread.
#pragma once

#include <oxbow/graph/value.h>

#include <concepts>
#include <utility>

namespace oxbow {

namespace ops {  // what the functions below call that tell a known value from numbers
Value reshape_to(Value x, Value shape, At at);
Value expand_to(Value x, Value shape, At at);
Value tile_by(Value x, Value repeats, At at);
Value pad_by(Value x, Value pads, double value, At at);
std::vector<Value> split_into(Value x, std::int64_t parts, std::int64_t axis, At at);
std::vector<Value> split_by(Value x, Value sizes, std::int64_t axis, At at);
}  // namespace ops

/// x's elements in the same order in another shape. One size may be -1: what the number of elements leaves for it. A
/// size of 0 keeps x's axis of the same number. Throws `Error` when the number of elements differs.
Value reshape(Value x, std::vector<std::int64_t> shape, At at = At::current());

/// x in the shape of `like`. Throws `Error` when the number of elements differs.
Value reshape_like(Value x, Value like, At at = At::current());

/// [n, ...] to [n, product of the others]. Throws `Error` for a scalar.
Value flatten(Value x, At at = At::current());

/// x without these axes, which have the size 1. Throws `Error` for others, and for an axis that is named twice.
Value squeeze(Value x, std::vector<std::int64_t> axes, At at = At::current());

/// x with axes of size 1, at these places of the result. Throws `Error` for a place that the result does not have, and
/// for one that is named twice.
Value expand_dims(Value x, std::vector<std::int64_t> axes, At at = At::current());
inline Value expand_dims(Value x, std::int64_t axis, At at = At::current()) {
  return expand_dims(x, std::vector<std::int64_t>{axis}, at);
}

/// Axis i of the result is axis permutation[i] of x; an empty permutation reverses the axes. Throws `Error` unless
/// `permutation` names each axis once.
Value transpose(Value x, std::vector<std::int64_t> permutation = {}, At at = At::current());

/// The elements [begin, end) along an axis; negative numbers count from its end. Throws `Error` for an axis that x does
/// not have, or a range that does not lie within it.
Value slice(Value x, std::int64_t axis, std::int64_t begin, std::int64_t end = to_end, At at = At::current());

/// Of such a range every `step`-th element: begin, begin + step, ... up to but without `end`. With a negative step they
/// go down from `begin`, and `to_end` stands for down to the first: slice(x, 0, -1, to_end, -1) has the rows of x from
/// the last to the first. Throws `Error` as above, and for a step of 0.
Value slice(Value x, std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step, At at = At::current());

/// x[subscripts], as `Value` has it: for each of the first axes a place, which takes the axis away, or a range. Throws
/// `Error` for more subscripts than axes, and for places and ranges that do not lie within their axis.
Value part(Value x, const Subscripts& subscripts);

/// The values one after another along an axis. Throws `Error` unless dtypes and all other axes agree.
Value concat(Values values, std::int64_t axis = 0, At at = At::current());

/// The values, of one type, side by side along an axis that is new: [n, ...] where it is the first.
Value stack(Values values, std::int64_t axis = 0, At at = At::current());

/// x cut along an axis into so many parts of equal sizes, of which the last one takes what is left, which may be less.
template <std::integral N>  // a braced list is one of sizes, also of one
std::vector<Value> split(Value x, N parts, std::int64_t axis = 0, At at = At::current()) {
  return ops::split_into(x, static_cast<std::int64_t>(parts), axis, at);
}
/// Into parts of these sizes. Throws `Error` unless together they are the axis.
std::vector<Value> split(Value x, std::vector<std::int64_t> sizes, std::int64_t axis = 0, At at = At::current());

/// x with the elements of these axes in reverse order.
Value flip(Value x, std::vector<std::int64_t> axes, At at = At::current());

/// x with the elements along an axis `shift` places further on; what goes beyond the end comes back at the front.
Value roll(Value x, std::int64_t shift, std::int64_t axis, At at = At::current());

/// x repeated to `shape`, aligned at the last axis. Throws `Error` unless x broadcasts to `shape`.
Value broadcast_to(Value x, const Shape& shape, At at = At::current());

/// x repeated to the shape of `like`, after its missing `axes` (as `like` numbers them) were put back with size 1: what
/// a reduction took away. Without `axes`, x is aligned at the last axis. Throws `Error` when it does not broadcast.
Value broadcast_like(Value x, Value like, std::vector<std::int64_t> axes = {}, At at = At::current());

/// y[o, i..., k] = table[o, indices[i...], k]: the axis is replaced by the axes of `indices`. A negative index counts
/// from the end of the axis. Throws `Error` for an axis that `table` does not have, or indices that are not integers;
/// an index out of range fails the run. See ops/indexing.h for others.
Value gather(Value table, Value indices, std::int64_t axis = 0, At at = At::current());

/// A value of `like`'s shape: zeros, plus each row of `updates` at the row that its index names, in the order of the
/// indices. Throws `Error` unless `updates` has the shape of gather(like, indices, axis).
Value scatter_add(Value like, Value indices, Value updates, std::int64_t axis = 0, At at = At::current());

/// y[i..., c] = 1 where c = labels[i...], else 0. Throws `Error` unless labels are integers and `classes` is not
/// negative; a label out of range fails the run.
Value one_hot(Value labels, std::int64_t classes, DType dtype = f32, At at = At::current());

/// The sizes of x, i64[rank]. What is computed from them, and from constants, is known at each size of a free axis: the
/// functions below take it as sizes, ranges or counts. Numbers are i32 or i64; a value that is not known (it depends on
/// what is fed, or on a variable) is an `Error` that names what it depends on.
Value shape_of(Value x, At at = At::current());

/// One size may be -1: what the number of elements leaves for it. A size of 0 is 0 here, as an empty axis has it.
/// Throws `Error` when the number of elements differs, or `shape`, a vector, is not known.
template <std::same_as<Value> V>  // no braced list is one: that is a shape of numbers
Value reshape(Value x, V shape, At at = At::current()) {
  return ops::reshape_to(x, shape, at);
}

/// Throws `Error` unless x broadcasts to `shape`, a vector that is known.
template <std::same_as<Value> V>
Value broadcast_to(Value x, V shape, At at = At::current()) {
  return ops::expand_to(x, shape, at);
}

/// The elements from `begins` up to but without `ends` along each of `axes` (as many; of the first ones where none are
/// named). Negative numbers count from the end of their axis; what lies beyond it is cut off, as NumPy does.
Value slice(Value x, Value begins, Value ends, std::vector<std::int64_t> axes = {}, At at = At::current());
/// Of these every `step`-th one, with a step for each begin. With a negative step they go down from the begin; an end
/// below minus the size of the axis, -2^63 say, is down to the first.
Value slice(Value x, Value begins, Value ends, Value steps, std::vector<std::int64_t> axes = {}, At at = At::current());

/// Parts of known sizes, a vector: see `split`.
template <std::same_as<Value> V>
std::vector<Value> split(Value x, V sizes, std::int64_t axis = 0, At at = At::current()) {
  return ops::split_by(x, sizes, axis, at);
}

/// x repeated along each axis: tile([1, 2], {3}) = [1, 2, 1, 2, 1, 2]. One number an axis.
Value tile(Value x, std::vector<std::int64_t> repeats, At at = At::current());
template <std::same_as<Value> V>
Value tile(Value x, V repeats, At at = At::current()) {
  return ops::tile_by(x, repeats, at);
}

/// Each element so many times along an axis, side by side: repeat_interleave([1, 2], 2, 0) = [1, 1, 2, 2].
Value repeat_interleave(Value x, std::int64_t times, std::int64_t axis, At at = At::current());

/// x with so many elements of `value` before and after it along each axis: pad(x, {{0, 0}, {1, 1}}). Fewer than 0 are
/// cut off.
Value pad(Value x, const std::vector<std::pair<std::int64_t, std::int64_t>>& pads, double value = 0,
          At at = At::current());
/// `pads` is [rank, 2].
template <std::same_as<Value> V>
Value pad(Value x, V pads, double value = 0, At at = At::current()) {
  return ops::pad_by(x, pads, value, at);
}

/// What x is padded with: a value, or its own elements, [1, 2, 3] by 2 so: as in a mirror at its first and last
/// element, [3, 2, 1, 2, 3, 2, 1]; its first and last, [1, 1, 1, 2, 3, 3, 3]; or as if it went round, [2, 3, 1, 2, 3,
/// 1, 2].
enum class PadMode : std::uint8_t { constant, reflect, edge, wrap };
struct PadOptions {
  PadMode mode = PadMode::constant;
  Value fill = {};                      ///< a scalar of x's dtype, of PadMode::constant; else 0
  std::vector<std::int64_t> axes = {};  ///< those that are padded, in the order of `pads`; else all
};
/// The same by options. Throws `Error` where an axis without elements is to be padded with its own.
Value pad(Value x, const std::vector<std::pair<std::int64_t, std::int64_t>>& pads, PadOptions options,
          At at = At::current());
/// `pads` is [axes, 2].
Value pad(Value x, Value pads, PadOptions options, At at = At::current());

/// start, start + step, ... up to but without `limit`, of their dtype. Scalars of one dtype that are known. Throws
/// `Error` for a step of 0.
Value arange(Value start, Value limit, Value step, At at = At::current());
/// 0, 1, ... up to but without `limit`, i64: the places of a sequence.
Value arange(Graph& g, std::int64_t limit, At at = At::current());

/// `classes` is a known scalar. See `one_hot` of a number.
Value one_hot(Value labels, Value classes, DType dtype = f32, At at = At::current());

struct DepthOptions {
  bool blocks_first = true;     ///< channels are [block, block, c] (ONNX's DCR), else [c, block, block] (CRD, PyTorch)
  bool channels_first = false;  ///< x is [n, c, h, w], else [n, h, w, c]
};
/// Images with block^2 times fewer channels, which become blocks of pixels; and the other way round. Throws `Error`
/// unless sizes divide.
Value depth_to_space(Value x, std::int64_t block, DepthOptions options = {}, At at = At::current());
Value space_to_depth(Value x, std::int64_t block, DepthOptions options = {}, At at = At::current());

}  // namespace oxbow
