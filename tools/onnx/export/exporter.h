// A graph as nodes of ONNX: names, constants, and an entry an op in export/operators.cpp. Thread safety: one thread.
#pragma once

#include <oxbow/graph/attribute.h>
#include <oxbow/graph/op.h>
#include <oxbow/runtime/store.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "onnx/onnx.h"
#include "onnx_schema.pb.h"

namespace oxbow::onnx {

using namespace onnx_schema;

inline constexpr std::int64_t written_opset = 17;

using Names = std::vector<std::string>;

/// An attribute of a node.
struct Attribute {
  std::string name;
  std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>> value;
};

class Exporter {
 public:
  /// `from` is for inference; `larger` is the same with larger free axes, or null.
  Exporter(const Graph& from, const Graph* larger, const Store& store) : graph_(from), larger_(larger), store_(store) {}

  /// Nodes, inputs and outputs; and the initialisers, whose bytes are not among them.
  void run(const std::vector<std::string>& outputs);
  GraphProto graph;
  std::vector<std::pair<std::string, Tensor>> initialisers;

  /// What a value is called.
  std::string name(Value v) const;
  /// A node with one output, which is returned.
  std::string add(std::string_view type, const Names& inputs, const std::vector<Attribute>& attributes = {});
  /// A node with several.
  Names add(std::string_view type, const Names& inputs, const std::vector<Attribute>& attributes, int outputs);
  /// A constant.
  std::string constant(const Tensor& t);
  std::string numbers(const std::vector<std::int64_t>& values);
  /// x with its axes in this order; two transpositions are one, or none.
  std::string transposed(const std::string& x, std::vector<std::int64_t> order);
  /// Adds a row to the result of the Conv or Gemm that gives `y`, or whose transposed result it is; false where it is
  /// no such node, or has a row already.
  bool add_row(const std::string& y, const std::string& row);
  /// How many inputs and outputs a value is.
  int readers(Value v) const;
  /// Whether the size of an axis is the same for all sizes that are fed.
  bool is_fixed(Value v, int axis) const;

 private:
  void leaf(Node n);
  ValueInfoProto info(const std::string& name, Value v, const ops::Input* input) const;
  std::string fresh(const std::string& wish);
  void rename(const std::vector<std::string>& outputs);
  void drop_unused();

  const Graph& graph_;
  const Graph* larger_;
  const Store& store_;
  std::map<std::pair<NodeId, int>, std::string> names_;
  std::set<std::string> taken_;
  std::map<std::string, std::pair<std::string, std::vector<std::int64_t>>> transposed_;
  std::string node_;  // the name of the node that is being written
  int parts_ = 0;     // nodes that it has become
};

/// One node of the graph, to be written.
class Written {
 public:
  Written(Exporter& e, Node n) : e_(e), node_(n), attributes_(n.op().attributes()) {}
  Exporter& to() const { return e_; }
  Node node() const { return node_; }
  std::string in(int i) const { return e_.name(node_.input(i)); }
  const Type& type(int i) const { return node_.input_type(i); }
  const AttrValue& attribute(std::string_view name) const;
  template <class T>
  T get(std::string_view name) const {
    T v{};
    from_attr(attribute(name), v);
    return v;
  }
  [[noreturn]] void fail(const std::string& why) const;

 private:
  Exporter& e_;
  Node node_;
  AttrRecord attributes_;
};

/// Writes a node and returns what its outputs are called.
using Write = Names (*)(const Written& n);
/// Null for an op that ONNX has nothing for.
Write writer_of(std::string_view op);

}  // namespace oxbow::onnx
