#include <oxbow/graph/near_names.h>
#include <oxbow/ops/activation.h>
#include <oxbow/ops/arithmetic.h>
#include <oxbow/ops/cast.h>
#include <oxbow/ops/unary.h>
#include <oxbow/optim/optimizer.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace oxbow::optim {
namespace {

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", v);
  return text;
}

std::string lower_case(std::string_view name) {
  std::string lower(name);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

Optimizer by_name(std::string_view name, Location at) {
  const std::string wanted = lower_case(name);
  std::vector<std::string> known;
  std::string list;
  for (const Optimizer& o : optimizers()) {
    if (o.name() == wanted) return o;
    known.emplace_back(o.name());
    list += (list.empty() ? "" : ", ") + known.back();
  }
  throw Error("there is no optimizer \"" + std::string(name) + "\"." + did_you_mean(name, known) +
              " Known are: " + list + (at.known() ? "\n  at " + to_string(at) : ""));
}

}  // namespace

Value Step::scalar(Value v) const { return v.dtype() == parameter.dtype() ? v : cast(v, parameter.dtype()); }

Optimizer::Optimizer(std::string_view name, Location at) : Optimizer(by_name(name, at)) {}

void Optimizer::check() const {
  check_not_negative(name(), "learning_rate", learning_rate());
  model_->check();
}

std::string to_string(const Optimizer& optimizer) {
  std::string fields;
  for (const auto& [name, value] : optimizer.attributes()) {
    fields += (fields.empty() ? "" : ", ") + name + "=";
    if (const auto* flag = std::get_if<bool>(&value))
      fields += *flag ? "true" : "false";
    else if (const auto* text = std::get_if<std::string>(&value))
      fields += *text;
    else
      fields += number(value.get<double>("a number"));
  }
  return std::string(optimizer.name()) + "(" + fields + ")";
}

// With T = tanh(-t log(beta) / 2), 1 - beta^t = 2 T / (1 + T): beta^t is never taken off a number near to it.
Value bias_correction(double beta, Value count) {
  const Value t = tanh(count * (-0.5 * std::log(beta)));
  return 2.0 * t / (1.0 + t);
}

void check_fraction(std::string_view optimizer, std::string_view field, double value) {
  if (value >= 0 && value < 1) return;
  throw Error(std::string(optimizer) + ": " + std::string(field) + " is " + number(value) +
              ", but must be at least 0 and less than 1");
}

void check_not_negative(std::string_view optimizer, std::string_view field, double value) {
  if (value >= 0 && std::isfinite(value)) return;
  throw Error(std::string(optimizer) + ": " + std::string(field) + " is " + number(value) +
              ", but must be a number that is not negative");
}

}  // namespace oxbow::optim
