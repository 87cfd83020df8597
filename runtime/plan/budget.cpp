#include <oxbow/graph/op.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/runtime/ledger.h>
#include <oxbow/runtime/plan/budget.h>

#include <algorithm>

namespace oxbow::internal {
namespace {

constexpr std::size_t most_named = 8;  // values that cannot shrink

std::string bytes_text(std::int64_t bytes) { return std::to_string(bytes) + (bytes == 1 ? " byte" : " bytes"); }

// "product \"block0/fc/h\", built at net.cpp:12"
std::string described(const Node& n) {
  std::string text{n.op().name()};
  if (!n.name().empty())
    text.append(" ").append(in_quotes(n.full_name()));
  else if (!n.origin().scope.str().empty())
    text.append(" in ").append(in_quotes(n.origin().scope.str()));
  if (n.origin().at.known()) text += ", built at " + to_string(n.origin().at);
  return text;
}

}  // namespace

Error over_budget(const Plan& smallest, std::int64_t budget, int threads) {
  const Ledger plan = ledger(smallest, threads);
  std::string text = "the memory budget of " + bytes_text(budget) +
                     " cannot be kept: the smallest plan that was found takes " + bytes_text(plan.arena_bytes);
  if (plan.peak_step < 0) return Error(text);
  // Of each block the value that it holds at the peak.
  struct Alive {
    std::int64_t bytes;
    const Ledger::Value* value;
  };
  std::vector<Alive> alive;
  for (const std::int32_t b : plan.live) {
    const Ledger::Block& block = plan.blocks[static_cast<std::size_t>(b)];
    const Ledger::Value* now = nullptr;
    for (const std::int32_t v : block.values)
      if (const Ledger::Value& value = plan.values[static_cast<std::size_t>(v)]; value.first <= plan.peak_step)
        now = &value;
    alive.push_back({block.bytes, now});
  }
  std::stable_sort(alive.begin(), alive.end(), [](const Alive& a, const Alive& b) { return a.bytes > b.bytes; });
  const NodeId at = plan.steps[static_cast<std::size_t>(plan.peak_step)].node;
  text += "\n  While " + (at < 0 ? std::string("nothing") : described(plan.graph->node(at))) +
          " runs, these are alive, and neither computing them once more nor running in order helps:";
  std::int64_t others = 0;
  for (std::size_t i = 0; i < alive.size(); ++i) {
    if (i >= most_named || alive[i].value == nullptr) {
      others += alive[i].bytes;
      continue;
    }
    const Node n = plan.graph->node(alive[i].value->node);
    text += "\n    " + bytes_text(alive[i].bytes) + "  " + to_string(n.output(alive[i].value->output).type()) + "  " +
            described(n);
  }
  if (others > 0)
    text += "\n    " + bytes_text(others) + "  in " +
            std::to_string(alive.size() - std::min(alive.size(), most_named)) + " smaller values";
  return Error(text + "\n  Give at least " + bytes_text(plan.arena_bytes) + ", or compute on fewer samples at a time");
}

}  // namespace oxbow::internal
