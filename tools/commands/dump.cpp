#include "dump/dump.h"

#include <fmt/format.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/runtime/atomic_file.h>

#include <algorithm>
#include <filesystem>

#include "commands/cli.h"
#include "commands/load.h"
#include "measure/measure.h"

namespace oxbow::tools {
namespace {

struct DumpCommand {
  std::string graph, out;
  DumpOptions dump;
  bool all = false, measured = false;
  CompilingOptions compiling;
};

// One after another on standard output, below headings that are comments to who reads graphs; or a file each.
void write_all(const DumpCommand& o, const std::vector<DumpedStage>& stages) {
  if (o.out.empty()) {
    std::string text;
    for (const DumpedStage& s : stages)
      text += fmt::format("{}// ==== {}: {} ====\n{}", text.empty() ? "" : "\n", s.name, s.what, s.content);
    return write_out("", text);
  }
  const std::filesystem::path folder = o.out;
  std::error_code wrong;
  std::filesystem::create_directories(folder, wrong);
  if (wrong) throw Error("cannot make the folder " + o.out + ": " + wrong.message());
  const auto format =
      std::find_if(formats().begin(), formats().end(), [&](const Format& f) { return f.name == o.dump.format; });
  std::string list;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    if (stages[i].content.empty()) {
      list += fmt::format("{:02} {}: {}\n", i, stages[i].name, stages[i].what);
      continue;
    }
    const std::string file = (folder / fmt::format("{:02}_{}.{}", i, stages[i].name, format->extension)).string();
    write_file(file, stages[i].content);
    list += fmt::format("{:02} {}: {}, in {}\n", i, stages[i].name, stages[i].what, file);
  }
  say_text(list);
}

int run_dump(DumpCommand o) {
  if (o.dump.format.empty()) o.dump.format = o.all ? "text" : format_of(o.out);
  if (o.measured && !o.all && !o.dump.plan) throw Error("--measure measures the plan: add --plan or --all");
  if (o.all && o.out.empty() && o.dump.format != "text")
    throw Error("--all makes a " + o.dump.format + " file of each graph: name their folder with -o FOLDER");
  if (o.compiling.given() && !o.all && !o.dump.plan && o.dump.after.empty())
    throw Error("this is the graph as built; how it is compiled shows with --plan, --after or --all");
  const Loaded loaded = load(o.graph);
  o.dump.compiling = o.compiling.read(*loaded.graph);
  std::vector<Trace> runs;
  if (o.measured) {
    runs = measure(*loaded.graph, o.dump.compiling);
    o.dump.measured = runs;
  }
  if (o.all) {
    write_all(o, dump_all(*loaded.graph, o.dump));
    return 0;
  }
  const bool as_planned = loaded.plan && o.dump.after.empty() && !o.compiling.given() && !o.measured;
  write_out(o.out, as_planned ? dump(*loaded.plan, o.dump) : dump(*loaded.graph, o.dump));
  return 0;
}

}  // namespace

Command dump_command(CLI::App& program) {
  auto o = std::make_shared<DumpCommand>();
  CLI::App* d = program.add_subcommand("dump", "Print or draw a graph or its plan: an example's, or one from a file");
  d->footer(
      "Examples:\n"
      "  oxbow dump xor                         print the graph of an example\n"
      "  oxbow dump mnist_mlp -o g.svg          draw it\n"
      "  oxbow dump xor --after fuse            the graph as that rewrite leaves it\n"
      "  oxbow dump xor --plan --threads 2      what runs, in which order, and where each value lives\n"
      "  oxbow dump xor --plan --measure        and how long each step takes\n"
      "  oxbow dump xor --all                   the graph as built, after each rewrite, and the plan, one below "
      "another\n"
      "  oxbow dump xor --all -f svg -o stages  a picture of each, in a folder\n"
      "  oxbow dump out/graph.txt -f dot        a graph that training wrote, for Graphviz");
  d->add_option("graph", o->graph, "an example (" + example_names() + ") or a file")->required();
  std::vector<std::string> names;
  std::string list;
  for (const Format& f : formats()) {
    names.emplace_back(f.name);
    list += "\n  " + names.back() + ": " + std::string(f.what);
  }
  o->dump.format.clear();
  d->add_option("-f,--format", o->dump.format, "default: what --out's suffix says, else text" + list)
      ->check(CLI::IsMember(names));
  d->add_option("-o,--out", o->out, "a file, with --all a folder; default: standard output");
  auto* one =
      d->add_option("--after", o->dump.after, "a stage of the way to the plan: " + internal::listed(stage_names()));
  auto* plan = d->add_flag("--plan", o->dump.plan, "the plan: steps, memory, lanes")->excludes(one);
  d->add_flag("--all", o->all, "the graph as built, after each rewrite, and the plan")->excludes(one)->excludes(plan);
  d->add_flag("--measure", o->measured,
              "with --plan or --all: runs it on random numbers, as profile does, for the time of each step");
  d->add_flag("--locations", o->dump.locations, "with the source line that built each node");
  d->add_flag("--fold", o->dump.fold, "pictures and dot: each scope one box");
  o->compiling.add_to(*d);
  return {d, [o] { return run_dump(*o); }};
}

}  // namespace oxbow::tools
