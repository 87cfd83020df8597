// What a Graph holds, apart from its header: only graph.cpp, value.cpp and known.cpp read it.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/leaf_ops.h>
#include <oxbow/graph/op.h>

#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace oxbow {

struct Graph::Record {
  Op op;
  SharedText name;
  Origin origin;
};

struct Graph::Knowledge {       // of a node
  std::vector<Tensor> outputs;  // empty where they are not known
  NodeId because = -1;          // then: the node that makes it so
  std::int64_t bytes = 0;       // that are held for it alone
};

}  // namespace oxbow

namespace oxbow::internal {

/// Under what an input is fed, or a variable is stored; null of any other op.
inline const std::string* key_of(const Op& op) {
  if (const auto* input = op.as<ops::Input>()) return &input->name;
  if (const auto* variable = op.as<ops::Variable>()) return &variable->name;
  return nullptr;
}

}  // namespace oxbow::internal

namespace oxbow {

struct Graph::Storage {
  using Interned = std::set<std::string, std::less<>>;

  std::deque<Record> nodes;  // never moves a record, so references to ops and names stay good while one appends
  std::vector<std::unique_ptr<Type[]>> type_blocks;  // where `Wired::outputs` lie, which do not move either
  std::size_t types_left = 0;                        // in the last block
  std::unordered_map<std::string, NodeId> names;
  std::vector<Value> updates;
  std::vector<std::pair<std::string, Value>> outputs;
  std::unordered_set<std::string> output_names;
  std::mutex knowing;                     // held while `knowledge`, which const functions add to, is read or written
  std::map<NodeId, Knowledge> knowledge;  // in order: an import forgets the last ones after each node
  std::int64_t known_bytes = 0;           // of all in there
  std::shared_ptr<Interned> interned = std::make_shared<Interned>();

  /// What is known of the nodes from `first` on.
  void forget_knowledge(NodeId first) {
    const auto begin = knowledge.lower_bound(first);
    for (auto k = begin; k != knowledge.end(); ++k) known_bytes -= k->second.bytes;
    knowledge.erase(begin, knowledge.end());
  }

  /// Those of a node that goes.
  void forget_names(const Record& record, NodeId id) {
    if (!record.name.empty()) names.erase(record.origin.scoped(record.name));
    if (const std::string* key = internal::key_of(record.op))
      if (const auto place = names.find(*key); place != names.end() && place->second == id) names.erase(place);
  }
};

inline Graph::Record& Graph::at(NodeId id) { return own_->nodes[static_cast<std::size_t>(id)]; }
inline const Graph::Record& Graph::at(NodeId id) const { return own_->nodes[static_cast<std::size_t>(id)]; }

}  // namespace oxbow
