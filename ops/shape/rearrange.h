// An axis cut into parts, and one that is turned. All dtypes. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow::ops {

/// x in `parts` parts along an axis: of the given sizes, or of equal ones, of which the last has what is left.
struct Split {
  static constexpr OpInfo info{.name = "split", .inputs = {"x", "sizes?"}, .outputs = {"parts?..."}, .by_value = {1}};
  std::int64_t axis = 0, parts = 1;
  static void attributes(auto&& visit) {
    visit("axis", &Split::axis);
    visit("parts", &Split::parts);
  }
  bool operator==(const Split&) const = default;

  std::vector<Type> infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> simplify(Values in) const { return lower(in); }
  Grads gradient(const Node& n, Values dy) const;
};

/// Element i along the axis is x's element i - shift, counted round.
struct Roll {
  static constexpr OpInfo info{.name = "roll", .inputs = {"x"}};
  std::int64_t shift = 0, axis = 0;
  static void attributes(auto&& visit) {
    visit("shift", &Roll::shift);
    visit("axis", &Roll::axis);
  }
  bool operator==(const Roll&) const = default;

  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  Value simplify(Values in) const { return lower(in)[0]; }
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
