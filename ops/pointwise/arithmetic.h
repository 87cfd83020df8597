// Arithmetic of two operands, which broadcast. Integers wrap around. Regular value types, safe from any thread.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::ops {

/// a + b
struct Add : Binary<Add> {
  static constexpr OpInfo info{.name = "add", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  Value simplify(Values in) const;
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
  bool operator==(const Add&) const = default;
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
};

/// a / b. Of integers towards zero, and 0 where b is 0.
struct Divide : Binary<Divide> {
  static constexpr OpInfo info{.name = "divide", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  Value simplify(Values in) const;
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
  bool operator==(const Divide&) const = default;
};

/// a^b, as IEEE 754 has it: NaN for a negative a and a b that is not an integer; 1 where b is 0 or a is 1. Of integers
/// it is rounded towards zero, and 0 for 0 to a negative power.
struct Pow : Binary<Pow> {
  static constexpr OpInfo info{.name = "pow", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Pow&) const = default;
};

/// The greater one; NaN if one is. Where they are equal the gradient goes to a, where one is NaN to both.
struct Maximum : Binary<Maximum> {
  static constexpr OpInfo info{.name = "maximum", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Maximum&) const = default;
};

/// The smaller one; NaN if one is. Where they are equal the gradient goes to a, where one is NaN to both.
struct Minimum : Binary<Minimum> {
  static constexpr OpInfo info{.name = "minimum", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  T at(T a, T b) const;
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Minimum&) const = default;
};

}  // namespace oxbow::ops

namespace oxbow {

extern template struct Elementwise<ops::Add, Same, Same>;
extern template struct Elementwise<ops::Subtract, Same, Same>;
extern template struct Elementwise<ops::Multiply, Same, Same>;
extern template struct Elementwise<ops::Divide, Same, Same>;
extern template struct Elementwise<ops::Pow, Same, Same>;
extern template struct Elementwise<ops::Maximum, Same, Same>;
extern template struct Elementwise<ops::Minimum, Same, Same>;

}  // namespace oxbow
