// Elements before and after a tensor's own along its axes. All dtypes. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/numbers.h>

namespace oxbow {
AttrValue to_attr(PadMode mode);
void from_attr(const AttrValue& a, PadMode& mode);
}  // namespace oxbow

namespace oxbow::ops {

/// x with so many elements before and after it along `axes`, all where none are named; `pads` [axes, 2]. Fewer than 0
/// are cut off. They are `fill`, or `value` where that is absent, or of x's own by the mode.
struct Pad {
  static constexpr OpInfo info{.name = "pad", .inputs = {"x", "pads", "fill?"}, .by_value = {1}};
  double value = 0;
  PadMode mode = PadMode::constant;
  std::vector<std::int64_t> axes;
  static void attributes(auto&& visit) {
    visit("value", &Pad::value);
    visit("mode", &Pad::mode);
    visit("axes", &Pad::axes);
  }
  bool operator==(const Pad&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> transposed(Values in, std::span<const int> order) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// What flows back to an x like `like` whose own elements are around it: each has the sum over its copies.
struct PadGradient {
  static constexpr OpInfo info{
      .name = "pad_gradient", .inputs = {"dy", "like", "pads"}, .outputs = {"dx"}, .shape_only = {1}, .by_value = {2}};
  PadMode mode = PadMode::reflect;
  std::vector<std::int64_t> axes;
  static void attributes(auto&& visit) {
    visit("mode", &PadGradient::mode);
    visit("axes", &PadGradient::axes);
  }
  bool operator==(const PadGradient&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// x with so many elements of `fill`, a scalar, before and after it along an axis; none of the numbers is negative.
Value padded(Value x, int axis, std::int64_t before, std::int64_t after, Value fill);

/// Zeros, an axis of `size` in the place of dy's, to which slice i of dy is added at places[i].
Value added_at(Value dy, int axis, std::int64_t size, const Numbers& places);

}  // namespace oxbow::ops
