// Schedules: each against its formula written out again in plain C++, at the first, last and later steps; text, fields
// and messages; and a training step that follows one.
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/ops.h>
#include <oxbow/optim/minimize.h>
#include <oxbow/optim/optimizers/adam.h>
#include <oxbow/optim/optimizers/sgd.h>
#include <oxbow/optim/schedules.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_schedules)

using namespace oxbow;
using namespace oxbow::optim;
using oxbow::test::message;

namespace {

constexpr double pi = std::numbers::pi;

struct Case {
  Rate rate;
  std::function<double(std::int64_t)> expected;  // a loop or a branch, not the closed form
};

double geometric(double value, double factor, std::int64_t times) {
  for (std::int64_t i = 0; i < times; ++i) value *= factor;
  return value;
}

// PyTorch's CosineAnnealingWarmRestarts steps by walking through its cycles.
double restarts(std::int64_t t, double high, std::int64_t length, std::int64_t growth, double shrink, double low) {
  while (t >= length) {
    t -= length;
    length *= growth;
    high *= shrink;
  }
  return low + (high - low) * (1 + std::cos(pi * static_cast<double>(t) / static_cast<double>(length))) / 2;
}

double annealed(double from, double to, double way) { return to + (from - to) / 2 * (std::cos(pi * way) + 1); }

double cosine(double high, double t, double steps) {
  return t >= steps ? 0 : high * (1 + std::cos(pi * t / steps)) / 2;
}

std::vector<Case> cases() {
  return {
      {0.25, [](std::int64_t) { return 0.25; }},
      {Exponential{.initial = 0.1, .steps = 7, .factor = 0.6},
       [](std::int64_t t) { return 0.1 * std::exp(std::log(0.6) * static_cast<double>(t) / 7); }},
      {StepDecay{.initial = 0.1, .steps = 7, .factor = 0.5}, [](std::int64_t t) { return geometric(0.1, 0.5, t / 7); }},
      {MultiStep{.initial = 0.1, .at = {3, 20, 21}, .factor = 0.1},
       [](std::int64_t t) {
         return t < 3 ? 0.1 : t < 20 ? 0.01 : t < 21 ? 0.001 : 0.0001;
       }},
      {InverseTime{.initial = 0.1, .steps = 10, .decay = 0.5},
       [](std::int64_t t) { return 0.1 / (1 + 0.5 * static_cast<double>(t) / 10); }},
      {Polynomial{.initial = 0.1, .steps = 20, .final = 0.01, .power = 3},
       [](std::int64_t t) {
         const double left = t > 20 ? 0 : 1 - static_cast<double>(t) / 20;
         return 0.09 * left * left * left + 0.01;
       }},
      {Linear{.initial = 0.1, .steps = 20, .final = 0.3},
       [](std::int64_t t) { return t > 20 ? 0.3 : 0.1 + 0.01 * static_cast<double>(t); }},
      {Cosine{.initial = 0.1, .steps = 20}, [](std::int64_t t) { return cosine(0.1, static_cast<double>(t), 20); }},
      {Cosine{.initial = 0.1, .steps = 20, .final = 0.02},
       [](std::int64_t t) { return t > 20 ? 0.02 : annealed(0.1, 0.02, static_cast<double>(t) / 20); }},
      {CosineRestarts{.initial = 0.1, .steps = 7}, [](std::int64_t t) { return restarts(t, 0.1, 7, 1, 1, 0); }},
      {CosineRestarts{.initial = 0.1, .steps = 3, .growth = 2, .shrink = 0.8, .final = 0.01},
       [](std::int64_t t) { return restarts(t, 0.1, 3, 2, 0.8, 0.01); }},
      {CosineRestarts{.initial = 0.1, .steps = 1, .growth = 3},
       [](std::int64_t t) { return restarts(t, 0.1, 1, 3, 1, 0); }},
      {OneCycle{.peak = 0.1, .steps = 40, .warmup = 0.25, .divide = 10, .final_divide = 100},
       [](std::int64_t t) {
         const double s = static_cast<double>(t);  // the phases end at 0.25 * 40 - 1 and 40 - 1
         return t <= 9 ? annealed(0.01, 0.1, s / 9) : t <= 39 ? annealed(0.1, 1e-4, (s - 9) / 30) : 1e-4;
       }},
      {Cyclic{.low = 0.1, .high = 0.5, .up = 4, .down = 6, .shrink = 0.5},
       [](std::int64_t t) {
         const auto within = static_cast<double>(t % 10);
         return 0.1 + geometric(0.4, 0.5, t / 10) * (within <= 4 ? within / 4 : (10 - within) / 6);
       }},
      {Cyclic{.low = 0, .high = 1, .up = 5, .down = 5, .decay = 0.99},
       [](std::int64_t t) {
         const auto within = static_cast<double>(t % 10);
         return geometric(1, 0.99, t) * (within <= 5 ? within : 10 - within) / 5;
       }},
      {Noam{.scale = 2, .width = 64, .warmup = 10},
       [](std::int64_t t) {
         const double n = static_cast<double>(t + 1);
         return 2 / 8.0 * (n < 10 ? n / (10 * std::sqrt(10.0)) : 1 / std::sqrt(n));
       }},
      {Warmup{.steps = 5, .then = Cosine{.initial = 0.1, .steps = 20}},
       [](std::int64_t t) {
         return t < 5 ? 0.02 * static_cast<double>(t) : cosine(0.1, static_cast<double>(t - 5), 20);
       }},
      {Warmup{.steps = 4, .then = 0.1, .from = 0.2},
       [](std::int64_t t) { return t < 4 ? 0.02 + 0.02 * static_cast<double>(t) : 0.1; }},
      {Sequence{.rates = {0.1, 0.02, 0.3}, .at = {5, 9}},
       [](std::int64_t t) { return t < 5   ? 0.1
                                   : t < 9 ? 0.02
                                           : 0.3; }},
      {Sequence{.rates = {Linear{.initial = 0, .steps = 5, .final = 1}, Cosine{.initial = 1, .steps = 10}, 0.1},
                .at = {5, 12}},
       [](std::int64_t t) {
         const double s = static_cast<double>(t);
         return t < 5 ? s / 5 : t < 12 ? cosine(1, s - 5, 10) : 0.1;
       }},
      {Every{.steps = 6, .then = Exponential{.initial = 1, .steps = 1, .factor = 0.9}},
       [](std::int64_t t) { return geometric(1, 0.9, t / 6); }},
      {Plateau{.initial = 0.1}, [](std::int64_t) { return 0.1; }},
  };
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_schedule_follows_its_formula) {
  std::vector<std::int64_t> steps;
  for (std::int64_t t = 0; t < 100; ++t) steps.push_back(t);
  for (const std::int64_t t : {1092, 1093, 4999, 12285, 100000}) steps.push_back(t);  // far beyond the end
  for (const Case& c : cases()) {
    const std::vector<double> rates = c.rate.at(steps);
    BOOST_REQUIRE(rates.size() == steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const double expected = c.expected(steps[i]);
      BOOST_TEST(std::abs(rates[i] - expected) <= 2e-15 + 1e-12 * expected,
                 to_string(c.rate) << " at " << steps[i] << ": " << rates[i] << ", not " << expected);
    }
    BOOST_TEST(c.rate.at(0) == rates[0]);
    BOOST_TEST(c.rate.at(17) == rates[17], to_string(c.rate));  // one step alone has the same bits
  }
}

// Where a cycle begins there is no room for a rounded logarithm.
BOOST_AUTO_TEST_CASE(restarts_happen_at_the_very_step) {
  for (const std::int64_t growth : {2, 3, 7, 10}) {
    const Rate rate = CosineRestarts{.initial = 1, .steps = 13, .growth = growth};
    std::int64_t begin = 0, length = 13;
    while (begin < (std::int64_t{1} << 45)) {
      BOOST_TEST(rate.at(begin) == 1.0, "growth " << growth << ", cycle from " << begin);
      if (begin > 0) BOOST_TEST(rate.at(begin - 1) < 0.02, "growth " << growth << ", before " << begin);
      begin += length;
      length *= growth;
    }
  }
}

BOOST_AUTO_TEST_CASE(schedules_print_compare_and_are_set_by_name) {
  const Rate cosine = Cosine{.initial = 1e-3, .steps = 100};
  BOOST_TEST(to_string(cosine) == "cosine(initial=0.001, steps=100, final=0)");
  BOOST_TEST(to_string(Rate(0.5)) == "0.5");
  BOOST_TEST(to_string(Rate(Warmup{.steps = 5, .then = cosine})) ==
             "warmup(steps=5, then=cosine(initial=0.001, steps=100, final=0), from=0)");
  BOOST_TEST(to_string(Rate(Sequence{.rates = {0.1, 0.01}, .at = {3}})) == "sequence(rates=[0.1, 0.01], at=[3])");
  BOOST_TEST(to_string(Optimizer(SGD{.learning_rate = cosine}))
                 .starts_with("sgd(learning_rate=cosine(initial=0.001, steps=100, final=0), momentum=0"));

  BOOST_TEST((cosine == Rate(Cosine{.initial = 1e-3, .steps = 100})));
  BOOST_TEST((cosine != Rate(Cosine{.initial = 1e-3, .steps = 101})));
  BOOST_TEST((cosine != Rate(1e-3)));
  BOOST_TEST((cosine != Rate(Linear{.initial = 1e-3, .steps = 100})));
  BOOST_TEST(!cosine.constant());
  BOOST_TEST(Rate(0.5).constant().value() == 0.5);
  BOOST_TEST(cosine.as<Cosine>()->steps == 100);
  BOOST_TEST(cosine.as<Linear>() == nullptr);
  BOOST_TEST((Adam{.learning_rate = cosine} != Adam{}));

  for (const Rate& rate : schedules()) {  // attributes say all of it
    Rate back = 0;
    from_attr(to_attr(rate), back);
    BOOST_TEST((back == rate), to_string(rate));
    BOOST_CHECK_NO_THROW(rate.check("x"));
  }
  const Optimizer set = Optimizer("adam").with("learning_rate", to_attr(cosine));
  BOOST_TEST((set.learning_rate() == cosine));
  BOOST_TEST((Optimizer("adam").with("learning_rate", 0.5).learning_rate() == Rate(0.5)));
  const auto with = [](AttrRecord record) {
    return message([&] { Optimizer("adam").with("learning_rate", AttrValue(std::move(record)), Location{}); });
  };
  std::vector<std::string> known;
  for (const Rate& schedule : schedules())
    known.push_back(to_string(schedule).substr(0, to_string(schedule).find('(')));
  BOOST_TEST(with({{"schedule", std::string("cosin")}}) ==
             "adam: learning_rate: there is no schedule \"cosin\". Did you mean \"cosine\" or \"cosine_restarts\"? "
             "Known are: " +
                 internal::listed(known));
  BOOST_TEST(with({{"schedule", std::string("cosine")}, {"stpes", std::int64_t{5}}}) ==
             "adam: learning_rate: the schedule cosine has no field \"stpes\". Did you mean \"steps\"? Its fields "
             "are: initial, steps, final");
}

BOOST_AUTO_TEST_CASE(fields_that_make_no_sense_are_refused) {
  const auto refuse = [](Rate rate) { return message([&] { Optimizer(Adam{.learning_rate = rate}).check(); }); };
  BOOST_TEST(refuse(-0.1) == "adam: learning_rate is -0.1, but must be a number that is not negative");
  BOOST_TEST(refuse(std::nan("")) == "adam: learning_rate is nan, but must be a number that is not negative");
  BOOST_TEST(refuse(std::numeric_limits<double>::infinity()) ==
             "adam: learning_rate is inf, but must be a number that is not negative");
  BOOST_TEST(refuse(Cosine{.initial = -1}) == "cosine: initial is -1, but must be a number that is not negative");
  BOOST_TEST(refuse(Cosine{.steps = 0}) == "cosine: steps is 0, but must be at least 1");
  BOOST_TEST(refuse(Linear{.final = -1}) == "linear: final is -1, but must be a number that is not negative");
  BOOST_TEST(refuse(Exponential{.factor = 0}) == "exponential: factor is 0, but must be above 0 and at most 1");
  BOOST_TEST(refuse(StepDecay{.steps = -3}) == "step: steps is -3, but must be at least 1");
  BOOST_TEST(refuse(InverseTime{.decay = -1}) ==
             "inverse_time: decay is -1, but must be a number that is not negative");
  BOOST_TEST(refuse(Polynomial{.power = 0}) == "polynomial: power is 0, but must be above 0");
  BOOST_TEST(refuse(CosineRestarts{.growth = 0}) == "cosine_restarts: growth is 0, but must be at least 1");
  BOOST_TEST(refuse(MultiStep{.at = {5, 5}}) ==
             "multi_step: the steps in `at` must rise, and the first be at least 1; there is 5 after 5");
  BOOST_TEST(refuse(MultiStep{.at = {0}}) ==
             "multi_step: the steps in `at` must rise, and the first be at least 1; there is 0");
  BOOST_TEST(refuse(OneCycle{.warmup = 1}) == "one_cycle: warmup is 1, but must lie between 0 and 1");
  BOOST_TEST(refuse(OneCycle{.steps = 3}) == "one_cycle: there are too few steps for a warm-up: 3");
  BOOST_TEST(refuse(OneCycle{.divide = 0.5}) == "one_cycle: divide is 0.5, but must be at least 1");
  BOOST_TEST(refuse(Cyclic{.up = 0}) == "cyclic: up is 0, but must be at least 1");
  BOOST_TEST(refuse(Noam{.warmup = 0}) == "noam: warmup is 0, but must be at least 1");
  BOOST_TEST(refuse(Warmup{.then = -1}) == "warmup: then is -1, but must be a number that is not negative");
  BOOST_TEST(refuse(Warmup{.then = Cosine{.steps = 0}}) == "cosine: steps is 0, but must be at least 1");
  BOOST_TEST(refuse(Sequence{.rates = {0.1, 0.2}}) == "sequence: 2 rates need 1 steps between them, but `at` has 0");
  BOOST_TEST(refuse(Sequence{.rates = {}}) == "sequence: 0 rates need 0 steps between them, but `at` has 0");
  BOOST_TEST(refuse(Every{.steps = 0}) == "every: steps is 0, but must be at least 1");
  BOOST_TEST(refuse(Plateau{.factor = 1.5}) == "plateau: factor is 1.5, but must be above 0 and at most 1");
  BOOST_TEST(refuse(Plateau{.patience = -1}) == "plateau: patience and cooldown must not be negative");
}

// Whoever asks a rate is told what `compile` tells, not a number that is none.
BOOST_AUTO_TEST_CASE(a_rate_is_checked_when_it_is_asked) {
  const auto ask = [](const Rate& rate) { return message([&] { rate.at(5); }); };
  BOOST_TEST(ask(OneCycle{.steps = 5, .warmup = 1}) == "one_cycle: warmup is 1, but must lie between 0 and 1");
  BOOST_TEST(ask(Warmup{.then = Cosine{.steps = 0}}) == "cosine: steps is 0, but must be at least 1");
  BOOST_TEST(ask(-0.1) == "rate: the number is -0.1, but must be a number that is not negative");
  BOOST_TEST(ask(0.1) == "no error");
  Graph g;
  const Value step = constant(g, 5.0, f64);
  BOOST_TEST(message([&] { Rate(Cosine{.steps = 0}).value(step); }) == "cosine: steps is 0, but must be at least 1");
  BOOST_TEST(message([&] { Rate(std::nan("")).value(step); }) ==
             "rate: the number is nan, but must be a number that is not negative");
}

BOOST_AUTO_TEST_CASE(a_training_step_goes_by_its_schedule) {
  Graph g;
  const Value w = variable(g, "w", {f64, {}}, {.kind = Init::Kind::constant, .a = 10});
  const Rate rate = Sequence{.rates = {1.0, Cosine{.initial = 0.5, .steps = 4}}, .at = {3}};
  const Minimized m = minimize(2.0 * w, SGD{.learning_rate = rate});
  const Program program = compile(m.fetches());
  Store store(g);
  Session session(program, store);
  BOOST_TEST(store.get("optimizer/learning_rate").item<double>() == 1.0);  // the rate of the step to come
  double expected = 10;
  for (int t = 0; t < 10; ++t) {
    session.run();
    expected -= rate.at(t) * 2.0;
    BOOST_TEST(store.get("w").item<double>() == expected, "step " << t);
    BOOST_TEST(store.get("optimizer/learning_rate").item<double>() == rate.at(t), "step " << t);
  }
}

// ReduceLROnPlateau as PyTorch has it, in a loop of its own.
BOOST_AUTO_TEST_CASE(plateau_remembers) {
  const Plateau plateau{.initial = 0.5, .factor = 0.5, .patience = 2, .min_delta = 0.1, .cooldown = 2, .least = 0.1};
  Graph g;
  const Value w = variable(g, "w", {f64, {}});
  const Minimized m = minimize(2.0 * w, SGD{.learning_rate = plateau});
  BOOST_REQUIRE(m.observers.size() == 1u);
  const Program program = compile(m.fetches()), watching = compile(m.observers[0].updates);
  Store store(g);
  Session session(program, store), observer(watching, store);
  const double results[] = {3, 2, 1.95, 1.94, 1.93, 1.92, 1.91, 1.9, 1.7, 1.7, NAN, 1.69, 1.68, 1.68, 1.68, 1.68, 1.68};
  double best = INFINITY, scale = 1;
  int bad = 0, cooldown = 0, falls = 0;
  for (const double result : results) {
    session.run();
    BOOST_TEST(store.get("optimizer/learning_rate").item<double>() == 0.5 * scale);
    observer.feed(m.observers[0].results[0].input, std::span(&result, 1));
    observer.run();
    if (result < best - 0.1) {
      best = result;
      bad = 0;
    } else {
      ++bad;
    }
    if (cooldown > 0) {
      --cooldown;
      bad = 0;
    }
    if (bad > 2) {
      scale = std::max(scale * 0.5, 0.1);
      cooldown = 2;
      bad = 0;
      ++falls;
    }
  }
  BOOST_TEST(falls == 3);
}

BOOST_AUTO_TEST_SUITE_END()
