// What draws random numbers while it runs. Numbers come from a counter-based generator (graph/support/random.h), keyed
// by the graph's seed, the step and a stream, so they are the same bits for any number of threads and on any
// instruction set. Each call draws from a stream of its own; a training step counts the step, which is saved and
// resumed with the variables.
//
//   Value z = mean + deviation * random_normal_like(mean);            // has the gradients of both
//   Value noisy = where(random_bernoulli_like(x, {.p = 0.1, .dtype = boolean}), 0, x);
//   Value next = random_categorical(logits / 0.8, {.in_inference = true});
//
// Outside training nothing is drawn: `dropout` gives x, and the mean stands for a number, the more likely one for a
// whole number. Noise that belongs to the model, as what a generator starts from, asks for `.in_inference`. The step is
// counted by an update, which a training step fetches: a run without it draws the same numbers again, and so do
// the steps of a `repeat`, which may take slices of what is drawn before it.
//
// Shapes are numbers, a value that is known before the graph runs (`shape_of(x)`, and what is computed from it: see
// ops/shape.h), or those of another value. Each throws `Error` for sizes or parameters that make no distribution.
// Thread safety: they append to a graph, which is for one thread.
#pragma once

#include <oxbow/graph/value.h>

#include <concepts>
#include <optional>

namespace oxbow {

/// Dropout (Srivastava et al. 2014, https://jmlr.org/papers/v15/srivastava14a.html): y[i] = x[i] / (1 - rate) with
/// probability 1 - rate, else 0; outside training y = x. The mask has a stream of its own and is never stored: backward
/// draws the same again. Throws `Error` unless 0 <= rate < 1.
Value dropout(Value x, double rate, At at = At::current());

struct UniformOptions {
  double low = 0, high = 1;
  std::optional<DType> dtype = {};  ///< floating point; else that of the value beside it, or f32
  bool in_inference = false;        ///< drawn outside training, too
};
struct NormalOptions {
  double mean = 0, deviation = 1;
  std::optional<DType> dtype = {};  ///< floating point; else that of the value beside it, or f32
  bool in_inference = false;        ///< drawn outside training, too
};
struct BernoulliOptions {
  double p = 0.5;                   ///< the probability of a 1
  std::optional<DType> dtype = {};  ///< any: `boolean` for `where`; else that of the value beside it, or f32
  bool in_inference = false;        ///< drawn outside training, too
};
struct DrawOptions {
  std::optional<DType> dtype = {};  ///< any; else p's
  bool in_inference = false;        ///< drawn outside training, too
};
struct CategoricalOptions {
  bool probabilities = false;  ///< x are probabilities, or any numbers in proportion to them, in the place of logits
  bool in_inference = false;   ///< drawn outside training, too
};

namespace ops {  // what the functions of known shapes call
Value uniform_in(Graph& g, Value shape, UniformOptions options, At at);
Value normal_in(Graph& g, Value shape, NormalOptions options, At at);
Value truncated_normal_in(Graph& g, Value shape, NormalOptions options, At at);
Value bernoulli_in(Graph& g, Value shape, BernoulliOptions options, At at);
}  // namespace ops

/// Uniform in [low, high): of floating point, whose f32 numbers are the f64 ones of the same stream, rounded. Whole
/// numbers below n are cast(random_uniform(g, {64}, {.high = n}), i64).
Value random_uniform(Graph& g, const Shape& shape, UniformOptions options = {}, At at = At::current());
template <std::same_as<Value> V>  // no braced list is one: that is a shape of numbers
Value random_uniform(Graph& g, V shape, UniformOptions options = {}, At at = At::current()) {
  return ops::uniform_in(g, shape, options, at);
}
Value random_uniform_like(Value x, UniformOptions options = {}, At at = At::current());

/// Normal numbers, by the distribution's quantile (Wichura 1988, AS241): one number a draw, to 8.2 deviations.
Value random_normal(Graph& g, const Shape& shape, NormalOptions options = {}, At at = At::current());
template <std::same_as<Value> V>
Value random_normal(Graph& g, V shape, NormalOptions options = {}, At at = At::current()) {
  return ops::normal_in(g, shape, options, at);
}
Value random_normal_like(Value x, NormalOptions options = {}, At at = At::current());

/// Normal numbers without those more than two deviations from the mean; so their own deviation is 0.88 of the one
/// given.
Value random_truncated_normal(Graph& g, const Shape& shape, NormalOptions options = {}, At at = At::current());
template <std::same_as<Value> V>
Value random_truncated_normal(Graph& g, V shape, NormalOptions options = {}, At at = At::current()) {
  return ops::truncated_normal_in(g, shape, options, at);
}
Value random_truncated_normal_like(Value x, NormalOptions options = {}, At at = At::current());

/// 1 with probability p, else 0.
Value random_bernoulli(Graph& g, const Shape& shape, BernoulliOptions options = {}, At at = At::current());
template <std::same_as<Value> V>
Value random_bernoulli(Graph& g, V shape, BernoulliOptions options = {}, At at = At::current()) {
  return ops::bernoulli_in(g, shape, options, at);
}
Value random_bernoulli_like(Value x, BernoulliOptions options = {}, At at = At::current());
/// The same, element by element of probabilities p: sigmoid(logits), say. A p beyond [0, 1] is as good as the end that
/// is next to it.
Value random_bernoulli(Value p, DrawOptions options = {}, At at = At::current());

/// A class number, i64, for each row along the last axis of logits [..., classes]: class k with the probability
/// softmax(x)[k]. A logit of -inf is never drawn. A run throws `Error` with the row where a logit is NaN or +inf, where
/// all are -inf, or where probabilities are negative, not finite, or all 0.
Value random_categorical(Value x, CategoricalOptions options = {}, At at = At::current());

/// So many independent draws for each row: [..., samples]. ONNX's Multinomial.
Value random_multinomial(Value x, std::int64_t samples, CategoricalOptions options = {}, At at = At::current());

/// The graph's variable "random/state", i64[2] = {seed, step}, made at the first call with `Graph::seed()`, together
/// with the update that counts the step.
Value random_state(Graph& g, At at = At::current());

/// That update: what a program fetches that draws outside training, and shall draw anew at each run.
///   Program sample = compile({next, random_update(g)}, {.mode = Mode::inference});
Value random_update(Graph& g, At at = At::current());

}  // namespace oxbow
