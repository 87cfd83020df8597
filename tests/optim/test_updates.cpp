// An optimizer's update is one pass over memory: one fused node a parameter, written straight into the variables.
#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/optim/optimizer.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/plan.h>
#include <oxbow/runtime/plan/copies.h>

#include <boost/test/unit_test.hpp>
#include <set>

BOOST_AUTO_TEST_SUITE(test_updates)

using namespace oxbow;
using namespace oxbow::internal;

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

// The variables that are written by a copy, not by the step that computes what they become.
std::vector<const ops::Variable*> copied(const Plan& plan) {
  std::vector<const ops::Variable*> found;
  for (const Plan::Step& s : plan.steps)
    if (s.node >= 0 && s.op->is<Copy>())
      if (const Place& to = plan.writes[s.first_write].place; to.home == Home::variable)
        found.push_back(
            plan.graph->node(plan.variables[static_cast<std::size_t>(to.index)].node).op().as<ops::Variable>());
  return found;
}

// A small net with all that keeps state.
Value convolutional(Graph& g) {
  const Value x = input(g, "x", f32, {any(16), 8, 8, 3}), label = input(g, "label", i64, {any(16)});
  const Value h = max_pool(relu(batch_norm(conv(x, 8, {.size = 3}))));
  return cross_entropy(dense(dropout(dense(reshape(h, {-1, 128}), 32), .2), 10), label);
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_update_with_fed_gradients_is_one_pass_in_place) {
  const std::set<std::string_view> by_norms = {"adafactor", "lamb", "lars", "muon"};  // of whole parameters
  for (const optim::Named& named : optim::optimizers())
    for (const int threads : {1, 2}) {
      if (by_norms.contains(named.name)) continue;
      Graph g;
      const auto plan = planned(g, step(g, 3, named.optimizer), threads);
      const auto wide = wide_steps(*plan);
      BOOST_TEST(wide.size() == 3u, named.name << ": " << wide.size() << " passes over three parameters");
      for (const Plan::Step* s : wide) {
        BOOST_TEST(plan->graph->node(s->node).op().is<Fused>());
        BOOST_TEST(s->commits);
        for (std::uint32_t w = 0; w < s->writes; ++w)
          BOOST_TEST((plan->writes[s->first_write + w].place.home == Home::variable));
      }
      BOOST_TEST(copied(*plan).empty());
    }
}

// What is assigned in the middle of a deep net is written in the pass that computes it: waiting for the end would cost
// a pass, and keep alive what it is computed from.
BOOST_AUTO_TEST_CASE(an_assign_in_the_middle_of_a_net_costs_no_pass) {
  const auto plan_with = [](bool assigned) {
    Graph g;
    Value h = input(g, "x", f32, {64, 48});
    std::vector<Value> fetches;
    for (int block = 0; block < 8; ++block) {
      const Value a = h - mean(h, {1}, true), b = tanh(a);
      const Value seen = variable(g, "seen" + std::to_string(block), {f32, {64, 48}}, {});
      if (assigned) fetches.push_back(assign(seen, a * b));
      h = b + h;
    }
    fetches.push_back(sum(h));
    return planned(g, fetches, 1);
  };
  const auto with = plan_with(true), without = plan_with(false);
  BOOST_TEST(with->steps.size() == without->steps.size());
  BOOST_TEST(with->arena_bytes <= without->arena_bytes);
}

// Whatever the optimizer remembers, and whatever else a step does with the weights.
BOOST_AUTO_TEST_CASE(no_parameter_and_no_slot_is_copied) {
  const std::map<std::string, optim::MinimizeOptions> options = {
      {"plain", {}},
      {"EMA", {.average = optim::EMA{}}},
      {"SWA", {.average = optim::SWA{.start = 2}}},
      {"accumulated", {.accumulate = 4}},
      {"clipped", {.clip = {.global_norm = 1}}},
      {"scaled", {.loss_scale = optim::LossScale{}}},
      {"skipping", {.average = optim::EMA{}, .nonfinite = optim::Nonfinite::skip}},
  };
  for (const optim::Named& named : optim::optimizers())
    for (const auto& [what, o] : options) {
      Graph g;
      const optim::Minimized step = optim::minimize(convolutional(g), named.optimizer, o);
      for (const std::vector<Value>& fetches : {step.fetches(), step.gathering}) {
        if (fetches.empty()) continue;
        for (const ops::Variable* v : copied(*planned(g, fetches, 2)))
          BOOST_TEST(v->type.count() == 1, named.name << ", " << what << ": " << v->name << " is copied");
      }
    }
}

// The gradient of batch normalization's scale is looked at for NaN by the very step that moves the scale: what a
// failing step needs cannot wait for it. All else is written in place behind it.
BOOST_AUTO_TEST_CASE(only_what_a_check_is_fused_with_is_copied) {
  Graph g;
  const Value loss = convolutional(g);
  for (const ops::Variable* v :
       copied(*planned(g, optim::minimize(loss, "adam", {.nonfinite = optim::Nonfinite::fail}).fetches(), 2)))
    BOOST_TEST((v->type.count() == 1 || v->name.find("batch_norm/scale") != std::string::npos), v->name);
}

// What is assigned waits for the readers of the old value in the same pass, but for those that need it themselves.
BOOST_AUTO_TEST_CASE(what_needs_the_new_value_comes_after_it) {
  Graph g;
  const Value x = input(g, "x", f32, {8}), w = variable(g, "w", {f32, {8}}, {.kind = Init::Kind::constant, .a = 0.5});
  const Value next = (w + x).named("next"), both = next * w, last = both + 1.0, old = w * 3.0;
  Store store(g);
  const Tensor ones = Tensor::of<float>({8}, std::vector<float>(8, 1));
  const auto results = compile({last, assign(w, next), old, both}).run(store, {{"x", ones}});
  BOOST_TEST(results[0].data<float>()[7] == 1.75f);
  BOOST_TEST(results[1].data<float>()[7] == 1.5f);
  BOOST_TEST(results[2].data<float>()[7] == 1.5f);
  BOOST_TEST(results[3].data<float>()[7] == 0.75f);
  BOOST_TEST(store.get("w").data<float>()[7] == 1.5f);
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

BOOST_AUTO_TEST_SUITE_END()
