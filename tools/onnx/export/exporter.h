// A graph as nodes of ONNX: names, constants, and an entry an op in export/operators.cpp. Thread safety: one thread.
#pragma once

#include <oxbow/graph/attribute.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/subgraph.h>
#include <oxbow/runtime/store.h>

#include <map>
#include <optional>
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
  std::variant<std::int64_t, double, std::string, std::vector<std::int64_t>, Names, GraphProto> value;
};

class Exporter {
 public:
  /// `from` is for inference; `larger` is the same with larger free axes, or null.
  Exporter(const Graph& from, const Graph* larger, const Store& store);

  /// Nodes, inputs and outputs; and the initialisers, whose bytes are not among them.
  void run(const std::vector<std::string>& outputs);
  GraphProto graph;
  using Initialisers = std::vector<std::pair<std::string, Tensor>>;
  Initialisers& initialisers() { return shared_->initialisers; }

  /// A graph that an op owns. Its first `own` inputs are the body's, the rest values of the names `captured`. That of a
  /// Loop takes the number of its step and whether it goes on before them, and gives the latter.
  GraphProto body(const Graph& owned, int own, const Names& captured, bool of_loop = false);

  /// What a value is called.
  std::string name(Value v) const;
  /// A node with one output, which is returned.
  std::string add(std::string_view type, const Names& inputs, const std::vector<Attribute>& attributes = {});
  /// A node with several.
  Names add(std::string_view type, const Names& inputs, const std::vector<Attribute>& attributes, int outputs);
  /// A constant.
  std::string constant(const Tensor& t);
  std::string numbers(const std::vector<std::int64_t>& values);
  /// x with its axes in this order; two transpositions are one, or none, and that of a parameter which nobody else
  /// reads is a parameter.
  std::string transposed(const std::string& x, std::vector<std::int64_t> order);
  /// Adds a row to the result of the Conv or Gemm that gives `y`, or whose transposed result it is; false where it is
  /// no such node, or has a row already.
  bool add_row(const std::string& y, const std::string& row);
  /// How many inputs and outputs a value is.
  int readers(Value v) const;
  /// Whether the size of an axis is the same for all sizes that are fed.
  bool is_fixed(Value v, int axis) const;

 private:
  struct Shared {
    Initialisers initialisers;
    std::set<std::string> taken;
  };
  void write();
  void leaf(Node n);
  ValueInfoProto info(const std::string& name, Value v, const ops::Input* input) const;
  static ValueInfoProto info(const std::string& name, DType dtype, int rank);
  std::string fresh(const std::string& wish);
  void rename(const std::vector<std::string>& outputs);
  void drop_unused();

  const Graph& graph_;
  const Graph* larger_;
  const Store& store_;
  std::map<std::pair<NodeId, int>, std::string> names_;
  std::map<std::pair<NodeId, int>, int> readers_;
  std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();  // with the graphs around it
  std::map<std::string, std::pair<std::string, std::vector<std::int64_t>>> transposed_;
  std::map<std::pair<std::string, std::vector<std::int64_t>>, std::string> turned_;  // the other way round
  std::set<std::string> read_once_;                                                  // parameters with one reader
  std::map<std::string, std::string> stands_for_;  // a turned parameter for that of the graph
  std::string node_;                               // the name of the node that is being written
  int parts_ = 0;                                  // nodes that it has become
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
// Ops that are several nodes, or own graphs: export/composed.cpp.
Names write_attention(const Written& n);
Names write_cond(const Written& n);
Names write_repeat(const Written& n);
/// A batch normalisation that ends with this addition; nothing where it is none: export/normalisation.cpp.
std::optional<Names> write_batch_normalisation(const Written& n);
// Recurrences: export/recurrent.cpp.
Names write_gru(const Written& n);
Names write_lstm(const Written& n);
Names write_simple_rnn(const Written& n);
// Convolutions and pools: export/windows.cpp.
Names write_average_pool(const Written& n);
Names write_conv2d(const Written& n);
Names write_conv2d_transpose(const Written& n);
Names write_max_pool(const Written& n);
Names write_max_pool_places(const Written& n);

// Shapes, and what moves elements: export/shape.cpp.
Names write_broadcast_like(const Written& n);
Names write_one_hot(const Written& n, const std::string& classes);
Names write_pad(const Written& n);
Names write_reshape(const Written& n);
Names write_reshape_to(const Written& n);
Names write_roll(const Written& n);
Names write_scatter_elements(const Written& n);
Names write_scatter_nd(const Written& n);
Names write_slice(const Written& n, std::int64_t step);
Names write_slice_by(const Written& n);
Names write_split(const Written& n);
Names write_top_k(const Written& n, const std::string& k);
Names write_transpose(const Written& n);

// Parts of nodes: export/parts.cpp.
/// A number in a type of its own, as a scalar.
std::string number(const Written& n, double value, DType dtype);
/// x in another type.
std::string as(const Written& n, const std::string& x, DType dtype);
/// The sizes of input `i`: numbers where they are the same for all that is fed.
std::string sizes(const Written& n, int i);
/// Axes counted from the first, of so many.
std::vector<std::int64_t> from_first(std::vector<std::int64_t> axes, int rank);

/// Null for an op that ONNX has nothing for.
Write writer_of(std::string_view op);

}  // namespace oxbow::onnx
