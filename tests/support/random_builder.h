// What random_graph builds with: the values so far and the ways of growing another one from them. For one thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>
#include <oxbow/ops/ops.h>

#include <functional>

#include "random_graph.h"
#include "samples/sample.h"

namespace oxbow::test {

/// What an input is drawn from: from the least to the greatest number that it has in samples; none where low > high.
struct Range {
  double low, high;
};
/// A function of each element that gives its operands' dtype.
struct ElementwiseOp {
  Op op;
  std::vector<Range> ranges;  ///< an operand
};
/// An op that users build with, and its small samples, which it takes in f32 as well as in f64.
struct SampledOp {
  std::string name;
  bool has_gradient = true;  ///< otherwise it reads through `stop_gradient`
  std::vector<const Sample*> samples = {};
  std::vector<Range> ranges = {};  ///< an input
};
/// What is drawn by its samples: of the catalogue's ops that users build with, so that a new op is among them by
/// itself. Those without samples are not: leaves, and ops that own graphs (see `controlled`).
struct DrawnOps {
  std::vector<ElementwiseOp> elementwise;
  std::vector<SampledOp> sampled;
};
DrawnOps drawn_ops(const std::function<bool(const std::string&)>& wanted);

class RandomBuilder {
 public:
  RandomBuilder(std::uint64_t seed, const DrawnOps& ops) : state_(seed * 2 + 1), ops_(ops) {}
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

  // An op of those that have samples, with a sample's attributes and inputs: constants, or made of values so far. Adds
  // all its outputs. See random_samples.cpp.
  void sampled();
  // Of a value: of the sample's type, within its range; `finite`: without NaN.
  Value like_sample(const Value& x, const Tensor& sample, const Range& range, bool finite);
  // Its elements in that shape, some left out or all repeated.
  Value shaped(const Value& x, const Shape& shape);
  // An elementwise op of x and of what meets it; `keep`: the result has x's shape.
  Value elementwise(const Value& x, bool keep);

  // Each adds or gives a value, an empty one where nothing fits: see random_ops.cpp.
  void grow();
  Value unary(const Value& x);
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
  const DrawnOps& ops_;
  RandomGraph out_{std::make_shared<Graph>(), {}, {}, {}};
  Shape full_;
  std::vector<Value> values_, sources_;
};

}  // namespace oxbow::test
