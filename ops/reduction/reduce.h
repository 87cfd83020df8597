// Reductions over axes: sum, product, mean, max, min; and the sums that undo broadcasting.
// Dtypes: sums and products take all but bool and keep it (integers wrap around); mean takes floating point; max and
// min take all.
//
// How they are computed, and in which order: see ops/reduction/chunks.h, which they lower to. Axes that are not
// neighbours are reduced one group after another, the innermost first, so nothing is transposed. Empty axes stand for
// all axes. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// What a reduction does with two elements. A NaN makes the result NaN. Of equal zeros with unlike signs, max and min
/// give either one, always the same for a shape.
enum class Fold : std::uint8_t { sum, prod, max, min };

/// One element for each place on the other axes. The sum of nothing is 0 and its product 1; the max of nothing is what
/// is below all others of the dtype, -inf or its least number, and the min what is above.
template <Fold F>
struct Reduce {
  static constexpr OpInfo info{.name = F == Fold::sum    ? "sum"
                                       : F == Fold::prod ? "prod"
                                       : F == Fold::max  ? "max"
                                                         : "min",
                               .inputs = {"x"},
                               .exact = {0}};
  std::vector<std::int64_t> axes;
  bool keep = false;  ///< reduced axes stay, with size 1
  static void attributes(auto&& visit) {
    visit("axes", &Reduce::axes);
    visit("keep", &Reduce::keep);
  }
  bool operator==(const Reduce&) const = default;

  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const;
  Value simplify(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};
using Sum = Reduce<Fold::sum>;
using Prod = Reduce<Fold::prod>;
using Max = Reduce<Fold::max>;
using Min = Reduce<Fold::min>;

/// Sums the axes that broadcasting `like`'s shape to x's added or stretched: the gradient of broadcasting.
struct SumTo {
  static constexpr OpInfo info{
      .name = "sum_to", .inputs = {"x", "like"}, .shape_only = {1}, .any_dtype = {1}, .exact = {0}};
  bool operator==(const SumTo&) const = default;

  Type infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Value simplify(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// The number of elements that a reduction of x over `axes` makes one of; a scalar of x's dtype.
struct CountLike {
  static constexpr OpInfo info{.name = "count_like", .inputs = {"x"}, .shape_only = {0}};
  std::vector<std::int64_t> axes;
  static void attributes(auto&& visit) { visit("axes", &CountLike::axes); }
  bool operator==(const CountLike&) const = default;

  Type infer(Types in) const;
  void run(const Run& r) const;
  Value simplify(Values in) const;
  Grads gradient(const Node&, Values) const { return {Value()}; }  // a shape has no slope
};

/// `axes` of `shape`, non-negative and rising; empty `axes` give all. Throws `OpError` for an axis that is not there or
/// that is named twice.
std::vector<int> normal_axes(const Shape& shape, const std::vector<std::int64_t>& axes);

}  // namespace oxbow::ops
