// Conversion between dtypes. A regular value type, safe from any thread.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::ops {

/// x as `to`, for every pair of dtypes, the same on every instruction set. To floating point: rounded once, to nearest
/// even; what is too large becomes infinite, a NaN stays one. Floating point to integer drops the fraction; what is
/// beyond the range gives its nearest end, a NaN 0. Integers wrap around. Anything but 0 is true; true is 1. The
/// gradient is cast back.
struct Cast {
  static constexpr OpInfo info{.name = "cast", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  DType to = f32;
  static void attributes(auto&& visit) { visit("to", &Cast::to); }
  Type infer(Types in) const { return {to, in[0].shape, in[0].layout}; }
  TileFn tile(Types in) const;
  std::vector<Value> transposed(Values in, std::span<const int> axes) const {
    return elementwise::transposed(*this, in, axes);
  }
  Grads gradient(const Node& n, Values dy) const;
  Value simplify(Values in) const;
  bool operator==(const Cast&) const = default;
};

/// cast(x, to), but not before `after` is there, of which nothing else is read: what waits in 16 bits takes more room
/// only when it is wanted.
struct Restore {
  static constexpr OpInfo info{.name = "restore", .inputs = {"x", "after"}, .any_dtype = {0, 1}};
  DType to = f32;
  static void attributes(auto&& visit) { visit("to", &Restore::to); }
  Type infer(Types in) const { return {to, in[0].shape}; }
  Work work(Types in) const;
  void run(const Run& r) const;
  Grads gradient(const Node&, Values) const {
    return NotDifferentiable{"it is made after gradients are taken, by store_activations"};
  }
  bool operator==(const Restore&) const = default;
};

}  // namespace oxbow::ops
