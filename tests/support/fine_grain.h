// Shares far more work among threads than is worth it: with it plans of small graphs have many tasks.
#pragma once

#include <oxbow/runtime/plan.h>

namespace oxbow::test {

inline constexpr Grain fine_grain{
    .inline_below = 0, .task = 100, .join_below = 0, .chunk = 100, .not_worth_sharing = 2, .fence = 1000};

}  // namespace oxbow::test
