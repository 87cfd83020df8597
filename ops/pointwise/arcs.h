// Inverse trigonometric functions, in radians; NaN outside their domain. Errors: ops/shared/arcs.h. Regular value
// types, safe from any thread.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::ops {

/// The angle from -pi / 2 to pi / 2 whose sine is x.
struct Asin : Unary<Asin> {
  static constexpr OpInfo info{.name = "asin", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Asin&) const = default;
};

/// The angle from 0 to pi whose cosine is x.
struct Acos : Unary<Acos> {
  static constexpr OpInfo info{.name = "acos", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Acos&) const = default;
};

/// The angle from -pi / 2 to pi / 2 whose tangent is x.
struct Atan : Unary<Atan> {
  static constexpr OpInfo info{.name = "atan", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Atan&) const = default;
};

}  // namespace oxbow::ops

namespace oxbow {

extern template struct Elementwise<ops::Asin, Same>;
extern template struct Elementwise<ops::Acos, Same>;
extern template struct Elementwise<ops::Atan, Same>;

}  // namespace oxbow
