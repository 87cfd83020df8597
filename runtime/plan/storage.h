// Which bytes every value of a graph is: a storage, and how far into it the value begins. Values share a storage where
// an op only looks at its input's bytes otherwise (`Op::alias`), and an assign's output is the value it assigns.
// Thread safety: values, and a pure function.
#pragma once

#include <oxbow/graph/op_info.h>
#include <oxbow/runtime/plan.h>

namespace oxbow::internal {

struct Storage {
  Home home = Home::arena;
  std::int32_t index = 0;  ///< among the inputs, variables, constants or fetches
  std::int64_t bytes = 0;
  NodeId writer = -1;  ///< the node that computes it, or the leaf
};

struct Storages {
  struct At {  // a value of as many bytes as its storage is all of it
    std::int32_t storage;
    std::int64_t offset;
  };
  std::vector<Storage> list;
  std::vector<std::int32_t> first_value;  ///< of each node, the number of its output 0
  std::vector<At> values;
  std::vector<bool> computes;  ///< of each node: it runs, being no leaf, alias or assign
  struct Assigned {
    NodeId node;
    Value value;            ///< what is written
    std::int32_t variable;  ///< its number
  };
  std::vector<Assigned> assigns;
  std::vector<Plan::Leaf> inputs, variables, constants;
  std::vector<Plan::Fetch> fetches;
  std::vector<std::size_t> shared_fetches;  ///< the numbers of those that have no bytes of their own: see `copies`

  At of(Value v) const {
    return values[static_cast<std::size_t>(first_value[static_cast<std::size_t>(v.node_id())] + v.output())];
  }
};

/// Whether a step may write its output over a storage, as far as its own reads go: by inputs that `allowed` names, of
/// just these bytes, all of them.
bool may_take_over(const Storages& storages, const Node& step, std::int32_t storage, InputSet allowed);

/// Gives every value its storage. Throws `Error` where all together have more than `limits::plan_bytes`.
Storages find_storages(const Graph& graph);

}  // namespace oxbow::internal
