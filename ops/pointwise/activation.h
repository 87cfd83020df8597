// Activations, and what their gradients take in one pass each, from the output where that is enough, so that backward
// keeps one array alive. Regular value types, safe from any thread. Errors of the routines: ops/math.h.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::ops {

/// (e^x - e^-x) / (e^x + e^-x)
struct Tanh : Unary<Tanh> {
  static constexpr OpInfo info{.name = "tanh", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
  bool operator==(const Tanh&) const = default;
};

/// 1 / (1 + e^-x)
struct Sigmoid : Unary<Sigmoid> {
  static constexpr OpInfo info{.name = "sigmoid", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Sigmoid&) const = default;
};

/// max(x, 0); NaN for NaN. The gradient at 0 is 0.
struct Relu : Unary<Relu> {
  static constexpr OpInfo info{.name = "relu", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <Number T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
  bool operator==(const Relu&) const = default;
};

/// 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
struct Erf : Unary<Erf> {
  static constexpr OpInfo info{.name = "erf", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Erf&) const = default;
};

/// x Phi(x) with the normal distribution's Phi(x) = (1 + erf(x / sqrt(2))) / 2 (Hendrycks and Gimpel 2016)
struct Gelu : Unary<Gelu> {
  static constexpr OpInfo info{.name = "gelu", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Gelu&) const = default;
};

/// x sigmoid(x) (Elfwing, Uchibe and Doya 2017)
struct Silu : Unary<Silu> {
  static constexpr OpInfo info{.name = "silu", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Silu&) const = default;
};

/// log(1 + e^x), which is relu with a round corner (Dugas et al. 2001)
struct Softplus : Unary<Softplus> {
  static constexpr OpInfo info{.name = "softplus", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Softplus&) const = default;
};

/// x / (1 + |x|); -1 and 1 at the infinities (Turian, Bergstra and Bengio 2009)
struct Softsign : Unary<Softsign> {
  static constexpr OpInfo info{.name = "softsign", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Softsign&) const = default;
};

/// dy (1 - y^2), where y = tanh(x).
struct TanhGradient : Binary<TanhGradient> {
  static constexpr OpInfo info{
      .name = "tanh_gradient", .inputs = {"y", "dy"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <std::floating_point T>
  T at(T y, T dy) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const TanhGradient&) const = default;
};

/// dy y (1 - y), where y = sigmoid(x).
struct SigmoidGradient : Binary<SigmoidGradient> {
  static constexpr OpInfo info{
      .name = "sigmoid_gradient", .inputs = {"y", "dy"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <std::floating_point T>
  T at(T y, T dy) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const SigmoidGradient&) const = default;
};

/// 0 where y <= 0, else dy, where y is NaN as well. y = relu(x), or x itself.
struct ReluGradient : Binary<ReluGradient> {
  static constexpr OpInfo info{
      .name = "relu_gradient", .inputs = {"y", "dy"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  T at(T y, T dy) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const ReluGradient&) const = default;
};

/// dy (Phi(x) + x phi(x)), with the normal density phi(x) = exp(-x^2 / 2) / sqrt(2 pi).
struct GeluGradient : Binary<GeluGradient> {
  static constexpr OpInfo info{
      .name = "gelu_gradient", .inputs = {"x", "dy"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <std::floating_point T>
  T at(T x, T dy) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const GeluGradient&) const = default;
};

/// dy (s + x s (1 - s)), where s = sigmoid(x).
struct SiluGradient : Binary<SiluGradient> {
  static constexpr OpInfo info{
      .name = "silu_gradient", .inputs = {"x", "dy"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <std::floating_point T>
  T at(T x, T dy) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const SiluGradient&) const = default;
};

}  // namespace oxbow::ops

namespace oxbow {

extern template struct Elementwise<ops::Tanh, Same>;
extern template struct Elementwise<ops::Sigmoid, Same>;
extern template struct Elementwise<ops::Relu, Same>;
extern template struct Elementwise<ops::Erf, Same>;
extern template struct Elementwise<ops::Gelu, Same>;
extern template struct Elementwise<ops::Silu, Same>;
extern template struct Elementwise<ops::Softplus, Same>;
extern template struct Elementwise<ops::Softsign, Same>;
extern template struct Elementwise<ops::TanhGradient, Same, Same>;
extern template struct Elementwise<ops::SigmoidGradient, Same, Same>;
extern template struct Elementwise<ops::ReluGradient, Same, Same>;
extern template struct Elementwise<ops::GeluGradient, Same, Same>;
extern template struct Elementwise<ops::SiluGradient, Same, Same>;

}  // namespace oxbow
