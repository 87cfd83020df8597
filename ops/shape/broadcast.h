// Repeating elements along axes that are missing or of size 1. All dtypes. Elementwise ops broadcast by themselves:
// this is for gradients and for results that must have a given shape. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow::ops {

/// Elementwise, so that it disappears in a fused node's operands.
struct BroadcastTo {
  static constexpr OpInfo info{.name = "broadcast_to", .inputs = {"x"}, .may_overwrite = {0}};
  Shape shape;
  static void attributes(auto&& visit) { visit("shape", &BroadcastTo::shape); }
  bool operator==(const BroadcastTo&) const = default;

  Type infer(Types in) const;
  TileFn tile(Types in) const;
  std::vector<Value> transposed(Values in, std::span<const int> axes) const;
  Value simplify(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// x in the shape of `like`, after its missing `axes` (as `like` numbers them) were put back with size 1: what a
/// reduction took away. Without `axes`, x is aligned at the last axis.
struct BroadcastLike {
  static constexpr OpInfo info{.name = "broadcast_like", .inputs = {"x", "like"}, .shape_only = {1}};
  std::vector<std::int64_t> axes;
  static void attributes(auto&& visit) { visit("axes", &BroadcastLike::axes); }
  bool operator==(const BroadcastLike&) const = default;

  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> transposed(Values in, std::span<const int> axes) const;
  Value simplify(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
