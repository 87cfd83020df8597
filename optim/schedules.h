// Schedules of the learning rate, as closed formulas of the step: see optim/rate.h for what a schedule is and how steps
// count. Thread safety: values.
#pragma once

#include <oxbow/optim/rate.h>

namespace oxbow::optim {

/// Falls by `factor` every `steps` steps, smoothly:  initial factor^(step / steps).
struct Exponential {
  static constexpr ScheduleInfo info{.name = "exponential"};
  double initial = 1e-3;
  std::int64_t steps = 1000;
  double factor = 0.5;
  static constexpr auto attributes =
      std::tuple{Attribute{"initial", &Exponential::initial}, Attribute{"steps", &Exponential::steps},
                 Attribute{"factor", &Exponential::factor}};
  bool operator==(const Exponential&) const = default;

  void check() const;
  Value rate(Value step) const;
};

}  // namespace oxbow::optim
