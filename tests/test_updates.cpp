// An optimizer's update is one pass over memory: one fused node a parameter, written straight into the variables.
#include <oxbow/graph/fused.h>
#include <oxbow/graph/passes.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/plan.h>

#include <boost/test/unit_test.hpp>

using namespace oxbow;

namespace {

// `parameters` matrices whose gradients are fed.
std::vector<Value> step(Graph& g, int parameters, const optim::Optimizer& optimizer) {
  Value loss;
  for (int i = 0; i < parameters; ++i) {
    const std::string number = std::to_string(i);
    const Value gradient = input(g, "gradient" + number, f32, {64, 48});
    const Value term = sum(parameter(g, "weight" + number, {f32, {64, 48}}) * gradient);
    loss = loss ? loss + term : term;
  }
  return optim::minimize(loss, optimizer).updates;
}

std::shared_ptr<const Plan> planned(const Graph& g, const std::vector<Value>& fetches, int threads) {
  return make_plan(rewrite(*specialise(g, fetches, {}, Mode::training).graph).graph, threads);
}

// The steps that go through a whole parameter.
std::vector<const Plan::Step*> wide_steps(const Plan& plan) {
  std::vector<const Plan::Step*> wide;
  for (const Plan::Step& s : plan.steps)
    if (s.node >= 0 && plan.graph->node(s.node).output().type().count() == 64 * 48) wide.push_back(&s);
  return wide;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_update_with_fed_gradients_is_one_pass_in_place) {
  for (const char* name : {"adam", "rmsprop", "sgd"})
    for (const int threads : {1, 2}) {
      Graph g;
      const auto plan = planned(g, step(g, 3, name), threads);
      const auto wide = wide_steps(*plan);
      BOOST_TEST(wide.size() == 3u, name << ": " << wide.size() << " passes over three parameters");
      for (const Plan::Step* s : wide) {
        BOOST_TEST(plan->graph->node(s->node).op().is<Fused>());
        BOOST_TEST(s->commits);
        for (std::uint32_t w = 0; w < s->writes; ++w)
          BOOST_TEST((plan->writes[s->first_write + w].place.home == Home::variable));
      }
      BOOST_TEST(plan->copies.empty());
    }
}

// One object for equal ops, so that a graph of many alike nodes runs from cache.
BOOST_AUTO_TEST_CASE(equal_updates_share_what_they_prepared) {
  Graph g;
  const auto plan = planned(g, step(g, 3, "adam"), 1);
  const auto wide = wide_steps(*plan);
  BOOST_REQUIRE(wide.size() == 3u);
  BOOST_TEST(wide[0]->prepared == wide[1]->prepared);
  BOOST_TEST(wide[0]->prepared == wide[2]->prepared);
}
