#include <oxbow/graph/op.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/runtime/ledger/fields.h>
#include <oxbow/runtime/ledger/text.h>

namespace oxbow::internal {
namespace ledger_text {
namespace {

// All fields but those that say nothing: -1, false, and what is empty.
template <class T>
std::string record(const T& item) {
  AttrRecord out;
  const auto add = [&](std::string_view key, AttrValue value) {
    const auto is = [&](const auto& nothing) { return same_bits(value, AttrValue(nothing)); };
    if (!is(std::int64_t{Ledger::none}) && !is(double{Ledger::none}) && !is(false) && !is(std::string()) &&
        !is(AttrList()))
      out.emplace_back(key, std::move(value));
  };
  std::apply([&](const auto&... f) { (add(f.name, to_attr(item.*f.member)), ...); }, fields(&item));
  return print(AttrValue(out));
}

std::string list_of(const Ledger& plan, const std::vector<std::int32_t>& steps) {
  std::string out;
  for (const std::int32_t s : steps)
    out += (out.empty() ? "" : ", ") + label(plan.graph->node(plan.steps[static_cast<std::size_t>(s)].node).output());
  return out;
}

}  // namespace
}  // namespace ledger_text

std::string print(const Ledger& plan, PrintOptions options) {
  return while_memory_lasts("printing a plan", [&] {
    const Graph& graph = *plan.graph;
    options.plan_follows = true;
    std::string out = print(graph, options) + "\noxbow plan 1\n" + ledger_text::record(plan) + "\n\nsteps:\n";
    for (const Ledger::Step& s : plan.steps) {
      if (s.node < 0) {
        out += "  barrier " + ledger_text::record(s) + "\n";
        continue;
      }
      const Node n = graph.node(s.node);
      out += "  " + label(n.output()) + " " + ledger_text::record(s) + "  // " + std::string(n.op().name()) + " : " +
             to_string(n.output_types()) + "\n";
    }
    out += "\ngroups:\n";
    for (const Ledger::Group& g : plan.groups) {
      ledger_text::Group text{.first = g.first, .last = g.last, .waits_for = g.waits_for};
      for (const auto& s : g.shares) {
        text.lanes.push_back(s.lane);
        text.start_ns.push_back(s.start_ns);
        text.finish_ns.push_back(s.finish_ns);
      }
      out += "  " + ledger_text::record(text) + "\n";
    }
    out += "\nvalues:\n";
    for (const Ledger::Value& v : plan.values) {
      const Value of = graph.node(v.node).output(v.output);
      out += "  " + label(of) + " " + ledger_text::record(v) + "  // " + to_string(of.type()) +
             (v.readers.empty() ? "" : ", read by " + ledger_text::list_of(plan, v.readers)) + "\n";
    }
    out += "\nblocks:\n";
    for (const Ledger::Block& b : plan.blocks) out += "  " + ledger_text::record(b) + "\n";
    if (!plan.run.empty()) out += "\nrun:\n";
    for (const Ledger::Event& e : plan.run) {
      const NodeId node = plan.steps[static_cast<std::size_t>(e.step)].node;
      out += "  " + ledger_text::record(e) + (node < 0 ? "" : "  // " + label(graph.node(node).output())) + "\n";
    }
    out += "\nend\n";
    return out;
  });
}

}  // namespace oxbow::internal
