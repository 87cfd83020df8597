#include <oxbow/graph/known.h>
#include <oxbow/graph/passes/fusion/tape.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/control/bodies.h>
#include <oxbow/ops/control/guarded.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/transpose.h>

namespace oxbow::ops {
namespace {

// A pass that builds on the predicate may know it.
std::optional<bool> known_predicate(Value predicate) {
  const std::optional<Tensor> known = known_value(predicate);
  return known ? std::optional(known->item<bool>()) : std::nullopt;
}

}  // namespace

std::vector<Type> Guarded::infer(Types in) const {
  check_predicate(in[0]);
  if (!inner.op || !inner.op->has_run()) throw OpError("it guards no op that runs");
  if (!inner.op->info().inputs.accepts(static_cast<int>(in.size()) - 1))
    throw OpError(std::string(inner.op->name()) + " takes " + inner.op->info().inputs.counted("input") + ", not " +
                  std::to_string(in.size() - 1));
  return inner.op->infer(in.subspan(1));
}

Guarded::Plan Guarded::prepare(Types in) const {
  Prepared<void> made = inner.op->prepare(in.subspan(1));
  return {made.work, std::move(made.plan)};
}

void Guarded::run(const Run& r, const Plan& p) const {
  if (*r.in<bool>(0) != when) return;
  Run of_inner = r;
  of_inner.inputs = r.inputs.subspan(1);
  of_inner.prepared = p.inner.get();
  inner.op->run(of_inner);
}

std::vector<InputSet> Guarded::overwrites(Types in) const {
  std::vector<InputSet> sets;
  for (const InputSet& of_inner : inner.op->overwrites(in.subspan(1))) {
    InputSet& set = sets.emplace_back();
    for (int i = 0; i + 1 < InputSet::max_tracked && i + 1 < static_cast<int>(in.size()); ++i)
      if (of_inner.contains(i) && in[static_cast<std::size_t>(i) + 1]) set.insert(i + 1);
  }
  return sets;
}

std::vector<Value> Guarded::simplify(Values in) const {
  if (known_predicate(in[0]) != when) return {};
  const Node n = in[0].graph().append(*inner.op, Values(std::span(in.begin() + 1, in.end())), At::current());
  std::vector<Value> outputs;
  for (int k = 0; k < n.output_count(); ++k) outputs.push_back(n.output(k));
  return outputs;
}

AttrValue to_attr(const Guarded::Inner& inner) {
  AttrRecord record{{"op", std::string(inner.op ? inner.op->name() : "")}};
  if (AttrRecord attributes = inner.op ? inner.op->attributes() : AttrRecord(); !attributes.empty())
    record.emplace_back("with", std::move(attributes));
  return record;
}
void from_attr(const AttrValue& a, Guarded::Inner& inner, const Catalog& catalog) {
  inner.op = internal::op_from_attr(a, catalog);
}

Type Merge::infer(Types in) const {
  check_predicate(in[0]);
  if (in[1] != in[2])
    throw OpError("the branches give " + to_string(in[1]) + " and " + to_string(in[2]), "Give one type from both");
  return in[1];
}

Work Merge::work(Types in) const { return moving(in[1].bytes()); }

void Merge::run(const Run& r) const {
  const auto [begin, end] = r.share(r.out_type().bytes());
  copy_bytes(r.outputs[0].bytes + begin, r.inputs[*r.in<bool>(0) ? 1 : 2].bytes + begin, end - begin);
}

Value Merge::simplify(Values in) const {
  if (in[1].same(in[2])) return in[1];
  const std::optional<bool> known = known_predicate(in[0]);
  return known ? in[*known ? 1 : 2] : Value();
}

}  // namespace oxbow::ops
