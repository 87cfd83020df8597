// Control flow: branches and loops, whose bodies are functions that build, called once; and what passes its input on
// and changes what happens around it. What a body reads of the surrounding graph becomes inputs of the node.
//
//   Value y = cond(mean(x) > 0.0, [&] { return tanh(matmul(x, w)); }, [&] { return x; });
//
//   // An Elman network over x [steps, batch, features]: the last state and all states.
//   const auto [last, states] = repeat(steps, {h0}, [&](const RepeatStep& s) {
//     const Value h = tanh(matmul(s.slices[0], w) + matmul(s.carried[0], u) + b);
//     return RepeatNext{.carried = {h}, .stacked = {h}};
//   }, {.slices = {x}});
//
//   Value root = repeat(20, guess, [&](Value y) { return 0.5 * (y + x / y); });  // Heron's method
//
// `compile` writes both out: a branch's nodes run under a guard, and a loop's body is written once a step, so that time
// to compile and nodes grow with the steps, and steps that do not wait for one another run side by side.
#pragma once

#include <oxbow/graph/value.h>

#include <concepts>
#include <functional>
#include <type_traits>

namespace oxbow {

/// x, taken for a constant by `gradients`.
Value stop_gradient(Value x, At at = At::current());

/// x, a scalar. A run fails where it is a NaN or Inf, and so leaves all variables as they were; the message says `what`
/// ("the gradient of dense/weight") and what to do about it. Throws `Error` unless x is a floating-point
/// scalar.
Value require_finite(Value x, std::string what, std::string remedy, At at = At::current());

struct CondOptions {
  std::string name =
      {};  ///< of its scope, in which the branches are "then" and "otherwise"; else "cond", "cond_1", ...
};

/// What `then` returns where `predicate`, a scalar bool, is true, and what `otherwise` returns where it is false: each
/// is called once, here, and returns a Value or a vector of them, of the same types. Gradients flow through the branch
/// that was taken, which is computed once more for them. Throws `Error` where the types differ, or a branch assigns or
/// adds updates.
std::vector<Value> cond(Value predicate, const std::function<std::vector<Value>()>& then,
                        const std::function<std::vector<Value>()>& otherwise, CondOptions options = {},
                        At at = At::current());
template <class Then, class Otherwise>
requires std::convertible_to<std::invoke_result_t<Then&>, Value> &&
    std::convertible_to<std::invoke_result_t<Otherwise&>, Value>
        Value cond(Value predicate, Then then, Otherwise otherwise, CondOptions options = {}, At at = At::current()) {
  return cond(
      predicate, [&] { return std::vector<Value>{then()}; }, [&] { return std::vector<Value>{otherwise()}; },
      std::move(options), at)[0];
}

struct RepeatStep {
  std::vector<Value> carried, slices;
};
struct RepeatNext {
  std::vector<Value> carried = {}, stacked = {};
};
struct RepeatResult {
  std::vector<Value> carried, stacked;
};
struct RepeatOptions {
  std::vector<Value> slices = {};  ///< [steps, ...]: step i reads slice i of each
  bool reverse = false;            ///< the last step comes first; slices and stacked values keep their places
  std::string name = {};           ///< of its scope, in which step i is "i"; else "repeat", "repeat_1", ...
};

/// `body` done `steps` times. Gradients do it in reverse: each step once more, from what was carried into it, so that
/// only the carried values are kept. Random ops in the body draw the same numbers in each step. Throws `Error` where
/// the body gives other carried types than it took, or a stacked value does not have `steps` slices.
RepeatResult repeat(std::int64_t steps, std::vector<Value> carried,
                    const std::function<RepeatNext(const RepeatStep&)>& body, RepeatOptions options = {},
                    At at = At::current());

/// The same for one carried value, and nothing else.
template <class Body>
requires std::is_invocable_r_v<Value, Body&, Value> Value repeat(std::int64_t steps, Value carried, Body body,
                                                                 RepeatOptions options = {}, At at = At::current()) {
  return repeat(
             steps, std::vector<Value>{carried},
             [&](const RepeatStep& s) { return RepeatNext{.carried = {body(s.carried[0])}}; }, std::move(options), at)
      .carried[0];
}

}  // namespace oxbow
