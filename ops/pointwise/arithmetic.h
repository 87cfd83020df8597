// Arithmetic of two operands, which broadcast. Integers wrap around. Regular value types, safe from any thread.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow {

/// a + b
struct Add : Binary<Add> {
  static constexpr OpInfo info{.name = "add", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  Value simplify(Values in) const;
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
  bool operator==(const Add&) const = default;
  static std::vector<Sample> samples();
};

/// a - b
struct Subtract : Binary<Subtract> {
  static constexpr OpInfo info{.name = "subtract", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  Value simplify(Values in) const;
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
  bool operator==(const Subtract&) const = default;
  static std::vector<Sample> samples();
};

/// a b
struct Multiply : Binary<Multiply> {
  static constexpr OpInfo info{.name = "multiply", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  Value simplify(Values in) const;
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
  bool operator==(const Multiply&) const = default;
  static std::vector<Sample> samples();
};

/// a / b
struct Divide : Binary<Divide> {
  static constexpr OpInfo info{.name = "divide", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <std::floating_point T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  Value simplify(Values in) const;
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
  bool operator==(const Divide&) const = default;
  static std::vector<Sample> samples();
};

/// a^b, as IEEE 754 has it: NaN for a negative a and a b that is no integer; 1 where b is 0 or a is 1.
struct Pow : Binary<Pow> {
  static constexpr OpInfo info{.name = "pow", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <std::floating_point T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Pow&) const = default;
  static std::vector<Sample> samples();
};

/// The greater one; NaN if one is. Where they are equal the gradient goes to a, where one is NaN to both.
struct Maximum : Binary<Maximum> {
  static constexpr OpInfo info{.name = "maximum", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Maximum&) const = default;
  static std::vector<Sample> samples();
};

/// The smaller one; NaN if one is. Where they are equal the gradient goes to a, where one is NaN to both.
struct Minimum : Binary<Minimum> {
  static constexpr OpInfo info{.name = "minimum", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Minimum&) const = default;
  static std::vector<Sample> samples();
};

extern template struct Elementwise<Add, Same, Same>;
extern template struct Elementwise<Subtract, Same, Same>;
extern template struct Elementwise<Multiply, Same, Same>;
extern template struct Elementwise<Divide, Same, Same>;
extern template struct Elementwise<Pow, Same, Same>;
extern template struct Elementwise<Maximum, Same, Same>;
extern template struct Elementwise<Minimum, Same, Same>;

/// All of these throw `Error` when shapes do not broadcast, when dtypes differ, or for a dtype that the op does not
/// take (bool; integers in `divide` and `pow`). A number takes the other operand's dtype.
Value add(Operand a, Operand b, At at = At::current());
Value subtract(Operand a, Operand b, At at = At::current());
Value multiply(Operand a, Operand b, At at = At::current());
Value divide(Operand a, Operand b, At at = At::current());
/// The exponents 1 and 2, given as numbers, become `a` itself and `square(a)`.
Value pow(Operand a, Operand b, At at = At::current());
Value maximum(Operand a, Operand b, At at = At::current());
Value minimum(Operand a, Operand b, At at = At::current());

inline Value operator+(Operand a, Operand b) { return add(a, b, a.at()); }
inline Value operator-(Operand a, Operand b) { return subtract(a, b, a.at()); }
inline Value operator*(Operand a, Operand b) { return multiply(a, b, a.at()); }
inline Value operator/(Operand a, Operand b) { return divide(a, b, a.at()); }

}  // namespace oxbow
