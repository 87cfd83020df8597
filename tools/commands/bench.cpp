#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iostream>

#include "bench/nets.h"
#include "commands/cli.h"
#include "commands/load.h"
#include "measure/feeds.h"

namespace oxbow::tools {
namespace {

struct BenchCommand {
  std::vector<std::string> nets;  ///< empty: all
  int threads = 0;
  std::optional<std::int64_t> memory_budget = {};
  std::optional<DType> activations = {};
  double seconds = 1;          ///< to measure each net for
  bool worker = false;         ///< speak the protocol of tools/bench/compare.py
  std::string check_numerics;  ///< "": no; "results" or "all"
  bool hand_over = false;      ///< what is fed to the session, which need not copy it to check numbers
};

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double median(std::vector<double>& times) {
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

// The median time of a step, in milliseconds, over so many seconds.
double median_step(Session& session, double seconds) {
  std::vector<double> times;
  for (const auto start = Clock::now(); since(start) < seconds || times.size() < 3;) {
    const auto before = Clock::now();
    session.run();
    times.push_back(1e3 * since(before));
  }
  return median(times);
}

// Medians of two sessions that take turns of a few milliseconds, so that whatever slows the machine slows both.
std::pair<double, double> by_turns(Session& a, Session& b, double seconds) {
  constexpr double turn = 0.005;
  std::vector<double> times[2];
  for (const auto start = Clock::now(); since(start) < 2 * seconds || times[1].size() < 3;)
    for (const bool second : {false, true}) {
      const auto turn_start = Clock::now();
      do {
        const auto before = Clock::now();
        (second ? b : a).run();
        times[second].push_back(1e3 * since(before));
      } while (since(turn_start) < turn);
    }
  return {median(times[0]), median(times[1])};
}

struct Started {
  std::unique_ptr<Session> session;
  double compile = 0, ready = 0, first = 0;  // ms: to compile, until the first step began, and what that took
};

// A net on random numbers, compiled and run once, for that touches its memory. Feeds are kept in `kept` too, so that
// sessions which check numbers have to copy them, unless they are handed over.
Started start(const Graph& graph, const std::vector<Value>& wanted, const Compiling& how, const CompileOptions& more,
              std::vector<Tensor>* kept) {
  Started out;
  const auto begin = Clock::now();
  const Program program = compiled(wanted, how, more);
  out.compile = 1e3 * since(begin);
  out.session = std::make_unique<Session>(program, Store(graph));
  for (const ops::Input& in : program.inputs()) {
    Tensor data = random_feed(graph, in.name, in.type.shape);
    kept ? out.session->feed(in.name, kept->emplace_back(data)) : out.session->feed(in.name, std::move(data));
  }
  out.ready = 1e3 * since(begin);
  out.session->run();
  out.first = 1e3 * since(begin) - out.ready;
  return out;
}

// What tools/bench/compare.py talks to. It says "loaded" before anything is built and waits for a line; "first" after
// the first step; "ready", with the bytes of all variables, after nine more; then for each "go SECONDS" the median.
int serve(const std::string& name, const Compiling& how, const CompileOptions& more) {
  std::cout << "loaded" << std::endl;
  std::string word;
  std::cin >> word;
  const auto [graph, wanted] = load_net(name);
  const auto session = start(*graph, wanted, how, more, nullptr).session;
  std::cout << "first" << std::endl;
  for (int step = 1; step < 10; ++step) session->run();
  std::int64_t bytes = 0;
  for (const Value& v : variables(*graph, false)) bytes += v.type().bytes();
  std::cout << "ready " << bytes << std::endl;
  for (double seconds = 0; std::cin >> word >> seconds;) std::cout << median_step(*session, seconds) << std::endl;
  return 0;
}

// Measures whole training steps and prints a table.
int run_bench(const BenchCommand& o) {
  std::vector<std::string> names = o.nets;
  if (names.empty())
    for (const BenchNet& n : bench_net_list()) names.emplace_back(n.name);
  if (o.worker && names.size() != 1) throw Error("--worker measures one net: name it");
  const Pool pool = o.threads > 0 ? Pool(o.threads) : Pool::shared();
  const Compiling how{.memory_budget = o.memory_budget, .activations = o.activations};
  const CompileOptions options{.pool = pool};
  if (o.worker) return serve(names[0], how, options);
  const CheckNumerics check = read_check_numerics(o.check_numerics);
  CompileOptions with_check = options;
  with_check.numerics.check = check;
  say("{:<10} {:>12} {:>12} {:>12} {:>12}{}   {} threads\n", "net", "ms a step", "compile ms", "start ms", "first ms",
      check == CheckNumerics::off ? "" : "   ms checked     slower", pool.threads());
  for (const std::string& name : names) {
    const auto begin = Clock::now();
    const auto [graph, wanted] = load_net(name);
    const double built = 1e3 * since(begin);
    std::vector<Tensor> kept;
    const Started plain = start(*graph, wanted, how, options, o.hand_over ? nullptr : &kept);
    median_step(*plain.session, 0.1);
    const auto print = [&](double step) {
      say("{:<10} {:>12.4f} {:>12.1f} {:>12.1f} {:>12.1f}", name, step, plain.compile, built + plain.ready,
          plain.first);
    };
    if (check == CheckNumerics::off) {
      print(median_step(*plain.session, o.seconds));
      say("\n");
    } else {
      const auto checked = start(*graph, wanted, how, with_check, o.hand_over ? nullptr : &kept).session;
      median_step(*checked, 0.1);
      const auto [without, with] = by_turns(*plain.session, *checked, o.seconds);
      print(without);
      say(" {:>12.4f} {:>9.1f}%\n", with, 100 * (with / without - 1));
    }
  }
  return 0;
}

}  // namespace

Command bench_command(CLI::App& program) {
  auto bench = std::make_shared<BenchCommand>();
  CLI::App* b = program.add_subcommand("bench", "Measure whole training steps with Adam");
  b->footer(
      "Examples:\n"
      "  oxbow bench                            all nets on all cores\n"
      "  oxbow bench mlp lenet --threads 1      two of them on one thread\n"
      "  oxbow bench mnist_cnn                  an example\n"
      "Prints milliseconds: a step's median, to compile, from the net's first node until its first step begins, and "
      "that\n"
      "step, the first to touch its memory.");
  std::string nets;
  for (const BenchNet& net : bench_net_list()) nets += fmt::format("\n  {}: {}", net.name, net.what);
  b->add_option("nets", bench->nets, "which ones, or examples, or files with graphs; default: all" + nets);
  add_threads(*b, bench->threads, "default: all cores");
  add_memory_budget(*b, bench->memory_budget);
  add_activations(*b, bench->activations);
  b->add_option("--seconds", bench->seconds, "to measure each")
      ->check(positive, "greater than 0")
      ->capture_default_str();
  add_check_numerics(*b, bench->check_numerics);
  b->add_flag("--hand-over", bench->hand_over, "hand what is fed over, so that the check need not copy it");
  b->add_flag("--worker", bench->worker, "take turns with other programs: see tools/bench/compare.py");
  return {b, [bench] { return run_bench(*bench); }};
}

}  // namespace oxbow::tools
