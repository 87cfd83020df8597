// The same elements in another shape. All dtypes; takes no time, since the result is its input's bytes.
// Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow::ops {

struct Reshape {
  static constexpr OpInfo info{.name = "reshape", .inputs = {"x"}};
  static constexpr std::int64_t rest = -1;  ///< a size that follows from the number of elements
  static constexpr std::int64_t same = -2;  ///< the size of x's axis of the same number
  std::vector<std::int64_t> shape;
  static void attributes(auto&& visit) { visit("shape", &Reshape::shape); }
  bool operator==(const Reshape&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  Alias alias(Types) const { return {.input = 0}; }
  Value simplify(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

struct ReshapeLike {
  static constexpr OpInfo info{.name = "reshape_like", .inputs = {"x", "like"}, .shape_only = {1}};
  bool operator==(const ReshapeLike&) const = default;

  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  Value add_to(Values in, Value sum, Value flows) const;
  Value simplify(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

struct Squeeze {
  static constexpr OpInfo info{.name = "squeeze", .inputs = {"x"}};
  std::vector<std::int64_t> axes;
  static void attributes(auto&& visit) { visit("axes", &Squeeze::axes); }
  bool operator==(const Squeeze&) const = default;

  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  Value simplify(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// The other way round: axes of size 1 at these places of the result.
struct ExpandDims {
  static constexpr OpInfo info{.name = "expand_dims", .inputs = {"x"}};
  std::vector<std::int64_t> axes;
  static void attributes(auto&& visit) { visit("axes", &ExpandDims::axes); }
  bool operator==(const ExpandDims&) const = default;

  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  Value simplify(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// x in this shape, of which no size is -1 or 0 but what it is.
inline Value reshaped(Value x, const Shape& shape) {
  return apply(Reshape{.shape = shape.vector()}, {x}, At::current());
}

}  // namespace oxbow::ops
