#include "dump/dump.h"

#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/runtime/ledger/text.h>

#include <filesystem>

#include "dump/dot.h"
#include "dump/folded.h"
#include "dump/graph_json.h"
#include "dump/mermaid.h"
#include "dump/plan_remarks.h"
#include "dump/render.h"
#include "dump/stages.h"
#include "dump/style.h"
#include "page.h"

namespace oxbow::tools {
using namespace internal;

namespace {

// "26 steps on 2 threads, 856 kB at the peak".
std::string about(const Ledger& plan) {
  return std::to_string(plan.steps.size()) + (plan.steps.size() == 1 ? " step on " : " steps on ") +
         std::to_string(plan.threads) + (plan.threads == 1 ? " thread, " : " threads, ") +
         dots::bytes_text(plan.arena_bytes) + " at the peak";
}

std::string text(const Dumped& d) {
  return d.plan ? print(*d.plan, {.locations = d.options.locations})
                : print(d.graph, {.locations = d.options.locations});
}

DotOptions drawing(const Dumped& d) {
  DotOptions o{.types = d.options.types, .reduced = d.options.reduced};
  if (!d.plan) return o;
  o.note = about(*d.plan);
  o.remarks = remarks(*d.plan);
  o.path = critical_nodes(*d.plan);
  o.path_note = critical_note(*d.plan);
  return o;
}

std::string folded(const Dumped& d, std::string note = {}) {
  FoldOptions o{.note = std::move(note)};
  if (!d.plan) return folded_dot(d.graph, o);
  o.note += (o.note.empty() ? "" : ". ") + about(*d.plan);
  o.ns = measured_by_node(*d.plan);
  o.path = critical_nodes(*d.plan);
  o.path_note = critical_note(*d.plan);
  return folded_dot(d.graph, o);
}

std::string as_dot(const Dumped& d) { return d.options.fold ? folded(d) : dot(d.graph, drawing(d)); }

// What to draw: everything, or, of a graph that nobody could read so, its scopes.
std::string picture(const Dumped& d) {
  const NodeId size = d.graph.size();
  if (size > fully_drawn && !d.options.fold)
    return folded(d, std::to_string(size) + " nodes, folded by scope. The format dot has them all");
  return as_dot(d);
}

std::string svg(const Dumped& d) { return render_svg(picture(d)); }
std::string png(const Dumped& d) { return render_png(picture(d)); }

std::string as_mermaid(const Dumped& d) { return mermaid(d.graph, drawing(d)); }

std::string json(const Dumped& d) { return d.plan ? plan_json(*d.plan) : graph_json(d.graph); }

std::string html(const Dumped& d) { return page(json(d)); }

constexpr Format all[] = {
    {"text", "exact; reads back", text, "txt"},
    {"dot", "for Graphviz", as_dot},
    {"svg", "a picture", svg},
    {"png", "a picture", png},
    {"mermaid", "a flowchart for Markdown", as_mermaid, "mmd"},
    {"json", "for scripts and viewers: see tools/docs/dump.md", json},
    {"html", "a page to explore in a browser; with --plan, also memory and time", html},
};

std::string write(const Dumped& d) {
  std::vector<std::string> names;
  for (const Format& format : all) {
    if (format.name == d.options.format) return format.write(d);
    names.emplace_back(format.name);
  }
  throw Error("there is no format " + in_quotes(d.options.format) + "." + did_you_mean(d.options.format, names) +
              "\n  There are: " + listed(names));
}

const Stage& stage(const std::vector<Stage>& stages, const std::string& name) {
  std::vector<std::string> names;
  for (const Stage& s : stages) {
    if (s.name == name) return s;
    names.push_back(s.name);
  }
  throw Error("there is no rewrite " + in_quotes(name) + "." + did_you_mean(name, names) +
              "\n  There are: " + listed(names));
}

}  // namespace

std::span<const Format> formats() { return all; }

std::string_view format_of(std::string_view path) {
  const std::string suffix = lower_case(std::filesystem::path(path).extension().string());
  if (suffix.empty()) return "text";
  std::vector<std::string> suffixes;
  for (const Format& format : all) {
    suffixes.push_back("." + std::string(format.extension));
    if (suffix == suffixes.back()) return format.name;
  }
  throw Error("no format goes by the suffix of " + std::string(path) + ": say which with --format, or use one of " +
              listed(suffixes));
}

std::string dump(const Graph& graph, const DumpOptions& options) {
  return while_memory_lasts("dumping a graph", [&] {
    if (!options.plan && options.after.empty()) return write({.graph = graph, .options = options});
    const std::vector<Stage> way = stages(graph, options.compiling);
    if (options.plan) return dump(plan_of(graph, way, options.compiling), options);
    return write({.graph = *stage(way, options.after).graph, .options = options});
  });
}

std::string dump(const Ledger& plan, const DumpOptions& options) {
  return while_memory_lasts("dumping a plan", [&] {
    if (options.measured.empty()) return write({.graph = *plan.graph, .plan = &plan, .options = options});
    Ledger timed = plan;
    add_measured(timed, options.measured);
    return write({.graph = *timed.graph, .plan = &timed, .options = options});
  });
}

std::vector<DumpedStage> dump_all(const Graph& graph, const DumpOptions& options) {
  return while_memory_lasts("dumping a graph", [&] {
    const auto count = [](const Graph& g) { return std::to_string(g.size()) + (g.size() == 1 ? " node" : " nodes"); };
    const std::vector<Stage> way = stages(graph, options.compiling);
    std::vector<DumpedStage> dumped{{"built", count(graph), write({.graph = graph, .options = options})}};
    for (const Stage& s : way)
      if (s.changed)
        dumped.push_back({s.name, count(*s.graph), write({.graph = *s.graph, .options = options})});
      else
        dumped.push_back({s.name, "nothing to do", ""});
    const Ledger plan = plan_of(graph, way, options.compiling);
    dumped.push_back({"plan",
                      count(*plan.graph) + ", " + std::to_string(plan.steps.size()) + " steps, " +
                          dots::bytes_text(plan.arena_bytes) + " at the peak",
                      dump(plan, options)});
    return dumped;
  });
}

std::string dump(const Program& program, const DumpOptions& options) {
  return while_memory_lasts("dumping a plan", [&] { return dump(ledger(program, options.compiling.sizes), options); });
}

}  // namespace oxbow::tools
