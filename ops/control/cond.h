// One of two branches, chosen when the graph runs: only the one that is taken computes.
//
//   Value y = cond(greater(mean(x), 0), [&] { return tanh(matmul(x, w)); }, [&] { return x; });
//
// The branches are functions that build; what they read of the surrounding graph becomes inputs of the node, and what
// they build its own graphs. Regular value type, safe from any thread.
#pragma once

#include <oxbow/graph/subgraph.h>

#include <type_traits>

namespace oxbow {

/// Both graphs take the captured values and give values of the same types.
struct Cond {
  static constexpr OpInfo info{.name = "cond", .inputs = {"predicate", "captured..."}, .outputs = {"y..."}};
  Subgraph then, otherwise;
  static void attributes(auto&& visit) {
    visit("then", &Cond::then);
    visit("otherwise", &Cond::otherwise);
  }
  bool operator==(const Cond&) const = default;

  std::vector<Type> infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> simplify(Values in) const;
  Grads gradient(const Node& n, Values dy) const;
};

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
requires std::same_as<std::invoke_result_t<Then&>, Value> && std::same_as<std::invoke_result_t<Otherwise&>, Value> Value
cond(Value predicate, Then then, Otherwise otherwise, CondOptions options = {}, At at = At::current()) {
  return cond(
      predicate, [&] { return std::vector<Value>{then()}; }, [&] { return std::vector<Value>{otherwise()}; },
      std::move(options), at)[0];
}

}  // namespace oxbow
