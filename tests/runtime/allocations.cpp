#include "runtime/allocations.h"

#include <cerrno>
#include <cstddef>

namespace oxbow::test {

std::atomic<std::int64_t> allocations{0};

namespace {

std::atomic<std::int64_t> until_failure{0};

// Counts one allocation; false where it is to fail.
[[maybe_unused]] bool count() {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (until_failure.load(std::memory_order_relaxed) <= 0) return true;
  return until_failure.fetch_sub(1, std::memory_order_relaxed) != 1;
}

}  // namespace

bool fail_allocation(std::int64_t n) { return until_failure.exchange(n) < 1; }

}  // namespace oxbow::test

// Definitions in the program come before the library's.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
using oxbow::test::count;
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void* malloc(std::size_t size) { return count() ? __libc_malloc(size) : nullptr; }
void* calloc(std::size_t n, std::size_t size) { return count() ? __libc_calloc(n, size) : nullptr; }
void* realloc(void* p, std::size_t size) { return count() ? __libc_realloc(p, size) : nullptr; }
void* aligned_alloc(std::size_t alignment, std::size_t size) {
  return count() ? __libc_memalign(alignment, size) : nullptr;
}
int posix_memalign(void** p, std::size_t alignment, std::size_t size) {
  *p = aligned_alloc(alignment, size);
  return *p ? 0 : ENOMEM;
}
}
#endif
