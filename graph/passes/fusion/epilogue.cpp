#include <oxbow/graph/passes/fusion/epilogue.h>
#include <oxbow/graph/passes/fusion/fused.h>

#include <algorithm>
#include <limits>

namespace oxbow::internal {
namespace {

// Who reads each value.
class Readers {
 public:
  struct Of {
    std::int32_t count = 0;                             // graph outputs included
    NodeId first = std::numeric_limits<NodeId>::max();  // the first node that does
  };

  explicit Readers(const Graph& graph) : first_(index(graph.size())) {
    std::size_t values = 0;
    for (NodeId i = 0; i < graph.size(); ++i) {
      first_[index(i)] = values;
      values += index(graph.node(i).output_count());
    }
    of_.resize(values);
    for (NodeId i = 0; i < graph.size(); ++i) {
      const Node node = graph.node(i);
      for (int k = 0; k < node.input_count(); ++k) {
        if (!node.input(k)) continue;
        Of& of = of_[slot(node.input(k))];
        ++of.count;
        of.first = std::min(of.first, i);
      }
    }
    for (const auto& [name, v] : graph.outputs()) ++of_[slot(v)].count;
  }
  const Of& of(const Value& v) const { return of_[slot(v)]; }

 private:
  std::size_t slot(const Value& v) const { return first_[index(v.node_id())] + index(v.output()); }

  std::vector<std::size_t> first_;
  std::vector<Of> of_;
};

// The tape with its input `k` moved to the front.
Tape with_first(const Tape& tape, std::int32_t k) {
  Tape moved = tape;
  const auto number = [&](std::int32_t& v) {
    if (v == k)
      v = 0;
    else if (v < k)
      ++v;
  };
  for (std::int32_t& v : moved.args) number(v);
  for (std::int32_t& v : moved.outputs) number(v);
  return moved;
}

struct Absorbed {
  Op op;
  NodeId product;
  int output;                 // of the product, which the tape replaces
  std::vector<Value> inputs;  // of the old graph
  std::optional<Fused> rest;  // the reductions at the node's end, which read what the product stores
};

// The reductions of a node whose tape moves into a product; nothing where one reads a value that is not stored.
std::optional<Fused> rest_of(const Fused& fused) {
  Fused rest;
  std::vector<std::int32_t> read;
  for (const Fused::Reduction& r : fused.reductions) {
    const auto& stored = fused.tape.outputs;
    if (std::find(stored.begin(), stored.end(), r.of) == stored.end()) return std::nullopt;
    const auto place = std::find(read.begin(), read.end(), r.of);
    rest.reductions.push_back({r.op, static_cast<std::int32_t>(place - read.begin())});
    if (place == read.end()) read.push_back(r.of);
  }
  rest.tape.inputs = static_cast<std::int32_t>(read.size());
  return rest;
}

// Whether the node that makes `v` may move to where `reader` is: nobody before reads another of its outputs.
bool may_move(const Value& v, const Node& reader, const Readers& readers) {
  const Node product = v.node();
  for (int o = 0; o < product.output_count(); ++o)
    if (o != v.output() && readers.of(product.output(o)).first <= reader.id()) return false;
  return true;
}

// The product that can take this node over: of several the last, the others being extra inputs.
std::optional<Absorbed> absorbed(const Node& node, const Readers& readers) {
  const auto* fused = node.op().as<Fused>();
  if (fused == nullptr || fused->tape.steps.empty() || fused->tape.outputs.empty()) return std::nullopt;
  std::optional<Fused> rest = rest_of(*fused);
  if (!rest) return std::nullopt;
  const Type& space = node.output_types()[0];
  std::int32_t which = -1;
  for (int k = 0; k < node.input_count(); ++k) {
    const Value v = node.input(k);
    if (v && v.node().op().has_epilogue() && readers.of(v).count == 1 && v.shape() == space.shape &&
        v.type().layout == space.layout && (which < 0 || v.node_id() > node.input(which).node_id()) &&
        may_move(v, node, readers))
      which = k;
  }
  if (which < 0) return std::nullopt;

  const Node product = node.input(which).node();
  std::vector<Value> inputs = product.inputs();
  for (int k = 0; k < node.input_count(); ++k)
    if (k != which) inputs.push_back(node.input(k));
  std::vector<Type> types;
  for (const Value& v : inputs) types.push_back(v ? v.type() : Type::absent());
  const int output = node.input(which).output();
  std::optional<Op> op = product.op().with_epilogue(output, with_first(fused->tape, which), types);
  if (!op) return std::nullopt;
  return Absorbed{std::move(*op), product.id(), output, std::move(inputs), std::move(rest)};
}

void replace(Rewriter& r, const Node& node, Absorbed& by) {
  const OriginGuard guard = r.as(node);
  std::vector<Value> inputs;
  for (const Value& v : by.inputs) inputs.push_back(v ? r(v) : Value());
  const Node product = r.to().append(std::move(by.op), inputs, node.origin().at);
  const Fused& fused = *node.op().as<Fused>();
  const auto stored = static_cast<int>(fused.tape.outputs.size());
  for (int o = 0; o < stored; ++o) r.map(node.output(o), product.output(by.output + o));
  const Node before = r.from().node(by.product);
  for (int o = 0; o < before.output_count(); ++o)
    if (o != by.output) r.map(before.output(o), product.output(o < by.output ? o : o + stored - 1));
  r.absorb(before, product);
  r.keep_name(node, product.output());
  if (by.rest->reductions.empty()) return;

  std::vector<Value> read(index(by.rest->tape.inputs));
  for (std::size_t k = 0; k < fused.reductions.size(); ++k)
    for (int o = 0; o < stored; ++o)
      if (fused.tape.outputs[index(o)] == fused.reductions[k].of)
        read[index(by.rest->reductions[k].of)] = product.output(by.output + o);
  const Node rest = r.to().append(std::move(*by.rest), read, node.origin().at);
  for (int k = 0; k < rest.output_count(); ++k) r.map(node.output(stored + k), rest.output(k));
}

}  // namespace

std::vector<Type> epilogue_types(const Tape& epilogue, const Type& result, Types extra) {
  std::vector<Type> in{result};
  in.insert(in.end(), extra.begin(), extra.end());
  const std::vector<Type> types = epilogue.types(in);
  std::vector<Type> outputs;
  for (const std::int32_t v : epilogue.outputs) outputs.push_back(types[index(v)]);
  return outputs;
}

std::vector<InputSet> epilogue_overwrites(const Tape& epilogue, const Type& result, Types in, int own) {
  if (epilogue.empty()) return std::vector<InputSet>(1);
  std::vector<InputSet> sets(epilogue.outputs.size());
  std::vector<Type> types{result};
  types.insert(types.end(), in.begin() + own, in.end());
  types = epilogue.types(types);
  const std::vector<std::int32_t> last = epilogue.last_reads();
  for (std::int32_t k = 1; k < epilogue.inputs; ++k) {
    const int input = own + k - 1;
    if (input >= InputSet::max_tracked || types[index(k)].shape != result.shape) continue;
    for (std::size_t o = 0; o < sets.size(); ++o)
      if (size_of(types[index(epilogue.outputs[o])].dtype) == size_of(types[index(k)].dtype) &&
          epilogue.may_overwrite(static_cast<std::int32_t>(o), k, last[index(k)]))
        sets[o].insert(input);
  }
  return sets;
}

std::optional<Rewritten> epilogue(const Graph& from) {
  const Readers readers(from);
  std::vector<std::pair<NodeId, Absorbed>> found;
  std::vector<bool> gone(index(from.size()));
  for (NodeId i = 0; i < from.size(); ++i) {
    std::optional<Absorbed> by = absorbed(from.node(i), readers);
    if (!by) continue;
    gone[index(by->product)] = true;
    found.emplace_back(i, std::move(*by));
  }
  if (found.empty()) return std::nullopt;

  Rewriter r(from);
  auto next = found.begin();
  for (NodeId i = 0; i < from.size(); ++i) {
    if (next != found.end() && next->first == i)
      replace(r, from.node(i), (next++)->second);
    else if (!gone[index(i)])
      r.copy(from.node(i));
  }
  return r.finish();
}

}  // namespace oxbow::internal
