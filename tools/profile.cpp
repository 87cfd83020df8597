// oxbow profile: where a step's time goes.
#include <fmt/format.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/runtime/mnist.h>
#include <oxbow/runtime/program.h>

#include <algorithm>

#include "cli.h"
#include "feeds.h"
#include "load.h"
#include "profile_report.h"

namespace oxbow::tools {
namespace {

struct Options {
  std::string graph, trace, folded, data;
  std::vector<std::string> feeds;
  int steps = 50, top = 20;
  CompilingOptions compiling;
};

// The user's tensors, MNIST's first rows where a folder of it was named, random numbers for the rest.
Feeds all_feeds(const Options& o, const Graph& graph, const Compiling& how, const Program& program) {
  Feeds feeds = read_feeds(graph, o.feeds);
  Dataset mnist;
  if (!o.data.empty()) mnist = load_mnist(o.data).train;
  for (const Input& in : program.inputs()) {
    if (feeds.contains(in.name)) continue;
    const auto sized = how.sizes.find(in.name);
    const Shape shape = sized == how.sizes.end() ? in.type.shape : sized->second;
    feeds[in.name] = mnist.contains(in.name) ? mnist.rows(0, shape[0])[in.name] : random_feed(graph, in.name, shape);
  }
  return feeds;
}

int run(const Options& o) {
  const auto graph = load_graph(o.graph);
  const Compiling how = o.compiling.read(*graph);
  const Pool pool = how.threads > 0 ? Pool(how.threads) : Pool::shared();
  const Program program = compile(fetches(*graph), {.mode = how.mode, .pool = pool, .disable = how.disable});
  Store store(*graph);
  Session session(program, store);
  for (const auto& [name, tensor] : all_feeds(o, *graph, how, program)) session.feed(name, tensor);

  const MachinePeak peak = measure_peak(pool.threads());
  const int warm = std::max(3, o.steps / 10);
  for (int step = 0; step < warm; ++step) session.run();
  std::vector<Trace> traces(static_cast<std::size_t>(o.steps));
  for (Trace& trace : traces) {
    session.run(trace);  // gets the memory
    session.run(trace);
  }
  // Other programs on the machine make some runs slow: the quicker half tells.
  std::stable_sort(traces.begin(), traces.end(), [](const Trace& a, const Trace& b) { return a.wall() < b.wall(); });
  traces.resize((traces.size() + 1) / 2);
  Profile profile;
  for (const Trace& trace : traces) profile.add(trace);

  const double all = static_cast<double>(profile.wall()) * profile.workers();
  fmt::print("{}: {:.4f} ms a run on {} {} (the quicker {} of {})\n", o.graph,
             static_cast<double>(profile.wall()) / 1e6 / profile.runs(), profile.workers(),
             profile.workers() == 1 ? "thread" : "threads", profile.runs(), o.steps);
  fmt::print("{:.1f} % of the threads' time in nodes, {:.1f} % idle or between them\n",
             100 * static_cast<double>(profile.busy()) / all, 100 * static_cast<double>(profile.idle()) / all);
  fmt::print("peak of a core, measured: {:.1f} Gflop/s, {:.1f} GB/s from and to memory (caches give more)\n\n",
             peak.flops_per_ns, peak.bytes_per_ns);
  fmt::print("{}\n{}", table(profile, peak, o.top), tree(profile));
  if (!o.folded.empty()) write_out(o.folded, folded(profile));
  if (!o.trace.empty()) write_out(o.trace, chrome_trace(traces.front(), "oxbow " + o.graph));
  return 0;
}

}  // namespace

Command profile_command(CLI::App& program) {
  auto o = std::make_shared<Options>();
  CLI::App* p = program.add_subcommand("profile", "Run a graph some times and show where the time goes");
  p->footer(
      "Examples:\n"
      "  oxbow profile mnist_mlp                          a training step of an example, on random numbers\n"
      "  oxbow profile mnist_mlp --data tools/data/mnist10k --trace step.json   open it in ui.perfetto.dev\n"
      "  oxbow profile out/graph.txt --threads 1 --size 128 --folded step.folded");
  p->add_option("graph", o->graph, "an example (" + example_names() + ") or a file")->required();
  p->add_option("--steps", o->steps, "runs that are measured")->check(CLI::PositiveNumber)->capture_default_str();
  p->add_option("--top", o->top, "nodes to list")->check(CLI::PositiveNumber)->capture_default_str();
  p->add_option("--trace", o->trace, "a file for the quickest run's timeline, as Perfetto and Chrome read it");
  p->add_option("--folded", o->folded, "a file for the time by scope and node, as flame graphs are drawn from");
  p->add_option("--feed", o->feeds, "NAME=FILE.safetensors; other inputs get random numbers");
  p->add_option("--data", o->data, "folder with the four MNIST files: its first images are fed");
  o->compiling.add_to(*p);
  return {p, [o] { return run(*o); }};
}

}  // namespace oxbow::tools
