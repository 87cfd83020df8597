// Sine, cosine and tangent of radians, of any size, and cosine and sine of half turns. Half turns make the reduction of
// large arguments exact, which radians do not (IEEE 754 2019, section 9.2: cosPi, sinPi). Errors: ops/shared/angle.h,
// ops/math.h. Regular value types, safe from any thread.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::ops {

/// The sine of x radians; NaN for an infinity.
struct Sin : Unary<Sin> {
  static constexpr OpInfo info{.name = "sin", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  TileFn tile(Types in) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Sin&) const = default;
};

/// The cosine of x radians; NaN for an infinity.
struct Cos : Unary<Cos> {
  static constexpr OpInfo info{.name = "cos", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  TileFn tile(Types in) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Cos&) const = default;
};

/// sin(x) / cos(x)
struct Tan : Unary<Tan> {
  static constexpr OpInfo info{.name = "tan", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  TileFn tile(Types in) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Tan&) const = default;
};

/// cos(pi x)
struct CosPi : Unary<CosPi> {
  static constexpr OpInfo info{.name = "cospi", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const CosPi&) const = default;
};

/// sin(pi x); a zero may lose its sign.
struct SinPi : Unary<SinPi> {
  static constexpr OpInfo info{.name = "sinpi", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const SinPi&) const = default;
};

}  // namespace oxbow::ops

namespace oxbow {

extern template struct Elementwise<ops::Sin, Same>;
extern template struct Elementwise<ops::Cos, Same>;
extern template struct Elementwise<ops::Tan, Same>;
extern template struct Elementwise<ops::CosPi, Same>;
extern template struct Elementwise<ops::SinPi, Same>;

}  // namespace oxbow
