// Kernels that are made at run time: how long they are kept, and what happens where there can be none.
#include <malloc.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/ops/linalg/product.h>
#include <oxbow/ops/shared/gemm.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <fstream>

BOOST_AUTO_TEST_SUITE(test_kernels)

using namespace oxbow;
using namespace oxbow::ops;

namespace {

// The library that was loaded may be the portable one, which makes none.
bool makes_kernels() { return product_path(f32, 32, 64, 128, 1e9) == ProductPath::jit; }

Tensor random(const Shape& shape, int seed) {
  Tensor t({f32, shape});
  for (std::size_t i = 0; float& v : t.span<float>()) v = static_cast<float>((i++ * 37 + seed) % 101) / 50 - 1;
  return t;
}

// A product of several chunks of k, with a last panel and last rows of their own.
Tensor product() {
  const Tensor in[] = {random({301, 700}, 1), random({700, 150}, 2)};
  return std::move(internal::evaluate(Product{}, in)[0]);
}

}  // namespace

BOOST_AUTO_TEST_CASE(kernels_are_shared_and_given_back) {
  if (!makes_kernels()) return;
  BOOST_TEST(gemm::kernel_use().count == 0u);
  const gemm::Shape shape{.rows = 32, .columns = 64, .k = 128, .lda = 128, .ldb = 64, .ldy = 64};
  gemm::Kernel first = gemm::kernel(shape);
  BOOST_REQUIRE(first);
  const gemm::KernelUse one = gemm::kernel_use();
  BOOST_TEST(one.count == 1u);
  gemm::Kernel again = gemm::kernel(shape), copy = first;
  const gemm::BatchKernel other = gemm::batch_kernel(shape);
  BOOST_TEST(gemm::kernel_use().count == 2u);
  BOOST_TEST(gemm::kernel_use().bytes > one.bytes);
  first = again = {};
  BOOST_TEST(gemm::kernel_use().count == 2u);
  copy = {};
  BOOST_TEST(gemm::kernel_use().count == 1u);
  BOOST_TEST(product().type().count() > 0);
  BOOST_TEST(gemm::kernel_use().count == 1u);  // those of the product ended with it
}

// Ever new products, as a server sees them, or a search over sizes.
BOOST_AUTO_TEST_CASE(kernels_are_bounded) {
  if (!makes_kernels()) return;
  std::vector<gemm::Kernel> held;
  const auto make = [&](std::int64_t i) {
    const std::int64_t columns = 17 + i % 40, k = 1 + i / 40;
    return gemm::kernel({.rows = 1, .columns = columns, .k = k, .lda = k, .ldb = columns, .ldy = columns});
  };
  std::int64_t i = 0;
  for (; i < 20'000; ++i) {
    held.push_back(make(i));
    if (!held.back()) break;
  }
  BOOST_TEST(i == 16 * 1024);
  BOOST_TEST(gemm::kernel_use().count == 16u * 1024);
  BOOST_TEST(gemm::kernel_use().bytes <= 256u * 1024 * 1024);
  BOOST_TEST(static_cast<bool>(make(0)));  // one that is held
  held.resize(100);
  BOOST_TEST(static_cast<bool>(make(i)));
}

// In a child, whose address space is as large as it is and may not grow.
BOOST_AUTO_TEST_CASE(without_memory_for_kernels_the_bits_are_the_same) {
  const Tensor expected = product();
  const pid_t child = fork();
  if (child == 0) {
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    std::vector<char>(32 << 20).clear();  // leaves room in the heap for the product's operands
    std::int64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const auto size = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE));
    const rlimit limit{size, size};
    setrlimit(RLIMIT_AS, &limit);
    const bool none = !gemm::kernel({.rows = 32, .columns = 64, .k = 128, .lda = 128, .ldb = 64, .ldy = 64});
    _exit(none && same_bits(product(), expected) ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  BOOST_TEST(status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
