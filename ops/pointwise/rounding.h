// Rounding to whole numbers, which stay floating point. A zero keeps its sign; infinities and NaN stay. The gradient is
// zero. Regular value types, safe from any thread.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::ops {

/// The greatest whole number that is not above x.
struct Floor : Unary<Floor> {
  static constexpr OpInfo info{.name = "floor", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node&, Values) const { return {Value()}; }
  bool operator==(const Floor&) const = default;
};

/// The least whole number that is not below x.
struct Ceil : Unary<Ceil> {
  static constexpr OpInfo info{.name = "ceil", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node&, Values) const { return {Value()}; }
  bool operator==(const Ceil&) const = default;
};

/// The nearest whole number, a half to the even one.
struct Round : Unary<Round> {
  static constexpr OpInfo info{.name = "round", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node&, Values) const { return {Value()}; }
  bool operator==(const Round&) const = default;
};

/// x without its fraction.
struct Trunc : Unary<Trunc> {
  static constexpr OpInfo info{.name = "trunc", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node&, Values) const { return {Value()}; }
  bool operator==(const Trunc&) const = default;
};

}  // namespace oxbow::ops

namespace oxbow {

extern template struct Elementwise<ops::Floor, Same>;
extern template struct Elementwise<ops::Ceil, Same>;
extern template struct Elementwise<ops::Round, Same>;
extern template struct Elementwise<ops::Trunc, Same>;

}  // namespace oxbow
