#include "onnx/import/importer.h"

#include <oxbow/graph/known.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/utf8.h>
#include <oxbow/ops/shape.h>
#include <oxbow/optim/groups.h>

#include <algorithm>
#include <set>

#include "onnx/operators/operators.h"
#include "onnx/permuted.h"

namespace oxbow::onnx {
using namespace internal;

namespace {

// "/layer1/conv/Conv" as the scope "layer1/conv" and the name "Conv".
struct Path {
  std::string scope, name;
  std::string full() const { return scope.empty() ? name : scope + "/" + name; }
  explicit Path(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('/'), text.size());
      if (end > 0) {
        if (!name.empty()) scope += (scope.empty() ? "" : "/") + name;
        name = std::string(text.substr(0, end));
      }
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }
};

// A scope around what is built, if there is one.
class Within {
 public:
  Within(Graph& g, const std::string& scope) {
    if (!scope.empty()) scope_.emplace(g, scope);
  }

 private:
  std::optional<Scope> scope_;
};

Type ordered(const Type& type, const std::vector<std::int64_t>& order) {
  std::vector<std::int64_t> sizes;
  for (const std::int64_t axis : order) sizes.push_back(type.shape[static_cast<int>(axis)]);
  return {type.dtype, Shape(sizes)};
}

// The version of each domain.
std::map<std::string, std::int64_t> opsets_of(const google::protobuf::RepeatedPtrField<OperatorSetIdProto>& sets) {
  std::map<std::string, std::int64_t> versions;
  for (const OperatorSetIdProto& set : sets) versions[set.domain() == "ai.onnx" ? "" : set.domain()] = set.version();
  return versions;
}

std::string function_name(const FunctionProto& f) { return f.domain() + "." + f.name(); }

}  // namespace

Importer::Importer(Graph& g, const ModelFile& file, const OnnxImportOptions& options, At at)
    : g_(g),
      file_(file),
      options_(options),
      at_(at),
      matched_(options.train.size()),
      scope_(g.origin().scope),
      bytes_(static_cast<std::int64_t>(file.model().ByteSizeLong())) {}

OnnxModel Importer::run() {
  const ModelProto& model = file_.model();
  check_fields(model, "the model", {26});  // how it is spread over devices
  if (!model.has_graph()) throw Error("it has no graph");
  if (model.training_info_size() > 0)
    throw Error(
        "it has a training step of its own, which ONNX has given up\n  Export the model without: Oxbow trains it");
  std::map<std::string, std::int64_t> opsets = opsets_of(model.opset_import());
  result_.opset = opsets.try_emplace("", 1).first->second;
  result_.producer = model.producer_name() + (model.producer_version().empty() ? "" : " " + model.producer_version());
  for (const FunctionProto& f : model.functions()) {
    functions_[{f.domain(), f.name()}] = &f;
    opsets_[&f] = opsets_of(f.opset_import());
  }
  begin_ = g_.size();

  const OriginGuard line(g_, {.at = at_, .scope = g_.origin().scope});
  Environment names{.opsets = &opsets};
  const GraphProto& graph = model.graph();
  check_operators();
  add_initialisers(graph, names);
  make_inputs(graph, names);
  convert(graph.node(), names);
  for (const ValueInfoProto& output : graph.output()) {
    if (std::any_of(result_.outputs.begin(), result_.outputs.end(),
                    [&](const auto& o) { return o.first == output.name(); }))
      throw Error("it has the output " + in_quotes(output.name()) + " twice");
    result_.outputs.add(output.name(), value(names, output.name()));
  }
  for (std::size_t i = 0; i < options_.train.size(); ++i) {
    if (matched_[i]) continue;
    std::vector<std::string> known;
    for (const auto& [name, key] : parameters_) known.push_back(name);
    throw Error("no parameter is called " + in_quotes(options_.train[i]) + "." +
                did_you_mean(options_.train[i], known) + "\n  " +
                (known.empty() ? "The model has no parameters" : "There are " + listed(known)));
  }
  for (const auto& [name, key] : parameters_) result_.parameters.add(name, g_.find(key)->output());
  result_.store.add(g_);
  for (const auto& [name, stored] : values_)
    file_.visit(*stored.tensor, [&, &name = name, kernel = stored.kernel](const Tensor& t) {
      result_.store.set(name, kernel ? permuted(t, to_kernel) : t);
    });
  return std::move(result_);
}

// All operators that are lacking, with their nodes, at once.
void Importer::check_operators() const {
  std::vector<std::string> lacking;
  check_operators(file_.model().graph().node(), opsets_of(file_.model().opset_import()), lacking);
  for (const FunctionProto& f : file_.model().functions()) {
    check_fields(f, "function " + in_quotes(function_name(f)), {12, 14});
    check_operators(f.node(), opsets_.at(&f), lacking);
  }
  if (lacking.empty()) return;
  std::string list;
  for (std::size_t i = 0; i < std::min(lacking.size(), limits::shown_names); ++i) list += "\n  " + lacking[i];
  if (lacking.size() > limits::shown_names)
    list += "\n  and " + std::to_string(lacking.size() - limits::shown_names) + " more";
  throw Error("Oxbow lacks " + std::to_string(lacking.size()) + (lacking.size() == 1 ? " node:" : " of its nodes:") +
              list);
}

void Importer::check_operators(const google::protobuf::RepeatedPtrField<NodeProto>& nodes,
                               const std::map<std::string, std::int64_t>& opsets,
                               std::vector<std::string>& lacking) const {
  for (const NodeProto& node : nodes) {
    check_fields(node, to_string(node), {9, 10});  // notes, devices
    const std::string domain = node.domain() == "ai.onnx" ? "" : node.domain();
    const auto opset = opsets.find(domain);
    const std::int64_t version = opset == opsets.end() ? 1 : opset->second;
    if (!functions_.contains({node.domain(), node.op_type()}) && !find_operator(domain, node.op_type(), version))
      lacking.push_back(to_string(node) + (domain.empty() ? " of opset " + std::to_string(version) : " of " + domain));
    for (const AttributeProto& a : node.attribute()) {
      check_fields(a, to_string(node));
      if (a.has_g()) check_operators(a.g().node(), opsets, lacking);
    }
  }
}

void Importer::add_initialisers(const GraphProto& graph, Environment& names) {
  check_fields(graph, "the graph", {16});
  if (graph.sparse_initializer_size() > 0)
    throw Error("initialiser " + in_quotes(graph.sparse_initializer(0).values().name()) +
                " is sparse, which Oxbow does not read");
  for (const TensorProto& t : graph.initializer()) {
    if (!names.initialisers.emplace(t.name(), &t).second)
      throw Error("initialiser " + in_quotes(t.name()) + " is there twice");
    reserved_.insert(Origin{.scope = scope_}.scoped(Path(t.name()).full()));
  }
  for (const NodeProto& node : graph.node())
    if ((node.op_type() == "Conv" || node.op_type() == "ConvTranspose") && node.input_size() > 1)
      kernels_.insert(node.input(1));
}

Dim Importer::dimension(const TensorShapeProto::Dimension& d, int axis) const {
  if (d.has_dim_value() && d.dim_value() >= 0) return d.dim_value();
  const auto given = options_.sizes.find(d.dim_param());
  if (given != options_.sizes.end()) return any(given->second);
  return any(axis == 0 ? 2 : 32);
}

void Importer::make_inputs(const GraphProto& graph, Environment& names) {
  std::set<std::string> known;
  for (const ValueInfoProto& in : graph.input()) {
    if (names.initialisers.contains(in.name())) continue;  // as old files list them
    const auto refuse = [&](const std::string& why) { throw Error("input " + in_quotes(in.name()) + " " + why); };
    if (!in.type().has_tensor_type()) refuse("is no tensor: Oxbow has neither sequences nor maps nor optional values");
    if (!in.type().tensor_type().has_shape()) refuse("has no shape\n  Export it with one; sizes may be left open");
    const TypeProto::Tensor& type = in.type().tensor_type();
    std::vector<Dim> dims;
    for (const TensorShapeProto::Dimension& d : type.shape().dim()) {
      dims.push_back(dimension(d, static_cast<int>(dims.size())));
      if (d.has_dim_param()) known.insert(d.dim_param());
    }
    DType dtype{};
    try {
      dtype = dtype_of_onnx(type.elem_type());
    } catch (const Error& e) {
      refuse(std::string("cannot be fed: ") + e.what());
    }
    if (const auto fixed = options_.constants.find(in.name()); fixed != options_.constants.end()) {
      const Type& given = fixed->second.type();
      if (given.dtype != dtype || given.shape.rank() != static_cast<int>(dims.size()))
        refuse("is " + std::string(oxbow::name(dtype)) + " with " + std::to_string(dims.size()) +
               " axes, but its constant is " + to_string(given));
      names.values[in.name()] = constant(g_, fixed->second, at_);
      continue;
    }
    const Path path(in.name());
    const Within scope(g_, path.scope);
    const Value v = input(g_, path.name, dtype, dims, at_);
    names.values[in.name()] = v;
    result_.inputs.add(in.name(), v);
  }
  for (const auto& [name, tensor] : options_.constants)
    if (!names.values.contains(name)) throw Error("no input is called " + in_quotes(name));
  for (const auto& [name, size] : options_.sizes)
    if (!known.contains(name))
      throw Error("no axis of an input is called " + in_quotes(name) + "\n  " +
                  (known.empty() ? "All sizes of its inputs are fixed"
                                 : "There are " + listed(std::vector<std::string>(known.begin(), known.end()))));
}

const Value* Importer::find(const Environment& names, const std::string& name) const {
  for (const Environment* e = &names; e != nullptr; e = e->outer) {
    if (const auto found = e->values.find(name); found != e->values.end()) return &found->second;
    if (e->initialisers.contains(name)) return nullptr;
  }
  return nullptr;
}

const TensorProto* Importer::initialiser(const Environment& names, const std::string& name) const {
  for (const Environment* e = &names; e != nullptr; e = e->outer) {
    if (e->values.contains(name)) return nullptr;
    if (const auto found = e->initialisers.find(name); found != e->initialisers.end()) return found->second;
  }
  return nullptr;
}

// Numbers of floating point; a scalar, which most often is a constant of the model, where it is named in full.
bool Importer::is_trained(const std::string& name, const TensorProto& t) const {
  bool trained = false;
  const bool number = is_float(file_.checked(t).dtype), scalar = t.dims_size() == 0;
  for (std::size_t i = 0; number && i < options_.train.size(); ++i) {
    if (scalar ? options_.train[i] != name : !optim::matches(options_.train[i], name)) continue;
    matched_[i] = true;
    trained = true;
  }
  return trained;
}

Value Importer::parameter(const std::string& name, const Type& type, bool trained) {
  const Path path(name);
  const OriginGuard top(g_, {.at = at_, .scope = scope_});
  const Within scope(g_, path.scope);
  const Value v = variable(g_, path.name, type, {}, trained, at_);
  parameters_.emplace_back(name, variable_of(v).name);
  return v;
}

Value Importer::value(const Environment& names, const std::string& name) {
  if (const Value* v = find(names, name)) {
    if (!*v) throw Error(in_quotes(name) + " is read, but is an output that Oxbow does not give");
    return *v;
  }
  const TensorProto* t = initialiser(names, name);
  if (t == nullptr) throw Error(in_quotes(name) + " is read before a node gives it");
  const Type type = file_.checked(*t);
  const bool trained = is_trained(name, *t) && !state_.contains(name);
  Environment* owner = const_cast<Environment*>(&names);
  while (!owner->initialisers.contains(name)) owner = const_cast<Environment*>(owner->outer);
  Value v;
  if (trained || (is_float(type.dtype) && type.shape.rank() > 0)) {
    const bool kernel = kernels_.contains(name) && type.shape.rank() == 4;
    v = parameter(name, kernel ? ordered(type, to_kernel) : type, trained);
    values_[variable_of(v).name] = {t, kernel};
    if (kernel) v = transpose(v, from_kernel);
  } else {
    v = constant(g_, file_.tensor(*t), at_);
  }
  made_.push_back({owner, name});
  return owner->values[name] = v;
}

void Importer::convert(const google::protobuf::RepeatedPtrField<NodeProto>& nodes, Environment& names) {
  for (const NodeProto& node : nodes) convert(node, names);
}

// Of one node, call or step, and what it names. Written out, a model is held to what a file may have: a small one may
// say once what is then repeated, and a node of it may become many. A smaller file is held to less, so that its time is
// in proportion to its size.
void Importer::count(std::int64_t names) {
  named_ += names;
  const auto within = [&](bool is, std::int64_t most, const char* what) {
    if (is) return;
    throw Error("with its functions and loops written out it has more than " + std::to_string(most) + what);
  };
  const auto most = [&](std::int64_t of_any) { return std::min(of_any, limits::onnx_written_out + bytes_); };
  const std::int64_t nodes = most(limits::onnx_nodes), texts = most(limits::onnx_messages);
  within(++converted_ <= nodes && g_.size() - begin_ <= nodes, nodes, " nodes");
  within(named_ <= texts, texts, " inputs, outputs and attributes");
}

void Importer::convert(const NodeProto& node, Environment& names) {
  count(node.input_size() + node.output_size() + node.attribute_size());
  for (const std::string& input : node.input())
    if (!input.empty() && find(names, input) == nullptr && initialiser(names, input) == nullptr)
      throw NodeError(to_string(node) + ": " + in_quotes(input) + " is read before a node gives it");
  for (const AttributeProto& a : node.attribute())
    if (a.has_g()) realise(a.g(), names);
  const Path path(node.name().empty() && node.output_size() > 0 ? node.output(0) : node.name());
  const NodeId first = g_.size();
  const std::size_t made = made_.size();
  Outputs results{};
  if (const auto function = functions_.find({node.domain(), node.op_type()}); function != functions_.end()) {
    results = call(*function->second, node, names);
  } else {
    const std::string domain = node.domain() == "ai.onnx" ? "" : node.domain();
    ++result_.operators[domain + (domain.empty() ? "" : ".") + node.op_type()];
    const auto opset = names.opsets->find(domain);
    Context context(*this, names, node, opset == names.opsets->end() ? 1 : opset->second);
    const Operator* op = find_operator(domain, node.op_type(), context.opset());
    invariant(op != nullptr, "an operator that was there before");
    const Within scope(g_, path.scope);
    try {
      results = folded(node, names, first, settled(first, op->convert(context)));
    } catch (const NodeError&) {
      throw;
    } catch (const Error& e) {
      throw NodeError(to_string(node) + ": " + e.what());
    }
    if (!results.empty() && results[0]) name(results[0], path.name, first);
  }
  made_.resize(made);
  for (int i = 0; i < node.output_size(); ++i) {
    if (node.output(i).empty()) continue;
    const Value v = i < static_cast<int>(results.size()) ? results[static_cast<std::size_t>(i)] : Value();
    if (names.initialisers.contains(node.output(i)) || !names.values.emplace(node.output(i), v).second)
      throw Error(to_string(node) + " gives " + in_quotes(node.output(i)) + ", which is there already");
  }
}

// What a body reads of initialisers around it is made there, before the body is.
void Importer::realise(const GraphProto& body, const Environment& names) {
  const auto reads = [&](const std::string& name) {
    if (!name.empty() && initialiser(names, name) != nullptr) value(names, name);
  };
  named_ += body.node_size();  // which are looked at, even if this branch is not built
  for (const NodeProto& node : body.node()) {
    for (const std::string& input : node.input()) reads(input);
    for (const AttributeProto& a : node.attribute())
      if (a.has_g()) realise(a.g(), names);
  }
  for (const ValueInfoProto& output : body.output()) reads(output.name());
}

// The nodes from `first` on in the order in which one reads them, whatever the compiler evaluated first; initialisers
// that were made among them keep their values.
Outputs Importer::settled(NodeId first, Outputs results) {
  std::vector<Value> kept(results.begin(), results.end());
  for (const Made& m : made_) kept.push_back(m.where->values.at(m.name));
  g_.settle(first, kept);
  std::size_t i = 0;
  for (Value& v : results) v = kept[i++];
  for (const Made& m : made_) m.where->values.at(m.name) = kept[i++];
  return results;
}

// A result that follows from constants becomes one.
Outputs Importer::folded(const NodeProto& node, const Environment& names, NodeId first, Outputs results) {
  if (g_.size() == first) return results;
  for (const std::string& input : node.input()) {
    const Value* v = input.empty() ? nullptr : find(names, input);
    if (v != nullptr && *v && !v->node().op().is<ops::Constant>()) return results;
  }
  std::vector<Tensor> tensors;
  for (const Value& v : results) {
    const auto known = v && v.node_id() >= first ? known_value(v) : std::nullopt;
    if (!known) return results;
    tensors.push_back(*known);
  }
  for (NodeId id = first; id < g_.size(); ++id)
    if (g_.node(id).op().info().effect) return results;
  std::erase_if(made_, [&](const Made& m) {  // they are made again when they are read
    return m.where->values.at(m.name).node_id() >= first && m.where->values.erase(m.name) > 0;
  });
  g_.take_back(first);
  for (std::size_t i = 0; i < results.size(); ++i) results[i] = constant(g_, tensors[i], at_);
  return results;
}

void Importer::name(Value v, std::string_view name, NodeId first) {
  const Node node = v.node();
  if (node.id() < first || !node.name().empty() || name.empty()) return;
  const std::string full = node.origin().scoped(name);
  if (!reserved_.contains(full) && !g_.find(full)) v.named(name);
}

std::vector<Value> Importer::call(const FunctionProto& function, const NodeProto& node, const Environment& names) {
  count(function.input_size() + function.output_size());
  if (++depth_ > limits::onnx_calls)
    throw Error("functions call one another more than " + std::to_string(limits::onnx_calls) +
                " levels deep, or in a circle: " + in_quotes(function_name(function)));
  if (node.input_size() > function.input_size())
    throw Error(to_string(node) + " gives " + std::to_string(node.input_size()) + " inputs, but the function takes " +
                std::to_string(function.input_size()));
  std::unordered_map<std::string, const AttributeProto*> attributes;
  for (const AttributeProto& a : node.attribute()) {
    const AttributeProto* given = &a;
    if (!a.ref_attr_name().empty()) {
      if (names.attributes == nullptr || !names.attributes->contains(a.ref_attr_name())) continue;
      given = names.attributes->at(a.ref_attr_name());
    }
    attributes[a.name()] = given;
  }
  Environment inner{.attributes = &attributes, .opsets = &opsets_.at(&function)};
  for (int i = 0; i < function.input_size(); ++i) {
    const bool given = i < node.input_size() && !node.input(i).empty();
    const Value* known = given ? find(names, node.input(i)) : nullptr;
    inner.values[function.input(i)] = !given ? Value() : known ? *known : value(names, node.input(i));
  }
  const Path path(node.name());
  const Within scope(g_, path.full());
  convert(function.node(), inner);
  std::vector<Value> results;
  for (const std::string& output : function.output()) results.push_back(value(inner, output));
  --depth_;
  return results;
}

}  // namespace oxbow::onnx
