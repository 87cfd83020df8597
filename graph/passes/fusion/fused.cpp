#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/graph/passes/fusion/tape_plan.h>
#include <oxbow/graph/support/align.h>

#include <algorithm>
#include <array>
#include <numeric>

namespace oxbow::internal {
namespace {

// No two parts below the first size: a hand-over costs some 0.3 us. Above 16 parts they grow up to the second: each new
// part holds up the stream from memory, which costs an Adam step of a million parameters some 5 % with small ones.
constexpr std::int64_t part_elements = 16 * 1024, large_part_elements = 64 * 1024, many_parts = 16;
constexpr std::int64_t unit = 1024;  // parts are whole units, so that two never share a cache line
constexpr std::size_t max_reductions = 16;

}  // namespace

struct Fused::Plan {
  TapePlan tape;
  std::vector<Op> ops;  // the reductions', kept alive
  std::vector<Consumer> consumers;
  std::int64_t elements = 0;  // of the tape's shape
  std::int64_t chunk = unit;  // elements of which a part takes several
  Work work;

  Plan(const Fused& f, Types in);
};

Fused Fused::of(const Op& op, int inputs) {
  Fused f;
  f.tape.inputs = inputs;
  if (op.has_consume()) {
    f.reductions.push_back({op, 0});
    return f;
  }
  std::vector<std::int32_t> operands(static_cast<std::size_t>(inputs));
  std::iota(operands.begin(), operands.end(), 0);
  f.tape.outputs.push_back(f.tape.add(op, operands));
  return f;
}

std::vector<Type> Fused::infer(Types in) const {
  if (in.size() > TapePlan::max_inputs || reductions.size() > max_reductions)
    throw OpError("it has too many inputs or reductions");
  if (in.empty() && tape.steps.empty()) throw OpError("it has neither inputs nor steps");
  const std::vector<Type> types = tape.types(in);
  const Type& common = types[tape.steps.empty() ? 0 : in.size()];
  std::vector<Type> out;
  out.reserve(tape.outputs.size() + reductions.size());
  for (const std::int32_t v : tape.outputs) out.push_back(types[static_cast<std::size_t>(v)]);
  for (const Reduction& r : reductions) {
    if (!r.op.has_consume() || r.op.info().inputs.size() != 1)
      throw OpError(std::string(r.op.name()) + " is not a reduction");
    if (r.of < 0 || static_cast<std::size_t>(r.of) >= types.size()) throw OpError("a reduction reads no value");
    if (types[static_cast<std::size_t>(r.of)].shape != common.shape)
      throw OpError("a reduction reads " + to_string(types[static_cast<std::size_t>(r.of)]) + " on a tape of shape " +
                    to_string(common.shape));
    out.push_back(r.op.infer(std::span(types).subspan(static_cast<std::size_t>(r.of), 1)).at(0));
  }
  return out;
}

Fused::Plan::Plan(const Fused& f, Types in) {
  const std::vector<Type> types = f.tape.types(in);
  const Type& common = types[f.tape.steps.empty() ? 0 : in.size()];
  elements = common.stored();
  std::vector<std::int32_t> consumed;
  std::int64_t grain = 1, state = 0;
  double flops = 0;
  for (const Reduction& r : f.reductions) {
    const Types read = std::span(types).subspan(static_cast<std::size_t>(r.of), 1);
    ops.push_back(r.op);
    consumers.push_back(r.op.consume(read));
    consumed.push_back(r.of);
    const Consumer& c = consumers.back();
    invariant(c.chunk > 0 && c.grain > 0 && c.chunk % c.grain == 0,
              "a reduction's chunk is not a multiple of its grain");
    invariant(c.chunk == consumers[0].chunk, "reductions of different chunks are fused");
    grain = std::lcm(grain, c.grain);
    state += aligned(c.state);
    flops += r.op.work(read).flops;
  }
  tape = TapePlan(f.tape, in, consumed, grain);
  if (!consumers.empty()) chunk = consumers[0].chunk;

  const std::int64_t chunks = (elements + chunk - 1) / chunk;
  const std::int64_t part = std::clamp(elements / many_parts, part_elements, large_part_elements);
  work.parts = std::max<std::int64_t>(1, std::min(chunks, elements / part));
  work.scratch = tape.scratch() + state;
  work.flops = flops + tape.flops() * static_cast<double>(elements);
  for (const Type& t : in) work.bytes += static_cast<double>(t.bytes());
  for (const std::int32_t v : f.tape.outputs)
    work.bytes += static_cast<double>(types[static_cast<std::size_t>(v)].bytes());
}

Prepared<Fused::Plan> Fused::prepare(Types in) const {
  auto plan = std::make_shared<const Plan>(*this, in);
  return {plan->work, plan};
}

void Fused::run(const Run& r, const Plan& p) const {
  const std::int64_t chunks = (p.elements + p.chunk - 1) / p.chunk;
  const auto outputs = r.outputs.first(tape.outputs.size());
  if (p.consumers.empty()) {
    const Run::Range mine = r.share(chunks);
    p.tape.run(r.inputs, outputs, mine.begin * p.chunk, std::min(mine.end * p.chunk, p.elements), r.scratch);
    return;
  }
  const std::size_t count = p.consumers.size();
  std::array<TapePlan::Sink, max_reductions> sinks;
  std::byte* state = r.scratch + p.tape.scratch();
  for (std::size_t i = 0; i < count; ++i) {
    sinks[i] = {&p.consumers[i], state};
    state += aligned(p.consumers[i].state);
  }
  const Run::Range mine = r.share(std::max<std::int64_t>(chunks, 1));  // an empty input is one empty chunk
  for (std::int64_t c = mine.begin; c < mine.end; ++c) {
    const std::int64_t begin = c * p.chunk, end = std::min(begin + p.chunk, p.elements);
    for (std::size_t i = 0; i < count; ++i) p.consumers[i].begin(p.consumers[i], sinks[i].state);
    p.tape.run(r.inputs, outputs, begin, end, r.scratch, std::span(sinks).first(count));
    for (std::size_t i = 0; i < count; ++i)
      p.consumers[i].end(p.consumers[i], sinks[i].state, c, end - begin, r.outputs[tape.outputs.size() + i].bytes);
  }
}

std::vector<InputSet> Fused::overwrites(Types in) const {
  std::vector<InputSet> sets(tape.outputs.size() + reductions.size());
  if (tape.steps.empty()) return sets;
  const std::vector<Type> types = tape.types(in);
  const Type& common = types[in.size()];
  const std::vector<std::int32_t> last = tape.last_reads();
  const auto readable = std::min<std::size_t>(in.size(), InputSet::max_tracked);
  for (std::size_t i = 0; i < readable; ++i) {
    const auto input = static_cast<std::int32_t>(i);
    const bool reduced =
        std::any_of(reductions.begin(), reductions.end(), [&](const Reduction& r) { return r.of == input; });
    if (reduced || types[i].shape != common.shape) continue;
    for (std::size_t o = 0; o < tape.outputs.size(); ++o) {
      const Type& out = types[static_cast<std::size_t>(tape.outputs[o])];
      if (size_of(out.dtype) == size_of(types[i].dtype) && tape.may_overwrite(static_cast<std::int32_t>(o), input, last[i]))
        sets[o].insert(static_cast<int>(i));
    }
  }
  return sets;
}

AttrValue to_attr(const std::vector<Fused::Reduction>& reductions) {
  AttrList list;
  for (const Fused::Reduction& r : reductions) {
    AttrRecord record{{"op", std::string(r.op.name())}, {"of", std::int64_t{r.of}}};
    if (AttrRecord attributes = r.op.attributes(); !attributes.empty())
      record.emplace_back("with", std::move(attributes));
    list.emplace_back(std::move(record));
  }
  return list;
}

void from_attr(const AttrValue& a, std::vector<Fused::Reduction>& reductions, const Catalog& catalog) {
  reductions.clear();
  for (const AttrValue& record : a.get<AttrList>("a list of reductions")) {
    reductions.push_back({op_from_attr(record, catalog), 0});
    from_attr(record.field("of"), reductions.back().of);
  }
}

}  // namespace oxbow::internal
