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

/// How a sequence goes into a scan, or comes out of it.
struct ScanWay {
  std::int64_t axis = 0;  ///< of the sequence, along which its steps lie
  bool reverse = false;   ///< the last step comes first
};
struct ScanLoopOptions {
  std::vector<ScanWay> inputs = {}, outputs = {};  ///< of each sequence, and of each stacked value; else as above
  std::string name = {};                           ///< of its scope; else "repeat", "repeat_1", ...
};
/// `repeat` over the steps of sequences, each along an axis of its own, some of them backwards: ONNX's Scan. `body`
/// takes what is carried and a step of each sequence. Throws `Error` unless the sequences have equally many steps.
RepeatResult scan(std::vector<Value> carried, std::vector<Value> sequences,
                  const std::function<RepeatNext(const RepeatStep&)>& body, ScanLoopOptions options = {},
                  At at = At::current());

struct WhileStep {
  Value trip;  ///< how many steps were done before: i64[]
  std::vector<Value> carried;
};
struct WhileResult {
  std::vector<Value> carried;
  std::vector<Value> stacked;  ///< [most, ...]; 0 from place `trips` on
  Value trips;                 ///< how many steps were done: i64[]
};
struct WhileOptions {
  std::string name = {};  ///< of its scope; else "repeat", "repeat_1", ...
};
/// `body` done as long as `condition` of what is carried, bool[], is true, at most `most` times. Only the steps that
/// are done compute; gradients flow through these. `most` steps are planned, so that a close bound is a smaller graph.
///   const auto far = [&](const std::vector<Value>& c) { return abs(square(c[0]) - x) > 1e-6; };
///   const auto step = [&](const WhileStep& s) { return RepeatNext{{0.5 * (s.carried[0] + x / s.carried[0])}}; };
///   Value root = while_loop(50, {x}, far, step).carried[0];
WhileResult while_loop(std::int64_t most, std::vector<Value> carried,
                       const std::function<Value(const std::vector<Value>&)>& condition,
                       const std::function<RepeatNext(const WhileStep&)>& body, WhileOptions options = {},
                       At at = At::current());

}  // namespace oxbow
