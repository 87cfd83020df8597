// Graphs and plans to look at: the one function behind `oxbow dump`, for programs of your own as well.
//
//   #include <oxbow/tools/dump/dump.h>
//   write_file("graph.svg", tools::dump(g, {.format = "svg"}));
//   write_file("plan.txt", tools::dump(g, {.plan = true, .compiling = {.threads = 2}}));   // `oxbow` reads it back
//   std::cout << tools::dump(step);                                                        // a Program's plan
//
// The same bytes every time. Safe from any thread.
#pragma once

#include <oxbow/runtime/ledger.h>
#include <oxbow/runtime/trace.h>
#include <oxbow/tools/dump/compiling.h>

#include <span>

namespace oxbow::tools {

struct DumpOptions {
  std::string format = "text";  ///< see `formats`
  std::string after = {};       ///< a stage of the way to the plan (see `stage_names`); empty: the graph as built
  bool plan = false;            ///< the plan: the graph after all rewrites, with steps, memory and lanes
  Compiling compiling = {};     ///< for what comes after building
  bool locations = false;       ///< text: the user's line behind each node
  bool types = true;            ///< pictures: types on the edges
  bool reduced = false;         ///< pictures: without edges that others imply
  bool fold = false;            ///< pictures and dot: each scope one box
  std::span<const Trace> measured = {};  ///< runs of the plan: their mean times are shown with its steps
};

/// Throws `Error` for a format or a stage that does not exist (with what there is), and for what `compile` refuses.
std::string dump(const Graph& graph, const DumpOptions& options = {});
/// A plan that was made already.
std::string dump(const Ledger& plan, const DumpOptions& options = {});
std::string dump(const Program& program, const DumpOptions& options = {});

/// One of the graphs on the way to the plan.
struct DumpedStage {
  std::string name;     ///< "built", a stage of the way, or "plan"
  std::string what;     ///< "42 nodes", or that the rewrite had nothing to do
  std::string content;  ///< empty where it is the graph of the stage before
};
/// All of them, in order: as built, after each rewrite, and the plan.
std::vector<DumpedStage> dump_all(const Graph& graph, const DumpOptions& options = {});

/// What a format's writer is given.
struct Dumped {
  const Graph& graph;
  const Ledger* plan = nullptr;  ///< of this graph, or none
  const DumpOptions& options;
};
struct Format {
  std::string_view name, what;
  std::string (*write)(const Dumped& d);
  std::string_view extension = name;  ///< of its files
};
/// All formats: to add one, add a line in tools/dump/dump.cpp.
std::span<const Format> formats();
/// The format of a file of this name: "svg" for "net.svg" and "NET.SVG", "text" where it has no suffix. Throws `Error`
/// for a suffix that no format has.
std::string_view format_of(std::string_view path);

/// A picture (svg, png) of more nodes than this is folded by scope (tools/dump/folded.h), with a note that says so.
inline constexpr NodeId fully_drawn = 300;

}  // namespace oxbow::tools
