// Elements by their places along an axis or several, as ops/indexing.h has them: x of any dtype (sums, products and
// extremes: of numbers), any integer indices but u64. They are lowered to rows by flat indices. Regular value types,
// safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>
#include <oxbow/ops/indexing.h>

namespace oxbow {
AttrValue to_attr(ScatterReduction reduction);
void from_attr(const AttrValue& a, ScatterReduction& reduction);
}  // namespace oxbow

namespace oxbow::ops {

/// y[i, j, k] = x[i, indices[i, j, k], k] for axis 1.
struct TakeAlongAxis {
  static constexpr OpInfo info{.name = "take_along_axis", .inputs = {"x", "indices"}};
  std::int64_t axis = 0;
  static void attributes(auto&& visit) { visit("axis", &TakeAlongAxis::axis); }
  bool operator==(const TakeAlongAxis&) const = default;

  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// y[b..., i...] = x[b..., indices[b..., i..., :], ...].
struct GatherNd {
  static constexpr OpInfo info{.name = "gather_nd", .inputs = {"x", "indices"}};
  std::int64_t batch = 0;
  static void attributes(auto&& visit) { visit("batch", &GatherNd::batch); }
  bool operator==(const GatherNd&) const = default;

  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// x with updates put in where `TakeAlongAxis` reads.
struct ScatterElements {
  static constexpr OpInfo info{.name = "scatter_elements", .inputs = {"x", "indices", "updates"}};
  std::int64_t axis = 0;
  ScatterReduction reduction = ScatterReduction::none;
  static void attributes(auto&& visit) {
    visit("axis", &ScatterElements::axis);
    visit("reduction", &ScatterElements::reduction);
  }
  bool operator==(const ScatterElements&) const = default;

  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  Value add_to(Values in, Value sum, Value flows) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// x with updates put in where `GatherNd` reads.
struct ScatterNd {
  static constexpr OpInfo info{.name = "scatter_nd", .inputs = {"x", "indices", "updates"}};
  ScatterReduction reduction = ScatterReduction::none;
  std::int64_t batch = 0;
  static void attributes(auto&& visit) {
    visit("reduction", &ScatterNd::reduction);
    visit("batch", &ScatterNd::batch);
  }
  bool operator==(const ScatterNd&) const = default;

  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  Value add_to(Values in, Value sum, Value flows) const;
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
