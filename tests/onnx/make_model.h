// ONNX files made by hand, as exporters write them.
#pragma once

#include <oxbow/graph/tensor.h>

#include <fstream>
#include <string>
#include <vector>

#include "onnx/read/model_file.h"

namespace oxbow::test {

class MakeModel {
 public:
  explicit MakeModel(std::int64_t opset = 17) {
    model.set_ir_version(8);
    model.add_opset_import()->set_version(opset);
  }
  onnx_schema::ModelProto model;

  /// Sizes as they are, or the names of open ones.
  MakeModel& input(const std::string& name, const std::vector<std::string>& dims, DType dtype = f32) {
    auto& type = *fresh(*model.mutable_graph()->add_input(), name, dtype);
    for (const std::string& d : dims) {
      auto& dim = *type.mutable_shape()->add_dim();
      if (d.find_first_not_of("0123456789") == std::string::npos)
        dim.set_dim_value(std::stoll(d));
      else
        dim.set_dim_param(d);
    }
    return *this;
  }
  MakeModel& output(const std::string& name, DType dtype = f32) {
    fresh(*model.mutable_graph()->add_output(), name, dtype);
    return *this;
  }
  static void fill(onnx_schema::TensorProto& t, const std::string& name, const Tensor& value) {
    t.set_name(name);
    t.set_data_type(onnx::onnx_type(value.dtype()));
    for (const std::int64_t d : value.shape()) t.add_dims(d);
    t.set_raw_data(value.bytes(), static_cast<std::size_t>(value.type().bytes()));
  }
  MakeModel& initialiser(const std::string& name, const Tensor& value) {
    fill(*model.mutable_graph()->add_initializer(), name, value);
    return *this;
  }
  onnx_schema::NodeProto& node(const std::string& type, const std::vector<std::string>& inputs,
                               const std::vector<std::string>& outputs, const std::string& name = "") {
    auto& n = *model.mutable_graph()->add_node();
    n.set_op_type(type);
    n.set_name(name);
    for (const std::string& i : inputs) n.add_input(i);
    for (const std::string& o : outputs) n.add_output(o);
    return n;
  }
  /// An attribute of a node that is a graph, with these names as its inputs and outputs.
  static onnx_schema::GraphProto& body(onnx_schema::NodeProto& node, const std::string& name,
                                       const std::vector<std::string>& inputs,
                                       const std::vector<std::string>& outputs) {
    auto& a = *node.add_attribute();
    a.set_name(name);
    a.set_type(onnx_schema::AttributeProto::GRAPH);
    for (const std::string& i : inputs) a.mutable_g()->add_input()->set_name(i);
    for (const std::string& o : outputs) a.mutable_g()->add_output()->set_name(o);
    return *a.mutable_g();
  }
  static void number(onnx_schema::NodeProto& node, const std::string& name, std::int64_t value) {
    auto& a = *node.add_attribute();
    a.set_name(name);
    a.set_type(onnx_schema::AttributeProto::INT);
    a.set_i(value);
  }
  /// A function of the domain "own", in opset 17.
  onnx_schema::FunctionProto& function(const std::string& name, const std::vector<std::string>& inputs,
                                       const std::vector<std::string>& outputs) {
    auto& f = *model.add_functions();
    f.set_domain("own");
    f.set_name(name);
    for (const std::string& i : inputs) f.add_input(i);
    for (const std::string& o : outputs) f.add_output(o);
    f.add_opset_import()->set_version(17);
    return f;
  }
  std::string bytes() const { return model.SerializeAsString(); }
  std::string write(const std::string& path) const {
    std::ofstream(path, std::ios::binary) << bytes();
    return path;
  }

 private:
  static onnx_schema::TypeProto::Tensor* fresh(onnx_schema::ValueInfoProto& info, const std::string& name, DType d) {
    info.set_name(name);
    auto* type = info.mutable_type()->mutable_tensor_type();
    type->set_elem_type(onnx::onnx_type(d));
    type->mutable_shape();
    return type;
  }
};

}  // namespace oxbow::test
