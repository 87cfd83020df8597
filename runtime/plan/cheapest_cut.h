// Which steps to run again, and which values to keep instead, so that one value can be made anew: the cheapest choice,
// a minimum cut. Thread safety: a value.
#pragma once

#include <cstdint>
#include <vector>

namespace oxbow::internal {

struct CheapestCut {
  static constexpr std::uint32_t none = ~0u;

  /// A value that a step reads and that would be gone.
  struct Input {
    std::uint32_t reader, maker;  ///< steps; without a maker the value has to be kept
    std::uint32_t storage;        ///< the same for each reader of the value
    double keep = 0;              ///< the price of keeping it
  };
  std::vector<double> costs;  ///< of each step, in nanoseconds; step 0 does run again
  std::vector<Input> inputs;

  struct Result {
    std::vector<bool> again;  ///< of each step
    double cost = 0;          ///< of those
    double kept = 0;          ///< the prices of what is kept for them
  };
  /// The least of cost + rate * kept.
  Result find(double rate) const;
};

}  // namespace oxbow::internal
