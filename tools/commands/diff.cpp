#include "diff/diff.h"

#include <oxbow/graph/support/utf8.h>

#include <algorithm>

#include "commands/cli.h"
#include "commands/load.h"
#include "dump/dump.h"
#include "dump/render.h"

namespace oxbow::tools {
namespace {

struct DiffCommand {
  std::string a, b, format, out;
  bool plan = false;
  CompilingOptions compiling;
};

const std::vector<std::string> known_formats = {"text", "dot", "svg", "png"};

int run_diff(const DiffCommand& o) {
  const std::string format = o.format.empty() ? std::string(format_of(o.out)) : o.format;
  if (std::find(known_formats.begin(), known_formats.end(), format) == known_formats.end())
    throw Error("cannot write " + o.out + ": a difference is text, dot, svg or png");
  Loaded a = load(o.a), b = load(o.b);
  const auto planned = [&](Loaded& l) {
    if (l.plan) return;  // as it is: a plan's graph is compiled already
    const Compiling how = o.compiling.read(*l.graph);
    l.plan = plan_of(*l.graph, stages(*l.graph, how), how);
  };
  const bool plans = o.plan || (a.plan && b.plan);
  if (!plans && (a.plan || b.plan))
    complain("only " + (a.plan ? o.a : o.b) +
             " holds a plan, so graphs are compared: --plan makes the other's plan too");
  if (plans) {
    planned(a);
    planned(b);
  }
  const Graph &from = plans ? *a.plan->graph : *a.graph, &to = plans ? *b.plan->graph : *b.graph;
  const Difference d = plans ? diff(*a.plan, *b.plan) : diff(from, to);
  if (format == "text") {
    std::string text = diff_text(d, from, to);
    if (!text.empty()) text = "--- " + o.a + "\n+++ " + o.b + "\n" + text;
    write_out(o.out, internal::escaped(text, "\n"));
  } else {
    const bool all = format == "dot";
    const std::string dot = all ? diff_dot(d, from, to) : diff_dot(d, from, to, fully_drawn);
    write_out(o.out, all ? dot : format == "svg" ? render_svg(dot) : render_png(dot));
  }
  return d.same() ? 0 : 1;
}

// As diff does: trouble is 2, since 1 says that the two differ.
int diff_or_trouble(const DiffCommand& o) {
  try {
    return run_diff(o);
  } catch (const std::exception& e) {
    complain(e.what());
    return 2;
  }
}

}  // namespace

Command diff_command(CLI::App& program) {
  auto o = std::make_shared<DiffCommand>();
  CLI::App* d =
      program.add_subcommand("diff", "Compare two graphs or plans: exits with 0 same, 1 different, 2 trouble");
  d->footer(
      "Examples:\n"
      "  oxbow diff old.txt new.txt             what was added (+), removed (-), changed (~), renamed (>)\n"
      "  oxbow diff old.txt new.txt -o d.svg    a picture\n"
      "  oxbow diff mnist_mlp new.txt --plan    their plans: memory, steps, where values went");
  d->add_option("a", o->a, "an example (" + example_names() + ") or a file with a graph or a plan")->required();
  d->add_option("b", o->b, "the same")->required();
  d->add_option("-f,--format", o->format,
                "text, or a coloured picture with a legend; default: what --out's suffix says, else text")
      ->check(CLI::IsMember(known_formats));
  d->add_option("-o,--out", o->out, "a file; default: standard output");
  d->add_flag("--plan", o->plan, "compare the plans; two files with plans are always compared so");
  o->compiling.add_to(*d);
  return {d, [o] { return diff_or_trouble(*o); }};
}

}  // namespace oxbow::tools
