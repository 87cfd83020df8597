#include "dump/plan_remarks.h"

#include <algorithm>

#include "dump/style.h"

namespace oxbow::tools {
namespace {

std::size_t place(std::int32_t i) { return static_cast<std::size_t>(i); }

// "131 kB, saved, in the arena from byte 524288, steps 0 to 21".
std::string described(const Ledger::Value& v) {
  std::string out = dots::bytes_text(v.bytes) + ", " + std::string(name(v.fate));
  if (v.saved && v.fate != Ledger::Fate::saved) out += ", saved for a later phase";
  out += v.offset >= 0 ? ", in the arena from byte " + std::to_string(v.offset) : ", " + v.home + " memory";
  if (v.first >= 0)
    out += v.last > v.first ? ", steps " + std::to_string(v.first) + " to " + std::to_string(v.last)
                            : ", step " + std::to_string(v.first);
  return out;
}

}  // namespace

std::vector<DotRemark> remarks(const Ledger& plan) {
  std::vector<DotRemark> out(place(plan.graph->size()));
  const auto line = [](std::string& text, const std::string& more) { text += (text.empty() ? "" : "\n") + more; };
  for (std::size_t s = 0; s < plan.steps.size(); ++s) {
    const Ledger::Step& step = plan.steps[s];
    if (step.node < 0) continue;
    DotRemark& remark = out[place(step.node)];
    const bool measured = step.measured_ns >= 0;
    line(remark.label, "step " + std::to_string(s) + (measured ? ", " + dots::time_text(step.measured_ns) : ""));
    line(remark.tip, "step " + std::to_string(s) + " of " + std::to_string(plan.steps.size()) + ", " +
                         std::to_string(step.parts) + (step.parts == 1 ? " part, " : " parts, ") +
                         (measured ? dots::time_text(step.measured_ns) + " measured, " : "") +
                         dots::time_text(step.cost_ns) + " estimated");
  }
  for (const Ledger::Value& v : plan.values) {
    DotRemark& remark = out[place(v.node)];
    const Node n = plan.graph->node(v.node);
    const std::string scope = n.origin().scope.str() + "/";
    if (!v.name.empty())
      remark.name +=
          (remark.name.empty() ? "" : ", ") + (v.name.starts_with(scope) ? v.name.substr(scope.size()) : v.name);
    const std::size_t most = 20;  // of a node's results
    if (static_cast<std::size_t>(v.output) < most)
      line(remark.tip, (n.output_count() > 1 ? "result " + std::to_string(v.output) + ": " : "") + described(v));
    else if (v.output + 1 == n.output_count())
      line(remark.tip, "...");
  }
  return out;
}

std::vector<NodeId> critical_nodes(const Ledger& plan) {
  // Whose bytes each value is; what it looks at stands above it.
  std::vector<std::int32_t> root(plan.values.size());
  for (std::int32_t v = 0; v < std::ssize(root); ++v)
    root[place(v)] = plan.values[place(v)].alias_of >= 0 ? root[place(plan.values[place(v)].alias_of)] : v;
  std::vector<NodeId> path;
  for (const std::int32_t s : plan.longest_path()) {
    const Node n = plan.graph->node(plan.steps[place(s)].node);
    // Which input comes from the step before, if through others that look at its bytes.
    std::vector<NodeId> between;
    for (int k = 0; k < n.input_count() && !path.empty() && between.empty(); ++k) {
      if (!n.input(k)) continue;
      std::int32_t v = plan.index(n.input(k).node_id(), n.input(k).output());
      if (plan.values[place(root[place(v)])].node != path.back()) continue;
      for (; plan.values[place(v)].alias_of >= 0; v = plan.values[place(v)].alias_of)
        between.push_back(plan.values[place(v)].node);
    }
    path.insert(path.end(), between.rbegin(), between.rend());
    path.push_back(n.id());
  }
  return path;
}

std::string critical_note(const Ledger& plan) {
  return "critical path: " + dots::time_text(plan.longest_ns()) + (plan.measured() ? ", measured" : ", estimated");
}

}  // namespace oxbow::tools
