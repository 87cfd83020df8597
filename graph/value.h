// Handles into a graph: a node, and a value (one output of a node). Small and copyable; valid as long as the graph,
// which never moves. Thread safety: reading through handles is safe while nobody appends to the graph.
#pragma once

#include <oxbow/graph/error.h>
#include <oxbow/graph/subscript.h>
#include <oxbow/graph/type.h>

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace oxbow {

class Graph;
class Node;
class Op;

/// A node's number, its place in the graph's order.
using NodeId = std::int32_t;

/// One output of one node.
class Value {
 public:
  Value() = default;  ///< no value; `if (v)` is false
  Value(Graph& graph, NodeId node, int output = 0) : graph_(&graph), node_(node), output_(output) {}

  explicit operator bool() const { return graph_ != nullptr; }
  Graph& graph() const { return *graph_; }
  inline Node node() const;
  NodeId node_id() const { return node_; }
  int output() const { return output_; }

  inline const Type& type() const;
  const Shape& shape() const { return type().shape; }
  DType dtype() const { return type().dtype; }
  int rank() const { return shape().rank(); }

  /// Names the node that made this value; returns the value. Throws `Error` when another node of its scope has the
  /// name.
  Value named(std::string_view name) const;

  /// Places and ranges of the first axes: `x[0]`, `x[{0, range(1, 3)}]`, `x[{range(), -1}]`; see `part` in ops/shape.h,
  /// which does it. (A template, so that this library does not need the one of the ops.)
  template <class V = Value>
  V operator[](const Subscripts& subscripts) const {
    return part(V(*this), subscripts);
  }

  /// The same output of the same node. There is no `==`: a search among values would add nodes to their graph. See
  /// `equal` in ops for the comparison of elements.
  bool same(const Value& other) const {
    return graph_ == other.graph_ && node_ == other.node_ && output_ == other.output_;
  }

 private:
  Graph* graph_ = nullptr;
  NodeId node_ = -1;
  std::int32_t output_ = 0;
};

/// A view of values: from a vector, a span, or a braced list in a call. Do not store one.
class Values {
 public:
  Values() = default;
  Values(std::initializer_list<Value> list) : Values(std::span<const Value>(std::data(list), list.size())) {}
  Values(const Value& v) : data_(&v), size_(1) {}
  Values(const std::vector<Value>& v) : data_(v.data()), size_(v.size()) {}
  Values(std::span<const Value> s) : data_(s.data()), size_(s.size()) {}
  const Value& operator[](int i) const { return data_[i]; }
  int size() const { return static_cast<int>(size_); }
  bool empty() const { return size_ == 0; }
  const Value* begin() const { return data_; }
  const Value* end() const { return data_ + size_; }

 private:
  const Value* data_ = nullptr;
  std::size_t size_ = 0;
};

/// What a node is part of; `gradients` and optimizers set it, dumps tell it apart.
enum class Phase : std::uint8_t { forward, backward, update };
std::string_view name(Phase phase);

/// A text that never changes and that its copies share: a thousand nodes of a scope hold it once.
class SharedText {
 public:
  SharedText() = default;  ///< ""
  SharedText(std::string text);
  SharedText(const char* text) : SharedText(std::string(text)) {}
  const std::string& str() const;
  operator std::string_view() const { return str(); }
  bool empty() const { return text_ == nullptr; }
  bool operator==(const SharedText& other) const { return text_ == other.text_ || str() == other.str(); }

 private:
  std::shared_ptr<const std::string> text_;  // null for ""
};

/// Where a node comes from. A note: no part of equality, and no pass decides by it.
struct Origin {
  Location at = {};     ///< the user's line
  NodeId forward = -1;  ///< for a backward node, the forward node whose gradient it belongs to
  Phase phase = Phase::forward;
  SharedText scope = {};  ///< "encoder/layer1"
  /// A name with the scope before it: "encoder/layer1/weight".
  std::string scoped(std::string_view name) const;
};

/// One node: what computes it, on which values, and what comes out.
class Node {
 public:
  Node(Graph& graph, NodeId id) : graph_(&graph), id_(id) {}
  Graph& graph() const { return *graph_; }
  NodeId id() const { return id_; }
  const Op& op() const;
  /// What the user called it, without its scope; "" when unnamed.
  const std::string& name() const;
  /// Scope and name, "encoder/layer1/weight"; an unnamed node has its op and number: "matmul_12".
  std::string full_name() const;
  const Origin& origin() const;

  inline int input_count() const;
  /// Input `i`; an empty Value for an optional one that is absent, whose type is absent too.
  inline Value input(int i) const;
  inline const Type& input_type(int i) const;
  std::vector<Value> inputs() const;
  std::vector<Type> input_types() const;
  inline int output_count() const;
  Value output(int i = 0) const { return {*graph_, id_, i}; }
  /// The output that the op names so: `node.output("probabilities")`. Throws `Error` when it has none of that name.
  Value output(std::string_view name) const;
  inline Types output_types() const;

  bool operator==(const Node&) const = default;

 private:
  Graph* graph_;
  NodeId id_;
};
/// The full name as messages show it: on one line, with escapes for what a terminal obeys.
std::string to_string(const Node& node);

}  // namespace oxbow

#include <oxbow/graph/graph.h>  // has what the inline members above look up
