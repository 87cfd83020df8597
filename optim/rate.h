// A learning rate: a number, or a schedule that computes it from the step. Every optimizer's `learning_rate` is one, so
// both read as in Keras:
//
//   optim::Adam{.learning_rate = 1e-4}
//   optim::Adam{.learning_rate = optim::Exponential{.initial = 1e-3, .steps = 1000, .factor = 0.5}}
//
// A schedule is a regular value type, like an op and an optimizer (optim/schedules.h has those of the field):
//
//   struct HalvedEvery {
//     static constexpr ScheduleInfo info{.name = "halved_every"};
//     double initial = 1e-3;
//     std::int64_t steps = 1000;
//     static void attributes(auto&& visit) {
//       visit("initial", &HalvedEvery::initial);
//       visit("steps", &HalvedEvery::steps);
//     }
//     bool operator==(const HalvedEvery&) const = default;
//     void check() const {}                                                 // optional: throws Error for a bad field
//     Value rate(Value step) const { return initial * exp(step * (-0.6931 / steps)); }
//   };
//
// `step` counts from 0, as in Keras and PyTorch: it is the number of steps taken before this one. It is of dtype f64, a
// scalar in a training step; formulas are elementwise, so `Rate::at` asks for a thousand steps at once. Since the rate
// follows from the step alone, a training that resumes goes on exactly.
//
// A schedule may also look at results: `remembers()` gives scalars that it keeps as variables, `monitors()` the results
// that it looks at, `observe(Observed)` what an epoch makes of the scalars, and `rate(step, state)` the rate that
// follows from them. One that holds other schedules passes all four on to them. See `Plateau`, and `Warmup` for the
// latter. Thread safety: values; reading is safe from any thread.
#pragma once

#include <oxbow/graph/erased.h>
#include <oxbow/graph/value.h>

#include <concepts>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace oxbow::optim {

class Rate;

using oxbow::from_attr;
using oxbow::to_attr;
/// A number, or a record: the schedule's name under "schedule", then its fields.
AttrValue to_attr(const Rate& rate);
/// Throws `Error` for anything else, an unknown schedule or a field that it does not have.
void from_attr(const AttrValue& a, Rate& rate);

struct ScheduleInfo {
  std::string_view name;  ///< lower case
};

/// A scalar (f64) that a schedule keeps, and its first value.
struct Remembered {
  std::string name;
  double first = 0;
};

/// What a schedule is told after an epoch.
struct Observed {
  Value step;                      ///< how many steps were taken, an f64 scalar
  std::span<const Value> results;  ///< one for each of `monitors()`, f64 scalars
  std::span<const Value> state;    ///< one for each of `remembers()`, f64 scalars: before the epoch
};

template <class T>
concept FollowsStep = requires(const T& s, Value step) {
  { s.rate(step) } -> std::same_as<Value>;
};
template <class T>
concept LooksAtResults = requires(const T& s, Value step, std::span<const Value> state, const Observed& o) {
  { s.rate(step, state) } -> std::same_as<Value>;
  { s.remembers() } -> std::same_as<std::vector<Remembered>>;
  { s.monitors() } -> std::same_as<std::vector<std::string>>;
  { s.observe(o) } -> std::same_as<std::vector<Value>>;
};
template <class T>
concept ScheduleType = requires {
  { T::info } -> std::convertible_to<const ScheduleInfo&>;
}
&&std::equality_comparable<T> && (FollowsStep<T> || LooksAtResults<T>);

/// What a schedule is asked, through `Schedule`.
struct ScheduleInterface : erased::Interface<ScheduleInfo> {
  virtual std::shared_ptr<const ScheduleInterface> with(const AttrRecord& fields) const = 0;
  virtual void check() const = 0;
  virtual Value rate(Value step, std::span<const Value> state) const = 0;
  virtual std::vector<Remembered> remembers() const = 0;
  virtual std::vector<std::string> monitors() const = 0;
  virtual std::vector<Value> observe(const Observed& o) const = 0;
};

/// Any schedule, held by value (shared and immutable).
class Schedule : public erased::Any<ScheduleInterface> {
 public:
  template <ScheduleType T>
  explicit Schedule(T schedule) : Any(std::make_shared<const Model<T>>(std::move(schedule))) {}

  /// This schedule with these fields set. Throws `Error` for one that it does not have, or a value of another kind.
  Schedule with(const AttrRecord& fields) const { return Schedule(model_->with(fields)); }
  void check() const { model_->check(); }
  Value rate(Value step, std::span<const Value> state) const { return model_->rate(step, state); }
  std::vector<Remembered> remembers() const;
  std::vector<std::string> monitors() const;
  std::vector<Value> observe(const Observed& o) const;
  bool operator==(const Schedule&) const = default;

 private:
  template <class T>
  struct Model;
  explicit Schedule(std::shared_ptr<const ScheduleInterface> model) : Any(std::move(model)) {}
};

class Rate {
 public:
  Rate(double constant) : constant_(constant) {}  // implicit: .learning_rate = 1e-3
  Rate(Schedule schedule) : schedule_(std::move(schedule)) {}
  template <ScheduleType T>
  Rate(T schedule) : schedule_(Schedule(std::move(schedule))) {}  // implicit, as well

  /// The number; nothing where it is a schedule.
  std::optional<double> constant() const { return schedule_ ? std::nullopt : std::optional(constant_); }
  /// The schedule; null where it is a number.
  const Schedule* schedule() const { return schedule_ ? &*schedule_ : nullptr; }
  /// The rate of `step`, f64 and of its shape; with what `remembers` lists as it is first where `state` is empty. A
  /// number gives a constant. This and `at` throw `Error` where `check` would.
  Value value(Value step, std::span<const Value> state = {}) const;
  /// The rates of these steps, the first step of a training being 0: for plots and tables.
  std::vector<double> at(std::span<const std::int64_t> steps) const;
  double at(std::int64_t step) const;
  /// What it keeps, and what the schedules in it keep; nothing where none looks at results.
  std::vector<Remembered> remembers() const;
  /// The results that it looks at, by name; "" for the default.
  std::vector<std::string> monitors() const;
  /// What it keeps after an epoch.
  std::vector<Value> observe(const Observed& o) const;
  /// Throws `Error` for a number that is negative or not finite ("adam: learning_rate is -1, but ..."), or a schedule's
  /// field that makes no sense.
  void check(std::string_view optimizer, std::string_view field = "learning_rate") const;

  /// The schedule as a T, or null when it is another one or a number.
  template <class T>
  const T* as() const {
    return schedule_ ? schedule_->as<T>() : nullptr;
  }
  /// Exact: the same number, or the same schedule with the same fields.
  bool operator==(const Rate&) const = default;

 private:
  void check_asked() const;

  double constant_ = 0;
  std::optional<Schedule> schedule_;  // in place of the number
};

/// "0.001", or "exponential(initial=0.001, steps=1000, factor=0.5)".
std::string to_string(const Rate& rate);
/// "adam(learning_rate=0.001, beta_1=0.9)": a name and its fields.
std::string describe(std::string_view name, const AttrRecord& fields);
/// Throws `Error` that `who` ("adam") has no such field, with the near ones and all.
[[noreturn]] void no_field(const std::string& who, std::string_view field, const AttrRecord& fields);

/// All schedules, with their defaults: the one list.
std::vector<Rate> schedules();

template <class T>
struct Schedule::Model final : erased::Model<ScheduleInterface, T> {
  using Base = erased::Model<ScheduleInterface, T>;
  using Base::Base, Base::held;

  AttrRecord attributes() const override { return attributes_of(held); }
  std::shared_ptr<const ScheduleInterface> with(const AttrRecord& fields) const override {
    T changed = held;
    for (const auto& [field, value] : fields)
      if (!set_attribute(changed, field, value))
        no_field("the schedule " + std::string(T::info.name), field, this->attributes());
    return std::make_shared<const Model>(std::move(changed));
  }
  void check() const override {
    if constexpr (requires { held.check(); }) held.check();
  }
  Value rate(Value step, [[maybe_unused]] std::span<const Value> state) const override {
    if constexpr (LooksAtResults<T>)
      return held.rate(step, state);
    else
      return held.rate(step);
  }
  std::vector<Remembered> remembers() const override {
    if constexpr (LooksAtResults<T>)
      return held.remembers();
    else
      return {};
  }
  std::vector<std::string> monitors() const override {
    if constexpr (LooksAtResults<T>)
      return held.monitors();
    else
      return {};
  }
  std::vector<Value> observe([[maybe_unused]] const Observed& o) const override {
    if constexpr (LooksAtResults<T>)
      return held.observe(o);
    else
      return {};
  }
};

}  // namespace oxbow::optim
