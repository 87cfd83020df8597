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
  for (Tape::Reduction& r : moved.reductions) number(r.of);
  return moved;
}

struct Absorbed {
  Op op;
  NodeId node, product;
  int output;                 // of the product, which the tape replaces
  std::vector<Value> inputs;  // of the old graph
  bool whole;                 // the product takes the reductions at the node's end too
  Fused rest;                 // otherwise they read what it stores
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

// A product's inputs, and behind them a node's but for number `which`.
std::vector<Value> joined(const Node& product, const Node& node, int which) {
  std::vector<Value> inputs = product.inputs();
  for (int k = 0; k < node.input_count(); ++k)
    if (k != which) inputs.push_back(node.input(k));
  return inputs;
}
std::vector<Type> types_of(const std::vector<Value>& values) {
  std::vector<Type> types;
  for (const Value& v : values) types.push_back(v ? v.type() : Type::absent());
  return types;
}

// The product that can take reductions of its result alone: that stays, for whoever reads it.
std::optional<Absorbed> absorbed_reductions(const Node& node, const Fused& fused) {
  if (!fused.tape.steps.empty() || !fused.tape.outputs.empty() || node.input_count() != 1) return std::nullopt;
  const Value v = node.input(0);
  if (!v || !v.node().op().has_epilogue()) return std::nullopt;
  Tape tape{.inputs = 1, .outputs = {0}, .reductions = fused.reductions};
  std::vector<Value> inputs = v.node().inputs();
  std::optional<Op> op = v.node().op().with_epilogue(v.output(), tape, types_of(inputs));
  if (!op) return std::nullopt;
  return Absorbed{std::move(*op), node.id(), v.node_id(), v.output(), std::move(inputs), true, {}};
}

// The product that can take this node over: of several the last, the others being extra inputs.
std::optional<Absorbed> absorbed(const Node& node, const Readers& readers) {
  const auto* fused = node.op().as<Fused>();
  if (fused == nullptr) return std::nullopt;
  if (fused->tape.steps.empty() || fused->tape.outputs.empty()) return absorbed_reductions(node, *fused);
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
  const int output = node.input(which).output();
  std::vector<Value> inputs = joined(product, node, which);
  Tape tape = with_first(fused->tape, which);
  if (!fused->reductions.empty()) {
    Tape whole = fused->tape;
    whole.reductions = fused->reductions;
    if (std::optional<Op> op = product.op().with_epilogue(output, with_first(whole, which), types_of(inputs)))
      return Absorbed{std::move(*op), node.id(), product.id(), output, std::move(inputs), true, {}};
  }
  std::optional<Fused> rest = rest_of(*fused);
  if (!rest) return std::nullopt;
  std::optional<Op> op = product.op().with_epilogue(output, tape, types_of(inputs));
  if (!op) return std::nullopt;
  return Absorbed{std::move(*op), node.id(), product.id(), output, std::move(inputs), false, std::move(*rest)};
}

void replace(Rewriter& r, const Node& node, Absorbed& by) {
  const Fused& fused = *node.op().as<Fused>();
  const Node before = r.from().node(by.product);
  const bool stays = fused.tape.outputs.empty();  // the product's result, for others than the node
  const OriginGuard guard = r.as(stays ? before : node);
  std::vector<Value> inputs;
  for (const Value& v : by.inputs) inputs.push_back(v ? r(v) : Value());
  const Node product = r.to().append(std::move(by.op), inputs, (stays ? before : node).origin().at);
  const auto stored = static_cast<int>(fused.tape.outputs.size());
  const int given = stays ? 1 + node.output_count() : by.whole ? node.output_count() : stored;
  for (int o = 0; o < given - stays; ++o) r.map(node.output(o), product.output(by.output + stays + o));
  for (int o = 0; o < before.output_count(); ++o)
    if (stays || o != by.output) r.map(before.output(o), product.output(o <= by.output - !stays ? o : o + given - 1));
  r.absorb(stays ? node : before, product);
  r.keep_name(stays ? before : node, product.output(by.output));
  if (by.rest.reductions.empty()) return;

  std::vector<Value> read(index(by.rest.tape.inputs));
  for (std::size_t k = 0; k < fused.reductions.size(); ++k)
    for (int o = 0; o < stored; ++o)
      if (fused.tape.outputs[index(o)] == fused.reductions[k].of)
        read[index(by.rest.reductions[k].of)] = product.output(by.output + o);
  const Node rest = r.to().append(std::move(by.rest), read, node.origin().at);
  for (int k = 0; k < rest.output_count(); ++k) r.map(node.output(stored + k), rest.output(k));
}

}  // namespace

std::vector<Type> epilogue_types(const Tape& epilogue, const Type& result, Types extra) {
  std::vector<Type> in{result};
  in.insert(in.end(), extra.begin(), extra.end());
  return output_types(epilogue, epilogue.reductions, epilogue.types(in));
}

std::int64_t reduction_chunk(const Tape& epilogue, const Type& result, Types extra) {
  std::vector<Type> types{result};
  types.insert(types.end(), extra.begin(), extra.end());
  types = epilogue.types(types);
  const Tape::Reduction& first = epilogue.reductions.at(0);
  return first.op.consume(std::span(types).subspan(index(first.of), 1)).chunk;
}

bool reduces_whole_rows(const Tape& epilogue, const Type& result, Types extra, std::int64_t row, std::int64_t chunks) {
  const std::int64_t chunk = reduction_chunk(epilogue, result, extra);
  return row > 0 && chunk % row == 0 && result.count() >= chunk * chunks;
}

std::vector<InputSet> epilogue_overwrites(const Tape& epilogue, const Type& result, Types in, int own) {
  if (epilogue.empty()) return std::vector<InputSet>(1);
  std::vector<InputSet> sets(epilogue.outputs.size() + epilogue.reductions.size());
  std::vector<Type> types{result};
  types.insert(types.end(), in.begin() + own, in.end());
  types = epilogue.types(types);
  const std::vector<std::int32_t> last = epilogue.last_reads();
  for (std::int32_t k = 1; k < epilogue.inputs; ++k) {
    const int input = own + k - 1;
    const bool reduced = std::any_of(epilogue.reductions.begin(), epilogue.reductions.end(),
                                     [k](const Tape::Reduction& r) { return r.of == k; });
    if (input >= InputSet::max_tracked || reduced || types[index(k)].shape != result.shape) continue;
    for (std::size_t o = 0; o < epilogue.outputs.size(); ++o)
      if (size_of(types[index(epilogue.outputs[o])].dtype) == size_of(types[index(k)].dtype) &&
          epilogue.may_overwrite(static_cast<std::int32_t>(o), k, last[index(k)]))
        sets[o].insert(input);
  }
  return sets;
}

std::optional<Rewritten> epilogue(const Graph& from) {
  const Readers readers(from);
  std::vector<std::pair<NodeId, Absorbed>> found;  // and where the product goes
  std::vector<bool> gone(index(from.size()));
  for (NodeId i = 0; i < from.size(); ++i) {
    const Node node = from.node(i);
    std::optional<Absorbed> by = absorbed(node, readers);
    if (!by || gone[index(by->product)]) continue;
    const bool stays = node.op().as<Fused>()->tape.outputs.empty();
    gone[index(by->product)] = gone[index(i)] = true;
    const NodeId place = stays ? by->product : i;
    found.emplace_back(place, std::move(*by));
  }
  if (found.empty()) return std::nullopt;
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });

  Rewriter r(from);
  auto next = found.begin();
  for (NodeId i = 0; i < from.size(); ++i) {
    if (next != found.end() && next->first == i) {
      replace(r, from.node(next->second.node), next->second);
      ++next;
    } else if (!gone[index(i)]) {
      r.copy(from.node(i));
    }
  }
  return r.finish();
}

}  // namespace oxbow::internal
