#include <oxbow/ops/arithmetic.h>
#include <oxbow/ops/unary.h>
#include <oxbow/optim/schedules.h>

#include <cmath>

namespace oxbow::optim {
namespace {

[[noreturn]] void fail(std::string_view schedule, const std::string& problem) {
  throw Error(std::string(schedule) + ": " + problem);
}

void check_rate(const ScheduleInfo& info, std::string_view field, double value) {
  if (value >= 0 && std::isfinite(value)) return;
  fail(info.name, std::string(field) + " is " + to_string(Rate(value)) + ", but must be a number that is not negative");
}

void check_steps(const ScheduleInfo& info, std::string_view field, std::int64_t value) {
  if (value < 1) fail(info.name, std::string(field) + " is " + std::to_string(value) + ", but must be at least 1");
}

}  // namespace

void Exponential::check() const {
  check_rate(info, "initial", initial);
  check_steps(info, "steps", steps);
  if (!(factor > 0 && factor <= 1))
    fail(info.name, "factor is " + to_string(Rate(factor)) + ", but must be above 0 and at most 1");
}

Value Exponential::rate(Value step) const {
  return initial * exp(step * (std::log(factor) / static_cast<double>(steps)));
}

std::vector<Rate> schedules() { return {Exponential{}}; }

}  // namespace oxbow::optim
