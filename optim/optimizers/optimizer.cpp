#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/out_of_memory.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/optim/optimizer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace oxbow::optim {
using namespace oxbow::internal;

namespace {

// "Schedule-Free AdamW", "ScheduleFreeAdamW" and "schedule_free_adamw" are one name.
std::string letters(std::string_view name) {
  std::string text = lower_case(name);
  std::erase_if(text, [](char c) { return c == '_' || c == '-' || c == ' '; });
  return text;
}

Optimizer by_name(std::string_view name, Location at) {
  const std::string wanted = letters(name);
  for (const Named& o : optimizers())
    if (letters(o.name) == wanted) return o.optimizer;
  throw Error(no_such("optimizer", name, optimizer_names()) + at_line(at));
}

// "slots() declares: m, v".
std::string declared(std::span<const std::string> names, const std::string& where) {
  return where + (names.empty() ? " declares none" : " declares: " + listed(names));
}

template <class T>
std::vector<std::string> names_of(const std::vector<T>& values) {
  std::vector<std::string> names;
  for (const T& v : values) names.emplace_back(v.name.text);
  return names;
}

template <class T>
const T* find(const std::vector<T>& values, std::string_view name) {
  const auto place = std::find_if(values.begin(), values.end(), [&](const T& v) { return v.name.text == name; });
  return place == values.end() ? nullptr : &*place;
}

template <class T>
Value value_of(const Step& s, const std::vector<T>& values, std::string_view name, const char* what,
               const char* where) {
  if (const T* found = find(values, name)) return found->value;
  const std::vector<std::string> known = names_of(values);
  throw Error(std::string(s.optimizer) + ": update reads the " + what + " " + in_quotes(name) +
              ", which is not there." + did_you_mean(name, known) + " " + declared(known, where) + at_line(s.at));
}

}  // namespace

std::vector<Slot> Optimizer::slots(const ops::Variable& parameter) const { return model_->slots(parameter); }
std::vector<SharedValue> Optimizer::shared(Value rate, Value count) const { return model_->shared(rate, count); }

Value Step::operator[](SlotName name) const { return value_of(*this, slots, name.text, "slot", "slots()"); }
Value Step::operator[](SharedName name) const {
  return value_of(*this, shared, name.text, "shared scalar", "shared()");
}

Value Step::scalar(Value v) const { return v.dtype() == parameter.dtype() ? v : cast(v, parameter.dtype()); }

namespace {
constexpr std::array<std::string_view, 2> conventions{"keras", "pytorch"};  // of Convention
}

AttrValue to_attr(Convention c) { return std::string(conventions[static_cast<std::size_t>(c)]); }

void from_attr(const AttrValue& a, Convention& c) {
  c = static_cast<Convention>(word_of(lower_case(a.get<std::string>("a convention")), "convention", conventions));
}

std::vector<std::string> optimizer_names() {
  std::vector<std::string> names;
  for (const Named& o : optimizers()) names.emplace_back(o.name);
  return names;
}

Optimizer::Optimizer(std::string_view name, Location at)
    : Optimizer(while_memory_lasts("choosing an optimizer", [&] { return by_name(name, at); })) {}

Optimizer Optimizer::with(std::string_view field, const AttrValue& value, Location at) const {
  try {
    return Optimizer(model_->with(field, value));
  } catch (const AttributeError& e) {  // begins with the field
    throw Error(std::string(name()) + ": " + e.what() + at_line(at));
  } catch (const Error& e) {
    throw Error(e.what() + at_line(at));
  }
}

void Optimizer::check() const {
  learning_rate().check(name());
  model_->check();
}

Updated Optimizer::update(const Step& step) const {
  Updated given = model_->update(step);
  const std::vector<std::string> known = names_of(step.slots);
  const auto fail = [&](std::string_view slot, const std::string& what, const std::string& remedy) {
    throw Error(std::string(name()) + ": update gives " + what + " the slot " + in_quotes(slot) + remedy +
                at_line(step.at));
  };
  for (const SlotValue& v : given.slots)
    if (!find(step.slots, v.name.text))
      fail(v.name.text, "a value for",
           ", which is not there." + did_you_mean(v.name.text, known) + " " + declared(known, "slots()"));
  Updated updated{given.parameter, {}};
  for (const SlotValue& slot : step.slots) {
    const SlotValue* value = find(given.slots, slot.name.text);
    if (!value || !value->value) fail(slot.name.text, "no value for", ", which slots() declares");
    if (std::count_if(given.slots.begin(), given.slots.end(),
                      [&](const SlotValue& v) { return v.name.text == slot.name.text; }) > 1)
      fail(slot.name.text, "two values for", ": leave one of them out");
    updated.slots.push_back(*value);
  }
  return updated;
}

std::string to_string(const Optimizer& optimizer) { return describe(optimizer.name(), optimizer.attributes()); }

// With T = tanh(-t log(beta) / 2), 1 - beta^t = 2 T / (1 + T): beta^t is never taken off a number near to it.
Value bias_correction(double beta, Value count) {
  const Value t = tanh(count * (-0.5 * std::log(beta)));
  return 2.0 * t / (1.0 + t);
}

Value with_length(Value d, Value of_d, Value length) {
  return where(logical_and(greater(length, 0.0), greater(of_d, 0.0)), length * (d / of_d), d);
}

Value decayed_gradient(const Step& s, double weight_decay, Convention convention) {
  if (weight_decay == 0 || convention == Convention::keras) return s.gradient;
  return s.gradient + weight_decay * s.parameter;
}

Value moved(const Step& s, Value step, double weight_decay, Convention convention) {
  if (weight_decay == 0 || convention == Convention::pytorch) return s.parameter - step;
  return s.parameter - (step + s.rate * weight_decay * s.parameter);
}

void check_fraction(std::string_view optimizer, std::string_view field, double value) {
  if (value >= 0 && value < 1) return;
  throw Error(std::string(optimizer) + ": " + std::string(field) + " is " + short_number(value) +
              ", but must be at least 0 and less than 1");
}

void check_not_negative(std::string_view optimizer, std::string_view field, double value) {
  if (value >= 0 && std::isfinite(value)) return;
  throw Error(std::string(optimizer) + ": " + std::string(field) + " is " + short_number(value) +
              ", but must be a number that is not negative");
}

void check_positive(std::string_view optimizer, std::string_view field, double value) {
  if (value > 0 && std::isfinite(value)) return;
  throw Error(std::string(optimizer) + ": " + std::string(field) + " is " + short_number(value) +
              ", but must be a number above 0");
}

void check_epsilon(std::string_view optimizer, std::string_view field, double value) {
  if (value > 0 && std::isfinite(value)) return;
  throw Error(std::string(optimizer) + ": " + std::string(field) + " is " + short_number(value) +
              ", but must be a number above 0: a gradient of 0 would give 0 / 0");
}

}  // namespace oxbow::optim
