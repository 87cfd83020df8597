// Comparison, logic and choice. Operands broadcast; truth values have dtype bool. Regular value types, safe from any
// thread.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::ops {

/// a == b. Like every comparison here it has no gradient, since its result is not a number.
struct Equal : Binary<Equal> {
  static constexpr OpInfo info{.name = "equal", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Element T>
  bool at(T a, T b) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is bool"}; }
  bool operator==(const Equal&) const = default;
};

/// a != b
struct NotEqual : Binary<NotEqual> {
  static constexpr OpInfo info{.name = "not_equal", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Element T>
  bool at(T a, T b) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is bool"}; }
  bool operator==(const NotEqual&) const = default;
};

/// a < b. `greater(a, b)` is `less(b, a)`.
struct Less : Binary<Less> {
  static constexpr OpInfo info{.name = "less", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  bool at(T a, T b) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is bool"}; }
  bool operator==(const Less&) const = default;
};

/// a <= b. `greater_equal(a, b)` is `less_equal(b, a)`.
struct LessEqual : Binary<LessEqual> {
  static constexpr OpInfo info{.name = "less_equal", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  template <Number T>
  bool at(T a, T b) const;
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is bool"}; }
  bool operator==(const LessEqual&) const = default;
};

struct LogicalAnd : Elementwise<LogicalAnd, bool, bool> {
  static constexpr OpInfo info{
      .name = "logical_and", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  bool at(bool a, bool b) const { return a & b; }
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is bool"}; }
  bool operator==(const LogicalAnd&) const = default;
};

struct LogicalOr : Elementwise<LogicalOr, bool, bool> {
  static constexpr OpInfo info{.name = "logical_or", .inputs = {"a", "b"}, .may_overwrite = {0, 1}, .any_layout = true};
  bool at(bool a, bool b) const { return a | b; }
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is bool"}; }
  bool operator==(const LogicalOr&) const = default;
};

struct LogicalNot : Elementwise<LogicalNot, bool> {
  static constexpr OpInfo info{.name = "logical_not", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  bool at(bool x) const { return !x; }
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"its result is bool"}; }
  Value simplify(Values in) const;
  bool operator==(const LogicalNot&) const = default;
};

/// condition ? a : b. The gradient goes to the one that was taken; the other gets zeros.
/// Moves bits, so every dtype is chosen from as it is.
struct Where {
  static constexpr OpInfo info{
      .name = "where", .inputs = {"condition", "a", "b"}, .may_overwrite = {1, 2}, .any_layout = true};
  static constexpr std::size_t operands = 3;
  template <class T>
  T at(bool condition, T a, T b) const {
    return condition ? a : b;
  }
  Type infer(Types in) const;
  TileFn tile(Types in) const;
  std::vector<Value> transposed(Values in, std::span<const int> axes) const {
    return elementwise::transposed(*this, in, axes);
  }
  Grads gradient(const Node& n, Values dy) const;
  Value simplify(Values in) const;
  bool operator==(const Where&) const = default;
};

}  // namespace oxbow::ops

namespace oxbow {

extern template struct Elementwise<ops::Equal, Same, Same>;
extern template struct Elementwise<ops::NotEqual, Same, Same>;
extern template struct Elementwise<ops::Less, Same, Same>;
extern template struct Elementwise<ops::LessEqual, Same, Same>;
extern template struct Elementwise<ops::LogicalAnd, bool, bool>;
extern template struct Elementwise<ops::LogicalOr, bool, bool>;
extern template struct Elementwise<ops::LogicalNot, bool>;

}  // namespace oxbow
