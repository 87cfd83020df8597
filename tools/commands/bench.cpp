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

// A net on random numbers, compiled and run once, for that plans. Feeds are kept in `kept` too, so that sessions which
// check numbers have to copy them, unless they are handed over.
std::unique_ptr<Session> session_of(const Graph& graph, const std::vector<Value>& wanted,
                                    const CompileOptions& options, std::vector<Tensor>* kept) {
  const Program program = compile(wanted, options);
  auto session = std::make_unique<Session>(program, Store(graph));
  for (const ops::Input& in : program.inputs()) {
    Tensor data = random_feed(graph, in.name, in.type.shape);
    kept ? session->feed(in.name, kept->emplace_back(data)) : session->feed(in.name, std::move(data));
  }
  session->run();
  return session;
}

// What tools/bench/compare.py talks to. It says "loaded" before anything is built and waits for a line; "first" after
// the first step; "ready", with the bytes of all variables, after nine more; then for each "go SECONDS" the median.
int serve(const std::string& name, const CompileOptions& options) {
  std::cout << "loaded" << std::endl;
  std::string word;
  std::cin >> word;
  const auto [graph, wanted] = load_net(name);
  const auto session = session_of(*graph, wanted, options, nullptr);
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
  const CompileOptions options{.pool = pool, .memory_budget = o.memory_budget};
  if (o.worker) return serve(names[0], options);
  const CheckNumerics check = read_check_numerics(o.check_numerics);
  CompileOptions with_check = options;
  with_check.numerics.check = check;
  fmt::print("{:<10} {:>12} {:>12}{}   {} threads\n", "net", "ms a step", "compile ms",
             check == CheckNumerics::off ? "" : "   ms checked     slower", pool.threads());
  for (const std::string& name : names) {
    const auto [graph, wanted] = load_net(name);
    std::vector<Tensor> kept;
    const auto start = Clock::now();
    const auto plain = session_of(*graph, wanted, options, o.hand_over ? nullptr : &kept);
    const double compiled = 1e3 * since(start);
    median_step(*plain, 0.1);
    if (check == CheckNumerics::off) {
      fmt::print("{:<10} {:>12.4f} {:>12.1f}\n", name, median_step(*plain, o.seconds), compiled);
    } else {
      const auto checked = session_of(*graph, wanted, with_check, o.hand_over ? nullptr : &kept);
      median_step(*checked, 0.1);
      const auto [without, with] = by_turns(*plain, *checked, o.seconds);
      fmt::print("{:<10} {:>12.4f} {:>12.1f} {:>12.4f} {:>9.1f}%\n", name, without, compiled, with,
                 100 * (with / without - 1));
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
      "  oxbow bench mnist_cnn                  an example");
  std::string nets;
  for (const BenchNet& net : bench_net_list()) nets += fmt::format("\n  {}: {}", net.name, net.what);
  b->add_option("nets", bench->nets, "which ones, or examples, or files with graphs; default: all" + nets);
  add_threads(*b, bench->threads, "default: all cores");
  add_memory_budget(*b, bench->memory_budget);
  b->add_option("--seconds", bench->seconds, "to measure each")
      ->check(positive, "greater than 0")
      ->capture_default_str();
  add_check_numerics(*b, bench->check_numerics);
  b->add_flag("--hand-over", bench->hand_over, "hand what is fed over, so that the check need not copy it");
  b->add_flag("--worker", bench->worker, "take turns with other programs: see tools/bench/compare.py");
  return {b, [bench] { return run_bench(*bench); }};
}

}  // namespace oxbow::tools
