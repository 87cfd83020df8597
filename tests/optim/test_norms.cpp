// What training records of each step: lengths of gradients, and update-to-weight ratios.
#include <oxbow/ops/ops.h>
#include <oxbow/optim/model.h>
#include <oxbow/optim/optimizers/adam.h>
#include <oxbow/optim/optimizers/sgd.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <tuple>

#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_norms)

using namespace oxbow;
using test::message;

namespace {

// loss = mean over samples of (x . w + b - y)^2, in double: its gradient is a loop below.
struct Line {
  Graph g;
  Value x = input(g, "x", f64, {any(4), 3}), y = input(g, "y", f64, {any(4)});
  Value w = variable(g, "w", {f64, {3}}, {.kind = Init::Kind::uniform, .a = -1, .b = 1, .seed = 5});
  Value b = variable(g, "b", {f64, {}});
  Value loss = mean(square(sum(x * w, {1}) + b - y));
};

Dataset samples(std::int64_t n) { return {{"x", draw({n, 3}, -1, 1, 1, f64)}, {"y", draw({n}, -2, 2, 2, f64)}}; }

double length(const std::vector<double>& v) {
  double squares = 0;
  for (const double e : v) squares += e * e;
  return std::sqrt(squares);
}

void near(double got, double want, const std::string& what) {
  BOOST_TEST(std::abs(got - want) <= 1e-13 * std::abs(want), what << ": " << got << ", not " << want);
}

}  // namespace

// Plain descent, beside a loop over the samples; in steps of two minibatches, whose gradients are the mean over both.
BOOST_AUTO_TEST_CASE(norms_and_ratios_are_those_of_a_plain_computation) {
  const Line net;
  const Dataset data = samples(20);
  const double rate = 0.1;
  for (const int accumulate : {1, 2}) {
    Model model =
        compile(net.loss, optim::SGD{.learning_rate = rate}, {.minimize = {.accumulate = accumulate, .norms = true}});
    const Tensor first = model.store().get("w");
    std::vector<double> w(first.data<double>(), first.data<double>() + 3);
    double b = 0;
    const History h = model.fit(data, {.epochs = 2, .batch_size = 4, .shuffle = false});
    BOOST_REQUIRE(h.recorded.size() == 6u);
    const auto* x = data["x"].data<double>();
    const auto* y = data["y"].data<double>();
    std::size_t row = 0;
    for (int epoch = 0; epoch < 2; ++epoch)
      for (std::int64_t begin = 0; begin < 20;) {
        std::vector<double> dw(3);
        double db = 0;
        const std::int64_t end = std::min<std::int64_t>(20, begin + 4 * accumulate);
        for (std::int64_t i = begin; i < end; ++i) {
          double e = b - y[i];
          for (std::size_t k = 0; k < 3; ++k) e += w[k] * x[3 * static_cast<std::size_t>(i) + k];
          for (std::size_t k = 0; k < 3; ++k) dw[k] += 2 * e * x[3 * static_cast<std::size_t>(i) + k] / (end - begin);
          db += 2 * e / static_cast<double>(end - begin);
        }
        for (; begin + 4 < end; begin += 4, ++row)
          for (const StepSeries& s : h.recorded) BOOST_TEST(std::isnan(s.values[row]), s.name << " while gathering");
        const std::string at = " of minibatch " + std::to_string(row);
        const double gw = length(dw), gb = std::abs(db);
        near(h.steps("gradient_norm/w")[row], gw, "gradient of w" + at);
        near(h.steps("gradient_norm/b")[row], gb, "gradient of b" + at);
        near(h.steps("gradient_norm")[row], std::hypot(gw, gb), "gradient" + at);
        near(h.steps("update_ratio/w")[row], rate * gw / length(w), "ratio of w" + at);
        near(h.steps("update_ratio")[row], rate * std::hypot(gw, gb) / std::hypot(length(w), b), "ratio" + at);
        if (row + 1 == static_cast<std::size_t>(accumulate))
          BOOST_TEST(std::isinf(h.steps("update_ratio/b")[row]));  // from 0
        else
          near(h.steps("update_ratio/b")[row], rate * gb / std::abs(b), "ratio of b" + at);
        for (std::size_t k = 0; k < 3; ++k) w[k] -= rate * dw[k];
        b -= rate * db;
        begin = end;
        ++row;
      }
    BOOST_TEST(row == 10u);
    BOOST_TEST(h.step_losses.size() == 10u);
  }
}

BOOST_AUTO_TEST_CASE(gradients_are_measured_before_they_are_clipped) {
  const Line net;
  const auto train = [&](optim::Clip clip) {
    Model model =
        compile(net.loss, optim::SGD{.learning_rate = 1}, {.minimize = {.clip = std::move(clip), .norms = true}});
    const Tensor w = model.store().get("w");
    const History h = model.fit(samples(4), {.batch_size = 4});
    return std::tuple{h.steps("gradient_norm")[0],
                      h.steps("update_ratio")[0] * length({w.data<double>(), w.data<double>() + 3})};
  };
  const auto [plain, moved] = train({});
  const auto [clipped, short_move] = train({.global_norm = 0.125});
  BOOST_TEST(plain > 1);
  BOOST_TEST(plain == clipped);
  near(moved, plain, "move");
  near(short_move, 0.125, "clipped move");
}

BOOST_AUTO_TEST_CASE(recording_leaves_every_bit_as_it_is) {
  Graph g;
  const Value x = input(g, "x", f32, {any(8), 20}), label = input(g, "label", i64, {any(8)});
  const Value loss = cross_entropy(dense(dense(x, 70, {.activation = relu}), 5), label);
  Tensor labels({i64, {50}});
  for (std::int64_t i = 0; i < 50; ++i) labels.data<std::int64_t>()[i] = i % 5;
  const Dataset data{{"x", draw({50, 20}, -1, 1, 1, f32)}, {"label", labels}};
  const optim::MinimizeOptions how[] = {
      {},
      {.clip = {.global_norm = 0.5}, .accumulate = 3, .average = optim::EMA{.decay = 0.9}},
      {.loss_scale = optim::LossScale{.initial = 0x1p127}},
      {.nonfinite = optim::Nonfinite::fail}};
  for (const char* optimizer : {"sgd", "adam", "lamb", "muon", "schedule_free_adamw"})
    for (optim::MinimizeOptions options : how) {
      Model plain = compile(loss, optimizer, {.minimize = options});
      options.norms = true;
      Model recording = compile(loss, optimizer, {.minimize = options});
      const History a = plain.fit(data, {.epochs = 3, .batch_size = 8});
      const History b = recording.fit(data, {.epochs = 3, .batch_size = 8});
      BOOST_TEST(a.recorded.empty());
      BOOST_TEST(b.recorded.size() == 10u);
      for (const StepSeries& s : b.recorded) BOOST_TEST(s.values.size() == b.step_losses.size());
      BOOST_TEST((a.step_losses == b.step_losses), optimizer);
      for (const std::string& name : plain.store().names())
        BOOST_TEST(same_bits(plain.store().get(name), recording.store().get(name)), optimizer << ", " << name);
    }
}

BOOST_AUTO_TEST_CASE(a_step_that_is_left_out_moves_nothing) {
  const Line net;
  Model model = compile(net.loss, "adam", {.minimize = {.nonfinite = optim::Nonfinite::skip, .norms = true}});
  Dataset data = samples(4);
  Tensor y({f64, {4}});
  y.data<double>()[2] = std::numeric_limits<double>::quiet_NaN();
  const History h = model.fit({{"x", data["x"]}, {"y", y}}, {.batch_size = 4});
  BOOST_TEST(std::isinf(h.steps("gradient_norm")[0]));  // a NaN that was there
  BOOST_TEST(h.steps("update_ratio")[0] == 0);
  BOOST_TEST(h.steps("update_ratio/b")[0] == 0);
  BOOST_TEST(message([&] { h.steps("gradient_norms"); }) ==
             "there is no \"gradient_norms\" of each step. There are \"gradient_norm\", \"update_ratio\", "
             "\"gradient_norm/w\", \"update_ratio/w\", \"gradient_norm/b\", \"update_ratio/b\"");
  BOOST_TEST(message([] { History().steps("gradient_norm"); }) ==
             "there is no \"gradient_norm\" of each step. Compile the model with {.minimize = {.norms = true}} to have "
             "norms recorded");
}

BOOST_AUTO_TEST_SUITE_END()
