#include "onnx/import/context.h"

#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/near_names.h>

#include "onnx/import/importer.h"

namespace oxbow::onnx {
using namespace internal;

std::string to_string(const NodeProto& node) {
  std::string text = "node " + in_quotes(node.name());
  if (node.name().empty()) text = node.output_size() > 0 ? "the node of " + in_quotes(node.output(0)) : "a node";
  return text + " (" + node.op_type() + ")";
}

Graph& Context::graph() const { return importer_.g_; }

bool Context::has(int i) const {
  if (i >= inputs() || node_.input(i).empty()) return false;
  const Value* v = importer_.find(names_, node_.input(i));
  return v == nullptr || *v;
}

Value Context::operator[](int i) const {
  if (!has(i)) fail("its input " + std::to_string(i) + " is absent");
  return importer_.value(names_, node_.input(i));
}

Value Context::state(int i) const {
  if (has(i)) importer_.state_.insert(node_.input(i));
  return (*this)[i];
}

std::vector<Value> Context::all() const {
  std::vector<Value> values;
  for (int i = 0; i < inputs(); ++i) values.push_back(optional(i));
  return values;
}

Value Context::called(const std::string& name) const { return importer_.value(names_, name); }

const AttributeProto* Context::find(std::string_view name) const {
  const AttributeProto* found = nullptr;
  for (const AttributeProto& a : node_.attribute())
    if (a.name() == name) found = &a;
  if (found == nullptr || found->ref_attr_name().empty()) return found;
  if (names_.attributes == nullptr)
    fail("attribute " + in_quotes(name) + " stands for one of a function, but there is none");
  const auto given = names_.attributes->find(found->ref_attr_name());
  return given == names_.attributes->end() ? nullptr : given->second;
}

const AttributeProto* Context::find(std::string_view name, AttributeProto::AttributeType type) const {
  const AttributeProto* found = find(name);
  if (found != nullptr && found->type() != type && found->type() != AttributeProto::UNDEFINED)
    fail("attribute " + in_quotes(name) + " is of another type than this operator has it");
  return found;
}

std::int64_t Context::integer(std::string_view name, std::int64_t otherwise) const {
  const AttributeProto* a = find(name, AttributeProto::INT);
  return a ? a->i() : otherwise;
}

std::int64_t Context::integer(std::string_view name) const {
  if (!has_attribute(name)) fail("attribute " + in_quotes(name) + " is absent");
  return integer(name, 0);
}

double Context::number(std::string_view name, double otherwise) const {
  const AttributeProto* a = find(name, AttributeProto::FLOAT);
  return a ? static_cast<double>(a->f()) : otherwise;
}

double Context::number(std::string_view name) const {
  if (!has_attribute(name)) fail("attribute " + in_quotes(name) + " is absent");
  return number(name, 0);
}

std::string Context::text(std::string_view name, std::string_view otherwise) const {
  const AttributeProto* a = find(name, AttributeProto::STRING);
  return a ? a->s() : std::string(otherwise);
}

std::vector<std::string> Context::texts(std::string_view name) const {
  const AttributeProto* a = find(name, AttributeProto::STRINGS);
  return a ? std::vector<std::string>(a->strings().begin(), a->strings().end()) : std::vector<std::string>();
}

std::optional<std::vector<std::int64_t>> Context::integers(std::string_view name) const {
  const AttributeProto* a = find(name, AttributeProto::INTS);
  if (!a) return std::nullopt;
  return std::vector<std::int64_t>(a->ints().begin(), a->ints().end());
}

std::vector<std::int64_t> Context::needed_integers(std::string_view name) const {
  if (!has_attribute(name)) fail("attribute " + in_quotes(name) + " is absent");
  return *integers(name);
}

std::optional<std::vector<double>> Context::numbers(std::string_view name) const {
  const AttributeProto* a = find(name, AttributeProto::FLOATS);
  if (!a) return std::nullopt;
  return std::vector<double>(a->floats().begin(), a->floats().end());
}

std::optional<Tensor> Context::tensor(std::string_view name) const {
  const AttributeProto* a = find(name, AttributeProto::TENSOR);
  if (!a) return std::nullopt;
  return importer_.file_.tensor(a->t());
}

const GraphProto& Context::body(std::string_view name) const {
  const AttributeProto* a = find(name, AttributeProto::GRAPH);
  if (!a) fail("attribute " + in_quotes(name) + " is absent");
  return a->g();
}

DType Context::dtype(std::string_view name) const {
  try {
    return dtype_of_onnx(static_cast<int>(integer(name)));
  } catch (const Error& e) {
    fail(e.what());
  }
}

DType Context::dtype(std::string_view name, DType otherwise) const {
  return has_attribute(name) ? dtype(name) : otherwise;
}

std::optional<Tensor> Context::fixed(int i) const {
  if (!has(i)) return std::nullopt;
  const std::string& name = node_.input(i);
  if (const Value* v = importer_.find(names_, name)) {
    const auto* constant = v->node().op().as<ops::Constant>();
    return constant ? std::optional(constant->value) : std::nullopt;
  }
  const TensorProto* t = importer_.initialiser(names_, name);
  if (t == nullptr || importer_.is_trained(name, *t)) return std::nullopt;
  return importer_.file_.tensor(*t);
}

namespace {
template <class T>
std::vector<T> elements(const Tensor& t) {
  std::vector<T> all(static_cast<std::size_t>(t.count()));
  dispatch(t.dtype(), [&]<class E>(std::type_identity<E>) {
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<T>(t.data<E>()[i]);
  });
  return all;
}

template <class T>
T only(const Context& c, int i, const std::optional<std::vector<T>>& all) {
  if (!all) c.fail("its input " + std::to_string(i) + " is absent");
  if (all->size() != 1)
    c.fail("its input " + std::to_string(i) + " has " + std::to_string(all->size()) + " elements, not one");
  return all->front();
}
}  // namespace

std::optional<std::vector<std::int64_t>> Context::fixed_integers(int i) const {
  if (!has(i)) return std::nullopt;
  const auto t = fixed(i);
  if (!t) fail("its input " + std::to_string(i) + " depends on what is fed, but has to be a constant here");
  if (!is_integer(t->dtype())) fail("its input " + std::to_string(i) + " is not of whole numbers");
  return elements<std::int64_t>(*t);
}

std::optional<std::vector<double>> Context::fixed_numbers(int i) const {
  if (!has(i)) return std::nullopt;
  const auto t = fixed(i);
  if (!t) fail("its input " + std::to_string(i) + " depends on what is fed, but has to be a constant here");
  return elements<double>(*t);
}

std::int64_t Context::fixed_integer(int i) const { return only(*this, i, fixed_integers(i)); }
double Context::fixed_number(int i) const { return only(*this, i, fixed_numbers(i)); }

std::optional<std::vector<std::int64_t>> Context::integers(std::string_view name, int i) const {
  return has_attribute(name) ? integers(name) : fixed_integers(i);
}

std::vector<Value> Context::build(const GraphProto& body, std::vector<Value> inputs) const {
  Environment inner{.outer = &names_, .attributes = names_.attributes, .opsets = names_.opsets};
  if (body.input_size() != static_cast<int>(inputs.size()))
    fail("its body takes " + std::to_string(body.input_size()) + " inputs, not " + std::to_string(inputs.size()));
  for (int i = 0; i < body.input_size(); ++i) inner.values[body.input(i).name()] = inputs[static_cast<std::size_t>(i)];
  importer_.count(body.input_size() + body.initializer_size() + body.output_size());
  importer_.add_initialisers(body, inner);
  importer_.convert(body.node(), inner);
  std::vector<Value> results;
  for (const ValueInfoProto& output : body.output()) results.push_back(importer_.value(inner, output.name()));
  return results;
}

bool Context::is_trained(int i) const {
  if (!has(i)) return false;
  const Value v = (*this)[i];
  const auto* variable = v.node().op().as<ops::Variable>();
  return variable != nullptr && variable->trainable;
}

Value Context::like(Value x, double scalar) const { return constant(graph(), scalar, x.dtype()); }

void Context::fail(const std::string& problem, const std::string& remedy) const {
  throw NodeError(to_string(node_) + ": " + problem + (remedy.empty() ? "" : "\n  " + remedy));
}

}  // namespace oxbow::onnx
