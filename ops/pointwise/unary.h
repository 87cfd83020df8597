// Functions of one operand. Regular value types, safe from any thread. Errors of the f32 and f64 routines:
// ops/math.h.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::ops {

/// -x
struct Negate : Unary<Negate> {
  static constexpr OpInfo info{.name = "negate", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <Number T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  Value simplify(Values in) const;
  bool operator==(const Negate&) const = default;
};

/// x x
struct Square : Unary<Square> {
  static constexpr OpInfo info{.name = "square", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <Number T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Square&) const = default;
};

/// 1 / x
struct Reciprocal : Unary<Reciprocal> {
  static constexpr OpInfo info{.name = "reciprocal", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Reciprocal&) const = default;
};

/// e^x
struct Exp : Unary<Exp> {
  static constexpr OpInfo info{.name = "exp", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Exp&) const = default;
};

/// The natural logarithm: -inf at 0, NaN below.
struct Log : Unary<Log> {
  static constexpr OpInfo info{.name = "log", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Log&) const = default;
};

/// e^x - 1, with its digits near 0
struct Expm1 : Unary<Expm1> {
  static constexpr OpInfo info{.name = "expm1", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Expm1&) const = default;
};

/// log(1 + x), with its digits near 0: -inf at -1, NaN below.
struct Log1p : Unary<Log1p> {
  static constexpr OpInfo info{.name = "log1p", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Log1p&) const = default;
};

/// The square root: NaN below 0.
struct Sqrt : Unary<Sqrt> {
  static constexpr OpInfo info{.name = "sqrt", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <Real T>
  T at(T x) const;
  TileFn tile(Types in) const;
  Grads gradient(const Node& n, Values dy) const;
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
  bool operator==(const Sqrt&) const = default;
};

/// 1 / sqrt(x), both steps rounded correctly.
struct Rsqrt : Unary<Rsqrt> {
  static constexpr OpInfo info{.name = "rsqrt", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <Real T>
  T at(T x) const;
  TileFn tile(Types in) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Rsqrt&) const = default;
};

/// |x|; the gradient at 0 is 0.
struct Abs : Unary<Abs> {
  static constexpr OpInfo info{.name = "abs", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <Number T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Abs&) const = default;
};

/// -1, 0 or 1; NaN for NaN. The gradient is zero.
struct Sign : Unary<Sign> {
  static constexpr OpInfo info{.name = "sign", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <Number T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
  bool operator==(const Sign&) const = default;
};

}  // namespace oxbow::ops

namespace oxbow {

extern template struct Elementwise<ops::Negate, Same>;
extern template struct Elementwise<ops::Square, Same>;
extern template struct Elementwise<ops::Reciprocal, Same>;
extern template struct Elementwise<ops::Exp, Same>;
extern template struct Elementwise<ops::Log, Same>;
extern template struct Elementwise<ops::Expm1, Same>;
extern template struct Elementwise<ops::Log1p, Same>;
extern template struct Elementwise<ops::Sqrt, Same>;
extern template struct Elementwise<ops::Rsqrt, Same>;
extern template struct Elementwise<ops::Abs, Same>;
extern template struct Elementwise<ops::Sign, Same>;

}  // namespace oxbow
