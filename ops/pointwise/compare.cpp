#include <oxbow/graph/leaves.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/compare.h>

namespace oxbow::ops {

template <Element T>
bool Equal::at(T a, T b) const {
  return a == b;
}

template <Element T>
bool NotEqual::at(T a, T b) const {
  return a != b;
}

template <Number T>
bool Less::at(T a, T b) const {
  return a < b;
}

template <Number T>
bool LessEqual::at(T a, T b) const {
  return a <= b;
}

Type Where::infer(Types in) const {
  if (in[0].dtype != boolean) elementwise::refuse_dtype(info, 0, in[0].dtype, std::string(name(boolean)));
  elementwise::check_same_dtype(info, in, std::array{false, true, true});
  return elementwise::common(in, in[1].dtype);
}

TileFn Where::tile(Types in) const {
  return dispatch_width(in[1].dtype, []<class T>(std::type_identity<T>) -> TileFn {
    return [](const void*, const void* const* from, void* out, std::int64_t n) {
      elementwise::lanes<Where, T, bool, T, T>({}, n, static_cast<T*>(out), static_cast<const std::uint8_t*>(from[0]),
                                               static_cast<const T*>(from[1]), static_cast<const T*>(from[2]));
    };
  });
}

Grads Where::gradient(const Node& n, Values dy) const {
  if (!is_float(dy[0].dtype())) return NotDifferentiable{"its result is " + std::string(name(dy[0].dtype()))};
  const Value condition = n.input(0);
  return sum_to_inputs(n, {Value(), where(condition, dy[0], 0), where(condition, 0, dy[0])});
}

// A constant condition that holds everywhere or nowhere.
Value Where::simplify(Values in) const {
  const ops::Constant* c = in[0].node().op().as<ops::Constant>();
  if (!c || c->value.count() == 0) return {};
  const bool* condition = c->value.data<bool>();
  for (std::int64_t i = 1; i < c->value.count(); ++i)
    if (condition[i] != condition[0]) return {};
  const Value& taken = condition[0] ? in[1] : in[2];
  const Shape all = broadcast(broadcast(in[0].shape(), in[1].shape()), in[2].shape());
  return taken.shape() == all ? taken : Value();
}

Value LogicalNot::simplify(Values in) const {
  const Node n = in[0].node();
  return n.op().is<LogicalNot>() ? n.input(0) : Value();
}

}  // namespace oxbow::ops

namespace oxbow {

template struct Elementwise<ops::Equal, Same, Same>;
template struct Elementwise<ops::NotEqual, Same, Same>;
template struct Elementwise<ops::Less, Same, Same>;
template struct Elementwise<ops::LessEqual, Same, Same>;
template struct Elementwise<ops::LogicalAnd, bool, bool>;
template struct Elementwise<ops::LogicalOr, bool, bool>;
template struct Elementwise<ops::LogicalNot, bool>;

Value equal(Operand a, Operand b, At at) { return apply(ops::Equal{}, values_of("equal", {a, b}, at), at); }
Value not_equal(Operand a, Operand b, At at) { return apply(ops::NotEqual{}, values_of("not_equal", {a, b}, at), at); }
Value less(Operand a, Operand b, At at) { return apply(ops::Less{}, values_of("less", {a, b}, at), at); }
Value less_equal(Operand a, Operand b, At at) {
  return apply(ops::LessEqual{}, values_of("less_equal", {a, b}, at), at);
}

namespace {

// a > b is b < a. What that refuses, a < b refuses too, and speaks of them in the user's order.
Value mirrored(std::string_view builder, Value (*compare)(Operand, Operand, At), Operand a, Operand b, At at) {
  return as_called(builder, [&] {
    try {
      return compare(b, a, at);
    } catch (const BuildError&) {
      return compare(a, b, at);
    }
  });
}

}  // namespace

Value greater(Operand a, Operand b, At at) { return mirrored("greater", less, a, b, at); }
Value greater_equal(Operand a, Operand b, At at) { return mirrored("greater_equal", less_equal, a, b, at); }
Value logical_and(Value a, Value b, At at) { return apply(ops::LogicalAnd{}, {a, b}, at); }
Value logical_or(Value a, Value b, At at) { return apply(ops::LogicalOr{}, {a, b}, at); }
Value logical_not(Value x, At at) { return apply(ops::LogicalNot{}, {x}, at); }

Value where(Value condition, Operand a, Operand b, At at) {
  const std::vector<Value> v = values_of("where", {a, b}, at);
  return apply(ops::Where{}, {condition, v[0], v[1]}, at);
}

}  // namespace oxbow
