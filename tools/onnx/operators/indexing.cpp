// Elements by their places, patterns, and pixels that become channels.
#include <oxbow/ops/ops.h>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

Outputs taken(Context& c) { return take_along_axis(c[0], c[1], c.integer("axis", 0)); }

Outputs gathered_by_rows(Context& c) { return gather_nd(c[0], c[1], c.integer("batch_dims", 0)); }

ScatterReduction reduction(Context& c) {
  const std::string word = c.text("reduction", "none");
  if (word == "add") return ScatterReduction::add;
  if (word == "mul") return ScatterReduction::mul;
  if (word == "max") return ScatterReduction::max;
  if (word == "min") return ScatterReduction::min;
  if (word != "none") c.fail("there is no reduction " + word);
  return ScatterReduction::none;
}

Outputs scattered(Context& c) { return scatter_elements(c[0], c[1], c[2], c.integer("axis", 0), reduction(c)); }

Outputs scattered_by_rows(Context& c) { return scatter_nd(c[0], c[1], c[2], reduction(c)); }

Outputs compressed(Context& c) {
  return c.has_attribute("axis") ? compress(c[0], c[1], c.integer("axis")) : compress(c[0], c[1]);
}

Outputs nonzeros(Context& c) { return nonzero(c[0]); }

Outputs uniques(Context& c) {
  const UniqueOptions options{.sorted = c.flag("sorted", true)};
  const UniqueResult u = c.has_attribute("axis") ? unique(c[0], c.integer("axis"), options) : unique(c[0], options);
  return {u.values, u.indices, u.inverse, u.counts};
}

Outputs reversed(Context& c) {
  return reverse_sequence(c[0], c[1], c.integer("time_axis", 0), c.integer("batch_axis", 1));
}

Outputs triangle(Context& c) {
  const Value x = c[0], k = c.has(1) ? c[1] : constant(c.graph(), Tensor::scalar(std::int64_t{0}));
  return c.flag("upper", true) ? triu(x, k) : tril(x, k);
}

Outputs eye_of(Context& c) { return eye_like(c[0], c.integer("k", 0), c.dtype("dtype", c[0].dtype())); }

Outputs space_of(Context& c) {
  return depth_to_space(c[0], c.integer("blocksize"),
                        {.blocks_first = c.text("mode", "DCR") == "DCR", .channels_first = true});
}

Outputs depth_of(Context& c) {
  return space_to_depth(c[0], c.integer("blocksize"),
                        {.blocks_first = c.text("mode", "DCR") == "DCR", .channels_first = true});
}

// As much less or more at both ends of an axis; of an odd number the end has one more.
Outputs centered(Context& c) {
  const Value x = c[0];
  const auto axes = c.integers("axes").value_or(std::vector<std::int64_t>{});
  const Value sizes = axes.empty() ? shape_of(x) : gather(shape_of(x), numbers(c.graph(), axes));
  const Value more = cast(c[1], i64) - sizes;
  const Value before = cast(cast(more, f64) * 0.5, i64);
  const Value after = more - before;
  return pad(x, stack({before, after}, 1), {.axes = axes});
}

// Updates written along an axis of a cache, from a place of each row of the batch on, round its end where it is
// circular.
Outputs cached(Context& c) {
  const Value cache = c[0], update = c[1];
  const int rank = cache.rank(), axis = static_cast<int>(from_first(c.integer("axis", -2), rank));
  Graph& g = c.graph();
  const auto whole = [&](std::int64_t n) { return constant(g, Tensor::scalar(n)); };
  const Value steps = arange(whole(0), shape_of(update)[axis], whole(1));
  std::vector<std::int64_t> behind;
  for (int i = axis + 1; i < rank; ++i) behind.push_back(i - axis);
  Value place = expand_dims(steps, behind);
  if (c.has(2)) {
    std::vector<std::int64_t> others;
    for (int i = 1; i < rank; ++i) others.push_back(i);
    place = place + expand_dims(cast(c[2], i64), others);
  }
  const Value size = shape_of(cache)[axis];
  if (c.text("mode", "linear") == "circular") place = where(less(place, size), place, place - size);
  return scatter_elements(cache, broadcast_like(place, update), update, axis);
}

constexpr Operator list[] = {
    {"CenterCropPad", centered},
    {"Compress", compressed},
    {"DepthToSpace", space_of},
    {"EyeLike", eye_of},
    {"GatherElements", taken},
    {"GatherND", gathered_by_rows},
    {"NonZero", nonzeros},
    {"ReverseSequence", reversed},
    {"Scatter", scattered},
    {"ScatterElements", scattered},
    {"ScatterND", scattered_by_rows},
    {"SpaceToDepth", depth_of},
    {"TensorScatter", cached},
    {"Trilu", triangle},
    {"Unique", uniques},
};

}  // namespace

Operators indexing_operators() { return list; }

}  // namespace oxbow::onnx
