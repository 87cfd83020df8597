#include "onnx/export/exporter.h"

#include <oxbow/graph/leaf_ops.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>

#include <algorithm>
#include <numeric>

#include "onnx/permuted.h"
#include "onnx/read/model_file.h"

namespace oxbow::onnx {
using namespace internal;

Exporter::Exporter(const Graph& from, const Graph* larger, const Store& store)
    : graph_(from), larger_(larger), store_(store) {
  for (NodeId id = 0; id < from.size(); ++id)
    for (const Value& v : from.node(id).inputs())
      if (v) ++readers_[{v.node_id(), v.output()}];
  for (const auto& [name, v] : from.outputs()) ++readers_[{v.node_id(), v.output()}];
}

const AttrValue& Written::attribute(std::string_view name) const {
  for (const auto& [key, value] : attributes_)
    if (key == name) return value;
  throw InternalError("an op lacks an attribute that its export reads");
}

void Written::fail(const std::string& why) const {
  throw Error(oxbow::to_string(node_) + " (" + std::string(node_.op().name()) + "): " + why);
}

std::string Exporter::name(Value v) const {
  const auto known = names_.find({v.node_id(), v.output()});
  invariant(known != names_.end(), "a value is written after what reads it");
  return known->second;
}

std::string Exporter::fresh(const std::string& wish) {
  for (int i = 0;; ++i)
    if (std::string name = i == 0 ? wish : wish + "_" + std::to_string(i); shared_->taken.insert(name).second)
      return name;
}

Names Exporter::add(std::string_view type, const Names& inputs, const std::vector<Attribute>& attributes, int outputs) {
  NodeProto& node = *graph.add_node();
  node.set_op_type(std::string(type));
  node.set_name(fresh(parts_++ == 0 ? node_ : node_ + "_" + std::string(type)));
  Names results;
  for (const std::string& in : inputs) node.add_input(in);
  for (int i = 0; i < outputs; ++i) {
    results.push_back(fresh(node.name() + "_output_" + std::to_string(i)));
    node.add_output(results.back());
  }
  for (const auto& [key, value] : attributes) {
    AttributeProto& a = *node.add_attribute();
    a.set_name(key);
    if (const auto* i = std::get_if<std::int64_t>(&value)) {
      a.set_type(AttributeProto::INT);
      a.set_i(*i);
    } else if (const auto* f = std::get_if<double>(&value)) {
      a.set_type(AttributeProto::FLOAT);
      a.set_f(static_cast<float>(*f));
    } else if (const auto* s = std::get_if<std::string>(&value)) {
      a.set_type(AttributeProto::STRING);
      a.set_s(*s);
    } else if (const auto* g = std::get_if<GraphProto>(&value)) {
      a.set_type(AttributeProto::GRAPH);
      *a.mutable_g() = *g;
    } else if (const auto* texts = std::get_if<Names>(&value)) {
      a.set_type(AttributeProto::STRINGS);
      for (const std::string& each : *texts) a.add_strings(each);
    } else {
      a.set_type(AttributeProto::INTS);
      for (const std::int64_t each : std::get<std::vector<std::int64_t>>(value)) a.add_ints(each);
    }
  }
  return results;
}

std::string Exporter::add(std::string_view type, const Names& inputs, const std::vector<Attribute>& attributes) {
  return add(type, inputs, attributes, 1)[0];
}

std::string Exporter::constant(const Tensor& t) {
  for (const auto& [name, known] : initialisers())
    if (t.type().bytes() <= 64 && same_bits(known, t)) return name;
  initialisers().emplace_back(fresh("constant"), t);
  return initialisers().back().first;
}

std::string Exporter::numbers(const std::vector<std::int64_t>& values) {
  return constant(Tensor::of({static_cast<std::int64_t>(values.size())}, values));
}

std::string Exporter::transposed(const std::string& x, std::vector<std::int64_t> order) {
  std::string from = x;
  if (const auto before = transposed_.find(x); before != transposed_.end()) {
    from = before->second.first;
    for (std::int64_t& axis : order) axis = before->second.second[static_cast<std::size_t>(axis)];
  }
  std::vector<std::int64_t> same(order.size());
  std::iota(same.begin(), same.end(), 0);
  if (order == same) return from;
  std::string& y = turned_[{from, order}];
  if (!y.empty()) return y;
  if (read_once_.contains(from)) {
    const auto before =
        std::find_if(initialisers().begin(), initialisers().end(), [&](const auto& i) { return i.first == from; });
    Tensor turned = permuted(before->second, order);
    y = fresh(from);
    initialisers().emplace_back(y, std::move(turned));
    stands_for_[y] = from;
  } else {
    y = add("Transpose", {from}, {{"perm", order}});
  }
  transposed_[y] = {from, order};
  return y;
}

bool Exporter::add_row(const std::string& y, const std::string& row) {
  const auto before = transposed_.find(y);
  const std::string& from = before == transposed_.end() ? y : before->second.first;
  for (int i = graph.node_size() - 1; i >= 0; --i) {
    NodeProto& node = *graph.mutable_node(i);
    if (node.output_size() == 0 || node.output(0) != from) continue;
    if ((node.op_type() != "Conv" && node.op_type() != "Gemm") || node.input_size() != 2) return false;
    // What gives the row may have been written after the product.
    for (int j = i + 1; j < graph.node_size(); ++j)
      for (const std::string& output : graph.node(j).output())
        if (output == row) return false;
    node.add_input(row);
    return true;
  }
  return false;
}

int Exporter::readers(Value v) const {
  const auto found = readers_.find({v.node_id(), v.output()});
  return found == readers_.end() ? 0 : found->second;
}

bool Exporter::is_fixed(Value v, int axis) const {
  return larger_ != nullptr && larger_->node(v.node_id()).output(v.output()).shape()[axis] == v.shape()[axis];
}

ValueInfoProto Exporter::info(const std::string& name, Value v, const ops::Input* input) const {
  ValueInfoProto info;
  info.set_name(name);
  TypeProto::Tensor& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx_type(v.dtype()));
  TensorShapeProto& shape = *type.mutable_shape();
  for (int axis = 0; axis < v.rank(); ++axis) {
    TensorShapeProto::Dimension& d = *shape.add_dim();
    if (input ? !input->is_free(axis) : is_fixed(v, axis))
      d.set_dim_value(v.shape()[axis]);
    else
      d.set_dim_param(name + "_" + std::to_string(axis));
  }
  return info;
}

void Exporter::leaf(Node n) {
  std::string& name = names_[{n.id(), 0}];
  if (const auto* input = n.op().as<ops::Input>()) {
    name = fresh(input->name);
    *graph.add_input() = info(name, n.output(), input);
  } else if (const auto* variable = n.op().as<ops::Variable>()) {
    name = fresh(variable->name);
    initialisers().emplace_back(name, store_.get(variable->name));
    if (readers(n.output()) == 1) read_once_.insert(name);
  } else {
    name = constant(n.op().as<ops::Constant>()->value);
  }
}

namespace {

bool is_leaf(const Op& op) { return op.is<ops::Input>() || op.is<ops::Variable>() || op.is<ops::Constant>(); }

// Ops that cannot be written, with their nodes, those of bodies too.
void find_lacking(const Graph& g, std::vector<std::string>& lacking) {
  for (NodeId id = 0; id < g.size(); ++id) {
    const Node n = g.node(id);
    if (!is_leaf(n.op()) && writer_of(n.op().name()) == nullptr)
      lacking.push_back(std::string(n.op().name()) + " of " + oxbow::to_string(n));
    for (const auto& [name, inner] : n.op().subgraphs()) find_lacking(*inner, lacking);
  }
}

// What a node reads, and its bodies.
void add_read(const NodeProto& node, std::set<std::string>& read) {
  read.insert(node.input().begin(), node.input().end());
  for (const AttributeProto& a : node.attribute())
    for (const NodeProto& inner : a.g().node()) add_read(inner, read);
}

// The names that values have now, in what a node reads and gives, and its bodies.
void give_names(NodeProto& node, const std::map<std::string, std::string>& now) {
  const auto give = [&](std::string& name) {
    if (const auto found = now.find(name); found != now.end()) name = found->second;
  };
  for (std::string& in : *node.mutable_input()) give(in);
  for (std::string& out : *node.mutable_output()) give(out);
  for (AttributeProto& a : *node.mutable_attribute())
    if (a.has_g())
      for (NodeProto& inner : *a.mutable_g()->mutable_node()) give_names(inner, now);
}

}  // namespace

void Exporter::run(const std::vector<std::string>& outputs) {
  std::vector<std::string> lacking;
  find_lacking(graph_, lacking);
  if (!lacking.empty()) {
    std::string list;
    for (std::size_t i = 0; i < std::min(lacking.size(), limits::shown_names); ++i) list += "\n  " + lacking[i];
    throw Error("these ops have no operator of ONNX that stands for them:" + list);
  }
  write();
  rename(outputs);
  drop_unused();
}

void Exporter::write() {
  // Leaves first: they have their names whatever else is called so.
  for (const bool leaves : {true, false})
    for (NodeId id = 0; id < graph_.size(); ++id) {
      const Node n = graph_.node(id);
      if (is_leaf(n.op()) != leaves || names_.contains({id, 0})) continue;
      if (leaves) {
        leaf(n);
        continue;
      }
      node_ = n.full_name();
      parts_ = 0;
      const Names results = writer_of(n.op().name())(Written(*this, n));
      for (std::size_t i = 0; i < results.size(); ++i) names_[{id, static_cast<int>(i)}] = results[i];
    }
}

GraphProto Exporter::body(const Graph& owned, int own, const Names& captured, bool of_loop) {
  Exporter inner(owned, nullptr, store_);
  inner.shared_ = shared_;
  inner.node_ = node_ + "_body";
  inner.graph.set_name(fresh(inner.node_));
  const auto input = [&](DType dtype, int rank) {
    const std::string called = fresh(inner.node_ + "_in");
    *inner.graph.add_input() = info(called, dtype, rank);
    return called;
  };
  // A copy: an output is a value of the body's own, and no other one.
  const auto output = [&](const std::string& name, DType dtype, int rank) {
    inner.node_ = node_ + "_out";
    inner.parts_ = 0;
    *inner.graph.add_output() = info(inner.add("Identity", {name}), dtype, rank);
  };
  std::string goes_on;
  if (of_loop) {
    input(i64, 0);
    goes_on = input(boolean, 0);
  }
  int count = 0;
  for (NodeId id = 0; id < owned.size(); ++id) {
    const Value v = owned.node(id).output();
    if (!owned.node(id).op().is<ops::Input>()) continue;
    inner.names_[{id, 0}] =
        count < own ? input(v.dtype(), v.rank()) : captured.at(static_cast<std::size_t>(count - own));
    ++count;
  }
  inner.write();
  if (of_loop) output(goes_on, boolean, 0);
  for (const auto& [name, v] : owned.outputs()) output(inner.name(v), v.dtype(), v.rank());
  return inner.graph;
}

// With sizes that are not said.
ValueInfoProto Exporter::info(const std::string& name, DType dtype, int rank) {
  ValueInfoProto info;
  info.set_name(name);
  TypeProto::Tensor& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx_type(dtype));
  type.mutable_shape();
  for (int axis = 0; axis < rank; ++axis) type.mutable_shape()->add_dim();
  return info;
}

// Outputs get their names: what gives one is renamed, or copied where it has to keep its own name.
void Exporter::rename(const std::vector<std::string>& outputs) {
  std::map<std::string, std::string> now;
  std::set<std::string> kept;
  for (const ValueInfoProto& in : graph.input()) kept.insert(in.name());
  for (const auto& [name, tensor] : initialisers()) kept.insert(name);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Value v = graph_.outputs()[i].second;
    const std::string is = name(v);
    if (is != outputs[i]) {
      if (kept.contains(outputs[i]))
        throw Error("the output " + in_quotes(outputs[i]) + " has the name of another value");
      if (kept.contains(is) || !now.emplace(is, outputs[i]).second) {
        NodeProto& copy = *graph.add_node();
        copy.set_op_type("Identity");
        copy.set_name(fresh("Identity"));
        copy.add_input(is);
        copy.add_output(outputs[i]);
      }
    }
    *graph.add_output() = info(outputs[i], v, nullptr);
  }
  // What has such a name by chance gets another.
  std::set<std::string> wanted(outputs.begin(), outputs.end());
  for (NodeProto& node : *graph.mutable_node())
    for (const std::string& output : node.output())
      if (wanted.contains(output) && node.op_type() != "Identity" && !now.contains(output))
        now[output] = fresh(output + "_1");
  for (NodeProto& node : *graph.mutable_node()) give_names(node, now);
}

void Exporter::drop_unused() {
  std::set<std::string> read;
  for (const ValueInfoProto& out : graph.output()) read.insert(out.name());
  google::protobuf::RepeatedPtrField<NodeProto> nodes;
  std::vector<NodeProto*> used;
  for (int i = graph.node_size() - 1; i >= 0; --i) {
    NodeProto& node = *graph.mutable_node(i);
    if (std::none_of(node.output().begin(), node.output().end(), [&](const auto& o) { return read.contains(o); }))
      continue;
    add_read(node, read);
    used.push_back(&node);
  }
  for (auto node = used.rbegin(); node != used.rend(); ++node) nodes.Add()->Swap(*node);
  graph.mutable_node()->Swap(&nodes);
  std::erase_if(initialisers(), [&](const auto& i) { return !read.contains(i.first); });
  // What is written in another order has the name of the graph's parameter, if that is not written as well.
  std::map<std::string, std::string> now;
  for (const auto& [turned, own] : stands_for_)
    if (read.contains(turned) && !read.contains(own)) {
      read.insert(own);
      now[turned] = own;
    }
  for (auto& [name, tensor] : initialisers())
    if (const auto found = now.find(name); found != now.end()) name = found->second;
  for (NodeProto& node : *graph.mutable_node()) give_names(node, now);
}

}  // namespace oxbow::onnx
