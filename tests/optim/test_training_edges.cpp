// Trainings at the edges: gradients near the ends of the number range, losses without a derivative, schedules in
// schedules, rates of a file and of a group, averaged weights beside batch normalisation.
#include <oxbow/ops/ops.h>
#include <oxbow/optim/model.h>
#include <oxbow/optim/optimizers.h>
#include <oxbow/optim/schedules.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "support/descent.h"
#include "support/message.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_training_edges)

using namespace oxbow;
using namespace oxbow::optim;
using test::message;
using test::TemporaryFolder;

namespace {

// loss = sum(c w), w starting at `start`: its gradient is c.
struct Slope {
  Graph g;
  Minimized step;
  Store store;
  Program program;
  std::optional<Session> session;
  Slope(const std::vector<double>& c, DType dtype, const Optimizer& optimizer, MinimizeOptions options,
        double start = 0) {
    const auto n = static_cast<std::int64_t>(c.size());
    const Value w = variable(g, "w", {dtype, {n}}, {.kind = Init::Kind::constant, .a = start});
    const Value slope = input(g, "c", dtype, std::vector<Dim>{n});
    step = minimize(sum(slope * w), optimizer, std::move(options));
    std::vector<Value> fetches;
    for (const Recorded& r : step.recorded) fetches.push_back(r.value);
    fetches.insert(fetches.end(), step.updates.begin(), step.updates.end());
    program = compile(fetches);
    store = Store(g);
    session.emplace(program, store);
    run(c);
  }
  void run(const std::vector<double>& c) {
    const auto n = static_cast<std::int64_t>(c.size());
    if (step.parameters[0].dtype() == f64)
      session->feed("c", Tensor::of<double>({n}, c));
    else
      session->feed("c", Tensor::of<float>({n}, std::vector<float>(c.begin(), c.end())));
    session->run();
  }
  std::vector<double> w() const {
    const Tensor t = store.get("w");
    return dispatch(t.dtype(), [&]<class T>(std::type_identity<T>) {
      return std::vector<double>(t.data<T>(), t.data<T>() + t.count());
    });
  }
};

void near(double got, double want, const std::string& what) {
  BOOST_TEST(std::abs(got - want) <= 4e-6 * std::abs(want), what << ": " << got << ", not " << want);
}

struct Case {
  double c;
  DType dtype;
};
const Case far_out[] = {{1e20, f32}, {1e-25, f32}, {1e200, f64}, {1e-200, f64}};

}  // namespace

BOOST_AUTO_TEST_CASE(gradients_are_clipped_at_any_size) {
  for (const auto& [c, dtype] : far_out) {
    const std::string what = std::to_string(std::log10(c)) + " in " + std::string(name(dtype));
    const double limit = c * 1e-3, each = -limit * std::sqrt(.5);
    for (const bool global : {true, false}) {
      const Clip clip = global ? Clip{.global_norm = limit} : Clip{.norm = limit};
      for (const double w : Slope({c, c}, dtype, SGD{.learning_rate = 1.0}, {.clip = clip}).w()) near(w, each, what);
    }
    // Adaptive: the weights' own length, at least 1e-3, sets the limit.
    if (c > 1)
      for (const double w : Slope({c, c}, dtype, SGD{.learning_rate = 1.0}, {.clip = {.adaptive = 1}}).w())
        near(w, -1e-3 * std::sqrt(.5), what + ", adaptive");
  }
}

// However far the limit is from the length, their quotient does not vanish.
BOOST_AUTO_TEST_CASE(gradients_are_clipped_to_any_size) {
  struct Far {
    double c, limit;
    DType dtype;
  };
  for (const auto& [c, limit, dtype] : {Far{1e37, 1e-3, f32}, Far{1e30, 1e-20, f32}, Far{1e306, 1e-10, f64}})
    for (const Clip& clip : {Clip{.norm = limit}, Clip{.global_norm = limit}})
      for (const double w : Slope({c, c}, dtype, SGD{.learning_rate = 1.0}, {.clip = clip}).w())
        near(w, -limit * std::sqrt(.5), std::to_string(std::log10(c)) + " in " + std::string(name(dtype)));
  for (const double w : Slope({1e37, 1e37}, f32, SGD{.learning_rate = 1.0}, {.clip = {.adaptive = 0.01}}).w())
    near(w, -1e-5 * std::sqrt(.5), "adaptive");
}

BOOST_AUTO_TEST_CASE(norms_are_recorded_at_any_size) {
  for (const auto& [c, dtype] : far_out) {
    const Slope s({c, c}, dtype, SGD{.learning_rate = 1.0}, {.norms = true}, c);
    for (int i = 0; i < 4; ++i) {
      const double want = i % 2 == 0 ? c * std::sqrt(2) : 1;
      near(s.session->fetch<double>(i)[0], want, s.step.recorded[static_cast<std::size_t>(i)].name);
    }
  }
}

// Steps that are as long as the weights ask for.
BOOST_AUTO_TEST_CASE(relative_steps_at_any_size) {
  for (const auto& [c, dtype] : far_out) {
    const std::string what = std::to_string(std::log10(c)) + " in " + std::string(name(dtype));
    for (const double w : Slope({c, c}, dtype, LARS{.learning_rate = 1.0, .trust_coefficient = .5}, {}, c).w())
      near(w, c / 2, "lars, " + what);
    for (const double w : Slope({1, 1}, dtype, LAMB{.learning_rate = .5, .weight_decay = 0}, {}, c).w())
      near(w, c / 2, "lamb, " + what);
    for (const double w : Slope({1, 1}, dtype, Adafactor{.learning_rate = .5}, {}, c).w())
      near(w, c > 1 ? c / 2 : c - 5e-4, "adafactor, " + what);
  }
  for (const auto& [w0, slope] : {std::pair{1e20, 1e-25}, {1e20, 1e-30}, {1e-20, 1e18}}) {
    for (const double w : Slope({slope, slope}, f32, LARS{.learning_rate = 1.0, .trust_coefficient = .5}, {}, w0).w())
      near(w, w0 / 2, "lars of " + std::to_string(std::log10(slope)));
    for (const double w : Slope({slope, slope}, f32, LAMB{.learning_rate = .5, .weight_decay = 0}, {}, w0).w())
      near(w, w0 / 2, "lamb of " + std::to_string(std::log10(slope)));
  }
}

// A square that is infinite would stay in the optimizer: the step is refused, or left out.
BOOST_AUTO_TEST_CASE(a_gradient_whose_square_overflows_is_seen) {
  for (const Named& o : optimizers()) {
    if (!o.optimizer.squares()) continue;
    const std::string who(o.name);
    Slope s({1, 1}, f32, o.optimizer, {.nonfinite = Nonfinite::skip});
    const std::vector<double> before = s.w();
    s.run({1e20, 1});
    BOOST_TEST(s.w() == before, who);
    BOOST_TEST(s.store.get("optimizer/skipped").item<std::int64_t>() == 1, who);
    s.run({1, 1});
    BOOST_TEST(s.w() != before, who);
    // Clipped, it is a gradient like any other.
    Slope clipped({1, 1}, f32, o.optimizer, {.clip = {.global_norm = 1}, .nonfinite = Nonfinite::skip});
    clipped.run({1e20, 1});
    BOOST_TEST(clipped.store.get("optimizer/skipped").item<std::int64_t>() == 0, who);
  }
  BOOST_TEST(message([] {
               Slope({1e20, 1}, f32, "adam", {.nonfinite = Nonfinite::fail});
             }).find("One whose square is infinite, which adam would keep") != std::string::npos);
  // Without squares there is nothing to stop.
  const std::vector<double> moved = {-1e20f, -1};
  BOOST_TEST(Slope({1e20, 1}, f32, SGD{.learning_rate = 1.0}, {.nonfinite = Nonfinite::fail}).w() == moved);
}

// Of two squares that are finite the sum need not be.
BOOST_AUTO_TEST_CASE(a_sum_of_squares_that_overflows_is_seen) {
  for (const char* who : {"adagrad", "ftrl"}) {
    Slope skip({1.5e19, 1}, f32, who, {.nonfinite = Nonfinite::skip});
    BOOST_TEST(skip.store.get("optimizer/skipped").item<std::int64_t>() == 0, who);
    const std::vector<double> before = skip.w();
    skip.run({1.5e19, 1});
    BOOST_TEST(skip.w() == before, who);
    BOOST_TEST(skip.store.get("optimizer/skipped").item<std::int64_t>() == 1, who);
    skip.run({1, 1});
    BOOST_TEST(skip.w()[1] != before[1], who);
    for (const double w : skip.w()) BOOST_TEST(std::isfinite(w), who);

    Slope fail({1.5e19, 1}, f32, who, {.nonfinite = Nonfinite::fail});
    const std::string said = message([&] { fail.run({1.5e19, 1}); });
    BOOST_TEST(said.find("or makes the sum of all so, counts as Inf") != std::string::npos, said);
    fail.run({1, 1});
    for (const double w : fail.w()) BOOST_TEST(std::isfinite(w), who);
  }
}

BOOST_AUTO_TEST_CASE(a_loss_without_a_derivative_is_refused) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), y = input(g, "y", i64, {any(4)});
  const Value logits = dense(x, 2);
  const Value wrong = mean(cast(not_equal(argmax(logits, 1), y), f32));
  const std::string text = message([&] { compile(wrong, "adam"); });
  BOOST_TEST(text.find("gives no parameter a gradient: ") != std::string::npos, text);
  BOOST_TEST(text.find("argmax") != std::string::npos, text);
  BOOST_TEST(text.find("such as cross_entropy(logits, labels), and give this one as a metric") != std::string::npos,
             text);
  BOOST_TEST(message([&] { compile(mean(stop_gradient(logits)), "sgd"); }).find("stop_gradient") != std::string::npos);
  BOOST_TEST(message([&] { compile(mean(sign(logits)), "sgd"); }).find("0 everywhere") != std::string::npos);
  compile(cross_entropy(logits, y), "adam", {.metrics = {{"error", wrong}}});
}

BOOST_AUTO_TEST_CASE(two_optimizers_or_layers_of_one_name_are_told_what_serves) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3});
  const Value loss = mean(square(dense(x, 2, {.name = "head"})));
  minimize(loss, "adam");
  BOOST_TEST(message([&] { minimize(loss, "sgd"); }).find("{.scope = \"optimizer_2\"}") != std::string::npos);
  minimize(loss, "sgd", {.scope = "optimizer_2"});
  const std::string text = message([&] { dense(x, 2, {.name = "head"}); });
  BOOST_TEST(text.find("dense: the name \"head/kernel\" is taken at ") != std::string::npos, text);
  BOOST_TEST(text.find("leave .name out") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(empty_minibatches_move_nothing) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4)}), w = variable(g, "w", {f32, {}}, {.kind = Init::Kind::constant, .a = 2});
  const Minimized step = minimize(mean(square(w - x)), SGD{.learning_rate = 1.0}, {.accumulate = 2});
  Store store(g);
  Session last(compile(step.fetches()), store);
  last.feed("x", Tensor({f32, {0}}));
  last.run();
  BOOST_TEST(store.get("w").item<float>() == 2);
}

namespace {

// The rates of the first steps of epochs of two steps, each of which ends with this result.
std::vector<double> rates_of(const Rate& rate, const std::vector<double>& results) {
  Graph g;
  const Value w = variable(g, "w", {f64, {}});
  const Minimized m = minimize(2.0 * w, SGD{.learning_rate = rate});
  BOOST_REQUIRE(m.observers.size() == 1U);
  Store store(g);
  Session session(compile(m.fetches()), store), observer(compile(m.observers[0].updates), store);
  std::vector<double> rates;
  for (const double result : results) {
    session.run();
    rates.push_back(store.get("optimizer/learning_rate").item<double>());
    session.run();
    for (const auto& [monitor, input] : m.observers[0].results) observer.feed(input, std::span(&result, 1));
    observer.run();
  }
  return rates;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_plateau_in_another_schedule_lowers_the_rate) {
  const Plateau plateau{.initial = 1.0, .factor = .5, .patience = 0};
  const std::vector<double> worse = {1, 2, 3, 4, 5};
  const auto check = [](const std::vector<double>& got, const std::vector<double>& want) {
    BOOST_TEST(got == want, boost::test_tools::per_element());
  };
  check(rates_of(plateau, worse), {1, 1, .5, .25, .125});
  check(rates_of(Every{.steps = 2, .then = plateau}, worse), {1, 1, .5, .25, .125});
  // The epoch of the warm-up does not count, nor does what comes before a part of a sequence or after it.
  check(rates_of(Warmup{.steps = 2, .then = plateau}, worse), {0, 1, 1, .5, .25});
  check(rates_of(Sequence{.rates = {8.0, plateau}, .at = {4}}, worse), {8, 8, 1, 1, .5});
  check(rates_of(Sequence{.rates = {plateau, plateau}, .at = {4}}, worse), {1, 1, 1, 1, .5});
  check(rates_of(Plateau{.initial = plateau, .factor = .5, .patience = 2}, worse), {1, 1, .5, .25, .0625});
  check(rates_of(Warmup{.steps = 2, .then = Sequence{.rates = {1.0, plateau}, .at = {2}}}, worse), {0, 1, 1, 1, .5});
}

BOOST_AUTO_TEST_CASE(a_plateau_of_a_score_that_should_rise) {
  const Plateau score{.initial = 1.0, .factor = .5, .patience = 0, .min_delta = .5, .maximize = true};
  BOOST_TEST(rates_of(score, {1, 2, 3, 3.25, 3.5, NAN, 4.25}) == (std::vector<double>{1, 1, 1, 1, .5, .25, .125}),
             boost::test_tools::per_element());
}

namespace {

// A line with a group that has an optimizer of its own.
Model line(const Rate& rate, bool grouped = false) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), y = input(g, "y", f32, {any(4), 1});
  const Value loss = mean_squared_error(dense(x, 1), y);
  MinimizeOptions options;
  if (grouped) options.groups = {{.pattern = "*/bias", .optimizer = SGD{.learning_rate = .5}}};
  return compile(loss, Adam{.learning_rate = rate}, {.minimize = options});
}
const Dataset points = {{"x", draw({16, 3}, -1, 1, 1, f32)}, {"y", draw({16, 1}, -1, 1, 2, f32)}};

}  // namespace

BOOST_AUTO_TEST_CASE(the_rate_that_was_asked_for_holds) {
  const TemporaryFolder folder;
  const auto saved = [&](const Rate& rate, double set) {
    Model m = line(rate);
    m.fit(points, {.epochs = 2, .batch_size = 4});
    if (set > 0) m.set_learning_rate(set);
    m.save(folder / "state", Saved::training);
  };
  const auto loaded = [&](const Rate& rate) {
    Model m = line(rate);
    const Restored left_out = m.load(folder / "state");
    return std::pair(m.learning_rate(), left_out.other_rate);
  };
  const std::optional<double> none;
  saved(Cosine{.initial = 1e-3, .steps = 4}, 0);
  BOOST_TEST((loaded(1e-2) == std::pair(1e-2, none)));
  saved(1e-3, 0);
  BOOST_TEST((loaded(1e-2) == std::pair(1e-2, std::optional(1e-3))));
  BOOST_TEST((loaded(1e-3) == std::pair(1e-3, none)));
  saved(1e-3, 5e-4);  // set by hand, and so part of the training that goes on
  BOOST_TEST((loaded(1e-3) == std::pair(5e-4, none)));
  BOOST_TEST((loaded(1e-2) == std::pair(1e-2, std::optional(5e-4))));
}

BOOST_AUTO_TEST_CASE(a_rate_that_is_set_reaches_a_group_of_its_own) {
  Model m = line(1e-2, true);
  const auto own = [&] { return m.store().get("optimizer/group_1/learning_rate").item<double>(); };
  m.set_learning_rate(1e-3);
  BOOST_TEST(m.learning_rate() == 1e-3);
  BOOST_TEST(own() == .5 * (1e-3 / 1e-2));
  m.set_learning_rate(0);
  const Tensor before = m.store().get("dense/bias");
  m.fit(points, {.epochs = 1});
  BOOST_TEST(same_bits(m.store().get("dense/bias"), before));
  m.set_learning_rate(.25, "*/bias");
  BOOST_TEST(own() == .25);
  BOOST_TEST(m.learning_rate() == 0);
  BOOST_TEST(message([&] { m.set_learning_rate(.1, "*/bais"); }).find("Did you mean \"*/bias\"?") != std::string::npos);
}

// Averaged weights with batch normalisation evaluate by statistics of their own: those of all data, by a plain loop.
BOOST_AUTO_TEST_CASE(statistics_are_refreshed_for_averaged_weights) {
  const auto model = [] {
    Graph g;
    const Value x = input(g, "x", f32, {any(4), 3}), y = input(g, "y", f32, {any(4), 1});
    const Value hidden = dense(x, 4), normal = batch_norm(hidden);
    return compile(mean_squared_error(dense(relu(normal), 1), y), SGD{.learning_rate = .2},
                   {.minimize = {.average = SWA{}}, .predictions = hidden});
  };
  Model with = model(), without = model();
  with.fit(points, {.epochs = 3, .batch_size = 16});
  without.fit(points, {.epochs = 3, .batch_size = 16, .refresh_statistics = false});
  for (const char* name : {"dense/kernel", "batch_norm/running_mean", "optimizer/average/dense/kernel"})
    BOOST_TEST(same_bits(with.store().get(name), without.store().get(name)), name);  // training is the same
  const double refreshed = with.evaluate(points)["loss"];
  BOOST_TEST(refreshed != without.evaluate(points)["loss"]);
  without.refresh_statistics(points, 16);
  BOOST_TEST(without.evaluate(points)["loss"] == refreshed);

  const Tensor hidden = with.predict(points);  // by averaged weights
  const Tensor mean = with.store().get("optimizer/average/batch_norm/running_mean");
  const Tensor variance = with.store().get("optimizer/average/batch_norm/running_variance");
  for (std::int64_t k = 0; k < 4; ++k) {
    double sum = 0, squares = 0;
    for (std::int64_t i = 0; i < 16; ++i) sum += hidden.data<float>()[4 * i + k];
    for (std::int64_t i = 0; i < 16; ++i) squares += std::pow(hidden.data<float>()[4 * i + k] - sum / 16, 2);
    BOOST_TEST(std::abs(mean.data<float>()[k] - sum / 16) < 1e-6);
    BOOST_TEST(std::abs(variance.data<float>()[k] - squares / 16) < 1e-6);
  }

  // They are saved with the averages, and with a training that goes on.
  const TemporaryFolder folder;
  with.save(folder / "averages", Saved::averages);
  with.save(folder / "training", Saved::training);
  Model plain = model(), resumed = model();
  plain.load(folder / "averages");
  resumed.load(folder / "training");
  BOOST_TEST(plain.evaluate(points)["loss"] == refreshed);
  BOOST_TEST(resumed.evaluate(points)["loss"] == refreshed);
}

// Of a layer that is called twice: the mean of what its calls see.
BOOST_AUTO_TEST_CASE(refreshed_statistics_are_those_of_all_calls) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), y = input(g, "y", f32, {any(4), 1});
  const BatchNorm normal;
  const Value twice = concat({normal(x), normal(x + 2.0)}, 1);
  Model m = compile(mean_squared_error(dense(twice, 1), y), SGD{.learning_rate = .1}, {.minimize = {.average = SWA{}}});
  m.fit(points, {.epochs = 1, .batch_size = 16});
  const Tensor mean = m.store().get("optimizer/average/batch_norm/running_mean");
  for (std::int64_t k = 0; k < 3; ++k) {
    double sum = 0;
    for (std::int64_t i = 0; i < 16; ++i) sum += points["x"].data<float>()[3 * i + k];
    BOOST_TEST(mean.data<float>()[k] == sum / 16 + 1, boost::test_tools::tolerance(1e-5));
  }
}

BOOST_AUTO_TEST_SUITE_END()
