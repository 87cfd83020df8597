// Forecasts: a GRU (Cho et al. 2014) learns from two days of hourly temperatures what the next hour brings, beside the
// guess "as yesterday at this hour", and forecasts a day. The series is made up: seasons of a day, and weather that
// drifts. Argument: the number of epochs.
#include <oxbow/oxbow.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <numbers>

using namespace oxbow;

static Tensor temperatures(std::int64_t hours) {
  const Tensor gusts = draw({hours}, -1, 1, 7, f32);
  Tensor t({f32, {hours, 1}});
  double weather = 0;
  for (std::int64_t i = 0; i < hours; ++i) {
    weather = 0.98 * weather + 0.4 * gusts.data<float>()[i];
    const double season = std::sin(2 * std::numbers::pi * static_cast<double>(i % 24 - 9) / 24);
    t.data<float>()[i] = static_cast<float>(12 + 6 * season + weather);
  }
  return t;
}

// The last temperature, and by how much it will change.
static Residual forecaster() {
  const Sequential change{[](Value x) { return (x - 12.0) / 6.0; }, GRU(32), Dense(1)};
  return Residual(change, {.shortcut = [](Value x) { return x[{range(), -1}]; }});
}
constexpr std::int64_t past = 48;

static Model build(Graph& g, const Residual& forecast = forecaster()) {
  const Value piece = input(g, "piece", f32, {any(32), past + 1, 1});
  const Value x = piece[{range(), range(0, -1)}], next = piece[{range(), -1}], yesterday = piece[{range(), -25}];
  const Value y = forecast(x), loss = mean_squared_error(y, next);
  return compile(loss, optim::Adam{.learning_rate = 3e-3},
                 {.metrics = {{"error", mean(abs(y - next))}, {"as yesterday", mean(abs(yesterday - next))}}});
}

int main(int argc, char** argv) try {
  const Tensor series = temperatures(3000);
  Graph g;
  const Residual forecast = forecaster();
  Model model = build(g, forecast);
  const Dataset pieces{{"piece", windows(series, past + 1)}};
  const auto [train, test] = pieces.split(0.2, {.shuffle = false});  // later hours are to test with
  model.fit(train, {.epochs = argc > 1 ? std::atoi(argv[1]) : 5, .validation = test, .callbacks = {print_epochs()}});

  // From the last two days on, hour by hour: what is forecast is what the next hour is forecast from.
  const Value recent = input(g, "recent", f32, {1, past, 1}), hour = reshape(forecast(recent), {1, 1, 1});
  const Program go_on = compile(concat({recent[{range(), range(1, to_end)}], hour}, 1), {.mode = Mode::inference});
  Tensor now = Tensor::of({1, past, 1}, series.span<float>().last(past));
  for (int i = 0; i < 24; ++i) {
    now = go_on.run(model.store(), {{"recent", now}})[0];
    std::printf("%.1f%s", now.data<float>()[past - 1], i % 12 == 11 ? "\n" : " ");
  }
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
