// Shapes that follow from values: each op here takes sizes, ranges or counts as values that are known while the graph
// is built (constants, and whatever is computed from them and from `shape_of`), and becomes its form with fixed
// numbers when the graph is specialised. So what is computed from a free axis is right at every size of it:
//
//   Value x = input(g, "x", f32, {any(64), 8, 8});
//   Value batch = slice(shape_of(x), 0, 0, 1);                                // [64]
//   Value flat = reshape(x, concat({batch, constant(g, whole({-1}))}));       // [64, 64]; [10, 64] where 10 are fed
//
// A value that is not known (it depends on what is fed, or on a variable) is an error that names what it depends on.
// Numbers are i32 or i64. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow::ops {

/// The sizes of x, i64[rank].
struct ShapeOf {
  static constexpr OpInfo info{.name = "shape_of", .inputs = {"x"}, .outputs = {"shape"}, .shape_only = {0}};
  bool operator==(const ShapeOf&) const = default;
  Type infer(Types in) const { return {i64, {in[0].shape.rank()}}; }
  Value simplify(Values in) const;
  std::vector<Value> lower(Values in) const { return {simplify(in)}; }
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"integer result"}; }
};

/// x in another shape: see `reshape`.
struct ReshapeTo {
  static constexpr OpInfo info{.name = "reshape_to", .inputs = {"x", "shape"}, .by_value = {1}};
  bool operator==(const ReshapeTo&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  Value simplify(Values in) const { return lower(in)[0]; }
  Grads gradient(const Node& n, Values dy) const;
};

/// x repeated to another shape: see `broadcast_to`.
struct ExpandTo {
  static constexpr OpInfo info{.name = "expand_to", .inputs = {"x", "shape"}, .by_value = {1}};
  bool operator==(const ExpandTo&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  Value simplify(Values in) const { return lower(in)[0]; }
  Grads gradient(const Node& n, Values dy) const;
};

/// x so many times along each axis.
struct Tile {
  static constexpr OpInfo info{.name = "tile", .inputs = {"x", "repeats"}, .by_value = {1}};
  bool operator==(const Tile&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// The sum of the copies of x that a tile has; `like` is an x.
struct TileGradient {
  static constexpr OpInfo info{.name = "tile_gradient",
                               .inputs = {"dy", "like", "repeats"},
                               .outputs = {"dx"},
                               .shape_only = {1},
                               .by_value = {2}};
  bool operator==(const TileGradient&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// start, start + step, ... up to but without `limit`.
struct Arange {
  static constexpr OpInfo info{.name = "arange", .inputs = {"start", "limit", "step"}, .by_value = {0, 1, 2}};
  bool operator==(const Arange&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its inputs are known numbers"}; }
};

/// start + i step for i < count: what `arange` lowers to.
struct Iota {
  static constexpr OpInfo info{.name = "iota"};
  Tensor start = Tensor::scalar(std::int64_t{0}), step = Tensor::scalar(std::int64_t{1});
  std::int64_t count = 0;
  static void attributes(auto&& visit) {
    visit("start", &Iota::start);
    visit("step", &Iota::step);
    visit("count", &Iota::count);
  }
  bool operator==(const Iota& o) const {
    return same_bits(start, o.start) && same_bits(step, o.step) && count == o.count;
  }
  Type infer(Types) const;
  Work work(Types in) const;
  void run(const Run& r) const;
};

/// Labels as rows with a single one, of as many classes as the second input says.
struct OneHotOf {
  static constexpr OpInfo info{.name = "one_hot_of", .inputs = {"labels", "classes"}, .by_value = {1}};
  DType dtype = f32;
  static void attributes(auto&& visit) { visit("dtype", &OneHotOf::dtype); }
  bool operator==(const OneHotOf&) const = default;
  Type infer(Types in, const Known& known) const;
  std::vector<Value> lower(Values in) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"labels are integers"}; }
};

}  // namespace oxbow::ops
