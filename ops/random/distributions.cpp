#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/random.h>
#include <oxbow/ops/random/distributions.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/by_value.h>
#include <oxbow/ops/widen.h>

#include <array>

namespace oxbow::ops {
namespace {

RandomNumbers numbers_of(const RandomUniform& op) {
  return {.a = op.low, .b = op.high, .dtype = op.dtype, .stream = op.stream};
}
template <class Normal>
RandomNumbers numbers_of(const Normal& op) {
  constexpr bool whole = std::is_same_v<Normal, RandomNormal>;
  return {.distribution = whole ? Distribution::normal : Distribution::truncated_normal,
          .a = op.mean,
          .b = op.deviation,
          .dtype = op.dtype,
          .stream = op.stream};
}

// The type of what broadcasts to the shape that is input 1, in that shape.
Type shaped(const Type& t, const Type& shape, const Known& known) {
  return ExpandTo{}.infer(std::array{t, shape}, known);
}

template <class O>
Type infer_drawn(const O& op, Types in, const Known& known) {
  numbers_of(op).infer(in.first(1));
  return shaped({op.dtype, {}}, in[1], known);
}

// A node of the form with a fixed shape.
template <class O>
std::vector<Value> lower_drawn(const O& op, Values in) {
  RandomNumbers numbers = numbers_of(op);
  numbers.shape = shaped({op.dtype, {}}, in[1].type(), Known(in, O::info.inputs)).shape;
  return {apply(numbers, {in[0]}, At::current())};
}

std::vector<Value> constant_in_shape(double number, DType dtype, Value shape) {
  return {broadcast_to(constant(shape.graph(), number, dtype, At::current()), shape)};
}

}  // namespace

Type RandomUniform::infer(Types in, const Known& known) const { return infer_drawn(*this, in, known); }
std::vector<Value> RandomUniform::lower(Values in) const { return lower_drawn(*this, in); }
std::vector<Value> RandomUniform::inference(Values in) const {
  if (in_inference) return {};
  return constant_in_shape(low + (high - low) / 2, dtype, in[1]);
}

Type RandomNormal::infer(Types in, const Known& known) const { return infer_drawn(*this, in, known); }
std::vector<Value> RandomNormal::lower(Values in) const { return lower_drawn(*this, in); }
std::vector<Value> RandomNormal::inference(Values in) const {
  if (in_inference) return {};
  return constant_in_shape(mean, dtype, in[1]);
}

Type RandomTruncatedNormal::infer(Types in, const Known& known) const { return infer_drawn(*this, in, known); }
std::vector<Value> RandomTruncatedNormal::lower(Values in) const { return lower_drawn(*this, in); }
std::vector<Value> RandomTruncatedNormal::inference(Values in) const {
  if (in_inference) return {};
  return constant_in_shape(mean, dtype, in[1]);
}

Type RandomBernoulli::infer(Types in, const Known& known) const {
  check_dtype(dtypes::Floats{}, in[0], "p");
  check_state(in[2]);
  return shaped({dtype, in[0].shape}, in[1], known);
}
std::vector<Value> RandomBernoulli::lower(Values in) const {
  const Value p = in[0], shape = in[1], state = in[2];
  const DType own = compute_type(p.dtype());
  const Type y = shaped({dtype, p.shape()}, shape.type(), Known(in, info.inputs));
  const RandomNumbers uniform{.dtype = own, .shape = y.shape, .stream = stream};
  return {cast(less(apply(uniform, {state}, At::current()), cast(p, own)), dtype)};
}
std::vector<Value> RandomBernoulli::inference(Values in) const {
  if (in_inference) return {};
  const Value p = in[0], mean = is_float(dtype) ? p : greater(p, 0.5);
  return {broadcast_to(cast(mean, dtype), in[1])};
}

namespace {

// A node of `op`, which draws from a stream of its own.
template <class O>
Value drawn(Graph& g, Value shape, O op, At at) {
  const Value state = random_state(g, at);
  op.stream = g.next_stream();
  return apply(op, {state, shape}, at);
}

Value as_value(Graph& g, const Shape& shape, At at) {
  return constant(g, Tensor::of({shape.rank()}, shape.vector()), at);
}

RandomUniform op_of(const UniformOptions& o) {
  return {.low = o.low, .high = o.high, .dtype = o.dtype.value_or(f32), .in_inference = o.in_inference};
}
template <class Normal>
Normal op_of(const NormalOptions& o) {
  return {.mean = o.mean, .deviation = o.deviation, .dtype = o.dtype.value_or(f32), .in_inference = o.in_inference};
}

// Numbers in the shape of x, and in its dtype where that is floating point and none is asked for.
template <class Options>
Value like(const char* builder, Value x, Options options, At at, Value (*draw)(Graph&, Value, Options, At)) {
  if (!x) throw BuildError(builder, "x is an empty Value" + at_line(at) + "\n  Build it first");
  if (!options.dtype && is_float(x.dtype())) options.dtype = x.dtype();
  return as_called(builder, [&] { return draw(x.graph(), oxbow::shape_of(x, at), options, at); });
}

}  // namespace

Value uniform_in(Graph& g, Value shape, UniformOptions options, At at) { return drawn(g, shape, op_of(options), at); }
Value normal_in(Graph& g, Value shape, NormalOptions options, At at) {
  return drawn(g, shape, op_of<RandomNormal>(options), at);
}
Value truncated_normal_in(Graph& g, Value shape, NormalOptions options, At at) {
  return drawn(g, shape, op_of<RandomTruncatedNormal>(options), at);
}
Value bernoulli_in(Graph& g, Value shape, BernoulliOptions options, At at) {
  if (!(options.p >= 0 && options.p <= 1))
    throw BuildError("random_bernoulli", "the probability " + internal::short_number(options.p) + " is not in [0, 1]" +
                                             at_line(at) + "\n  Give that of a 1");
  const Value p = constant(g, options.p, f32, at), state = random_state(g, at);
  const RandomBernoulli op{
      .dtype = options.dtype.value_or(f32), .stream = g.next_stream(), .in_inference = options.in_inference};
  return apply(op, {p, shape, state}, at);
}

}  // namespace oxbow::ops

namespace oxbow {

using namespace ops;

Value random_uniform(Graph& g, const Shape& shape, UniformOptions options, At at) {
  return uniform_in(g, as_value(g, shape, at), options, at);
}
Value random_uniform_like(Value x, UniformOptions options, At at) {
  return like("random_uniform_like", x, options, at, uniform_in);
}

Value random_normal(Graph& g, const Shape& shape, NormalOptions options, At at) {
  return normal_in(g, as_value(g, shape, at), options, at);
}
Value random_normal_like(Value x, NormalOptions options, At at) {
  return like("random_normal_like", x, options, at, normal_in);
}

Value random_truncated_normal(Graph& g, const Shape& shape, NormalOptions options, At at) {
  return truncated_normal_in(g, as_value(g, shape, at), options, at);
}
Value random_truncated_normal_like(Value x, NormalOptions options, At at) {
  return like("random_truncated_normal_like", x, options, at, truncated_normal_in);
}

Value random_bernoulli(Graph& g, const Shape& shape, BernoulliOptions options, At at) {
  return bernoulli_in(g, as_value(g, shape, at), options, at);
}
Value random_bernoulli_like(Value x, BernoulliOptions options, At at) {
  return like("random_bernoulli_like", x, options, at, bernoulli_in);
}
Value random_bernoulli(Value p, DrawOptions options, At at) {
  if (!p) throw BuildError("random_bernoulli", "p is an empty Value" + at_line(at) + "\n  Build it first");
  Graph& g = p.graph();
  const Value shape = shape_of(p, at), state = random_state(g, at);
  const RandomBernoulli op{
      .dtype = options.dtype.value_or(p.dtype()), .stream = g.next_stream(), .in_inference = options.in_inference};
  return apply(op, {p, shape, state}, at);
}

}  // namespace oxbow
