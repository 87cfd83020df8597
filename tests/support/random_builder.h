// What random_graph builds with: the values so far and the ways of growing another one from them. For one thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>
#include <oxbow/ops/ops.h>

#include <functional>

#include "random_graph.h"

namespace oxbow::test {

/// A function of each element that gives its operand's dtype.
struct UnaryOp {
  Op op;
  bool positive;  ///< its samples have no negative numbers
};
/// Those of the catalogue that users build with, f32 and f64 ones; a new op is among them by its samples.
std::vector<UnaryOp> unary_ops(const std::function<bool(const std::string&)>& wanted);

class RandomBuilder {
 public:
  RandomBuilder(std::uint64_t seed, const std::vector<UnaryOp>& unary) : state_(seed * 2 + 1), unary_(unary) {}
  RandomGraph build();

 private:
  // Numbers below n; a xorshift generator (Marsaglia 2003).
  int pick(int n) {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return static_cast<int>((state_ * 0x2545F4914F6CDD1Dull >> 33) % static_cast<std::uint64_t>(n));
  }
  bool chance(int percent) { return pick(100) < percent; }
  template <class T>
  const T& one_of(const std::vector<T>& v) {
    return v[static_cast<std::size_t>(pick(static_cast<int>(v.size())))];
  }

  // One shape, and what broadcasts to it: so that most values meet.
  void choose_shapes();
  Shape part_of_full();
  void leaves();
  Value new_variable(const Type& type);

  Value any();
  Value any_float();
  static bool broadcasts(const Shape& a, const Shape& b);
  // A value that meets `a` in an elementwise op: of its dtype, of a shape that broadcasts, and not much larger.
  Value mate(const Value& a);

  // Each adds or gives a value, an empty one where nothing fits: see random_ops.cpp.
  void grow();
  Value unary(const Value& x);
  Value binary();
  Value chosen();
  Value reduced(const Value& x);
  Value moved(const Value& x);
  Value picked_rows(const Value& x, int axis);
  Value product(Value x);
  Value row_op(const Value& x);
  // What stands at the ends of nets, and what trains otherwise than it infers.
  Value layered(const Value& x);
  // What is done under a condition, and again and again.
  Value controlled(const Value& x);
  // What takes sizes and counts that are computed from shapes.
  Value by_value(const Value& x);
  // Rows added into a table, and taken out of it again.
  Value indexed(const Value& x);
  Value image_op();

  void finish();

  std::uint64_t state_;
  const std::vector<UnaryOp>& unary_;
  RandomGraph out_{std::make_shared<Graph>(), {}, {}};
  Shape full_;
  std::vector<Value> values_, sources_;
};

}  // namespace oxbow::test
