// oxbow profile: where a step's time goes.
#include "commands/cli.h"
#include "commands/data.h"
#include "commands/load.h"
#include "measure/measure.h"
#include "measure/profile_report.h"

namespace oxbow::tools {
namespace {

struct ProfileCommand {
  std::string graph, data, trace, folded;
  Measuring measuring;
  int top = 20;
  CompilingOptions compiling;
};

int run_profile(ProfileCommand o) {
  const Loaded loaded = load(o.graph);
  const auto graph = loaded.graph;
  o.measuring.parameters = loaded.store;
  if (!o.data.empty()) o.measuring.data = read_data(o.graph, o.data).train;
  const Compiling how = o.compiling.read(*graph);
  const MachinePeak peak = measure_peak(how.threads > 0 ? how.threads : Pool::shared().threads());
  const std::vector<Trace> traces = measure(*graph, how, o.measuring);
  Profile profile;
  for (const Trace& trace : traces) profile.add(trace);

  const double all = static_cast<double>(profile.wall()) * profile.workers();
  say("{}: {:.4f} ms a run on {} {} (the quicker {} of {})\n", o.graph,
      static_cast<double>(profile.wall()) / 1e6 / profile.runs(), profile.workers(),
      profile.workers() == 1 ? "thread" : "threads", profile.runs(), o.measuring.steps);
  say("{:.1f} % of the threads' time in nodes, {:.1f} % idle or between them\n",
      100 * static_cast<double>(profile.busy()) / all, 100 * static_cast<double>(profile.idle()) / all);
  say("peak of a core, measured: {:.1f} Gflop/s, {:.1f} GB/s from and to memory (caches give more)\n\n",
      peak.flops_per_ns, peak.bytes_per_ns);
  say("{}\n{}", table(profile, peak, o.top), tree(profile));
  if (!o.folded.empty()) write_out(o.folded, folded(profile));
  if (!o.trace.empty()) write_out(o.trace, chrome_trace(traces.front(), "oxbow " + o.graph));
  return 0;
}

}  // namespace

Command profile_command(CLI::App& program) {
  auto o = std::make_shared<ProfileCommand>();
  CLI::App* p = program.add_subcommand("profile", "Run a graph some times and show where the time goes");
  p->footer(
      "Examples:\n"
      "  oxbow profile mnist_mlp                          a training step of an example, on random numbers\n"
      "  oxbow profile mnist_mlp --data tools/data/mnist10k --trace step.json   open it in ui.perfetto.dev\n"
      "  oxbow profile out/graph.txt --threads 1 --size 128 --folded step.folded");
  p->add_option("graph", o->graph, "an example (" + example_names() + ") or a file")->required();
  p->add_option("--steps", o->measuring.steps, "runs that are measured")
      ->check(positive, "greater than 0")
      ->capture_default_str();
  p->add_option("--top", o->top, "nodes to list")->check(positive, "greater than 0")->capture_default_str();
  p->add_option("--trace", o->trace, "a file for the quickest run's timeline, as Perfetto and Chrome read it");
  p->add_option("--folded", o->folded, "a file for the time by scope and node, as flame graphs are drawn from");
  p->add_option("--feed", o->measuring.feeds, "NAME=FILE.safetensors; other inputs get random numbers");
  p->add_option("--data", o->data, data_help + std::string("; the first samples are fed"));
  o->compiling.add_to(*p);
  return {p, [o] { return run_profile(*o); }};
}

}  // namespace oxbow::tools
