// Equal ops become one object: what is made of an op once (a plan of its tape, a kernel that was looked up) then serves
// all nodes that have it, and stays in cache from one of them to the next.
// Thread safety: for one thread.
#pragma once

#include <oxbow/graph/op.h>

#include <unordered_map>

namespace oxbow::internal {

class SharedOps {
 public:
  /// An op from before that equals this one to the last bit of its attributes, or this one, which is remembered.
  Op operator()(Op op);

 private:
  std::unordered_map<std::size_t, std::vector<Op>> known_;  // by hash, few under each
};

}  // namespace oxbow::internal
