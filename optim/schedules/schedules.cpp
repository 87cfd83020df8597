#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/optim/schedules.h>

#include <cmath>
#include <limits>

namespace oxbow::optim {
using namespace oxbow::internal;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

using State = std::span<const Value>;

constexpr std::size_t own_count = 4;  // what a plateau itself remembers

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

// The first `count` of them, which are then taken off; none where there is no state yet.
State take(State& all, std::size_t count) {
  if (all.empty()) return {};
  const State first = all.first(count);
  all = all.subspan(count);
  return first;
}

double real(std::int64_t v) { return static_cast<double>(v); }

// Steps count from 0, so cutting off the fraction is the floor.
Value whole(Value x) { return cast(cast(x, i64), f64); }

// How far `step` is on its way of `steps`: 0 to 1.
Value progress(Value step, double steps) { return minimum(step, steps) / steps; }

// From a down or up to b along half a cosine.
Value half_cosine(double a, double b, Value way) { return b + (a - b) / 2 * (1.0 + cospi(way)); }

[[noreturn]] void fail(const ScheduleInfo& info, const std::string& problem) {
  throw Error(std::string(info.name) + ": " + problem);
}

// What a schedule that rules from step `begin` to `end` makes of an epoch: nothing, unless it ended in between.
std::vector<Value> observe_from(const Rate& rate, double begin, double end, const Observed& o) {
  std::vector<Value> after = rate.observe({maximum(o.step - begin, 0.0), o.results, o.state});
  if (after.empty()) return after;
  const Value begun = greater(o.step, begin), over = greater(o.step, end);
  const Value counts = logical_and(begun, logical_not(over));
  for (std::size_t i = 0; i < after.size(); ++i) after[i] = where(counts, after[i], o.state[i]);
  return after;
}

void check_rate(const ScheduleInfo& info, std::string_view field, double value) {
  if (value >= 0 && value < infinity) return;
  fail(info, std::string(field) + " is " + short_number(value) + ", but must be a number that is not negative");
}

void check_steps(const ScheduleInfo& info, std::string_view field, std::int64_t value) {
  if (value < 1) fail(info, std::string(field) + " is " + std::to_string(value) + ", but must be at least 1");
}

void check_factor(const ScheduleInfo& info, std::string_view field, double value) {
  if (value > 0 && value <= 1) return;
  fail(info, std::string(field) + " is " + short_number(value) + ", but must be above 0 and at most 1");
}

void check_rising(const ScheduleInfo& info, const std::vector<std::int64_t>& at) {
  for (std::size_t i = 0; i < at.size(); ++i)
    if (at[i] < 1 || (i > 0 && at[i] <= at[i - 1]))
      fail(info, "the steps in `at` must rise, and the first be at least 1; there is " + std::to_string(at[i]) +
                     (i > 0 ? " after " + std::to_string(at[i - 1]) : ""));
}

}  // namespace

AttrValue to_attr(const std::vector<Rate>& rates) {
  AttrList list;
  for (const Rate& r : rates) list.push_back(to_attr(r));
  return list;
}

void from_attr(const AttrValue& a, std::vector<Rate>& rates) {
  rates.clear();
  for (const AttrValue& item : a.get<AttrList>("a list of rates")) {
    rates.emplace_back(0.0);
    from_attr(item, rates.back());
  }
}

void Exponential::check() const {
  check_rate(info, "initial", initial);
  check_steps(info, "steps", steps);
  check_factor(info, "factor", factor);
}
Value Exponential::rate(Value step) const { return initial * pow(factor, step / real(steps)); }

void StepDecay::check() const {
  check_rate(info, "initial", initial);
  check_steps(info, "steps", steps);
  check_factor(info, "factor", factor);
}
Value StepDecay::rate(Value step) const { return initial * pow(factor, whole(step / real(steps))); }

void MultiStep::check() const {
  check_rate(info, "initial", initial);
  check_rising(info, at);
  check_factor(info, "factor", factor);
}
Value MultiStep::rate(Value step) const {
  Value rate = constant(step.graph(), initial, f64);
  for (std::size_t i = 0; i < at.size(); ++i)
    rate = where(less(step, real(at[i])), rate, initial * std::pow(factor, real(static_cast<std::int64_t>(i) + 1)));
  return rate;
}

void InverseTime::check() const {
  check_rate(info, "initial", initial);
  check_steps(info, "steps", steps);
  check_rate(info, "decay", decay);
}
Value InverseTime::rate(Value step) const { return initial / (1.0 + step * (decay / real(steps))); }

void Polynomial::check() const {
  check_rate(info, "initial", initial);
  check_steps(info, "steps", steps);
  check_rate(info, "final", final);
  if (!(power > 0 && power < infinity)) fail(info, "power is " + short_number(power) + ", but must be above 0");
}
Value Polynomial::rate(Value step) const {
  return final + (initial - final) * pow(1.0 - progress(step, real(steps)), power);
}

void Linear::check() const {
  check_rate(info, "initial", initial);
  check_steps(info, "steps", steps);
  check_rate(info, "final", final);
}
Value Linear::rate(Value step) const {
  const Value way = progress(step, real(steps));
  return initial * (1.0 - way) + final * way;
}

void Cosine::check() const {
  check_rate(info, "initial", initial);
  check_steps(info, "steps", steps);
  check_rate(info, "final", final);
}
Value Cosine::rate(Value step) const { return half_cosine(initial, final, progress(step, real(steps))); }

void CosineRestarts::check() const {
  check_rate(info, "initial", initial);
  check_steps(info, "steps", steps);
  check_steps(info, "growth", growth);
  check_factor(info, "shrink", shrink);
  check_rate(info, "final", final);
}
Value CosineRestarts::rate(Value step) const {
  const double first = real(steps), base = real(growth);
  Value cycle, way;
  if (growth == 1) {
    cycle = whole(step / first);
    way = (step - cycle * first) / first;
  } else {
    // Cycle c starts at steps (growth^c - 1) / (growth - 1), a whole number. The logarithm finds c or a neighbour.
    const auto start = [&](Value c) { return first * whole((pow(base, c) - 1.0) / (base - 1) + 0.5); };
    cycle = whole(log(1.0 + step * ((base - 1) / first)) / std::log(base) + 0.5);
    cycle = where(less(step, start(cycle)), cycle - 1.0, cycle);
    way = (step - start(cycle)) / (first * whole(pow(base, cycle) + 0.5));
  }
  const Value height = shrink == 1 ? constant(step.graph(), initial, f64) : initial * pow(shrink, cycle);
  return final + (height - final) * 0.5 * (1.0 + cospi(way));
}

void OneCycle::check() const {
  check_rate(info, "peak", peak);
  if (!(warmup > 0 && warmup < 1)) fail(info, "warmup is " + short_number(warmup) + ", but must lie between 0 and 1");
  if (!(warmup * real(steps) > 1)) fail(info, "there are too few steps for a warm-up: " + std::to_string(steps));
  for (const auto& [field, value] : {std::pair{"divide", divide}, {"final_divide", final_divide}})
    if (!(value >= 1 && value < infinity))
      fail(info, std::string(field) + " is " + short_number(value) + ", but must be at least 1");
}
Value OneCycle::rate(Value step) const {
  const double top = warmup * real(steps) - 1, last = real(steps) - 1;
  const Value up = half_cosine(peak / divide, peak, progress(step, top));
  const Value down = half_cosine(peak, peak / divide / final_divide, progress(maximum(step - top, 0.0), last - top));
  return where(less_equal(step, top), up, down);
}

void Cyclic::check() const {
  check_rate(info, "low", low);
  check_rate(info, "high", high);
  check_steps(info, "up", up);
  check_steps(info, "down", down);
  check_factor(info, "shrink", shrink);
  check_factor(info, "decay", decay);
}
Value Cyclic::rate(Value step) const {
  const double length = real(up) + real(down);
  const Value cycle = whole(step / length), within = step - cycle * length;
  Value height = (high - low) * minimum(within / real(up), (length - within) / real(down));
  if (shrink != 1) height = height * pow(shrink, cycle);
  if (decay != 1) height = height * pow(decay, step);
  return low + height;
}

void Noam::check() const {
  check_rate(info, "scale", scale);
  check_steps(info, "width", width);
  check_steps(info, "warmup", warmup);
}
Value Noam::rate(Value step) const {
  const Value n = step + 1.0;
  return scale / std::sqrt(real(width)) * minimum(rsqrt(n), n * std::pow(real(warmup), -1.5));
}

void Warmup::check() const {
  check_steps(info, "steps", steps);
  then.check(info.name, "then");
  if (!(from >= 0 && from <= 1)) fail(info, "from is " + short_number(from) + ", but must lie between 0 and 1");
}
Value Warmup::rate(Value step, State state) const {
  // Before `steps` this is the first rate of `then`.
  const Value rest = then.value(maximum(step - real(steps), 0.0), state);
  return rest * (from + (1 - from) * progress(step, real(steps)));
}
std::vector<Remembered> Warmup::remembers() const { return then.remembers(); }
std::vector<std::string> Warmup::monitors() const { return then.monitors(); }
std::vector<Value> Warmup::observe(const Observed& o) const { return observe_from(then, real(steps), infinity, o); }

void Sequence::check() const {
  check_rising(info, at);
  if (rates.size() != at.size() + 1)
    fail(info, std::to_string(rates.size()) + " rates need " + std::to_string(rates.empty() ? 0 : rates.size() - 1) +
                   " steps between them, but `at` has " + std::to_string(at.size()));
  for (const Rate& r : rates) r.check(info.name, "a rate");
}
Value Sequence::rate(Value step, State state) const {
  Value rate;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const State own = take(state, rates[i].remembers().size());
    if (i == 0) {
      rate = rates[i].value(step, own);
      continue;
    }
    const double begin = real(at[i - 1]);
    rate = where(less(step, begin), rate, rates[i].value(maximum(step - begin, 0.0), own));
  }
  return rate;
}
std::vector<Remembered> Sequence::remembers() const {
  std::vector<Remembered> all;
  for (const Rate& r : rates) append(all, r.remembers());
  return all;
}
std::vector<std::string> Sequence::monitors() const {
  std::vector<std::string> all;
  for (const Rate& r : rates) append(all, r.monitors());
  return all;
}
std::vector<Value> Sequence::observe(const Observed& o) const {
  std::vector<Value> all;
  State results = o.results, state = o.state;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const State own_results = take(results, rates[i].monitors().size()), own = take(state, rates[i].remembers().size());
    const double begin = i == 0 ? 0 : real(at[i - 1]), end = i < at.size() ? real(at[i]) : infinity;
    append(all, observe_from(rates[i], begin, end, {o.step, own_results, own}));
  }
  return all;
}

void Every::check() const {
  check_steps(info, "steps", steps);
  then.check(info.name, "then");
}
Value Every::rate(Value step, State state) const { return then.value(whole(step / real(steps)), state); }
std::vector<Remembered> Every::remembers() const { return then.remembers(); }
std::vector<std::string> Every::monitors() const { return then.monitors(); }
std::vector<Value> Every::observe(const Observed& o) const {
  return then.observe({whole(o.step / real(steps)), o.results, o.state});
}

namespace {

// What a plateau keeps beside what its `initial` does, in the order of `Plateau::remembers`.
struct PlateauState {
  Value scale, best, waited, cooldown;
};
PlateauState plateau_state(State state) { return {state[0], state[1], state[2], state[3]}; }

}  // namespace

void Plateau::check() const {
  initial.check(info.name, "initial");
  check_factor(info, "factor", factor);
  check_factor(info, "least", least == 0 ? 1 : least);
  check_rate(info, "min_delta", min_delta);
  if (patience < 0 || cooldown < 0) fail(info, "patience and cooldown must not be negative");
}
Value Plateau::rate(Value step, State state) const {
  if (state.empty()) return initial.value(step);
  const Value unscaled = initial.value(step, state.subspan(own_count));
  return unscaled * plateau_state(state).scale;
}

std::vector<Remembered> Plateau::remembers() const {
  std::vector<Remembered> all{{"scale", 1}, {"best", maximize ? -infinity : infinity}, {"waited", 0}, {"cooldown", 0}};
  append(all, initial.remembers());
  return all;
}
std::vector<std::string> Plateau::monitors() const {
  std::vector<std::string> all{monitor};
  append(all, initial.monitors());
  return all;
}
std::vector<Value> Plateau::observe(const Observed& o) const {
  const Value result = o.results[0];
  const auto [scale, best, past, cooling] = plateau_state(o.state);
  // Both are false for a NaN.
  const Value better = maximize ? greater(result, best + min_delta) : less(result, best - min_delta);
  const Value resting = greater(cooling, 0.0);
  const Value waited = where(logical_or(better, resting), 0.0, past + 1.0);
  const Value falls = greater(waited, real(patience));
  std::vector<Value> all{where(falls, maximum(scale * factor, least), scale), where(better, result, best),
                         where(falls, 0.0, waited), where(falls, real(cooldown), maximum(cooling - 1.0, 0.0))};
  append(all, initial.observe({o.step, o.results.subspan(1), o.state.subspan(own_count)}));
  return all;
}

std::vector<Rate> schedules() {
  return {Exponential{}, StepDecay{}, MultiStep{}, InverseTime{}, Polynomial{}, Linear{}, Cosine{}, CosineRestarts{},
          OneCycle{},    Cyclic{},    Noam{},      Warmup{},      Sequence{},   Every{},  Plateau{}};
}

}  // namespace oxbow::optim
