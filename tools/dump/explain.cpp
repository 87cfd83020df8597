#include "dump/explain.h"

#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/graph/text/lexer.h>

#include <algorithm>
#include <charconv>

#include "diff/diff.h"
#include "dump/style.h"

namespace oxbow::tools {
using namespace internal;

namespace {

constexpr std::size_t most_listed = 12;

std::optional<Value> by_label(const Graph& graph, std::string_view word) {
  if (!word.starts_with('%') && (word.empty() || word[0] < '0' || word[0] > '9')) return std::nullopt;
  const std::string text = word.starts_with('%') ? std::string(word) : "%" + std::string(word);
  text::Token token;
  try {
    text::Lexer in(text, "VALUE");
    token = in.take();
    if (token.kind != text::Token::label || in.peek().kind != text::Token::end) return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
  NodeId id = -1;
  if (!token.value.empty()) {
    if (const auto found = graph.find(token.value)) id = found->id();
  } else if (std::from_chars(token.raw.data() + 1, token.raw.data() + token.raw.size(), id).ec != std::errc()) {
    return std::nullopt;
  }
  const int output = std::max(token.output, 0);
  if (id < 0 || id >= graph.size() || output >= graph.node(id).output_count()) return std::nullopt;
  return graph.node(id).output(output);
}

std::string line_of(const Origin& origin) {
  return origin.at.known() ? shown(to_string(origin.at)) : "an unknown line";
}

void add(std::string& out, const char* title, const std::string& text) {
  if (text.empty()) return;
  out += "  " + std::string(title) + std::string(12 - std::string_view(title).size(), ' ') + text + "\n";
}

struct Reader {
  Node node;
  bool shape_only;
};
std::vector<Reader> readers_of(const Graph& graph, const Value& v) {
  std::vector<Reader> out;
  for (NodeId i = v.node_id() + 1; i < graph.size(); ++i) {
    const Node n = graph.node(i);
    bool reads = false, bytes = false;
    for (int k = 0; k < n.input_count(); ++k)
      if (n.input(k).same(v)) {
        reads = true;
        bytes = bytes || n.op().info().reads(k);
      }
    if (reads) out.push_back({n, !bytes});
  }
  return out;
}

std::string short_name(Node n) {
  return label(n.output()) + " (" + shown(n.op().name()) + ", " + std::string(name(n.origin().phase)) + ")";
}

std::string built(const Graph& graph, const Value& v) {
  const Node n = v.node();
  const Origin& origin = n.origin();
  std::string out = node_line(n) + "\n";
  add(out, "built",
      "at " + line_of(origin) + ", " + std::string(name(origin.phase)) +
          (origin.scope.empty() ? "" : ", scope " + shown(origin.scope.str())));
  add(out, "value",
      to_string(v.type()) + ", " + std::to_string(v.type().bytes()) + " bytes" +
          (n.output_count() > 1 ? ", output " + std::to_string(v.output()) + " of " + std::to_string(n.output_count()) +
                                      ", " + n.op().info().outputs.of(v.output())
                                : ""));
  if (origin.forward >= 0) add(out, "belongs to", "the gradient of " + node_line(graph.node(origin.forward)));
  const char* title = "made from";
  for (int k = 0; k < n.input_count(); ++k) {
    if (!n.input(k)) continue;
    add(out, title, node_line(n.input(k).node()) + ", built at " + line_of(n.input(k).node().origin()));
    title = "";
  }
  std::vector<Reader> readers = readers_of(graph, v);
  const auto writes = [&](const Reader& r) { return r.node.op().is<ops::Assign>() && r.node.input(0).same(v); };
  for (const Reader& r : readers)
    if (writes(r)) add(out, "written by", node_line(r.node) + ", built at " + line_of(r.node.origin()));
  std::erase_if(readers, writes);
  title = "read by";
  for (std::size_t i = 0; i < readers.size() && i < most_listed; ++i) {
    add(out, title,
        node_line(readers[i].node) + (readers[i].shape_only ? ", its shape only" : "") + ", built at " +
            line_of(readers[i].node.origin()));
    title = "";
  }
  if (readers.size() > most_listed) add(out, "", "and " + std::to_string(readers.size() - most_listed) + " more");
  if (readers.empty()) add(out, "read by", "no node");
  for (const auto& [name, value] : graph.outputs())
    if (value.same(v)) add(out, "output", print(AttrValue(name)));
  for (const Value& value : graph.updates())
    if (value.same(v)) add(out, "update", "written at the end of each training step");
  return out;
}

// Why a value has no place of its own after a stage: what its readers became says where it is computed, if it is.
std::string gone(const Graph& before, const Stage& stage, const Value& v) {
  for (const Reader& r : readers_of(before, v))
    for (int k = 0; k < r.node.output_count(); ++k)
      if (const Value now = stage.from(r.node.output(k)); now && !r.shape_only)
        return "no longer has bytes of its own: computed inside " + node_line(now.node());
  return stage.name == "specialise" || stage.name.starts_with("dead_code") ? "gone: nothing that is fetched needs it"
                                                                           : "gone: nothing needs it any more";
}

std::string became(const Graph& before, const Stage& stage, const Value& v, const Value& now) {
  const Node old = v.node(), n = now.node();
  if (old.op() == n.op()) {
    if (stage.name.starts_with("common_subexpressions")) {
      // Another value became the same one, and it came first.
      for (NodeId i = 0; i < old.id(); ++i)
        for (int k = 0; k < before.node(i).output_count(); ++k)
          if (stage.from(before.node(i).output(k)).node_id() == now.node_id() && stage.from(before.node(i).output(k)))
            return "the same as " + label(before.node(i).output(k)) + ", which replaces both: now " + node_line(n);
    }
    return "";
  }
  if (n.op().is<ops::Constant>()) return "computed once and for all: now " + node_line(n);
  return "now " + node_line(n) + (now.output() > 0 ? ", output " + std::to_string(now.output()) : "");
}

std::string way(const Graph& graph, const std::vector<Stage>& stages, Value v) {
  std::string out;
  const Graph* before = &graph;
  for (const Stage& stage : stages) {
    if (!stage.changed) continue;
    const Value now = stage.from(v);
    const std::string what = now ? became(*before, stage, v, now) : gone(*before, stage, v);
    if (!what.empty()) out += "    " + stage.name + ": " + what + "\n";
    if (!now) break;
    v = now;
    before = stage.graph.get();
  }
  return out.empty() ? "    no rewrite touches it\n" : out;
}

std::string step_name(const Ledger& plan, std::int32_t s) {
  return "step " + std::to_string(s) + ", " +
         short_name(plan.graph->node(plan.steps[static_cast<std::size_t>(s)].node));
}

// "step 3, %17; step 8, %40; and 2 more": those of `steps` that `take` does.
template <class F>
std::string step_names(const Ledger& plan, const std::vector<std::int32_t>& steps, F&& take) {
  std::string out;
  std::size_t count = 0;
  for (const std::int32_t s : steps)
    if (take(plan.graph->node(plan.steps[static_cast<std::size_t>(s)].node)) && count++ < most_listed)
      out += (count > 1 ? "; " : "") + step_name(plan, s);
  if (count > most_listed) out += "; and " + std::to_string(count - most_listed) + " more";
  return out;
}

// The steps that write a variable.
std::string writers(const Ledger& plan, NodeId variable) {
  std::string out;
  for (NodeId i = 0; i < plan.graph->size(); ++i) {
    const Node n = plan.graph->node(i);
    if (!n.op().is<ops::Assign>() || n.input(0).node_id() != variable) continue;
    const Ledger::Value& assigned = plan.values[static_cast<std::size_t>(plan.index(i))];
    const std::string by = assigned.first >= 0 ? step_name(plan, assigned.first) : label(n.input(1));
    out += (out.empty() ? "" : "; ") +
           (assigned.home == "variable" ? "in place by " + by : "at the run's end, from what " + by + " made");
  }
  return out;
}

std::string why(const Ledger& plan, const Ledger::Value& v) {
  const auto label_of = [&](std::int32_t i) {
    const Ledger::Value& w = plan.values[static_cast<std::size_t>(i)];
    return label(plan.graph->node(w.node).output(w.output));
  };
  switch (v.fate) {
    case Ledger::Fate::leaf:
      return v.home == "variable" ? "a variable: lives in the Store" : "lives outside the plan's memory";
    case Ledger::Fate::alias:
      return "the bytes of " + label_of(v.alias_of) + ", looked at otherwise";
    case Ledger::Fate::fetched:
      return "fetched: kept to the end of the run for the caller";
    case Ledger::Fate::assigned:
      return v.home == "variable" ? "written straight into its variable"
                                  : "kept to the end of the run, to be copied into its variable";
    default:
      break;
  }
  std::string out;
  if (v.saved) {
    out = "saved for backward: read by " +
          step_names(plan, v.readers, [](const Node& n) { return n.origin().phase != Phase::forward; });
  } else if (!v.readers.empty()) {
    out = "until its last reader: " + step_name(plan, v.readers.back());
  } else {
    out = "nobody reads it";
  }
  if (v.overwritten_by >= 0) out += "; then overwritten in place by " + label_of(v.overwritten_by);
  return out;
}

std::string planned_as(const Ledger& plan, const Value& v) {
  const Ledger::Value& value = plan.values[static_cast<std::size_t>(plan.index(v.node_id(), v.output()))];
  std::string out =
      "  in the plan for " + std::to_string(plan.threads) + (plan.threads == 1 ? " thread:\n" : " threads:\n");
  add(out, "", node_line(plan.graph->node(v.node_id())));
  if (value.first >= 0) {
    const Ledger::Step& step = plan.steps[static_cast<std::size_t>(value.first)];
    add(out, "written",
        "step " + std::to_string(value.first) + " of " + std::to_string(plan.steps.size()) + ", in " +
            std::to_string(step.parts) + (step.parts == 1 ? " part" : " parts") +
            (plan.measured() ? step.measured_critical ? ", on the critical path as measured" : ""
             : step.critical ? ", on the critical path"
                             : ""));
    if (step.measured_ns >= 0)
      add(out, "took",
          dots::time_text(step.measured_ns) + " measured, " + dots::time_text(step.cost_ns) + " estimated");
  }
  if (value.block >= 0) {
    const Ledger::Block& block = plan.blocks[static_cast<std::size_t>(value.block)];
    add(out, "lives",
        "in the arena from byte " + std::to_string(value.offset) + ", " + std::to_string(value.bytes) + " bytes" +
            (value.overwrites >= 0 ? ", taken over in place from an operand" : ""));
    const bool at_peak = plan.peak_step >= 0 &&
                         std::find(plan.live.begin(), plan.live.end(), value.block) != plan.live.end() &&
                         value.first <= plan.peak_step && value.last >= plan.peak_step;
    add(out, "alive",
        "from step " + std::to_string(value.first) +
            (block.kept && block.values.back() == plan.index(v.node_id(), v.output())
                 ? " to the end"
                 : " to step " + std::to_string(value.last)) +
            (at_peak ? "; part of the peak of " + std::to_string(plan.arena_bytes) + " bytes" : ""));
  } else {
    add(out, "lives", value.home + " memory");
    add(out, "read by", step_names(plan, value.readers, [](const Node&) { return true; }));
    if (value.home == "variable" && value.fate == Ledger::Fate::leaf) add(out, "written", writers(plan, v.node_id()));
  }
  add(out, "why", why(plan, value));
  return out;
}

}  // namespace

Value find_value(const Graph& graph, std::string_view word) {
  if (const auto found = graph.find(word); found && found->output_count() > 0) return found->output();
  for (const auto& [name, value] : graph.outputs())
    if (name == word) return value;
  if (const auto found = by_label(graph, word)) return *found;
  std::vector<std::string> names;
  for (const auto& [name, value] : graph.outputs()) names.push_back(name);
  for (NodeId i = 0; i < graph.size(); ++i)
    if (!graph.node(i).name().empty()) names.push_back(graph.node(i).full_name());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const std::string near = did_you_mean(word, names);
  throw Error("there is no value " + in_quotes(word) + "." + near +
              "\n  A value goes by its name, an output's name, or its label in the dump, such as %" +
              std::to_string(std::max(0, graph.size() - 1)));
}

std::string explain(const Graph& graph, std::string_view word, const Compiling& how, const Ledger* planned) {
  return while_memory_lasts("explaining a value", [&] {
    const Value v = find_value(graph, word);
    std::string out = built(graph, v);
    if (planned) return out + planned_as(*planned, v);
    const std::vector<Stage> all = stages(graph, how);
    out += "  on the way to the plan:\n" + way(graph, all, v);
    const Value now = follow(all, v).back();
    return now ? out + planned_as(plan_of(graph, all, how), now) : out;
  });
}

}  // namespace oxbow::tools
