#include <oxbow/graph/known.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/storage.h>

#include <algorithm>

namespace oxbow {
namespace {

constexpr std::int64_t most_bytes = 64 * 1024;  // of one value: sizes and numbers, not data

// Whether a node's values follow from its inputs alone, and are few.
bool may_be_known(const Node& n) {
  const OpInfo& info = n.op().info();
  if (info.effect) return false;
  for (const Type& t : n.output_types())
    if (t.bytes() > most_bytes) return false;
  return true;
}

// `beyond`: where the node's values are one too many.
std::string because(const Node& n, bool beyond) {
  const std::string name = to_string(n) + " (" + std::string(n.op().name()) + ")";
  if (n.op().is<ops::Input>()) return "the input " + to_string(n) + ", which is fed";
  if (n.op().is<ops::Variable>()) return "the variable " + to_string(n) + ", which may change";
  if (beyond)
    return name + ", which is beyond the " + std::to_string(internal::limits::known_bytes) +
           " bytes of such values that a graph keeps";
  return may_be_known(n) ? name : name + ", which is computed when the graph runs";
}

}  // namespace

const Graph::Knowledge& Graph::knowledge(NodeId wanted) const {
  std::vector<NodeId> open{wanted};
  std::vector<Tensor> in;
  while (!open.empty()) {
    const Node n = node(open.back());
    if (own_->knowledge.contains(n.id())) {
      open.pop_back();
      continue;
    }
    Knowledge k;
    const std::size_t before = open.size();
    if (const auto* fixed = n.op().as<ops::Constant>()) {
      k.outputs = {fixed->value};
    } else if (!may_be_known(n)) {
      k.because = n.id();
    } else {
      in.clear();
      for (int i = 0; i < n.input_count() && k.because < 0; ++i) {
        const Value v = n.input(i);
        if (!v || n.op().info().shape_only.contains(i)) {
          in.emplace_back(n.input_type(i), nullptr);
        } else if (const auto known = own_->knowledge.find(v.node_id()); known == own_->knowledge.end()) {
          open.push_back(v.node_id());
          break;
        } else if (known->second.because >= 0) {
          k.because = known->second.because;
        } else {
          in.push_back(known->second.outputs[static_cast<std::size_t>(v.output())]);
        }
      }
      if (open.size() > before) continue;
      if (k.because < 0) {
        for (const Type& t : n.output_types()) k.bytes += t.bytes();
        if (k.bytes > internal::limits::known_bytes - own_->known_bytes) {
          k = {.outputs = {}, .because = n.id()};
        } else {
          try {
            k.outputs = internal::evaluate(n.op(), in);
          } catch (const Error&) {  // an index out of range, say: the run tells it
            k = {.outputs = {}, .because = n.id()};
          }
        }
      }
      if (std::any_of(k.outputs.begin(), k.outputs.end(), internal::lacks_bytes)) {
        int i = 0;
        while (!internal::lacks_bytes(in[static_cast<std::size_t>(i)])) ++i;
        k = {.outputs = {}, .because = n.input(i).node_id()};
      }
    }
    own_->known_bytes += k.bytes;
    own_->knowledge.emplace(n.id(), std::move(k));
    open.pop_back();
  }
  return own_->knowledge.at(wanted);
}

std::optional<Tensor> known_value(Value v) {
  const Graph& g = v.graph();
  const std::lock_guard guard(g.own_->knowing);
  const Graph::Knowledge& k = g.knowledge(v.node_id());
  if (k.because >= 0) return std::nullopt;
  return k.outputs[static_cast<std::size_t>(v.output())];
}

Tensor Known::operator()(int i) const {
  if (names_ != nullptr && static_cast<std::size_t>(i) < tensors_.size()) return tensors_[static_cast<std::size_t>(i)];
  if (names_ == nullptr || i >= values_.size() || !values_[i])
    throw OpError("the value of " + (names_ ? names_->of(i) : "input " + std::to_string(i)) + " is not given");
  if (std::optional<Tensor> known = known_value(values_[i])) return *known;
  const Graph& g = values_[i].graph();
  const std::lock_guard guard(g.own_->knowing);
  const NodeId why = g.knowledge(values_[i].node_id()).because;
  const bool beyond = may_be_known(g.node(why)) && g.knowledge(why).because == why;
  throw OpError("the value of " + names_->of(i) + " must be known before the graph runs, but depends on " +
                    because(g.node(why), beyond),
                "Compute it from constants and from shape_of of other values");
}

}  // namespace oxbow
