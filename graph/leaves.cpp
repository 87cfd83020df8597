#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/initial_value.h>
#include <oxbow/graph/support/near_names.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace oxbow::ops {
namespace {

void copy_bytes(const std::byte* from, const View& to) {
  if (const auto bytes = static_cast<std::size_t>(to.type->bytes()); bytes > 0 && from != to.bytes)
    std::memcpy(to.bytes, from, bytes);
}

}  // namespace

// Nothing runs.
Work Input::work(Types) const { return {.parts = 0}; }
Work Constant::work(Types) const { return {.parts = 0}; }
Work Variable::work(Types) const { return {.parts = 0}; }

bool Input::is_free(int axis) const { return std::find(free_axes.begin(), free_axes.end(), axis) != free_axes.end(); }

bool Input::accepts(const Shape& fed) const {
  if (fed.rank() != type.shape.rank()) return false;
  for (int axis = 0; axis < fed.rank(); ++axis)
    if (fed[axis] != type.shape[axis] && !is_free(axis)) return false;
  return true;
}

std::string declared_shape(const Input& in) {
  std::string text = "[";
  for (int axis = 0; axis < in.type.shape.rank(); ++axis) {
    const std::string size = std::to_string(in.type.shape[axis]);
    text += (axis > 0 ? ", " : "") + (in.is_free(axis) ? "any(" + size + ")" : size);
  }
  return text + "]";
}

void Constant::run(const Run& r) const { copy_bytes(value.bytes(), r.outputs[0]); }

Type Assign::infer(Types in) const {
  if (in[0].dtype != in[1].dtype || in[0].shape != in[1].shape)
    throw OpError("a variable of type " + to_string(in[0]) + " cannot take a value of type " + to_string(in[1]),
                  "Cast or reshape the value first");
  return in[1];
}

// Not called by plans: see the struct.
void Assign::run(const Run& r) const { copy_bytes(r.inputs[1].bytes, r.outputs[0]); }

}  // namespace oxbow::ops

namespace oxbow {

namespace {

constexpr std::array<std::string_view, 7> kinds{"zeros", "constant",         "uniform",   "normal",  // of Init::Kind
                                                "seed",  "truncated_normal", "orthogonal"};

// A leaf whose name is refused is not there.
Value named_leaf(Graph& g, Op leaf, std::string_view name, const Location& at) {
  const Node made = g.append(std::move(leaf), {}, at);
  try {
    return made.output().named(name);
  } catch (const Error&) {
    g.take_back(made.id());
    throw;
  }
}

}  // namespace

AttrValue to_attr(const Init& v) {
  AttrRecord fields{{"kind", std::string(kinds[static_cast<std::size_t>(v.kind)])},
                    {"a", to_attr(v.a)},
                    {"b", to_attr(v.b)},
                    {"seed", to_attr(v.seed)},
                    {"stream", to_attr(v.stream)}};
  if (v.part.of != 0)
    fields.emplace_back(
        "part",
        AttrRecord{{"which", to_attr(v.part.which)}, {"of", to_attr(v.part.of)}, {"value", to_attr(v.part.value)}});
  return fields;
}

void from_attr(const AttrValue& a, Init& v) {
  v.kind = static_cast<Init::Kind>(word_of(a.field("kind"), "recipe", kinds));
  from_attr(a.field("a"), v.a);
  from_attr(a.field("b"), v.b);
  from_attr(a.field("seed"), v.seed);
  from_attr(a.field("stream"), v.stream);
  for (const auto& [key, part] : a.get<AttrRecord>("a record")) {
    if (key != "part") continue;
    from_attr(part.field("which"), v.part.which);
    from_attr(part.field("of"), v.part.of);
    from_attr(part.field("value"), v.part.value);
  }
}

Value input(Graph& g, std::string_view name, DType dtype, std::span<const Dim> dims, At at) {
  std::vector<std::int64_t> sizes, free_axes;
  for (const Dim& d : dims) {
    if (d.size < 0)
      throw Error("input " + internal::in_quotes(name) + ": an axis cannot have the size " + std::to_string(d.size) +
                  at_line(at) + "\n  Where any size may be fed, give an example of it: any(64)");
    if (d.free) free_axes.push_back(static_cast<std::int64_t>(sizes.size()));
    sizes.push_back(d.size);
  }
  return named_leaf(g, ops::Input{g.origin().scoped(name), {dtype, Shape(sizes)}, free_axes}, name, at);
}

Value input(Graph& g, std::string_view name, DType dtype, std::initializer_list<Dim> dims, At at) {
  return input(g, name, dtype, std::span(dims.begin(), dims.size()), at);
}

Value input(Graph& g, std::string_view name, DType dtype, const Shape& shape, At at) {
  return input(g, name, dtype, std::vector<Dim>(shape.begin(), shape.end()), at);
}

Value constant(Graph& g, Tensor value, At at) { return g.append(ops::Constant{std::move(value)}, {}, at).output(); }

Value constant(Graph& g, double value, DType dtype, At at) {
  if (!holds(dtype, std::trunc(value)))
    throw Error("constant: " + internal::short_number(value) + " does not fit in " + std::string(name(dtype)) +
                at_line(at) + "\n  Give a number in its range, or another dtype");
  return dispatch(
      dtype, [&]<class T>(std::type_identity<T>) { return constant(g, Tensor::scalar<T>(static_cast<T>(value)), at); });
}

Value variable(Graph& g, std::string_view name, const Type& type, Init init, bool trainable, At at) {
  ops::Variable declared{g.origin().scoped(name), type, std::move(init), trainable};
  internal::check_init(declared, at);
  return named_leaf(g, std::move(declared), name, at);
}

Value assign(Value variable, Value value, At at) {
  if (!variable || !variable.node().op().is<ops::Variable>())
    throw Error("assign: the first argument is not a variable" +
                (variable ? ", but " + to_string(variable.node()) + ", " + to_string(variable.type()) : std::string()) +
                at_line(at) + "\n  Give what variable() or parameter() returned");
  return apply(ops::Assign{}, {variable, value}, at);
}

const ops::Variable& variable_of(Value variable) {
  if (!variable) throw Error("variable: the value is empty\n  Build it, or call its layer, first");
  if (const auto* v = variable.node().op().as<ops::Variable>()) return *v;
  throw Error("variable: " + to_string(variable.node()) + " is not one" + at_line(variable.node().origin().at) +
              "\n  Give a variable; other values are computed by a program: compile(value)");
}

std::vector<Value> variables(const Graph& g, bool trainable_only) {
  std::vector<Value> found;
  for (NodeId i = 0; i < g.size(); ++i)
    if (const auto* v = g.node(i).op().as<ops::Variable>(); v && (v->trainable || !trainable_only))
      found.push_back(g.node(i).output());
  return found;
}

}  // namespace oxbow
