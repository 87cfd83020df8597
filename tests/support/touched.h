// The bytes of an arena that a run of a plan writes, whatever the plan says.
#pragma once

#include <oxbow/runtime/plan.h>

#include <cstdint>

namespace oxbow::test {

struct Touched {
  bool failed = false;     ///< an op refused its data
  bool beyond = false;     ///< something was written behind the arena
  std::int64_t bytes = 0;  ///< up to the last one that was written, rounded up to 64
};

/// Runs the plan twice: with its arena filled with a pattern, and then with that one's complement. Floating-point
/// inputs are fed 0.5, others zeros; variables have their first values.
Touched touched(const std::shared_ptr<const Plan>& plan, int threads);

}  // namespace oxbow::test
