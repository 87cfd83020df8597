// Values side by side along an axis, and the way back. All dtypes. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow::ops {

struct Concat {
  static constexpr OpInfo info{.name = "concat", .inputs = {"values..."}};
  std::int64_t axis = 0;
  static void attributes(auto&& visit) { visit("axis", &Concat::axis); }
  bool operator==(const Concat&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  Value simplify(Values in) const;
  std::vector<Value> transposed(Values in, std::span<const int> axes) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// What flows back to the values that were put together: of dy, the first input, each one's part. The other inputs are
/// those values, read for their shapes.
struct ConcatGradient {
  static constexpr OpInfo info{.name = "concat_gradient",
                               .inputs = {"dy", "values..."},
                               .outputs = {"dvalues?..."},
                               .shape_only = InputSet::from(1)};
  std::int64_t axis = 0;
  static void attributes(auto&& visit) { visit("axis", &ConcatGradient::axis); }
  bool operator==(const ConcatGradient&) const = default;

  std::vector<Type> infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> transposed(Values in, std::span<const int> axes) const;
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
