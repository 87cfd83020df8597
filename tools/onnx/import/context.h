// What a conversion of one node sees of it: inputs as values, attributes with their defaults, and what is known of
// them.
//
//   {"Softmax", [](Context& c) -> Outputs { return softmax(c[0], c.integer("axis", -1)); }}
//
// Thread safety: as building, for one thread.
#pragma once

#include <oxbow/graph/graph.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "onnx/read/model_file.h"

namespace oxbow::onnx {

class Importer;
struct Environment;

/// What a conversion gives: a value for each output, empty ones where nobody reads.
struct Outputs : std::vector<Value> {
  Outputs(Value one) : std::vector<Value>{one} {}
  Outputs(std::initializer_list<Value> all) : std::vector<Value>(all) {}
  Outputs(std::vector<Value> all) : std::vector<Value>(std::move(all)) {}
};

class Context {
 public:
  Context(Importer& importer, const Environment& names, const NodeProto& node, std::int64_t opset)
      : importer_(importer), names_(names), node_(node), opset_(opset) {}

  Graph& graph() const;
  const NodeProto& node() const { return node_; }
  /// Of the node's domain.
  std::int64_t opset() const { return opset_; }

  int inputs() const { return node_.input_size(); }
  /// Whether optional input `i` is given.
  bool has(int i) const;
  /// Input `i`. Throws where it is absent.
  Value operator[](int i) const;
  /// Input `i` as what a layer keeps and no optimizer moves: running statistics.
  Value state(int i) const;
  /// Input `i`, or an empty value.
  Value optional(int i) const { return has(i) ? (*this)[i] : Value(); }
  std::vector<Value> all() const;
  /// What has this name where the node is. Throws where nothing has.
  Value called(const std::string& name) const;
  int outputs() const { return node_.output_size(); }
  /// Whether output `i` is asked for.
  bool wants(int i) const { return i < outputs() && !node_.output(i).empty(); }

  // Attributes. Each throws where the node has one of this name of another type.
  bool has_attribute(std::string_view name) const { return find(name) != nullptr; }
  std::int64_t integer(std::string_view name, std::int64_t otherwise) const;
  std::int64_t integer(std::string_view name) const;  ///< throws where it is absent
  bool flag(std::string_view name, bool otherwise = false) const { return integer(name, otherwise ? 1 : 0) != 0; }
  double number(std::string_view name, double otherwise) const;
  double number(std::string_view name) const;
  std::string text(std::string_view name, std::string_view otherwise) const;
  std::vector<std::string> texts(std::string_view name) const;
  std::optional<std::vector<std::int64_t>> integers(std::string_view name) const;
  std::vector<std::int64_t> needed_integers(std::string_view name) const;  ///< throws where they are absent
  std::optional<std::vector<double>> numbers(std::string_view name) const;
  std::optional<Tensor> tensor(std::string_view name) const;
  const GraphProto& body(std::string_view name) const;
  /// An element type, by ONNX's number.
  DType dtype(std::string_view name, DType otherwise) const;
  DType dtype(std::string_view name) const;

  /// The value of input `i` where it is the same for all sizes and parameters: a constant, or an initialiser that is
  /// not trained. Nothing for others.
  std::optional<Tensor> fixed(int i) const;
  /// The whole numbers of such an input; nothing where it is absent. Throws where it is not fixed.
  std::optional<std::vector<std::int64_t>> fixed_integers(int i) const;
  std::optional<std::vector<double>> fixed_numbers(int i) const;
  /// The one number of such an input. Throws where it is absent too, or has not one element.
  std::int64_t fixed_integer(int i) const;
  double fixed_number(int i) const;
  /// What older opsets have as attribute `name` and newer ones as input `i`.
  std::optional<std::vector<std::int64_t>> integers(std::string_view name, int i) const;

  /// The values that a graph of an attribute gives for these inputs, in the names' environment of the node.
  std::vector<Value> build(const GraphProto& body, std::vector<Value> inputs) const;

  /// Whether a parameter of this input is trained: it is a variable that is trainable.
  bool is_trained(int i) const;

  /// `scalar` as a constant of x's dtype, beside x.
  Value like(Value x, double scalar) const;

  /// Throws `Error` with node, operator and problem.
  [[noreturn]] void fail(const std::string& problem, const std::string& remedy = {}) const;

 private:
  const AttributeProto* find(std::string_view name) const;
  const AttributeProto* find(std::string_view name, AttributeProto::AttributeType type) const;

  Importer& importer_;
  const Environment& names_;
  const NodeProto& node_;
  std::int64_t opset_;
};

/// "Conv node \"/layer1/Conv\"".
std::string to_string(const NodeProto& node);

}  // namespace oxbow::onnx
