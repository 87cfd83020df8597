#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/graph/passes/shared_ops.h>
#include <oxbow/graph/support/hash.h>

#include <algorithm>
#include <bit>

namespace oxbow::internal {
namespace {

constexpr std::size_t most_alike = 16;  // ops of one hash: where more differ by attributes only, those are not shared

std::size_t kind(const Op& op) { return std::bit_cast<std::size_t>(&op.info()); }

// A hash of what an op is without its attributes; of a fused one, of its whole tape without theirs.
std::size_t shallow_hash(const Op& op) {
  std::size_t h = mixed(kind(op), 0);
  const auto* fused = op.as<Fused>();
  if (fused == nullptr) return h;
  for (const Tape::Step& step : fused->tape.steps) h = mixed(h, kind(step.op));
  for (const std::int32_t v : fused->tape.args) h = mixed(h, static_cast<std::size_t>(v));
  for (const std::int32_t v : fused->tape.outputs) h = mixed(h, static_cast<std::size_t>(v));
  for (const Fused::Reduction& r : fused->reductions) h = mixed(h, kind(r.op));
  return h;
}

bool same(const Op& a, const Op& b);

bool same(const Fused& a, const Fused& b) {
  return a.tape.inputs == b.tape.inputs && a.tape.args == b.tape.args && a.tape.outputs == b.tape.outputs &&
         std::equal(a.tape.steps.begin(), a.tape.steps.end(), b.tape.steps.begin(), b.tape.steps.end(),
                    [](const Tape::Step& s, const Tape::Step& t) { return s.count == t.count && same(s.op, t.op); }) &&
         std::equal(a.reductions.begin(), a.reductions.end(), b.reductions.begin(), b.reductions.end(),
                    [](const auto& r, const auto& s) { return r.of == s.of && same(r.op, s.op); });
}

bool same(const Op& a, const Op& b) {
  if (a.self() == b.self()) return true;
  if (&a.info() != &b.info()) return false;
  if (const auto* fused = a.as<Fused>()) {
    const auto* other = b.as<Fused>();
    return other != nullptr && same(*fused, *other);
  }
  // An op's == may take 0.0 for -0.0.
  return a == b && same_bits(AttrValue(a.attributes()), AttrValue(b.attributes()));
}

}  // namespace

Op SharedOps::operator()(Op op) {
  std::vector<Op>& alike = known_[shallow_hash(op)];
  for (const Op& known : alike)
    if (same(known, op)) return known;
  if (alike.size() < most_alike) alike.push_back(op);
  return op;
}

}  // namespace oxbow::internal
