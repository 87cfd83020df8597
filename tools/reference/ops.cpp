#include "reference/ops.h"

#include <oxbow/graph/catalog.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/catalog.h>

#include <algorithm>

namespace oxbow::tools {
namespace {

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& w : words) text += (text.empty() ? "" : ", ") + w;
  return text;
}

// "x, weights, bias?, others..."
std::string listed(const Names& names) {
  std::vector<std::string> words;
  for (int i = 0; i < names.size(); ++i)
    words.push_back(std::string(names[i]) + (names.optional(i) ? "?" : "") + (i >= names.fixed() ? "..." : ""));
  return listed(words);
}

std::string signature(const OpInfo& info) {
  const std::string outputs = listed(info.outputs);
  return std::string(info.name) + "(" + listed(info.inputs) + ")" + (outputs == "y" ? "" : " -> " + outputs);
}

std::vector<Type> types_of(const std::vector<Tensor>& tensors) {
  std::vector<Type> types;
  for (const Tensor& t : tensors) types.push_back(t.type());
  return types;
}

// A node of the op, on these inputs, in `g`. Throws `Error` where it does not take them.
Node build(Graph& g, const Op& op, const std::vector<Tensor>& inputs) {
  std::vector<Value> values;
  for (const Tensor& t : inputs) values.push_back(constant(g, t));
  return g.append(op, values, {});
}

std::string listed_dtypes(const std::vector<std::string>& accepted) {
  return accepted.size() == std::size(all_dtypes) ? "all" : listed(accepted);
}

bool takes_dtype(const Catalog::Entry& entry) {
  const AttrRecord attributes = entry.op.attributes();
  return std::any_of(attributes.begin(), attributes.end(), [](const auto& a) { return a.first == "dtype"; });
}

// What an op may make that is told its output's dtype.
std::string dtypes_to_make(const Catalog::Entry& entry) {
  std::vector<std::string> accepted;
  for (const DType d : all_dtypes) {
    const Op op = entry.make({{"dtype", to_attr(d)}}, catalog());
    try {
      Graph g;
      build(g, op, entry.example);
      accepted.emplace_back(name(d));
    } catch (const Error&) {
    }
  }
  return "of the result: " + listed_dtypes(accepted);
}

// Examples give f64 where other dtypes may be: which ones?
std::string dtypes(const Catalog::Entry& entry) {
  std::vector<std::string> accepted;
  for (const DType d : all_dtypes) {
    std::vector<Tensor> inputs = entry.example;
    bool any = false;
    for (Tensor& t : inputs) {
      if (t.dtype() != f64) continue;
      t = Tensor({d, t.shape()});
      any = true;
    }
    if (!any) return takes_dtype(entry) ? dtypes_to_make(entry) : std::string(name(inputs.at(0).dtype()));
    try {
      Graph g;
      build(g, entry.op, inputs);
      accepted.emplace_back(name(d));
    } catch (const Error&) {
    }
  }
  return listed_dtypes(accepted);
}

std::string gradient(const Catalog::Entry& entry) {
  Graph g;
  const Node node = build(g, entry.op, entry.example);
  std::vector<Value> dy;
  for (const Type& t : node.output_types()) dy.push_back(is_float(t.dtype) ? constant(g, Tensor(t)) : Value());
  const Grads grads = entry.op.gradient(node, dy);
  return grads.refusal().empty() ? "yes" : grads.refusal();
}

OpReference reference(const std::string& name, const Catalog::Entry& entry) {
  OpReference r{.name = name,
                .signature = signature(*entry.info),
                .formula = entry.formula,
                .internal = entry.made != Made::by_users};
  if (entry.example.empty()) return r;
  Graph g;
  r.example = to_string(types_of(entry.example)) + " -> " + to_string(build(g, entry.op, entry.example).output_types());
  r.dtypes = dtypes(entry);
  r.gradient = gradient(entry);
  return r;
}

}  // namespace

std::vector<OpReference> op_references(bool with_internal) {
  std::vector<OpReference> all;
  for (const auto& [name, entry] : catalog().entries())
    if (with_internal || entry.made == Made::by_users) all.push_back(reference(name, entry));
  return all;
}

std::string as_text(const std::vector<OpReference>& ops) {
  std::string text;
  for (const OpReference& op : ops) {
    text += op.signature + "  " + op.formula + (op.internal ? "  (internal)" : "") + "\n";
    if (!op.example.empty())
      text += "  " + op.example + "\n  dtypes: " + op.dtypes + "\n  gradient: " + op.gradient + "\n";
  }
  return text;
}

std::string as_markdown(const std::vector<OpReference>& ops) {
  std::string page = "# Ops\n\n| op | computes | example | dtypes | gradient |\n|---|---|---|---|---|\n";
  const auto cell = [](std::string text) {
    for (std::size_t i = 0; (i = text.find('|', i)) != std::string::npos; i += 2) text.insert(i, "\\");
    return " " + text + " |";
  };
  for (const OpReference& op : ops)
    page += "|" + cell("`" + op.signature + "`") + cell(op.formula) + cell(op.example) + cell(op.dtypes) +
            cell(op.gradient) + "\n";
  return page;
}

}  // namespace oxbow::tools
