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

}  // namespace

struct Fused::Plan {
  TapePlan tape;
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
  if (in.size() > TapePlan::max_inputs || reductions.size() > TapePlan::max_reductions)
    throw OpError("it has too many inputs or reductions");
  if (in.empty() && tape.steps.empty()) throw OpError("it has neither inputs nor steps");
  return output_types(tape, reductions, tape.types(in));
}

Fused::Plan::Plan(const Fused& f, Types in) : tape(f.tape, in, f.reductions) {
  const std::vector<Type> types = f.tape.types(in);
  elements = types[f.tape.steps.empty() ? 0 : in.size()].stored();
  if (tape.chunk() > 0) chunk = tape.chunk();

  const std::int64_t chunks = (elements + chunk - 1) / chunk;
  const std::int64_t part = std::clamp(elements / many_parts, part_elements, large_part_elements);
  work.parts = std::max<std::int64_t>(1, std::min(chunks, elements / part));
  work.scratch = tape.scratch();
  work.flops = tape.flops() * static_cast<double>(elements);
  for (const Type& t : in) work.bytes += static_cast<double>(t.bytes());
  for (const std::int32_t v : f.tape.outputs)
    work.bytes += static_cast<double>(types[static_cast<std::size_t>(v)].bytes());
}

Prepared<Fused::Plan> Fused::prepare(Types in) const {
  auto plan = std::make_shared<const Plan>(*this, in);
  return {plan->work, plan};
}

void Fused::run(const Run& r, const Plan& p) const {
  // An empty input is one empty chunk.
  const std::int64_t chunks = std::max<std::int64_t>((p.elements + p.chunk - 1) / p.chunk, 1);
  const Run::Range mine = r.share(chunks);
  p.tape.run(r.inputs, r.outputs, mine.begin * p.chunk, std::min(mine.end * p.chunk, p.elements), r.scratch);
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
      if (size_of(out.dtype) == size_of(types[i].dtype) &&
          tape.may_overwrite(static_cast<std::int32_t>(o), input, last[i]))
        sets[o].insert(static_cast<int>(i));
    }
  }
  return sets;
}

}  // namespace oxbow::internal
