// What is found in a tensor that is known while the graph is built, and whose number of elements therefore is: see
// by_value.h. They become constants. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow::ops {

/// The places of the elements that are not 0: i64 [rank, count].
struct NonZero {
  static constexpr OpInfo info{.name = "nonzero", .inputs = {"x"}, .by_value = {0}};
  bool operator==(const NonZero&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  Value simplify(Values in) const { return lower(in)[0]; }
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"integer result"}; }
};

/// The different elements, or slices along an axis: see `unique`.
struct Unique {
  static constexpr OpInfo info{
      .name = "unique", .inputs = {"x"}, .outputs = {"values?", "indices?", "inverse?", "counts?"}, .by_value = {0}};
  bool by_axis = false;
  std::int64_t axis = 0;
  bool sorted = true;
  static void attributes(auto&& visit) {
    visit("by_axis", &Unique::by_axis);
    visit("axis", &Unique::axis);
    visit("sorted", &Unique::sorted);
  }
  bool operator==(const Unique&) const = default;
  std::vector<Type> infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> simplify(Values in) const { return lower(in); }
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its input is known"}; }
};

}  // namespace oxbow::ops
