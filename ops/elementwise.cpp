#include <oxbow/graph/leaves.h>
#include <oxbow/ops/elementwise.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape/transpose.h>

#include <charconv>

namespace oxbow {
namespace elementwise {
namespace {

std::string described(const OpInfo& info, std::size_t input, const Type& type) {
  return std::string(info.inputs[input]) + " " + to_string(type);
}

}  // namespace

Type common(Types in, DType result) {
  Type out{result, in[0].shape};
  for (const Type& t : in.subspan(1)) out.shape = broadcast(out.shape, t.shape);
  bool first = true;
  for (const Type& t : in) {
    if (t.shape != out.shape || (t.layout.plain() && t.count() == 1)) continue;
    if (first) out.layout = t.layout;
    if (t.layout != out.layout)
      throw OpError("operands lie in memory in different ways: " + to_string(in), "Unpack those in panels");
    first = false;
  }
  for (const Type& t : in) {
    const bool spread = t.shape != out.shape && t.count() != 1;
    if (!t.layout.plain() && t.shape != out.shape)
      throw OpError("an operand in panels does not broadcast: " + to_string(in), "Unpack it");
    if (spread && !out.layout.plain())
      throw OpError("a row or column does not broadcast to operands in panels: " + to_string(in), "Unpack those");
  }
  return out;
}

void check_same_dtype(const OpInfo& info, Types in, std::span<const bool> same) {
  std::size_t first = in.size();
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (!same[i]) continue;
    if (first == in.size()) first = i;
    if (in[i].dtype != in[first].dtype)
      throw OpError("dtypes differ: " + described(info, first, in[first]) + ", " + described(info, i, in[i]),
                    "Cast one: cast(" + std::string(info.inputs[i]) + ", " + std::string(name(in[first].dtype)) + ")");
  }
}

std::vector<Value> transposed(const Op& op, Values in, std::span<const int> axes) {
  std::vector<Value> operands;
  for (const Value& v : in)
    operands.push_back(v.rank() == static_cast<int>(axes.size()) ? v : ops::aligned_and_moved(v, axes));
  return {apply(op, operands, Location{})};
}

void refuse_dtype(const OpInfo& info, int input, DType dtype, const std::string& accepted) {
  const std::string operand(info.inputs[static_cast<std::size_t>(input)]);
  const std::string first = accepted.substr(0, accepted.find(','));
  throw OpError(operand + " is " + std::string(name(dtype)) + ", but must be one of: " + accepted,
                "Cast it: cast(" + operand + ", " + first + ")");
}

}  // namespace elementwise

namespace {

// 0.5, not 0.500000.
std::string shortest(double number) {
  std::array<char, 32> text;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr};
}

}  // namespace

std::vector<Value> values_of(std::string_view op, std::initializer_list<Operand> operands, At at) {
  const Operand* typed = nullptr;
  for (const Operand& o : operands)
    if (o.value() && !typed) typed = &o;
  const auto fail = [&](const std::string& problem, const std::string& remedy) {
    throw BuildError(op, problem + at_line(at) + "\n  " + remedy);
  };
  if (!typed) fail("none of its operands is a value of a graph", "Make one a constant(graph, number, dtype)");
  const Type& type = typed->value().type();
  std::vector<Value> values;
  for (const Operand& o : operands) {
    if (!o.is_number()) {
      values.push_back(o.value());
      continue;
    }
    if (!holds(type.dtype, o.number()))
      fail("no " + std::string(name(type.dtype)) + " is " + shortest(o.number()) + ", but the other operand is " +
               to_string(type),
           "Cast that one to a dtype that holds the number: cast(x, f32)");
    values.push_back(constant(typed->value().graph(), o.number(), type.dtype, at));
  }
  return values;
}

std::optional<double> constant_number(Value v) {
  const ops::Constant* c = v.node().op().as<ops::Constant>();
  if (!c || c->value.count() != 1 || c->value.dtype() == boolean) return std::nullopt;
  return dispatch(c->value.dtype(),
                  [&]<class T>(std::type_identity<T>) { return static_cast<double>(*c->value.data<T>()); });
}

namespace {

// Whether a factor is one number along all axes of x that a sum to `like` adds up. An axis whose example size is 1 may
// have another one.
bool stays_outside(Value factor, Value x, Value like) {
  if (factor.rank() > like.rank()) return false;
  for (int axis = 1; axis <= factor.rank(); ++axis) {
    const std::int64_t own = factor.shape()[-axis];
    if (own != like.shape()[-axis] || (own == 1 && x.shape()[-axis] == 1)) return false;
  }
  return true;
}

}  // namespace

Grads sum_to_inputs(const Node& n, std::vector<Value> grads) {
  for (std::size_t i = 0; i < grads.size(); ++i) {
    if (!grads[i]) continue;
    const Value like = n.input(static_cast<int>(i)), sum = grads[i];
    grads[i] = Value();
    if (sum.shape() != like.shape() && sum.node().op().is<ops::Multiply>())
      for (int k = 0; k < 2 && !grads[i]; ++k)
        if (const Value x = sum.node().input(k), factor = sum.node().input(1 - k);
            x.shape() == sum.shape() && stays_outside(factor, x, like))
          grads[i] = multiply(sum_to(x, like), factor);
    if (!grads[i]) grads[i] = sum_to(sum, like);
  }
  return grads;
}

}  // namespace oxbow
