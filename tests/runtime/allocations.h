// Every allocation of the process, whoever makes it: counted, and made to fail at will. Sanitizers bring allocation
// functions of their own; there nothing is counted, and nothing fails.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>

namespace oxbow::test {

/// So many there were, and so many bytes they asked for.
extern std::atomic<std::int64_t> allocations, allocated_bytes;

/// Which ones fail, from the n-th on.
enum class Failing { one, all };

/// From now on the n-th allocation fails, that one alone or all from there on; 0: none. Returns whether the one asked
/// for before has failed.
bool fail_allocation(std::int64_t n, Failing which = Failing::one);

/// Calls `attempt` again and again, each time with a later one of its allocations failing (each `stride`-th, and in the
/// short version fewer), and after each `afterwards`, which hears whether there was an error. That must be an `Error`,
/// or `std::bad_alloc` where not even a message could be allocated; anything else fails the test.
void with_failing_allocations(const std::function<void()>& attempt, const std::function<void(bool)>& afterwards,
                              std::int64_t stride = 1);

/// How often an allocation has failed in these calls since this was asked last.
std::size_t failed_allocations();

}  // namespace oxbow::test
