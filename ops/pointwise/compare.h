// Comparison, logic and choice. Operands broadcast; truth values have dtype bool. Regular value types, safe from any
// thread.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow {

/// a == b. Like every comparison here it has no gradient, since its result is no number.
struct Equal : Binary<Equal> {
  static constexpr OpInfo info{.name = "equal", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Element T>
  bool at(T a, T b) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is bool"}; }
  bool operator==(const Equal&) const = default;
  static std::vector<Sample> samples();
};

/// a != b
struct NotEqual : Binary<NotEqual> {
  static constexpr OpInfo info{.name = "not_equal", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Element T>
  bool at(T a, T b) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is bool"}; }
  bool operator==(const NotEqual&) const = default;
  static std::vector<Sample> samples();
};

/// a < b. `greater(a, b)` is `less(b, a)`.
struct Less : Binary<Less> {
  static constexpr OpInfo info{.name = "less", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  bool at(T a, T b) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is bool"}; }
  bool operator==(const Less&) const = default;
  static std::vector<Sample> samples();
};

/// a <= b. `greater_equal(a, b)` is `less_equal(b, a)`.
struct LessEqual : Binary<LessEqual> {
  static constexpr OpInfo info{.name = "less_equal", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  bool at(T a, T b) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is bool"}; }
  bool operator==(const LessEqual&) const = default;
  static std::vector<Sample> samples();
};

struct LogicalAnd : Elementwise<LogicalAnd, bool, bool> {
  static constexpr OpInfo info{
      .name = "logical_and", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  bool at(bool a, bool b) const { return a & b; }
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is bool"}; }
  bool operator==(const LogicalAnd&) const = default;
  static std::vector<Sample> samples();
};

struct LogicalOr : Elementwise<LogicalOr, bool, bool> {
  static constexpr OpInfo info{.name = "logical_or", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  bool at(bool a, bool b) const { return a | b; }
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is bool"}; }
  bool operator==(const LogicalOr&) const = default;
  static std::vector<Sample> samples();
};

struct LogicalNot : Elementwise<LogicalNot, bool> {
  static constexpr OpInfo info{.name = "logical_not", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  bool at(bool x) const { return !x; }
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is bool"}; }
  Value simplify(Values in) const;
  bool operator==(const LogicalNot&) const = default;
  static std::vector<Sample> samples();
};

/// condition ? a : b. The gradient goes to the one that was taken; the other gets zeros.
/// Moves bits, so every dtype is chosen from as it is.
struct Select {
  static constexpr OpInfo info{
      .name = "select", .inputs = {"condition", "a", "b"}, .may_overwrite = {1, 2}, .any_layout = true};
  static constexpr std::size_t operands = 3;
  template <class T>
  T at(bool condition, T a, T b) const {
    return condition ? a : b;
  }
  Type infer(Types in) const;
  TileFn tile(Types in) const;
  Grads gradient(const Node& n, Values dy) const;
  Value simplify(Values in) const;
  bool operator==(const Select&) const = default;
  static std::vector<Sample> samples();
};

extern template struct Elementwise<Equal, Same, Same>;
extern template struct Elementwise<NotEqual, Same, Same>;
extern template struct Elementwise<Less, Same, Same>;
extern template struct Elementwise<LessEqual, Same, Same>;
extern template struct Elementwise<LogicalAnd, bool, bool>;
extern template struct Elementwise<LogicalOr, bool, bool>;
extern template struct Elementwise<LogicalNot, bool>;

/// Comparisons give bool; with a NaN all but `not_equal` are false. All of these throw `Error` when shapes do not
/// broadcast or dtypes differ.
Value equal(Operand a, Operand b, At at = At::current());
Value not_equal(Operand a, Operand b, At at = At::current());
Value less(Operand a, Operand b, At at = At::current());
Value less_equal(Operand a, Operand b, At at = At::current());
Value greater(Operand a, Operand b, At at = At::current());
Value greater_equal(Operand a, Operand b, At at = At::current());
/// Of bool operands.
Value logical_and(Value a, Value b, At at = At::current());
Value logical_or(Value a, Value b, At at = At::current());
Value logical_not(Value x, At at = At::current());
/// a where `condition` (bool) holds, b elsewhere.
Value select(Value condition, Operand a, Operand b, At at = At::current());

}  // namespace oxbow
