// The conversion of a model's graph: names, scopes, initialisers, and the nodes in turn. Thread safety: one thread.
#pragma once

#include <map>
#include <set>
#include <unordered_map>

#include "onnx/import/context.h"
#include "onnx/onnx.h"

namespace oxbow::onnx {

/// What names mean within a graph: its own values, initialisers that nobody has read yet, and the graph around it.
struct Environment {
  const Environment* outer = nullptr;
  std::unordered_map<std::string, Value> values = {};
  std::unordered_map<std::string, const TensorProto*> initialisers = {};
  /// Within a function: the attributes of its call. Bodies see those of the function around them.
  const std::unordered_map<std::string, const AttributeProto*>* attributes = nullptr;
  /// The opset of each domain.
  const std::map<std::string, std::int64_t>* opsets = nullptr;
};

/// An error that tells its node.
class NodeError : public Error {
 public:
  using Error::Error;
};

class Importer {
 public:
  Importer(Graph& g, const ModelFile& file, const OnnxImportOptions& options, At at);
  OnnxModel run();

 private:
  friend class Context;
  using Functions = std::map<std::pair<std::string, std::string>, const FunctionProto*>;

  void check_operators() const;
  void check_operators(const google::protobuf::RepeatedPtrField<NodeProto>& nodes,
                       const std::map<std::string, std::int64_t>& opsets, std::vector<std::string>& lacking) const;
  void make_inputs(const GraphProto& graph, Environment& names);
  Dim dimension(const TensorShapeProto::Dimension& d, int axis) const;
  void add_initialisers(const GraphProto& graph, Environment& names);
  void count(std::int64_t names);
  void convert(const google::protobuf::RepeatedPtrField<NodeProto>& nodes, Environment& names);
  void convert(const NodeProto& node, Environment& names);
  std::vector<Value> call(const FunctionProto& function, const NodeProto& node, const Environment& names);
  Outputs settled(NodeId first, Outputs results);
  Outputs folded(const NodeProto& node, const Environment& names, NodeId first, Outputs results);
  void realise(const GraphProto& body, const Environment& names);
  void name(Value v, std::string_view path, NodeId first);

  const Value* find(const Environment& names, const std::string& name) const;
  const TensorProto* initialiser(const Environment& names, const std::string& name) const;
  Value value(const Environment& names, const std::string& name);
  bool is_trained(const std::string& name, const TensorProto& t) const;
  Value parameter(const std::string& name, const Type& type, bool trained);

  Graph& g_;
  const ModelFile& file_;
  const OnnxImportOptions& options_;
  const At at_;
  Functions functions_;
  std::unordered_map<const FunctionProto*, std::map<std::string, std::int64_t>> opsets_;  // of each function
  OnnxModel result_;
  std::vector<std::pair<std::string, std::string>> parameters_;  // the file's names, and those in the store
  struct Stored {
    const TensorProto* tensor;
    bool kernel;  // with its axes as a convolution reads them
  };
  std::map<std::string, Stored> values_;  // by the names in the store
  mutable std::vector<bool> matched_;     // patterns of options_.train
  // Values of initialisers that the conversion under way has made.
  struct Made {
    Environment* where;
    std::string name;
  };
  std::vector<Made> made_;
  std::set<std::string> kernels_;   // initialisers that convolutions read
  std::set<std::string> state_;     // initialisers that are not trained, whatever patterns say
  std::set<std::string> reserved_;  // names of parameters, which no node takes
  SharedText scope_;                // in which all is
  int depth_ = 0;
  NodeId begin_ = 0;  // of the nodes that are imported
  std::int64_t converted_ = 0, named_ = 0;
  const std::int64_t bytes_;  // of the file, beside its tensors
};

}  // namespace oxbow::onnx
