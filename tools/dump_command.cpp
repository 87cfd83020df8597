#include "cli.h"
#include "dump.h"
#include "load.h"

namespace oxbow::tools {
namespace {

struct Options {
  std::string graph, out;
  DumpOptions dump;
  CompilingOptions compiling;
};

int run(Options o) {
  const Loaded loaded = load(o.graph);
  o.dump.compiling = o.compiling.read(*loaded.graph);
  const bool as_planned = loaded.plan && o.dump.after.empty() && !o.compiling.given();
  write_out(o.out, as_planned ? dump(*loaded.plan, o.dump) : dump(*loaded.graph, o.dump));
  return 0;
}

}  // namespace

Command dump_command(CLI::App& program) {
  auto o = std::make_shared<Options>();
  CLI::App* d = program.add_subcommand("dump", "Print or draw a graph or its plan: an example's, or one from a file");
  d->footer(
      "Examples:\n"
      "  oxbow dump xor                         print the graph of an example\n"
      "  oxbow dump mnist_mlp -f svg -o g.svg   draw it\n"
      "  oxbow dump xor --after fuse            the graph as that rewrite leaves it\n"
      "  oxbow dump xor --plan --threads 2      what runs, in which order, and where each value lives\n"
      "  oxbow dump out/graph.txt -f dot        a graph that training wrote, for Graphviz");
  d->add_option("graph", o->graph, "an example (" + example_names() + ") or a file")->required();
  std::vector<std::string> names;
  std::string list;
  for (const Format& f : formats()) {
    names.emplace_back(f.name);
    list += "\n  " + names.back() + ": " + std::string(f.what);
  }
  d->add_option("-f,--format", o->dump.format, list)->check(CLI::IsMember(names))->capture_default_str();
  d->add_option("-o,--out", o->out, "a file; default: standard output");
  std::string after;
  for (const std::string& name : stage_names()) after += (after.empty() ? "" : ", ") + name;
  d->add_option("--after", o->dump.after, "a stage of the way to the plan: " + after);
  d->add_flag("--plan", o->dump.plan, "the plan: steps, memory, lanes");
  d->add_flag("--locations", o->dump.locations, "with the source line that built each node");
  d->add_flag("--fold", o->dump.fold, "pictures and dot: each scope one box");
  o->compiling.add_to(*d);
  return {d, [o] { return run(*o); }};
}

}  // namespace oxbow::tools
