// Every allocation of the process, whoever makes it: counted, and made to fail at will. Sanitizers bring allocation
// functions of their own; there nothing is counted, and nothing fails.
#pragma once

#include <atomic>
#include <cstdint>

namespace oxbow::test {

/// So many there were.
extern std::atomic<std::int64_t> allocations;

/// From now on the n-th allocation fails, that one alone; 0: none. Returns whether the one asked for before has failed.
bool fail_allocation(std::int64_t n);

}  // namespace oxbow::test
