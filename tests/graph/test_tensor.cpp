// The memory of tensors, and numbers drawn into it.
#include <oxbow/graph/support/align.h>
#include <oxbow/graph/support/random.h>
#include <oxbow/graph/tensor.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>

BOOST_AUTO_TEST_SUITE(test_tensor)

using namespace oxbow;

namespace {

// Bytes of this process that are in memory.
[[maybe_unused]] std::int64_t resident() {
  std::int64_t all = 0, pages = 0;
  std::ifstream("/proc/self/statm") >> all >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

}  // namespace

// Each element by itself, whatever comes before it: of any number, and behind whole vectors.
BOOST_AUTO_TEST_CASE(draws_are_those_of_the_generator) {
  for (const std::int64_t count : {0, 1, 63, 64, 65, 1000}) {
    const Tensor numbers = draw({count}, -2, 3, 7), whole = draw({count}, -2, 3, 7, i32);
    for (std::int64_t i = 0; i < count; ++i) {
      const double u =
          -2 + 5.0 * internal::uniform01(internal::random_block(7, 0, 0, static_cast<std::uint64_t>(i))[0]);
      BOOST_TEST(numbers.data<double>()[i] == u);
      BOOST_TEST(whole.data<std::int32_t>()[i] == static_cast<std::int32_t>(std::floor(u)));
    }
  }
}

BOOST_AUTO_TEST_CASE(memory_is_aligned_zero_and_can_be_written) {
  constexpr std::int64_t mega = 1 << 20;
  for (const std::int64_t bytes : {std::int64_t{0}, std::int64_t{1}, 2 * mega - 1, 2 * mega, 2 * mega + 1, 5 * mega})
    for (int again = 0; again < 2; ++again) {
      const auto memory = allocate(bytes);
      std::byte* const end = memory.get() + bytes + internal::alignment;  // kernels may read a vector beyond
      BOOST_TEST(reinterpret_cast<std::uintptr_t>(memory.get()) % internal::alignment == 0u);
      BOOST_TEST(std::all_of(memory.get(), end, [](std::byte b) { return b == std::byte{0}; }));
      std::fill(memory.get(), end, std::byte{1});
    }
}

// Variables' moments, an arena: what a first step is going to write need not be written before it.
BOOST_AUTO_TEST_CASE(large_memory_is_there_when_it_is_written) {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  constexpr std::int64_t bytes = 64 << 20;
  const std::int64_t before = resident();
  const auto memory = allocate(bytes);
  BOOST_TEST(resident() - before < bytes / 8);
  std::fill(memory.get(), memory.get() + bytes, std::byte{1});
  BOOST_TEST(resident() - before >= bytes);
#endif
}

BOOST_AUTO_TEST_CASE(more_than_there_is_is_an_error) { BOOST_CHECK_THROW(allocate(std::int64_t{1} << 60), Error); }

BOOST_AUTO_TEST_SUITE_END()
