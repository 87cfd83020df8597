// Memory runs out: every allocation of compile, of the first run and of a failing one fails in turn. What comes is an
// `Error` or the right result, variables are as before, and the next try gives the right bits.
// Labels: long.
#include <oxbow/runtime/run/program_impl.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <optional>

#include "runtime/allocations.h"
#include "support/figures.h"
#include "support/fine_grain.h"
#include "support/runtime_ops.h"

BOOST_AUTO_TEST_SUITE(test_out_of_memory)

using namespace oxbow;
using namespace oxbow::test;

namespace {

const std::vector<float> x0(12, 0.25f), x1(40, 0.5f);

void feed(Session& session, const Program& program) {
  for (const ops::Input& in : program.inputs()) session.feed<float>(in.name, in.name == "x0" ? x0 : x1);
}

std::vector<Tensor> values(const Store& store) {
  std::vector<Tensor> all;
  for (const std::string& name : store.names()) all.push_back(store.get(name));
  return all;
}

bool same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Tensor& x, const Tensor& y) { return same_bits(x, y); });
}

// Variables after one run.
std::vector<Tensor> trained(const MixedGraph& graph, const Program& program) {
  const Store store(graph.g);
  Session session(program, store);
  feed(session, program);
  session.run();
  return values(store);
}

Program compiled(const MixedGraph& graph, int threads) {
  return Program::Impl::compile(graph.fetches, {.pool = Pool(threads)}, fine_grain);
}

}  // namespace

BOOST_AUTO_TEST_CASE(compiling) {
  const MixedGraph graph(2, 40);
  const std::vector<Tensor> expected = trained(graph, compiled(graph, 1));
  std::optional<Program> program;
  with_failing_allocations([&] { program = compile(graph.fetches); },
                           [&](bool error) {
                             if (!error) BOOST_TEST(same(trained(graph, *program), expected));
                           });
}

BOOST_AUTO_TEST_CASE(the_first_run) {
  const MixedGraph graph(2, 40);
  for (const int threads : {1, 3}) {
    const Program program = compiled(graph, threads);
    const std::vector<Tensor> before = values(Store(graph.g)), expected = trained(graph, program);
    std::optional<Store> store;
    std::optional<Session> session;
    with_failing_allocations(
        [&] {
          session.reset();
          store.reset();
          store.emplace(graph.g);
          session.emplace(program, *store);
          feed(*session, program);
          session->run();
        },
        [&](bool error) {
          if (!store) return;
          BOOST_TEST(same(values(*store), error ? before : expected));
          if (!session || !error) return;
          feed(*session, program);
          session->run();
          BOOST_TEST(same(values(*store), expected));
        });
  }
}

BOOST_AUTO_TEST_CASE(a_run_that_fails_on_its_data) {
  Graph g;
  const Value x = input(g, "x", f32, {64}), w = variable(g, "w", {f32, {64}});
  const Value y = apply(Check{}, {apply(Mix{64, 8}, {x}, At::current())}, At::current());
  const Store store(g);
  for (const int threads : {1, 3}) {
    Session session(Program::Impl::compile({assign(w, y)}, {.pool = Pool(threads)}, fine_grain), store);
    const std::vector<float> bad(64, -4);
    session.feed<float>("x", bad);
    with_failing_allocations([&] { session.run(); },
                             [&](bool error) {
                               BOOST_TEST(error);
                               BOOST_TEST(store.get("w").data<float>()[0] == 0);
                             });
  }
}

BOOST_AUTO_TEST_CASE(adding_variables_and_snapshots) {
  const MixedGraph graph(2, 40);
  std::optional<Store> store, copy;
  const std::vector<Tensor> expected = values(Store(graph.g));
  with_failing_allocations(
      [&] {
        store.emplace();
        store->add(graph.g);
        copy = store->snapshot();
      },
      [&](bool error) {
        if (!error) BOOST_TEST(same(values(*copy), expected));
        if (!store) return;
        store->add(graph.g);
        BOOST_TEST(same(values(*store), expected));
      });
}

BOOST_AUTO_TEST_CASE(so_many_failed) {
  figure("allocations in runs",
         counted(failed_allocations()) +
             " tries of compiling and running with failing allocations: 0 aborts, 0 lost values");
}

BOOST_AUTO_TEST_SUITE_END()
