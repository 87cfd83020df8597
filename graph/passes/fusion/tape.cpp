#include <oxbow/graph/passes/fusion/tape.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/text/opaque.h>

namespace oxbow::internal {
namespace {

bool spreads_to(const Type& from, const Type& to) {
  if (from.count() == 1) return true;
  if (!to.layout.plain() || !from.layout.plain()) return from.shape == to.shape && from.layout == to.layout;
  const int lead = to.shape.rank() - from.shape.rank();
  if (lead < 0) return false;
  for (int axis = 0; axis < from.shape.rank(); ++axis)
    if (from.shape[axis] != 1 && from.shape[axis] != to.shape[axis + lead]) return false;
  return true;
}

}  // namespace

std::int32_t Tape::add(Op op, std::span<const std::int32_t> operands) {
  const auto first = static_cast<std::int32_t>(args.size());
  args.insert(args.end(), operands.begin(), operands.end());
  steps.push_back({std::move(op), first, static_cast<std::int32_t>(operands.size())});
  return inputs + static_cast<std::int32_t>(steps.size()) - 1;
}

std::vector<std::int32_t> Tape::last_reads() const {
  std::vector<std::int32_t> last(static_cast<std::size_t>(inputs), -1);
  for (std::int32_t s = 0; s < std::ssize(steps); ++s)
    for (const std::int32_t v : args_of(steps[static_cast<std::size_t>(s)]))
      if (v < inputs) last[static_cast<std::size_t>(v)] = s;
  for (const std::int32_t v : outputs)
    if (v < inputs) last[static_cast<std::size_t>(v)] = static_cast<std::int32_t>(steps.size());
  return last;
}

std::vector<Type> Tape::types(Types in) const {
  if (static_cast<std::int32_t>(in.size()) != inputs)
    throw OpError("the tape takes " + std::to_string(inputs) + " inputs, not " + std::to_string(in.size()));
  if (steps.size() > limits::tape_steps)
    throw OpError("the tape has " + std::to_string(steps.size()) + " steps, more than " +
                  std::to_string(limits::tape_steps));
  std::vector<Type> types(in.begin(), in.end());
  types.reserve(in.size() + steps.size());
  std::vector<Type> operands;
  for (const Step& step : steps) {
    if (step.first < 0 || step.count < 0 ||
        static_cast<std::size_t>(step.first) + static_cast<std::size_t>(step.count) > args.size())
      throw OpError("a step's operands are out of range");
    operands.clear();
    for (const std::int32_t v : args_of(step)) {
      if (v < 0 || static_cast<std::size_t>(v) >= types.size())
        throw OpError("value " + std::to_string(v) + " is read before it is computed");
      operands.push_back(types[static_cast<std::size_t>(v)]);
    }
    if (const OpInfo& info = step.op.info(); !info.inputs.accepts(step.count))
      throw OpError("a step gives " + std::to_string(step.count) + " operands to " + std::string(info.name));
    std::vector<Type> result = step.op.infer(operands);
    if (!step.op.has_tile() || result.size() != 1)
      throw OpError(std::string(step.op.name()) + " is not elementwise, so it cannot be a step");
    if (step.op.widens(operands))
      throw OpError(std::string(step.op.name()) + " of " + to_string(operands) +
                        " cannot be a step: it computes in another dtype",
                    "Cast its operands in steps before it");
    const std::size_t first = in.size();
    if (types.size() > first && (types[first].shape != result[0].shape || types[first].layout != result[0].layout))
      throw OpError("steps of shapes " + to_string(types[first]) + " and " + to_string(result[0]) + " are on one tape");
    types.push_back(result[0]);
  }
  if (types.empty()) throw OpError("the tape has neither inputs nor steps");
  const Type& common = types[steps.empty() ? 0 : in.size()];
  if (!steps.empty() && !common.layout.plain() && common.stored() != common.count())
    throw OpError("a padded layout cannot be computed elementwise", "Unpack it first");
  for (const Type& t : in)
    if (!spreads_to(t, common)) throw OpError("input " + to_string(t) + " does not broadcast to " + to_string(common));
  std::vector<bool> given(types.size());
  for (const std::int32_t v : outputs) {
    if (v < 0 || static_cast<std::size_t>(v) >= types.size())
      throw OpError("output value " + std::to_string(v) + " does not exist");
    if (given[static_cast<std::size_t>(v)]) throw OpError("value " + std::to_string(v) + " is an output twice");
    given[static_cast<std::size_t>(v)] = true;
    if (const Type& t = types[static_cast<std::size_t>(v)]; t.shape != common.shape)
      throw OpError("output " + to_string(t) + " does not have the tape's shape " + to_string(common.shape));
  }
  return types;
}

std::vector<Type> output_types(const Tape& tape, std::span<const Tape::Reduction> reductions,
                               std::span<const Type> types) {
  const Type& common = types[tape.steps.empty() ? 0 : index(tape.inputs)];
  std::vector<Type> out;
  out.reserve(tape.outputs.size() + reductions.size());
  for (const std::int32_t v : tape.outputs) out.push_back(types[index(v)]);
  for (const Tape::Reduction& r : reductions) {
    if (!r.op.has_consume() || r.op.info().inputs.size() != 1)
      throw OpError(std::string(r.op.name()) + " is not a reduction");
    if (r.of < 0 || index(r.of) >= types.size()) throw OpError("a reduction reads no value");
    const Types read = types.subspan(index(r.of), 1);
    if (read[0].shape != common.shape)
      throw OpError("a reduction reads " + to_string(read[0]) + " on a tape of shape " + to_string(common.shape));
    out.push_back(r.op.infer(read).at(0));
  }
  return out;
}

AttrValue to_attr(const std::vector<Tape::Reduction>& reductions) {
  AttrList list;
  for (const Tape::Reduction& r : reductions) {
    AttrRecord record{{"op", std::string(r.op.name())}, {"of", std::int64_t{r.of}}};
    if (AttrRecord attributes = r.op.attributes(); !attributes.empty())
      record.emplace_back("with", std::move(attributes));
    list.emplace_back(std::move(record));
  }
  return list;
}

void from_attr(const AttrValue& a, std::vector<Tape::Reduction>& reductions, const Catalog& catalog) {
  reductions.clear();
  for (const AttrValue& record : a.get<AttrList>("a list of reductions")) {
    reductions.push_back({op_from_attr(record, catalog), 0});
    from_attr(record.field("of"), reductions.back().of);
  }
}

AttrValue to_attr(const Tape& tape) {
  AttrList steps, outputs(tape.outputs.begin(), tape.outputs.end());
  for (const Tape::Step& step : tape.steps) {
    const auto operands = tape.args_of(step);
    AttrRecord record{{"op", std::string(step.op.name())}, {"of", AttrList(operands.begin(), operands.end())}};
    if (AttrRecord attributes = step.op.attributes(); !attributes.empty())
      record.emplace_back("with", std::move(attributes));
    steps.emplace_back(std::move(record));
  }
  AttrRecord record{
      {"inputs", std::int64_t{tape.inputs}}, {"steps", std::move(steps)}, {"outputs", std::move(outputs)}};
  if (!tape.reductions.empty()) record.emplace_back("reductions", to_attr(tape.reductions));
  return record;
}

void from_attr(const AttrValue& a, Tape& tape, const Catalog& catalog) {
  tape = {};
  from_attr(a.field("inputs"), tape.inputs);
  std::vector<std::int32_t> operands;
  for (const AttrValue& step : a.field("steps").get<AttrList>("a list of steps")) {
    operands.clear();
    for (const AttrValue& v : step.field("of").get<AttrList>("a list of value numbers"))
      from_attr(v, operands.emplace_back());
    tape.add(op_from_attr(step, catalog), operands);
  }
  for (const AttrValue& v : a.field("outputs").get<AttrList>("a list of value numbers"))
    from_attr(v, tape.outputs.emplace_back());
  for (const auto& [key, value] : a.get<AttrRecord>("a record"))
    if (key == "reductions") from_attr(value, tape.reductions, catalog);
}

Op op_from_attr(const AttrValue& record, const Catalog& catalog) {
  const auto& name = record.field("op").get<std::string>("an op's name");
  const Catalog::Entry* entry = catalog.find(name);
  if (entry == nullptr) throw UnknownOp(name);
  for (const auto& [key, value] : record.get<AttrRecord>("a record"))
    if (key == "with") return entry->make(value.get<AttrRecord>("a record of attributes"), catalog);
  return entry->make({}, catalog);
}

}  // namespace oxbow::internal
