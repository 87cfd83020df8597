// Ranges of axes by numbers that are known while a graph is built (see by_value.h), of all dtypes, and their gradient,
// of numbers. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow::ops {

/// A range of each of `axes`, of the first ones where none are named: see `slice`.
struct SliceBy {
  static constexpr OpInfo info{.name = "slice_by", .inputs = {"x", "begins", "ends", "steps?"}, .by_value = {1, 2, 3}};
  std::vector<std::int64_t> axes;
  static void attributes(auto&& visit) { visit("axes", &SliceBy::axes); }
  bool operator==(const SliceBy&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  Value simplify(Values in) const { return lower(in)[0]; }
  Grads gradient(const Node& n, Values dy) const;
};

/// dy where such a slice of `like` took its elements from, and 0 elsewhere.
struct SliceByGradient {
  static constexpr OpInfo info{.name = "slice_by_gradient",
                               .inputs = {"dy", "like", "begins", "ends", "steps?"},
                               .outputs = {"dx"},
                               .shape_only = {1},
                               .by_value = {2, 3, 4}};
  std::vector<std::int64_t> axes;
  static void attributes(auto&& visit) { visit("axes", &SliceByGradient::axes); }
  bool operator==(const SliceByGradient&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
