// The range test: suggestions of known curves, and a model that is afterwards as it was.
#include <oxbow/optim/judge.h>
#include <oxbow/optim/lr_find.h>
#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>

#include "support/message.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_lr_find)

using namespace oxbow;
using oxbow::test::message;
using oxbow::test::TemporaryFolder;

namespace {

int allocations_left = -1;  // before tensors' memory runs out; below 0: never

}  // namespace

// A tensor's bytes come from here: definitions in the program come before the library's. Sanitizers bring their own.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
extern "C" {
void* __libc_memalign(std::size_t, std::size_t);
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  if (allocations_left == 0) return nullptr;
  if (allocations_left > 0) --allocations_left;
  return __libc_memalign(alignment, size);
}
}
#endif

namespace {

// Points on a line; dropout draws from the model's generator.
struct Line {
  Graph g;
  Dataset data;
  Model model = make();

  Model make() {
    const Value x = input(g, "x", f32, {any(8), 2}), y = input(g, "y", f32, {any(8), 1});
    Tensor tx({f32, {64, 2}}), ty({f32, {64, 1}});
    for (std::size_t i = 0; i < 64; ++i) {
      const float a = static_cast<float>(i) / 32 - 1, b = a * a - 0.3F;
      tx.span<float>()[2 * i] = a;
      tx.span<float>()[2 * i + 1] = b;
      ty.span<float>()[i] = 3 * a - b + 1;
    }
    data = Dataset{{"x", tx}, {"y", ty}};
    const Value h = dense(x, 8, {.activation = relu});
    return compile(mean_squared_error(dense(dropout(h, 0.1), 1), y), "adam");
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_model_is_afterwards_as_it_was) {
  Line line;
  line.model.fit(line.data, {.epochs = 3, .batch_size = 8});
  const Store before = line.model.store().snapshot();
  const double rate = line.model.learning_rate();
  const auto range =
      optim::find_rate(line.model, line.data, {.lowest = 1e-6, .highest = 100, .steps = 60, .batch_size = 8});
  BOOST_TEST(range.rates.size() >= 30);
  BOOST_TEST(line.model.learning_rate() == rate);
  BOOST_TEST(before.names().size() > 10);
  for (const std::string& name : before.names())
    BOOST_TEST(same_bits(before.get(name), line.model.store().get(name)), name);

  // A training that was interrupted within an epoch is resumed where it was.
  const TemporaryFolder folder;
  const auto interrupt = [](Progress& p) { p.stop = p.step == 3; };
  line.model.fit(line.data, {.epochs = 1, .batch_size = 8, .callbacks = {{.on_step = interrupt}}});
  line.model.save(folder / "before", Saved::training);
  optim::find_rate(line.model, line.data, {.lowest = 1e-6, .highest = 100, .steps = 60, .batch_size = 8});
  line.model.save(folder / "after", Saved::training);
  BOOST_TEST((folder.read("before") == folder.read("after")));
  line.model.store().restore(before);

  // So training goes on as if nothing had been.
  Line other;
  other.model.fit(other.data, {.epochs = 3, .batch_size = 8});
  const auto with = line.model.fit(line.data, {.epochs = 2, .batch_size = 8, .first_epoch = 4});
  const auto without = other.model.fit(other.data, {.epochs = 2, .batch_size = 8, .first_epoch = 4});
  BOOST_CHECK(with.step_losses == without.step_losses);
}

// Wherever memory runs out, and however little is left for putting things back.
BOOST_AUTO_TEST_CASE(out_of_memory_is_an_error_and_leaves_the_model_as_it_was) {
  Line line;
  const Store before = line.model.store().snapshot();
  const auto find = [&] {
    optim::find_rate(line.model, line.data, {.lowest = 1e-6, .highest = 0.1, .steps = 20, .batch_size = 8});
  };
  int failures = 0;
  for (int enough = 0;; ++enough) {
    BOOST_REQUIRE(enough < 10'000);
    allocations_left = enough;
    const std::string said = message(find);
    const bool ran_out = allocations_left == 0 && said != "no error";
    allocations_left = -1;
    for (const std::string& name : before.names())
      BOOST_REQUIRE_MESSAGE(same_bits(before.get(name), line.model.store().get(name)), name << " after " << enough);
    if (!ran_out) break;
    BOOST_REQUIRE_MESSAGE(said.starts_with("out of memory: cannot allocate "), said);
    ++failures;
  }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  BOOST_TEST(failures > 10);
#endif
}

BOOST_AUTO_TEST_CASE(it_ends_where_the_loss_breaks_down) {
  Line line;
  const auto range = optim::find_rate(line.model, line.data, {.lowest = 1e-4, .highest = 1e6, .batch_size = 8});
  BOOST_TEST(range.diverged);
  BOOST_TEST(range.rates.size() < 100);
  for (const double rate : {range.valley, range.steepest, range.minimum_tenth, range.slide}) {
    BOOST_TEST(rate > 1e-5);
    BOOST_TEST(rate < range.rates.back());
  }
}

// A loss that falls in a straight line over the steps, reaches its minimum at step 69 of 100, and then rises.
BOOST_AUTO_TEST_CASE(suggestions_of_a_valley_are_where_they_are_defined) {
  optim::RateRange range;
  for (int i = 0; i < 100; ++i) {
    range.rates.push_back(std::pow(10, -6 + i * 0.06));
    range.smoothed.push_back(i < 30   ? 2.0
                             : i < 70 ? 2.0 - 0.04 * (i - 29) - (i == 50 ? 0.01 : 0)
                                      : 0.4 + 0.02 * (i - 69) * (i - 69));
  }
  range.losses = range.smoothed;
  optim::suggest(range);
  BOOST_TEST(range.fell);
  BOOST_TEST(range.minimum_tenth == range.rates[69] / 10);
  BOOST_TEST(range.steepest == range.rates[49]);
  // The valley goes from step 10 (the first of the equal ones that is looked at) to step 69, over the steps in between
  // that fall: a third of it, and a half of that, from its begin.
  BOOST_TEST(range.valley == range.rates[10 + 59 / 3 + 59 / 3 / 2]);
  // From the right, slopes 15 steps apart differ until both are in the fall.
  BOOST_TEST(range.slide == range.rates[54]);
}

namespace {

optim::RateRange recorded(std::vector<double> losses) {
  optim::RateRange range;
  double average = 0, weight = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    range.rates.push_back(std::pow(10, -7 + 8 * static_cast<double>(i) / static_cast<double>(losses.size() - 1)));
    average = 0.98 * average + 0.02 * losses[i], weight = 0.98 * weight + 0.02;
    range.smoothed.push_back(average / weight);
  }
  range.losses = std::move(losses);
  optim::suggest(range);
  return range;
}

bool suggests(const optim::RateRange& r) {
  for (const double rate : {r.valley, r.steepest, r.minimum_tenth, r.slide})
    if (std::isfinite(rate) != r.fell) BOOST_ERROR("a rate where nothing fell, or none where it did");
  return r.fell;
}

}  // namespace

BOOST_AUTO_TEST_CASE(without_a_fall_nothing_is_suggested) {
  // What Ftrl does: it forgets the first weights at once, and then the loss rises and breaks down.
  std::vector<double> forgets(58, 2.30259);
  forgets[0] = 2.27978;
  for (std::size_t i = 40; i < 58; ++i) forgets[i] += 1e-3 * std::exp(0.5 * static_cast<double>(i - 40));
  BOOST_TEST(!suggests(recorded(forgets)));
  forgets[0] = 2.5;  // or falls by it, at a rate that is far too small for that
  BOOST_TEST(!suggests(recorded(forgets)));
  BOOST_TEST(!suggests(recorded(std::vector<double>(100, -3.0))));
  BOOST_TEST(!suggests(recorded(std::vector<double>(100, 0.0))));
  // Without any noise, a fall of less than 1 % is none.
  std::vector<double> calm(100, 2.3);
  for (std::size_t i = 50; i < 100; ++i) calm[i] = 2.28;
  BOOST_TEST(!suggests(recorded(calm)));
  for (std::size_t i = 50; i < 100; ++i) calm[i] = 2.27;
  BOOST_TEST(suggests(recorded(calm)));

  std::mt19937_64 bits(7);
  const auto uniform = [&] { return static_cast<double>(bits() >> 11) * 0x1p-53; };
  for (const int steps : {20, 30, 40, 60, 100}) {
    int seen = 0, missed = 0;
    for (int run = 0; run < 1000; ++run) {
      std::vector<double> noise, learns;
      for (int i = 0; i < steps; ++i) {
        const double normal = std::sqrt(-2 * std::log(1 - uniform())) * std::cos(6.283185307179586 * uniform());
        noise.push_back(2.3 + 0.1 * normal);
        // It learns over a fifth of the steps, and then breaks down.
        const double way = (i - 0.6 * steps) / (0.2 * steps);
        learns.push_back(way < 0 ? noise.back() : way < 1 ? noise.back() - way : 10);
      }
      seen += suggests(recorded(noise)) ? 1 : 0;
      missed += suggests(recorded(learns)) ? 0 : 1;
    }
    BOOST_TEST_MESSAGE(steps << " steps: of 1000 tests " << seen << " see a fall in noise, " << missed << " miss one");
    BOOST_TEST(seen <= 10, steps << " steps: " << seen);
    if (steps >= 40) BOOST_TEST(missed <= 10, steps << " steps: " << missed);
  }
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_told) {
  Line line;
  const auto find = [&](optim::RateRangeOptions o) {
    return message([&] { optim::find_rate(line.model, line.data, o); });
  };
  BOOST_TEST(find({.lowest = 0}) ==
             "find_rate: the rates go from 0 to 10. Give a lowest above 0 and a highest above that");
  BOOST_TEST(find({.steps = 5}) == "find_rate: 5 steps are too few to see a slope. Give at least 20");
  BOOST_TEST(find({.smoothing = 1}) == "find_rate: smoothing is 1. Give at least 0 and less than 1");
  BOOST_TEST(find({.stop_at = 0.5}) == "find_rate: stop_at is 0.5. Give more than 1, or 0 for never");
  BOOST_TEST(find({.lowest = 1e30, .highest = 1e38}).starts_with("find_rate: "));
  optim::RateRange nothing;
  nothing.rates.assign(30, 1.0);
  nothing.losses.assign(29, 1.0);
  nothing.smoothed.assign(30, std::numeric_limits<double>::quiet_NaN());
  BOOST_TEST(message([&] { optim::suggest(nothing); }) ==
             "find_rate: there are 30 rates, 29 losses and 30 smoothed ones. Give one of each a step");
  nothing.losses.push_back(1.0);
  BOOST_TEST(message([&] { optim::suggest(nothing); }) ==
             "find_rate: no loss was finite. Look for bad data, or begin with a lower rate");
}

BOOST_AUTO_TEST_CASE(a_schedule_cannot_be_varied) {
  Graph g;
  const Value w = variable(g, "w", {f32, {}}, {.kind = Init::Kind::constant, .a = 2});
  const Value x = input(g, "x", f32, {any(8)});
  Model model = compile(mean(square(x - w)), optim::SGD{.learning_rate = optim::Exponential{}});
  const std::string said = message([&] { optim::find_rate(model, Dataset{{"x", Tensor({f32, {64}})}}); });
  BOOST_TEST(
      said ==
      "find_rate: the rate follows the schedule exponential(initial=0.001, steps=1000, factor=0.5), so it cannot "
      "be varied. Compile with a number, .learning_rate = 1e-3, find a rate, and give that to the schedule");
}

// Rates that leave dead units behind after the first steps are no place to begin: optim::Verdict::overshot.
BOOST_AUTO_TEST_CASE(the_suggestions_lie_below_the_rates_that_overshoot) {
  constexpr std::int64_t samples = 512, features = 12, classes = 5;
  Tensor x = draw({samples, features}, -1, 1, 3, f32), label({i64, {samples}});
  for (std::int64_t s = 0; s < samples; ++s) {
    label.data<std::int64_t>()[s] = s % classes;
    x.data<float>()[s * features + s % classes] += 1;  // so much is to be learned
  }
  const Dataset data{{"x", x}, {"label", label}};
  Graph g;
  Value h = input(g, "x", f32, {any(32), features});
  for (const int units : {32, 32}) h = dense(h, units, {.activation = relu});
  const Value loss = cross_entropy(dense(h, classes), input(g, "label", i64, {any(32)}));
  for (const optim::Optimizer& optimizer : {optim::Optimizer(optim::SGD{}), optim::Optimizer(optim::Adam{})}) {
    Model model = compile(loss, optimizer);
    const Store first = model.store().snapshot();
    const auto verdict = [&](double rate) {
      model.store().restore(first);
      model.set_learning_rate(rate);
      return optim::judge(model.fit(data, {.epochs = 12, .batch_size = 32})).verdict;
    };
    double lowest = 0;  // of the rates that overshoot
    for (double rate = 0.01; rate < 1e4 && lowest == 0; rate *= 2)
      if (verdict(rate) == optim::Verdict::overshot) lowest = rate;
    BOOST_REQUIRE(lowest > 0);
    model.store().restore(first);
    const optim::RateRange range = optim::find_rate(model, data, {.lowest = 1e-6, .highest = 1e4});
    BOOST_REQUIRE(range.fell);
    for (const double rate : {range.valley, range.steepest, range.minimum_tenth, range.slide})
      BOOST_TEST(rate < lowest, optimizer.name() << ": " << rate << " is suggested, " << lowest << " overshoots");
    const optim::Verdict at_tenth = verdict(range.minimum_tenth);
    BOOST_CHECK(at_tenth != optim::Verdict::overshot && at_tenth != optim::Verdict::diverging);
  }
}

BOOST_AUTO_TEST_SUITE_END()
