// An optimizer says how a parameter moves along its gradient. It is a regular value type, like an op: fields with
// defaults (Keras's, as in the tutorial that Oxbow came from), and two member functions that build graph. It has no
// kernel: fusion makes its arithmetic one pass over the parameter.
//
//   struct Momentum {
//     static constexpr OptimizerInfo info{.name = "momentum"};
//     static constexpr SlotName velocity{"velocity"};  // what it keeps beside each parameter
//     Rate learning_rate = 0.01;  // a number or a schedule: optim/rate.h
//     double momentum = 0.9;
//     static void attributes(auto&& visit) {
//       visit("learning_rate", &Momentum::learning_rate);
//       visit("momentum", &Momentum::momentum);
//     }
//     bool operator==(const Momentum&) const = default;
//     void check() const {}                                                   // optional: throws Error for a bad field
//     std::vector<Slot> slots(const ops::Variable& p) const { return {{velocity, p.type}}; }
//     std::vector<SharedValue> shared(Value rate, Value count) const { ... }  // optional: scalars for all parameters
//     Updated update(const Step& s) const {
//       const Value new_velocity = momentum * s[velocity] - s.rate * s.gradient;
//       return {s.parameter + new_velocity, {{velocity, new_velocity}}};
//     }
//   };
//
// That is all: `compile(loss, Momentum{.momentum = 0.5})` takes it; a line in optim/optimizers/optimizers.cpp gives it
// a name. tools/docs/optimizers.md walks through one, and lists those that are here. Thread safety: values; reading is
// safe from any thread.
#pragma once

#include <oxbow/graph/erased.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/optim/convention.h>
#include <oxbow/optim/rate.h>

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace oxbow::optim {

struct OptimizerInfo {
  std::string_view name;          ///< lower case; variables' scope, and what finds it in any case
  std::string_view average = {};  ///< the slot that evaluation and prediction take in the parameter's place, if any
  /// Whether it keeps squares of gradients: one whose square is infinite would then stop its weight for ever, so that
  /// `Nonfinite` counts it as not finite.
  bool squares = false;
  /// The slot in which these squares add up for ever, if any: a square that makes the sum infinite does the same.
  std::string_view sum = {};
};

/// What an optimizer calls a slot by, wherever it means it: `static constexpr SlotName m{"m"}, v{"v"};`. A misspelt one
/// does not compile. The text is a literal: the variable's name in files ends with it.
struct SlotName {
  std::string_view text;
};
/// The same of a scalar that all parameters share.
struct SharedName {
  std::string_view text;
};

/// A variable that an optimizer keeps beside a parameter: of the parameter's type, as a rule, and zero at first.
struct Slot {
  SlotName name;
  Type type;
  Init init = {};
};

/// A slot's value: `{m, new_m}`.
struct SlotValue {
  SlotName name;
  Value value;
};
struct SharedValue {
  SharedName name;
  Value value;
};

/// What an update is built from. All values are those before the step.
struct Step {
  Value parameter;
  Value gradient;                   ///< of the parameter's type
  Value count;                      ///< f64 scalar: which step this is, the first being 1
  Value rate;                       ///< the learning rate of this step: a scalar of the parameter's dtype
  std::vector<SlotValue> slots;     ///< those that `slots()` declares
  std::vector<SharedValue> shared;  ///< what `shared` gave; floating-point ones in the parameter's dtype
  std::string_view optimizer;       ///< its name, for messages
  Location at;                      ///< the line that asked for the update, for messages

  /// The value of a slot: `s[m]`. Throws `Error` with the near names for one that `slots()` does not declare.
  Value operator[](SlotName name) const;
  /// Of what `shared` gave.
  Value operator[](SharedName name) const;

  /// A floating-point scalar rounded to the parameter's dtype: what meets the parameter.
  Value scalar(Value v) const;
};

/// What a step makes of a parameter and of its slots: each of them once, in any order.
struct Updated {
  Value parameter;
  std::vector<SlotValue> slots;
};

template <class T>
concept HasOptimizerInfo = requires {
  { T::info } -> std::convertible_to<const OptimizerInfo&>;
};
template <class T>
concept OptimizerType = HasOptimizerInfo<T> && std::equality_comparable<T> && std::copy_constructible<T> &&
    requires(const T& o, const ops::Variable& v, const Step& s) {
  o.learning_rate;
  { o.slots(v) } -> std::same_as<std::vector<Slot>>;
  { o.update(s) } -> std::same_as<Updated>;
};

/// What an optimizer is asked, through `Optimizer`.
struct OptimizerInterface : erased::Interface<OptimizerInfo> {
  virtual Rate learning_rate() const = 0;
  virtual std::shared_ptr<const OptimizerInterface> with(std::string_view field, const AttrValue& value) const = 0;
  virtual void check() const = 0;
  virtual std::vector<Slot> slots(const ops::Variable& parameter) const = 0;
  virtual std::vector<SharedValue> shared(Value rate, Value count) const = 0;
  virtual Updated update(const Step& step) const = 0;
};

/// Any optimizer, held by value (shared and immutable). Of defaults that differ, `attributes` gives those of the
/// convention that is chosen.
class Optimizer : public erased::Any<OptimizerInterface> {
 public:
  template <OptimizerType T>
  Optimizer(T o) : Any(std::make_shared<const Model<T>>(std::move(o))) {}  // implicit: compile(loss, Adam{})
  /// The one with this name, in any case, with its defaults: "adam", "SGD". Throws `Error` with the near names and all
  /// known ones and the line `at` when there is none.
  Optimizer(std::string_view name, Location at = At::current());
  Optimizer(const std::string& name, Location at = At::current()) : Optimizer(std::string_view(name), at) {}
  Optimizer(const char* name, Location at = At::current()) : Optimizer(std::string_view(name), at) {}

  Rate learning_rate() const { return model_->learning_rate(); }
  /// The slot that evaluation takes in the parameter's place; "" where that is the parameter itself.
  std::string_view average() const { return model_->info->average; }
  /// Whether it keeps squares of gradients.
  bool squares() const { return model_->info->squares; }
  /// The slot that is their sum; "" where there is none.
  std::string_view sum() const { return model_->info->sum; }
  /// This optimizer with a field set: `Optimizer("adam").with("beta_1", 0.8)`. Throws `Error` with the line `at` for a
  /// field that it does not have, or a value of another kind.
  Optimizer with(std::string_view field, const AttrValue& value, Location at = At::current()) const;
  /// Throws `Error` for a field that makes no sense: a negative rate, say.
  void check() const;
  std::vector<Slot> slots(const ops::Variable& parameter) const;
  /// Scalars that every parameter with this rate needs, computed once a step from the f64 scalars `rate` and `count`.
  std::vector<SharedValue> shared(Value rate, Value count) const;
  /// The slots' values in the order of `step.slots`. Throws `Error` where one is missing, unknown or there twice.
  Updated update(const Step& step) const;
  bool operator==(const Optimizer&) const = default;

 private:
  template <OptimizerType T>
  struct Model final : erased::Model<OptimizerInterface, T> {
    using Base = erased::Model<OptimizerInterface, T>;
    using Base::Base, Base::held;

    Rate learning_rate() const override { return chosen(held.learning_rate); }
    AttrRecord attributes() const override {
      AttrRecord fields;
      each_attribute<T>(
          [&](const char* name, auto member) { fields.emplace_back(name, to_attr(chosen(held.*member))); });
      return fields;
    }
    std::shared_ptr<const OptimizerInterface> with(std::string_view field, const AttrValue& value) const override {
      T changed = held;
      if (!set_attribute(changed, field, value)) no_field(std::string(T::info.name), field, attributes());
      return std::make_shared<const Model>(std::move(changed));
    }
    void check() const override {
      if constexpr (requires { held.check(); }) held.check();
    }
    std::vector<Slot> slots(const ops::Variable& parameter) const override { return held.slots(parameter); }
    std::vector<SharedValue> shared([[maybe_unused]] Value rate, [[maybe_unused]] Value count) const override {
      if constexpr (requires { held.shared(rate, count); })
        return held.shared(rate, count);
      else
        return {};
    }
    Updated update(const Step& step) const override { return held.update(step); }

    // The value that counts, of a field whose defaults differ by convention.
    template <class M>
    const auto& chosen(const M& field) const {
      if constexpr (requires { field(held.convention); })
        return field(held.convention);
      else
        return field;
    }
  };
  explicit Optimizer(std::shared_ptr<const OptimizerInterface> model) : Any(std::move(model)) {}
};

/// "adam(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-07)".
std::string to_string(const Optimizer& optimizer);

/// An optimizer with its defaults, under the name that finds it.
struct Named {
  std::string_view name;
  Optimizer optimizer;
};
/// All optimizers that have a name: the one list.
std::vector<Named> optimizers();
/// Their names alone, for messages and help.
std::vector<std::string> optimizer_names();

/// 1 - beta^count: what a moving average that began at zero is divided by to be unbiased (Kingma and Ba 2015, section
/// 3). An f64 scalar, computed without cancellation, so that it is right to a few ulp from the first step on.
Value bias_correction(double beta, Value count);

/// d, whose length is `of_d`, stretched to `length`; d where either is zero. How LARS and LAMB make a step as long as
/// the weights, or a fraction of that. d / of_d comes first, so that nothing overflows whose result does not.
Value with_length(Value d, Value of_d, Value length);

/// Weight decay, which the conventions place differently. Keras: the parameter shrinks by rate * weight_decay of
/// itself, whatever the optimizer makes of the gradient ("decoupled": Loshchilov and Hutter 2019,
/// https://arxiv.org/abs/1711.05101). PyTorch, except where an optimizer's name says otherwise: weight_decay times the
/// parameter is added to the gradient (an L2 penalty). So an update begins with the one and ends with the other.
Value decayed_gradient(const Step& s, double weight_decay, Convention convention);
/// parameter - step, without Keras's share of the parameter. (The two are taken off as one: what needs no gradient
/// would otherwise be ready early, and go through memory by itself.)
Value moved(const Step& s, Value step, double weight_decay, Convention convention);

/// Throws `Error` "adam: beta_1 is 1.5, but must be at least 0 and less than 1" unless 0 <= value < 1.
void check_fraction(std::string_view optimizer, std::string_view field, double value);
/// Throws `Error` unless value is a finite number >= 0.
void check_not_negative(std::string_view optimizer, std::string_view field, double value);
/// Throws `Error` unless value is a finite number > 0.
void check_positive(std::string_view optimizer, std::string_view field, double value);
/// The same for what keeps a division finite: it says that a gradient of 0 would give 0 / 0.
void check_epsilon(std::string_view optimizer, std::string_view field, double value);

}  // namespace oxbow::optim
