// A body that is done again and again, with values that it carries from one step to the next, slices of stacked values
// that it reads, and values of which it gives one a step: a loop, a recurrence, an iterative method.
//
//   // An Elman network over x [steps, batch, features]: the last state and all states.
//   const auto [last, states] = repeat(steps, {h0}, [&](const RepeatStep& s) {
//     const Value h = tanh(matmul(s.slices[0], w) + matmul(s.carried[0], u) + b);
//     return RepeatNext{.carried = {h}, .stacked = {h}};
//   }, {.slices = {x}});
//
//   Value root = repeat(20, guess, [&](Value y) { return 0.5 * (y + x / y); });  // Heron's method
//
// The body is a function that builds, called once; what it reads of the surrounding graph becomes inputs of the node.
// Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/subgraph.h>

#include <type_traits>

namespace oxbow {

/// Inputs: the first values of what is carried, the stacked values [steps, ...], what the body captures. The body takes
/// the carried values, a slice [...] of each stacked one, and the captured ones; it gives the next carried values, of
/// the same types, and what is to be stacked. Outputs: the last carried values; what was stacked, [steps, ...]; and
/// what was carried into each step, [steps, ...], which costs nothing unless it is read (backward does).
struct Repeat {
  static constexpr OpInfo info{.name = "repeat", .inputs = {"x..."}, .outputs = {"y..."}};
  std::int64_t steps = 0, carried = 0, sliced = 0;
  bool reverse = false;  ///< the last step comes first
  Subgraph body;
  static void attributes(auto&& visit) {
    visit("steps", &Repeat::steps);
    visit("carried", &Repeat::carried);
    visit("sliced", &Repeat::sliced);
    visit("reverse", &Repeat::reverse);
    visit("body", &Repeat::body);
  }
  bool operator==(const Repeat&) const = default;

  std::vector<Type> infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

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
