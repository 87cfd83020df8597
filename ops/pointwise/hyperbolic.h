// Hyperbolic functions and their inverses; tanh is among the activations. NaN outside their domain. Errors:
// ops/shared/hyperbolic.h. Regular value types, safe from any thread.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::ops {

/// (e^x - e^-x) / 2
struct Sinh : Unary<Sinh> {
  static constexpr OpInfo info{.name = "sinh", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Sinh&) const = default;
};

/// (e^x + e^-x) / 2
struct Cosh : Unary<Cosh> {
  static constexpr OpInfo info{.name = "cosh", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Cosh&) const = default;
};

/// log(x + sqrt(x^2 + 1))
struct Asinh : Unary<Asinh> {
  static constexpr OpInfo info{.name = "asinh", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Asinh&) const = default;
};

/// log(x + sqrt(x^2 - 1))
struct Acosh : Unary<Acosh> {
  static constexpr OpInfo info{.name = "acosh", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Acosh&) const = default;
};

/// log((1 + x) / (1 - x)) / 2
struct Atanh : Unary<Atanh> {
  static constexpr OpInfo info{.name = "atanh", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Atanh&) const = default;
};

}  // namespace oxbow::ops

namespace oxbow {

extern template struct Elementwise<ops::Sinh, Same>;
extern template struct Elementwise<ops::Cosh, Same>;
extern template struct Elementwise<ops::Asinh, Same>;
extern template struct Elementwise<ops::Acosh, Same>;
extern template struct Elementwise<ops::Atanh, Same>;

}  // namespace oxbow
