#include "runtime/allocations.h"

#include <oxbow/graph/error.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace oxbow::test {

std::atomic<std::int64_t> allocations{0}, allocated_bytes{0};

namespace {

std::atomic<std::int64_t> until_failure{0};
std::size_t failures = 0;  // of attempts
std::atomic<bool> all_fail{false}, has_failed{false};

// Counts one allocation; false where it is to fail.
[[maybe_unused]] bool count(std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  allocated_bytes.fetch_add(static_cast<std::int64_t>(bytes), std::memory_order_relaxed);
  if (until_failure.load(std::memory_order_relaxed) > 0 && until_failure.fetch_sub(1, std::memory_order_relaxed) == 1)
    has_failed = true;
  else if (!has_failed.load(std::memory_order_relaxed) || !all_fail.load(std::memory_order_relaxed))
    return true;
  return false;
}

// One call with the n-th allocation failing; whether that was reached.
bool attempt_with(std::int64_t n, Failing which, const std::function<void()>& attempt,
                  const std::function<void(bool)>& afterwards, bool& error) {
  std::exception_ptr other;
  bool no_message = false;
  error = false;
  fail_allocation(n, which);
  try {
    attempt();
  } catch (const Error&) {
    error = true;
  } catch (const std::bad_alloc&) {
    error = no_message = true;
  } catch (...) {
    other = std::current_exception();
  }
  const bool failed = fail_allocation(0);
  BOOST_TEST_CONTEXT((which == Failing::one ? "allocation " : "allocations from ") << n << (failed ? " failed" : "")) {
    if (other) std::rethrow_exception(other);
    BOOST_REQUIRE_MESSAGE(!no_message || which == Failing::all, "std::bad_alloc in the place of an Error");
    afterwards(error);
  }
  return failed;
}

}  // namespace

std::size_t failed_allocations() { return std::exchange(failures, 0); }

bool fail_allocation(std::int64_t n, Failing which) {
  until_failure = 0;
  const bool failed = has_failed.exchange(false);
  all_fail = which == Failing::all;
  until_failure = n;
  return failed;
}

void with_failing_allocations(const std::function<void()>& attempt, const std::function<void(bool)>& afterwards,
                              std::int64_t stride) {
  const std::int64_t step = std::getenv("OXBOW_LONG") ? stride : 97 * stride;
  [[maybe_unused]] int errors = 0;
  for (const Failing which : {Failing::one, Failing::all})
    for (std::int64_t n = 1;; n += step) {
      bool error = false;
      const bool failed = attempt_with(n, which, attempt, afterwards, error);
      errors += error;
      failures += failed;
      if (!failed) break;
    }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  BOOST_TEST(errors > 0);
#endif
}

}  // namespace oxbow::test

// Definitions in the program come before the library's.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
using oxbow::test::count;
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t size) { return count(size) ? __libc_malloc(size) : nullptr; }
void* calloc(std::size_t n, std::size_t size) { return count(n * size) ? __libc_calloc(n, size) : nullptr; }
void* realloc(void* p, std::size_t size) { return count(size) ? __libc_realloc(p, size) : nullptr; }
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return count(size) ? __libc_memalign(alignment, size) : nullptr;
}
int posix_memalign(void** p, std::size_t alignment, std::size_t size) {
  *p = aligned_alloc(alignment, size);
  return *p ? 0 : ENOMEM;
}
}
#endif
