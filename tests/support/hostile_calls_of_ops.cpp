// The calls that bytes choose from: leaves, and ops of elements, reductions and shapes. A new builder is a line here.
#include <oxbow/ops/ops.h>

#include <array>

#include "hostile_calls.h"

namespace oxbow::test {
namespace {

constexpr std::array<UnaryBuilder, 53> unary = {negate,
                                                square,
                                                abs,
                                                sign,
                                                reciprocal,
                                                exp,
                                                expm1,
                                                log,
                                                log1p,
                                                sqrt,
                                                rsqrt,
                                                floor,
                                                ceil,
                                                round,
                                                trunc,
                                                sin,
                                                cos,
                                                tan,
                                                asin,
                                                acos,
                                                atan,
                                                sinh,
                                                cosh,
                                                asinh,
                                                acosh,
                                                atanh,
                                                cospi,
                                                sinpi,
                                                erf,
                                                relu,
                                                tanh,
                                                sigmoid,
                                                gelu,
                                                silu,
                                                mish,
                                                softplus,
                                                softsign,
                                                gelu_tanh,
                                                hard_swish,
                                                hard_tanh,
                                                isnan,
                                                isinf,
                                                isfinite,
                                                bitwise_not,
                                                det,
                                                inverse,
                                                logical_not,
                                                stop_gradient,
                                                shape_of,
                                                flatten,
                                                square,
                                                [](Value x, At at) { return hardmax(x, -1, at); },
                                                [](Value x, At at) { return selu(x, 1.67, 1.05, at); }};
using Binary = Value (*)(Operand, Operand, At);
constexpr std::array<Binary, 21> binary = {add,        subtract,   multiply,      divide,       pow,       maximum,
                                           minimum,    equal,      remainder,     equal,        not_equal, less,
                                           less_equal, greater,    greater_equal, floor_divide, fmod,      bitwise_and,
                                           bitwise_or, left_shift, right_shift};
using OfTwo = Value (*)(Value, Value, At);
constexpr std::array<OfTwo, 12> of_two = {masked_multiply, logical_xor,
                                          outer,           prelu,
                                          masked_divide,   logical_and,
                                          logical_or,      sum_to,
                                          reshape_like,    [](Value a, Value b, At) { return broadcast_like(a, b); },
                                          contract,        [](Value a, Value b, At) { return reshape(a, b); }};
using Reduce = Value (*)(Value, Axes, bool, At);
constexpr std::array<Reduce, 9> reductions = {sum, prod, mean, max, min, norm, logsumexp, any, all};

Operand number_or_value(Calls& c) {
  if (c.below(4) == 0) return c.real();
  return c.operand();
}

Init init_of(Calls& c) {
  Init init;
  init.kind = static_cast<Init::Kind>(c.below(5));
  init.a = c.real();
  init.b = c.real();
  init.seed = static_cast<std::uint64_t>(c.number());
  init.stream = c.number();
  return init;
}

Initializer initializer(Calls& c) {
  const int kind = c.below(7);
  const double a = c.real(), b = c.real();
  switch (kind) {
    case 0:
      return init::glorot_normal();
    case 1:
      return init::he_uniform();
    case 2:
      return init::uniform(a, b);
    case 3:
      return init::normal(a, b);
    case 4:
      return init::constant(a);
    case 5:
      return init::ones();
    default:
      return init::glorot_uniform();
  }
}

Subscripts subscripts(Calls& c) {
  const auto one = [&]() -> Subscript {
    const std::int64_t begin = c.number();
    if (c.flag()) return begin;
    return range(begin, c.flag() ? to_end : c.number());
  };
  const Subscript first = one();
  if (c.flag()) return first;
  const Subscript second = one();
  return {first, second};
}

void leaves(std::vector<Call>& all) {
  const Call input_ = [](Calls& c) {
    const std::string name = c.name();
    const DType dtype = c.dtype();
    std::vector<Dim> dims;
    for (const std::int64_t size : c.shape()) dims.push_back(c.below(4) == 0 ? oxbow::any(size) : Dim(size));
    c.keep(input(c.graph(), name, dtype, dims));
  };
  const Call tensor = [](Calls& c) {
    const DType dtype = c.dtype();
    const Shape shape = c.shape();
    c.keep(constant(c.graph(), c.tensor({dtype, shape})));
  };
  const Call variable_ = [](Calls& c) {
    const std::string name = c.name();
    const DType dtype = c.dtype();
    const Shape shape = c.shape();
    const Init init = init_of(c);
    c.keep(variable(c.graph(), name, {dtype, shape}, init, c.flag()));
  };
  const Call parameter_ = [](Calls& c) {
    const std::string name = c.name();
    const Shape shape = c.shape();
    c.keep(parameter(c.graph(), name, {f32, shape}, initializer(c)));
  };
  all.insert(all.end(), {input_, input_, input_, tensor, tensor, variable_, parameter_, parameter_});
  all.push_back([](Calls& c) {
    const double value = c.real();
    c.keep(constant(c.graph(), value, c.dtype()));
  });
  all.push_back([](Calls& c) {  // of any sizes
    const std::vector<std::int64_t> sizes = c.numbers();
    c.keep(input(c.graph(), c.name(), f32, Shape(sizes)));
  });
  all.push_back([](Calls& c) {
    const Value to = c.operand();
    c.keep(assign(to, c.operand()));
  });
  all.push_back([](Calls& c) { c.graph().add_update(c.operand()); });
  all.push_back([](Calls& c) {
    const std::string name = c.name();
    c.graph().add_output(name, c.operand());
  });
  all.push_back([](Calls& c) {
    const Value v = c.operand();
    if (v) (void)v.named(c.name());
  });
}

void elementwise(std::vector<Call>& all) {
  const Call of_one = [](Calls& c) {
    const UnaryBuilder f = one_of(c, unary);
    c.keep(f(c.operand(), At::current()));
  };
  const Call of_two_or_numbers = [](Calls& c) {
    const Binary f = one_of(c, binary);
    const Operand a = number_or_value(c), b = number_or_value(c);
    c.keep(f(a, b, At::current()));
  };
  all.insert(all.end(), {of_one, of_one, of_one, of_two_or_numbers, of_two_or_numbers, of_two_or_numbers});
  all.push_back([](Calls& c) {
    const OfTwo f = one_of(c, of_two);
    const Value a = c.operand(), b = c.operand();
    c.keep(f(a, b, At::current()));
  });
  all.push_back([](Calls& c) {
    const Value condition = c.operand();
    const Operand a = number_or_value(c), b = number_or_value(c);
    c.keep(where(condition, a, b));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    const Operand low = number_or_value(c), high = number_or_value(c);
    c.keep(clip(x, low, high));
  });
  all.push_back([](Calls& c) {
    using Shaped = Value (*)(Value, double, At);
    const Shaped f = one_of(c, std::array<Shaped, 5>{swish, leaky_relu, elu, celu, thresholded_relu});
    const Value x = c.operand();
    c.keep(f(x, c.real(), At::current()));
  });
  all.push_back([](Calls& c) {
    using Shaped = Value (*)(Value, double, double, At);
    const Shaped f = one_of(c, std::array<Shaped, 2>{hard_sigmoid, shrink});
    const Value x = c.operand();
    const double first = c.real();
    c.keep(f(x, first, c.real(), At::current()));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    c.keep(cast(x, c.dtype()));
  });
}

void reducing(std::vector<Call>& all) {
  const Call reduce = [](Calls& c) {
    const Reduce f = one_of(c, reductions);
    const Value x = c.operand();
    const std::vector<std::int64_t> axes = c.axes();
    c.keep(f(x, axes, c.flag(), At::current()));
  };
  all.insert(all.end(), {reduce, reduce});
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    const ArgOptions options{.keepdims = c.flag(), .select_last_index = c.flag()};
    c.keep(c.flag() ? argmax(x, c.number(), options) : argmin(x, c.number(), options));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    const std::int64_t axis = c.few();
    const CumulativeOptions options{.exclusive = c.flag(), .reverse = c.flag()};
    if (c.flag()) return c.keep(c.flag() ? cumsum(x, axis, options) : cumprod(x, axis, options));
    c.keep(linear_scan(x, c.operand(), axis, options));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    const VarianceOptions options{.keepdims = c.flag(), .correction = c.real()};
    c.keep(variance(x, c.axes(), options));
  });
  all.push_back([](Calls& c) {  // bytes as an equation, of which most make sense
    static constexpr std::string_view signs = "abci,-> .1";
    std::string equation;
    for (int n = c.below(12); n > 0; --n)
      equation += signs[static_cast<std::size_t>(c.below(static_cast<int>(signs.size())))];
    c.keep(einsum(equation, c.operands()));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    c.keep(count_like(x, c.axes()));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    const std::int64_t axis = c.few();
    const bool largest = c.flag();
    const TopKResult top = c.flag() ? top_k(x, c.number(), axis, largest) : top_k(x, whole(c), axis, largest);
    c.keep({top.values, top.indices});
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    const std::int64_t axis = c.few();
    c.keep(c.flag() ? softmax(x, axis) : log_softmax(x, axis));
  });
  all.push_back([](Calls& c) {
    const Value q = c.operand(), k = c.operand(), v = c.operand();
    AttentionOptions options{.causal = c.flag()};
    if (c.flag()) options.mask = c.operand();
    if (c.flag()) options.heads = c.few();
    if (c.flag()) options.kv_heads = c.few();
    if (c.flag()) options.dropout = c.real();
    c.keep(scaled_dot_product_attention(q, k, v, options));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), recurrent = c.operand(), h = c.operand(), cell = c.operand();
    RecurrenceOptions options{.reverse = c.flag()};
    if (c.flag()) options.lengths = c.operand();
    c.keep(lstm(x, recurrent, h, cell, options).states);
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), recurrent = c.operand(), h = c.operand();
    GruOptions options{.reverse = c.flag(), .reset_after = c.flag()};
    if (c.flag()) options.lengths = c.operand();
    if (c.flag()) options.recurrent_bias = c.operand();
    c.keep(gru(x, recurrent, h, options).states);
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), recurrent = c.operand(), h = c.operand();
    SimpleRnnOptions options{.reverse = c.flag(), .relu = c.flag()};
    if (c.flag()) options.lengths = c.operand();
    c.keep(simple_rnn(x, recurrent, h, options).states);
  });
}

void moving(std::vector<Call>& all) {
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    c.keep(reshape(x, c.numbers()));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    c.keep(c.flag() ? squeeze(x, c.axes()) : transpose(x, c.axes()));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    c.keep(transpose(x));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    const std::int64_t axis = c.few(), begin = c.number();
    c.keep(slice(x, axis, begin, c.flag() ? to_end : c.number()));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    if (x) c.keep(x[subscripts(c)]);
  });
  all.push_back([](Calls& c) {
    const std::vector<Value> values = c.operands();
    c.keep(concat(values, c.few()));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    c.keep(broadcast_to(x, c.flag() ? c.shape() : Shape(c.numbers())));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), like = c.operand();
    c.keep(broadcast_like(x, like, c.axes()));
  });
  all.push_back([](Calls& c) {
    const Value table = c.operand(), indices = c.operand();
    c.keep(gather(table, indices, c.few()));
  });
  all.push_back([](Calls& c) {
    const Value like = c.operand(), indices = c.operand(), updates = c.operand();
    c.keep(scatter_add(like, indices, updates, c.few()));
  });
  all.push_back([](Calls& c) {
    const Value labels = c.operand();
    const DType dtype = c.dtype();
    c.keep(c.flag() ? one_hot(labels, c.number(), dtype) : one_hot(labels, whole(c), dtype));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), to = vector(c);
    c.keep(c.flag() ? reshape(x, to) : broadcast_to(x, to));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand(), begins = vector(c), ends = vector(c);
    c.keep(slice(x, begins, ends, c.axes()));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    if (c.flag()) return c.keep(tile(x, c.numbers()));
    const Value repeats = vector(c);
    c.keep(tile(x, repeats));
  });
  all.push_back([](Calls& c) {
    const Value x = c.operand();
    const double value = c.real();
    if (c.flag()) {
      const Value pads = c.operand();
      return c.keep(pad(x, pads, value));
    }
    std::vector<std::pair<std::int64_t, std::int64_t>> pads(x ? static_cast<std::size_t>(x.rank()) : 1);
    for (auto& [before, after] : pads) before = c.number(), after = c.few();
    c.keep(pad(x, pads, value));
  });
  all.push_back([](Calls& c) {
    const Value start = whole(c), limit = whole(c), step = whole(c);
    c.keep(arange(start, limit, step));
  });
}

}  // namespace

Value vector(Calls& c) {
  if (c.flag()) return c.operand();
  const std::vector<std::int64_t> all = c.numbers();
  return constant(c.graph(), Tensor::of({static_cast<std::int64_t>(all.size())}, all));
}
Value whole(Calls& c) {
  if (c.flag()) return c.operand();
  const auto n = static_cast<double>(c.few());
  return constant(c.graph(), n, c.flag() ? i64 : i32);
}

UnaryBuilder some_unary(Calls& c) { return one_of(c, unary); }

void add_calls_of_ops(std::vector<Call>& all) {
  leaves(all);
  elementwise(all);
  reducing(all);
  moving(all);
}

}  // namespace oxbow::test
