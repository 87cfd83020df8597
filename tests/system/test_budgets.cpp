// Training steps within a budget of bytes have the bits of those without: of a residual net with batch normalisation
// and dropout, of a net with attention, and of random graphs, on 1, 2 and 8 threads; and at twenty budgets. Labels:
// memory, threads, levels, figures.
#include <oxbow/oxbow.h>
#include <oxbow/runtime/ledger.h>
#include <oxbow/runtime/run/program_impl.h>

#include <boost/test/unit_test.hpp>

#include "support/figures.h"
#include "support/fine_grain.h"
#include "support/random_graph.h"
#include "support/touched.h"

BOOST_AUTO_TEST_SUITE(test_budgets)

using namespace oxbow;
using namespace oxbow::test;

namespace {

struct Net {
  std::string name;
  std::shared_ptr<Graph> graph;
  std::vector<Value> fetches;
};

Net trained(std::string name, std::shared_ptr<Graph> graph, Value loss) {
  const optim::Minimized step = optim::minimize(loss, "adam");
  std::vector<Value> fetches = step.fetches();
  return {std::move(name), std::move(graph), std::move(fetches)};
}

Net residual() {
  auto graph = std::make_shared<Graph>();
  Graph& g = *graph;
  const Value x = input(g, "x", f32, {8, 8, 8, 3}), label = input(g, "label", i64, {8});
  Value h = relu(batch_norm(conv(x, 8)));
  for (int block = 0; block < 4; ++block) {
    const Value past = h;
    h = dropout(relu(batch_norm(conv(h, 8))), 0.25);
    h = relu(batch_norm(conv(h, 8)) + past);
  }
  return trained("residual", graph, mean(cross_entropy(dense(mean(h, {1, 2}), 10), label)));
}

Net attention() {
  auto graph = std::make_shared<Graph>();
  Graph& g = *graph;
  const std::int64_t batch = 2, length = 16, width = 32;
  const Value x = input(g, "x", i64, {batch, length}), label = input(g, "label", i64, {batch * length});
  const Value table = variable(g, "table", {f32, {10, width}}, {.kind = Init::Kind::uniform, .a = -1, .b = 1});
  Value h = gather(table, cast(x, i32));  // computed, so that it may be made anew for the table's gradient
  for (int layer = 0; layer < 4; ++layer) {
    const Value q = dense(h, width), k = dense(h, width), v = dense(h, width);
    h = h + dropout(dense(matmul(softmax(matmul(q, transpose(k, {0, 2, 1}))), v), width), 0.1);
    h = h + dense(gelu(dense(h, 4 * width)), width);
  }
  return trained("attention", graph, mean(cross_entropy(reshape(dense(h, 10), {batch * length, 10}), label)));
}

std::map<std::string, Tensor> feeds_of(const Program& program, int step) {
  std::map<std::string, Tensor> feeds;
  for (const ops::Input& in : program.inputs()) {
    Tensor t(in.type);
    for (std::int64_t i = 0; i < t.count(); ++i)
      if (t.dtype() == f32)
        t.data<float>()[i] = static_cast<float>((i * 37 + step * 11) % 101) / 50 - 1;
      else
        t.data<std::int64_t>()[i] = (i * 7 + step) % 10;
    feeds.emplace(in.name, t);
  }
  return feeds;
}

std::shared_ptr<const Plan> plan_of(const Program& program) {
  std::vector<Shape> shapes;
  for (const ops::Input& in : program.inputs()) shapes.push_back(in.type.shape);
  return program.impl().plan(shapes);
}

// What three steps fetch, and the variables after them.
std::vector<Tensor> three_steps(const Program& program, const Graph& g) {
  Store store(g);
  std::vector<Tensor> all;
  for (int step = 0; step < 3; ++step)
    for (Tensor& t : program.run(store, feeds_of(program, step))) all.push_back(t.clone());
  for (const std::string& name : store.names()) all.push_back(store.get(name).clone());
  return all;
}

std::size_t count_differing(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  BOOST_REQUIRE_EQUAL(a.size(), b.size());
  std::size_t differ = 0;
  for (std::size_t i = 0; i < a.size(); ++i) differ += !same_bits(a[i], b[i]);
  return differ;
}

}  // namespace

BOOST_AUTO_TEST_CASE(twenty_budgets_keep_every_bit) {
  std::size_t steps = 0, differing = 0;
  for (const Net& net : {residual(), attention()}) {
    const std::vector<Tensor> want = three_steps(compile(net.fetches, {.pool = Pool(1)}), *net.graph);
    for (const int threads : {1, 2, 8}) {
      const Pool pool(threads);
      const auto free = plan_of(Program::Impl::compile(net.fetches, {.pool = pool}, fine_grain));
      double cost = free->cost;
      int kept = 0;
      for (int i = 20; i > 0; --i) {
        const std::int64_t budget = free->arena_bytes * i / 20;
        std::optional<Program> tight;
        try {
          tight = Program::Impl::compile(net.fetches, {.pool = pool, .memory_budget = budget}, fine_grain);
        } catch (const Error&) {
          break;
        }
        ++kept;
        const auto plan = plan_of(*tight);
        const auto which = net.name + ", " + std::to_string(threads) + " threads, budget " + std::to_string(i);
        BOOST_TEST(plan->arena_bytes <= budget, which);
        BOOST_TEST(plan->cost >= cost, which);
        cost = plan->cost;
        const Touched run = touched(plan, threads);
        BOOST_TEST(!run.failed, which);
        BOOST_TEST(!run.beyond, which);
        BOOST_TEST(run.bytes == plan->arena_bytes, which);
        const std::size_t differ = count_differing(three_steps(*tight, *net.graph), want);
        BOOST_TEST(differ == 0u, which);
        steps += 3;
        differing += differ > 0;
      }
      BOOST_TEST_MESSAGE(net.name << ", " << threads << " threads: " << kept << " of 20 budgets, " << cost / free->cost
                                  << " of the work at the smallest");
      BOOST_TEST(kept >= 11, net.name << ", " << threads << " threads");  // half of the bytes
    }
  }
  test::figure("budget bits", test::counted(steps) + " training steps within 20 budgets on 1, 2 and 8 threads: " +
                                  std::to_string(differing) + " programs with other bits than without a budget");
}

BOOST_AUTO_TEST_CASE(random_graphs_keep_every_bit) {
  std::size_t programs = 0, again = 0;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    const RandomGraph g = random_graph(seed);
    const int threads = seed % 3 == 0 ? 8 : static_cast<int>(seed % 3);
    const Pool pool(threads);
    const Program free = Program::Impl::compile(g.fetches, {.pool = pool}, fine_grain);
    const std::shared_ptr<const Plan> usual = plan_of(free);
    std::map<std::string, Tensor> feeds;
    for (const ops::Input& in : free.inputs()) feeds.emplace(in.name, g.feeds.at(in.name));
    Store store(*g.graph);
    const std::vector<Tensor> want = free.run(store, feeds);
    for (const int tenths : {9, 8, 7}) {
      std::optional<Program> tight;
      try {
        tight = Program::Impl::compile(g.fetches, {.pool = pool, .memory_budget = usual->arena_bytes * tenths / 10},
                                       fine_grain);
      } catch (const Error&) {
        break;
      }
      ++programs;
      again += plan_of(*tight)->steps.size() > usual->steps.size();
      Store fresh(*g.graph);
      BOOST_TEST(count_differing(tight->run(fresh, feeds), want) == 0u, "seed " << seed << ", " << tenths << " tenths");
      for (const std::string& name : store.names()) BOOST_TEST(same_bits(fresh.get(name), store.get(name)));
    }
  }
  BOOST_TEST_MESSAGE(programs << " programs, of which " << again << " run steps again");
  BOOST_TEST(programs > 50u);
  BOOST_TEST(again > 10u);
}

// A model trains, evaluates and predicts within it.
BOOST_AUTO_TEST_CASE(a_model_keeps_its_budget) {
  const auto curve = [](std::optional<std::int64_t> budget) {
    Graph g;
    const Value x = input(g, "x", f32, {any(32), 16}), label = input(g, "label", i64, {any(32)});
    Value h = x;
    for (int layer = 0; layer < 6; ++layer) h = tanh(dense(h, 32));
    Model model = compile(mean(cross_entropy(dense(h, 4), label)), "adam", {.pool = Pool(2), .memory_budget = budget});
    Tensor data({f32, {64, 16}}), labels({i64, {64}});
    for (std::int64_t i = 0; i < data.count(); ++i) data.data<float>()[i] = static_cast<float>(i % 13) / 13;
    for (std::int64_t i = 0; i < labels.count(); ++i) labels.data<std::int64_t>()[i] = i % 4;
    const Dataset set{{"x", data}, {"label", labels}};
    model.fit(set, {.epochs = 2, .batch_size = 32});
    return model.store().get(model.store().names()[0]).clone();
  };
  const Tensor want = curve({});
  BOOST_TEST(same_bits(curve(64 * 1024), want));
  BOOST_CHECK_THROW(curve(4096), Error);
}

BOOST_AUTO_TEST_SUITE_END()
