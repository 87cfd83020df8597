// What ops that own graphs share. For .cpp files of ops only.
#pragma once

#include <oxbow/graph/subgraph.h>

namespace oxbow::ops {

inline std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

/// The scope asked for, or the kind with the first number for which no node is named `kind` there. The node itself is
/// named so within it: "repeat_1/repeat".
inline std::string control_scope(const Graph& g, const std::string& asked, const std::string& kind) {
  if (!asked.empty()) return asked;
  const std::string prefix = g.origin().scope.empty() ? "" : g.origin().scope.str() + "/";
  std::string name = kind;
  for (int k = 1; g.find(prefix + name + "/" + kind); ++k) name = kind + "_" + std::to_string(k);
  return name;
}

inline std::vector<Type> types_of(Values values) {
  std::vector<Type> types;
  for (const Value& v : values) types.push_back(v.type());
  return types;
}

/// Throws `OpError` for a predicate that is not bool[].
inline void check_predicate(const Type& t) {
  if (t.dtype != boolean || t.shape.rank() != 0)
    throw OpError("the predicate is " + to_string(t) + ", not bool[]",
                  "Give a scalar bool: a comparison of scalars, say");
}

/// Of a repeat's inputs, of which `sliced` are stacked behind `carried`, the types that a step takes.
inline std::vector<Type> step_types(Values in, std::int64_t carried, std::int64_t sliced) {
  std::vector<Type> types = types_of(in);
  for (std::int64_t i = carried; i < carried + sliced; ++i) types[index(i)].shape = types[index(i)].shape.without(0);
  return types;
}

/// Writes a body into `g`, on the values `in`, and goes back through it: of each input all that flows to it, which is
/// `before`, what has flowed there already, and what `dy`, the gradients of the body's outputs, add to that. Any of
/// them may be empty, and so is what nothing flows to. Of a value that is several inputs the last one has it all.
std::vector<Flow> flow_through(const Subgraph& body, Graph& g, Values in, Flows dy, Flows before);

}  // namespace oxbow::ops
