// oxbow profile and oxbow run: sums that add up, a timeline in the trace event format, results whose bits compare.
#include <oxbow/oxbow.h>
#include <oxbow/runtime/numerics/finite.h>
#include <oxbow/runtime/safetensors.h>

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "dump/stages.h"
#include "examples/examples.h"
#include "measure/feeds.h"
#include "measure/profile_report.h"
#include "support/command.h"
#include "support/message.h"
#include "support/places.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_profile)

using namespace oxbow;
using namespace oxbow::test;
using namespace oxbow::tools;
using Json = nlohmann::json;

namespace {

const std::string oxbow_program = program("oxbow") + " ";

// Some traced runs of the perceptron's training step.
struct Measured {
  const std::shared_ptr<Graph> graph = examples::build("mnist_mlp");
  Graph& g = *graph;
  std::vector<Trace> traces;
  explicit Measured(int threads) {
    const Program program = compile(fetches(g), {.pool = Pool(threads)});
    Session session(program, Store(g));
    for (const ops::Input& in : program.inputs()) session.feed(in.name, random_feed(g, in.name, in.type.shape));
    for (int run = 0; run < 3; ++run) session.run(traces.emplace_back());
  }
};

// The idle time of a run, found lane by lane from the gaps between events.
std::int64_t gaps(const Trace& trace) {
  std::int64_t sum = 0;
  for (int w = 0; w < trace.workers(); ++w) {
    std::vector<std::pair<std::int64_t, std::int64_t>> lane;
    for (const auto& e : trace.events())
      if (e.worker == w) lane.emplace_back(e.begin, e.end);
    std::sort(lane.begin(), lane.end());
    std::int64_t at = 0;
    for (const auto& [begin, end] : lane) {
      BOOST_TEST(begin >= at);
      sum += begin - at;
      at = end;
    }
    sum += trace.wall() - at;
  }
  return sum;
}

// Every event has what the format asks of it:
// https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
void check_format(const Json& trace, int workers) {
  BOOST_REQUIRE(trace.at("traceEvents").is_array());
  std::set<int> named;
  double last = -1;
  for (const Json& e : trace["traceEvents"]) {
    BOOST_TEST(e.at("name").is_string());
    BOOST_TEST(e.at("pid").is_number_integer());
    BOOST_TEST(e.at("tid").get<int>() < workers);
    BOOST_TEST(e.at("ts").is_number());
    if (e.at("ph") == "M") {
      if (e["name"] == "thread_name") named.insert(e["tid"].get<int>());
      BOOST_TEST(e.at("args").at("name").is_string());
      continue;
    }
    BOOST_TEST(e.at("ph") == "X");
    BOOST_TEST(e.at("cat").is_string());
    BOOST_TEST(e.at("dur").get<double>() >= 0);
    BOOST_TEST(e["ts"].get<double>() >= 0);
    BOOST_TEST(e.at("args").at("node").is_number_integer());
    last = std::max(last, e["ts"].get<double>());
  }
  BOOST_TEST(static_cast<int>(named.size()) == workers);
  BOOST_TEST(last > 0);
}

}  // namespace

BOOST_AUTO_TEST_CASE(nodes_and_idle_time_make_all_of_the_threads_time) {
  for (const int threads : {1, 2}) {
    const Measured m(threads);
    Profile profile;
    std::int64_t idle = 0;
    for (const Trace& trace : m.traces) {
      profile.add(trace);
      idle += gaps(trace);
    }
    BOOST_TEST(profile.idle() == idle);
    BOOST_TEST(profile.busy() + idle == threads * profile.wall());
    BOOST_TEST(profile.busy() > 0);

    // Folded lines hold the same sum.
    std::istringstream lines(folded(profile));
    std::int64_t sum = 0, count = 0;
    for (std::string line; std::getline(lines, line); ++count) sum += std::stoll(line.substr(line.rfind(' ') + 1));
    std::int64_t nodes = 0, nanoseconds = 0;  // without the wait for what can fail, which is not a node
    for (const auto& n : profile.nodes()) {
      nodes += n.node >= 0;
      nanoseconds += n.node >= 0 ? n.ns / profile.runs() : 0;
    }
    BOOST_TEST(sum == nanoseconds);
    BOOST_TEST(count == nodes);
  }
}

BOOST_AUTO_TEST_CASE(a_timeline_is_in_the_trace_event_format) {
  for (const int threads : {1, 2}) {
    const Measured m(threads);
    const Json trace = Json::parse(chrome_trace(m.traces.back(), "a title"));
    check_format(trace, threads);
    std::int64_t events = 0;
    for (const Trace::Event& e : m.traces.back().events()) events += e.node >= 0;
    BOOST_TEST(std::ssize(trace["traceEvents"]) == events + 1 + threads);
  }
}

BOOST_AUTO_TEST_CASE(rows_lead_back_to_what_was_written) {
  const Measured m(1);
  Profile profile;
  profile.add(m.traces[0]);
  const std::string rows = table(profile, {.flops_per_ns = 100, .bytes_per_ns = 10}, 100), scopes = tree(profile);
  for (const std::string part : {"of peak", "tools/examples/mnist_mlp.cpp:", "add, relu)", "update"})
    BOOST_TEST(rows.find(part) != std::string::npos, part << " is not in\n" << rows);
  for (const std::string part : {"forward\n", "  dense_1\n", "backward\n", "  optimizer\n"})
    BOOST_TEST(scopes.find(part) != std::string::npos, part << " is not in\n" << scopes);
  // The columns of a row are the node's own figures.
  const Profile::NodeTime* top = &profile.nodes()[0];
  for (const auto& n : profile.nodes())
    if (n.ns > top->ns) top = &n;
  std::istringstream first(rows.substr(rows.find('\n')));
  double us = 0, share = 0, tasks = 0, rate = 0, of_peak = 0;
  std::string sign;
  first >> us >> share >> sign >> tasks >> rate >> of_peak;
  BOOST_TEST(std::abs(us - static_cast<double>(top->ns) / 1e3) < 0.01);
  BOOST_TEST(std::abs(share - 100 * static_cast<double>(top->ns) / static_cast<double>(profile.busy())) < 0.06);
  BOOST_TEST(std::abs(rate - top->flops / static_cast<double>(top->ns)) < 0.06);
  BOOST_TEST(std::abs(of_peak - rate) < 0.2);  // of 100 Gflop/s
}

BOOST_AUTO_TEST_CASE(random_labels_are_in_range) {
  Graph g;
  const Value label = input(g, "label", i64, {any(4)}), index = input(g, "index", i32, {300});
  const Value logits = input(g, "logits", f32, {any(4), 3}), table = input(g, "table", f32, {7, 2});
  cross_entropy(logits, reshape(label, {-1}));
  gather(table, index);
  const Tensor labels = random_feed(g, "label", {500}), indices = random_feed(g, "index", {300});
  BOOST_TEST(internal::census(labels).least == 0);
  BOOST_TEST(internal::census(labels).greatest == 2);
  BOOST_TEST(internal::census(indices).greatest == 6);
  BOOST_TEST(same_bits(labels, random_feed(g, "label", {500})));
}

BOOST_AUTO_TEST_CASE(run_prints_results_whose_bits_compare) {
  const TemporaryFolder folder;
  const Finished one = command(oxbow_program + "run mnist_mlp --random --size 8 --steps 2 --threads 1 2>&1");
  const Finished two = command(oxbow_program + "run mnist_mlp --random --size 8 --steps 2 --threads 2 --out " +
                               folder / "r.safetensors" + " 2>&1");
  BOOST_TEST(one.code == 0, one.output);
  BOOST_TEST(one.output == two.output);
  BOOST_TEST(one.output.starts_with("result"));
  const Safetensors written = load_safetensors(folder / "r.safetensors");
  BOOST_TEST(std::count_if(written.tensors.begin(), written.tensors.end(),
                           [](const auto& t) { return t.first == "loss" || t.first == "dense/kernel"; }) == 2);
  // Text that dump wrote gives the same bits.
  const Finished dumped = command(oxbow_program + "dump mnist_mlp -o " + folder / "g.txt" + " && " + oxbow_program +
                                  "run " + folder / "g.txt" + " --random --size 8 --steps 2 2>&1");
  BOOST_TEST(dumped.output == one.output);
}

BOOST_AUTO_TEST_CASE(run_says_what_is_missing) {
  const TemporaryFolder folder;
  const auto fails = [](const std::string& arguments, const std::string& message) {
    const Finished f = command(oxbow_program + "run " + arguments + " 2>&1");
    BOOST_TEST(f.code == 1, f.output);
    BOOST_TEST(f.output.find(message) != std::string::npos, message << " is not in\n" << f.output);
  };
  fails("mnist_mlp",
        "these inputs are not fed:\n  x: f32[any(64), 784]\n  label: i64[any(64)]\n"
        "  Feed each with --feed NAME=FILE.safetensors, all of a file with --data FILE, or all with --random");
  save_safetensors(folder / "y.safetensors", {{{"y", Tensor::scalar(1.0f)}}, {}});
  fails("mnist_mlp --feed " + folder / "y.safetensors", "has no input \"y\"");
  fails("mnist_mlp --feed labels=" + folder / "y.safetensors", "Did you mean \"label\"");
  fails("mnist_mlp --random --feed x=" + folder / "y.safetensors",
        "input \"x\" has the shape [any(64), 784] and was fed []");
  fails("mnist_mlp --feed x=" + folder / "none.safetensors", "none.safetensors");
  fails(folder.write("bad.txt", "oxbow graph 1\nseed 0\nnext_stream 1\n\nforward:\n  %x = relu(%y) : f32[2]\n"),
        "bad.txt:6:13");
  fails(folder.write("none.txt", ""), "none.txt:1:1");
  fails(folder / "nothing", "neither a file that can be read nor an example");
}

BOOST_AUTO_TEST_CASE(a_nan_is_named_and_its_repro_runs) {
  const TemporaryFolder folder;
  const std::string graph = folder.write("g.txt",
                                         "oxbow graph 1\nseed 0\nnext_stream 1\n\nforward:\n"
                                         "  %x = input {name: \"x\", type: f32[3], free_axes: []} : f32[3]\n"
                                         "  %root = sqrt(%x) : f32[3]\n"
                                         "  %loss = sum(%root) {axes: [], keep: false} : f32[]\n\n"
                                         "outputs:\n  \"loss\" = %loss\n\nend\n");
  save_safetensors(folder / "x.safetensors", {{{"x", Tensor::of<float>({3}, {4, -1, 9})}}, {}});
  const std::string run = oxbow_program + "run " + graph + " --feed " + folder / "x.safetensors";
  const Finished plain = command(run + " 2>&1");
  BOOST_TEST(plain.code == 0);
  BOOST_TEST(plain.output.find("NaN") != std::string::npos, plain.output);
  for (const std::string check : {"--check-numerics", "--check-numerics=all"}) {
    const Finished checked = command(run + " " + check + " --repro " + folder / "nan" + " 2>&1");
    BOOST_TEST(checked.code == 1);
    BOOST_TEST(checked.output.starts_with("oxbow: root made a NaN at [1], in run 1\n"), checked.output);
    const Finished again = command(oxbow_program + "run " + folder / "nan" + " 2>&1");
    BOOST_TEST(again.code == 0);
    BOOST_TEST(again.output.find("2 to 3, and 1 NaN") != std::string::npos, again.output);
    const Finished named =
        command(oxbow_program + "run " + folder / "nan" + " " + check + " --repro " + folder / "again" + " 2>&1");
    BOOST_TEST(named.output.find("made a NaN at [1], in run 1") != std::string::npos, named.output);
  }
}

BOOST_AUTO_TEST_CASE(profile_writes_what_it_is_asked_for) {
  const TemporaryFolder folder;
  const Finished f = command(oxbow_program + "profile xor --steps 5 --threads 2 --trace " + folder / "t.json" +
                             " --folded " + folder / "f.txt" + " 2>&1");
  BOOST_TEST(f.code == 0, f.output);
  BOOST_TEST(f.output.starts_with("xor: "), f.output);
  BOOST_TEST(f.output.find("on 2 threads") != std::string::npos);
  check_format(Json::parse(folder.read("t.json")), 2);
  BOOST_TEST(folder.read("f.txt").find("backward;") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
