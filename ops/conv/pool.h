// Pooling over windows of sequences, images and volumes, channels last. Which element was the largest is found again
// from x in backward, which is cheaper than keeping it; sums are depthwise convolutions with ones. Regular value types,
// safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/conv/geometry.h>
#include <oxbow/ops/pool.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// What ops say of a pool's windows: see ops/pool.h.
struct PoolAttributes {
  PerAxis size = 2, stride = 2;
  Padding padding = Padding::valid;
  PerAxis dilation = 1;
  bool ceil_mode = false;
  bool operator==(const PoolAttributes&) const = default;
};

template <class T>
void pool_attributes(auto&& visit) {
  visit("size", &T::size);
  visit("stride", &T::stride);
  visit("padding", &T::padding);
  visit("dilation", &T::dilation);
  visit("ceil_mode", &T::ceil_mode);
}

/// The windows over x [n, ..., c] of three to five axes, as those of volumes: an axis that x lacks has the size 1.
struct PoolShape {
  struct Axis {
    std::int64_t in = 1, taps = 1, stride = 1, dilation = 1, before = 0, after = 0, out = 1;
    std::int64_t reach() const { return (taps - 1) * dilation + 1; }
  };
  std::int64_t images = 0, channels = 0;
  Axis depth = {}, down = {}, across = {};
  std::int64_t image() const { return depth.in * down.in * across.in * channels; }
  std::int64_t windows() const { return depth.out * down.out * across.out; }
  std::int64_t taps() const { return depth.taps * down.taps * across.taps; }
  /// In as many axes as x has.
  Shape y(int rank) const;
};
/// Throws `OpError` where windows do not fit into x.
PoolShape pool_shape(const Shape& x, const PoolAttributes& options);

/// y = the largest of each window and channel; NaN if it holds one, and the least number if it holds nothing.
struct MaxPool : PoolAttributes {
  static constexpr OpInfo info{.name = "max_pool", .inputs = {"x"}};
  static void attributes(auto&& visit) { pool_attributes<MaxPool>(visit); }
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const MaxPool&) const = default;
};

/// The number of each window's largest element among all of x, i64: see `max_pool_with_indices`.
struct MaxPoolPlaces : PoolAttributes {
  static constexpr OpInfo info{.name = "max_pool_places", .inputs = {"x"}, .outputs = {"places"}};
  bool channels_first = false, column_major = false;  ///< how they are counted
  static void attributes(auto&& visit) {
    pool_attributes<MaxPoolPlaces>(visit);
    visit("channels_first", &MaxPoolPlaces::channels_first);
    visit("column_major", &MaxPoolPlaces::column_major);
  }
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"integer result"}; }
  bool operator==(const MaxPoolPlaces&) const = default;
};

/// dx: each dy goes to the first largest element of its window, row by row (of several NaNs, the last), as PyTorch
/// does.
struct MaxPoolGradient : PoolAttributes {
  static constexpr OpInfo info{.name = "max_pool_gradient", .inputs = {"x", "dy"}};
  static void attributes(auto&& visit) { pool_attributes<MaxPoolGradient>(visit); }
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const MaxPoolGradient&) const = default;
};

/// The gradient of MaxPoolGradient to dy: v where x is largest, one element a window.
struct MaxPoolGradientGradient : PoolAttributes {
  static constexpr OpInfo info{.name = "max_pool_gradient_gradient", .inputs = {"x", "v"}};
  static void attributes(auto&& visit) { pool_attributes<MaxPoolGradientGradient>(visit); }
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const MaxPoolGradientGradient&) const = default;
};

/// By what the sum of a window is divided.
enum class Divisor : std::uint8_t {
  inside,  ///< its elements of x
  padded,  ///< those and its elements of the padding
  one
};
AttrValue to_attr(Divisor v);
void from_attr(const AttrValue& a, Divisor& v);

/// y = the sum of each window and channel / divisor.
struct AveragePool : PoolAttributes {
  static constexpr OpInfo info{.name = "average_pool", .inputs = {"x"}};
  Divisor divisor = Divisor::inside;
  static void attributes(auto&& visit) {
    pool_attributes<AveragePool>(visit);
    visit("divisor", &AveragePool::divisor);
  }
  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const AveragePool&) const = default;
};

/// dx of `average_pool`; x gives its shape only.
struct AveragePoolGradient : PoolAttributes {
  static constexpr OpInfo info{
      .name = "average_pool_gradient", .inputs = {"dy", "x"}, .outputs = {"dx"}, .shape_only = {1}, .any_dtype = {1}};
  Divisor divisor = Divisor::inside;
  static void attributes(auto&& visit) {
    pool_attributes<AveragePoolGradient>(visit);
    visit("divisor", &AveragePoolGradient::divisor);
  }
  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const AveragePoolGradient&) const = default;
};

}  // namespace oxbow::ops
