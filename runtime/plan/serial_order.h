// In which order one thread would run the steps. Thread safety: pure functions.
#pragma once

#include <oxbow/runtime/plan/compressed_rows.h>

#include <cstdint>
#include <vector>

namespace oxbow::internal {

/// What serial orders go by; all vectors are by step, in an order that edges between values follow.
struct OrderedBy {
  const CompressedRows& next;              ///< those that wait for a step
  const std::vector<double>& rank;         ///< the longest way from its start to an end, in nanoseconds
  const CompressedRows& reads;             ///< the storages that it reads, each once
  const CompressedRows& writes;            ///< the storages that it writes
  const std::vector<std::int64_t>& bytes;  ///< of each storage; 0 for what no order can free
};

/// All go depth first: a step is followed by what it made ready. Of several such,
enum class Preference : std::uint8_t {
  short_ways,     ///< the shorter way to an end first: a weight's gradient and its update come right after the backward
                  ///< step that allows them
  long_ways,      ///< the longer way first: what is summed up is summed as it comes
  freeing_steps,  ///< as short_ways, but steps that free as many bytes as they take come before all others
};
constexpr Preference preferences[] = {Preference::short_ways, Preference::long_ways, Preference::freeing_steps};

std::vector<std::uint32_t> serial_order(const OrderedBy& by, Preference preference);

}  // namespace oxbow::internal
