// What a plan asks of an op once for given types: its work, what it prepares, and what it may overwrite. Nodes that
// have the same op object on the same types (see graph/passes/shared_ops.h) share the answers, so a graph of many alike
// nodes is planned quickly and runs from cache. Thread safety: for one thread while it fills; afterwards anyone may
// read what it handed out, at addresses that stay.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

#include <deque>
#include <unordered_map>

namespace oxbow::internal {

struct PreparedOp {
  Op op;
  std::vector<Type> in;
  std::shared_ptr<const void> prepared;  ///< null where the op prepares nothing
  Work work;
  std::vector<InputSet> overwrites;  ///< of each output
};

class PreparedOps {
 public:
  const PreparedOp& of(const Node& n);

 private:
  Prepared<void> prepare(const Node& n, Types in);

  std::deque<PreparedOp> list_;
  std::unordered_multimap<const void*, const PreparedOp*> known_;  // by op object
  std::int64_t table_bytes_ = 0;                                   // of all (graph/support/tables.h)
};

}  // namespace oxbow::internal
