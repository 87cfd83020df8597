#include "measure/machine_peak.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <functional>
#include <latch>
#include <optional>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace oxbow::tools {
namespace {

constexpr int chains = 12;  // in registers, they hide a latency of four cycles on two units or three

#if defined(__x86_64__)
__attribute__((target("avx512f"))) float chains_512(int steps) {
  __m512 s[chains];
  for (int i = 0; i < chains; ++i) s[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
  for (int k = 0; k < steps; ++k) {
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) s[i] = _mm512_fmadd_ps(s[i], a, b);
  }
  float sum = 0;
  for (const __m512& v : s) sum += v[0];
  return sum;
}
__attribute__((target("avx2,fma"))) float chains_256(int steps) {
  __m256 s[chains];
  for (int i = 0; i < chains; ++i) s[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
  for (int k = 0; k < steps; ++k) {
#pragma GCC unroll 12
    for (int i = 0; i < chains; ++i) s[i] = _mm256_fmadd_ps(s[i], a, b);
  }
  float sum = 0;
  for (const __m256& v : s) sum += v[0];
  return sum;
}
#endif

// Where there are no such instructions: a multiplication and an addition each, four lanes as any compiler packs them.
float chains_plain(int steps) {
  constexpr int lanes = 4;
  float s[chains][lanes];
  for (int i = 0; i < chains; ++i)
    for (int l = 0; l < lanes; ++l) s[i][l] = static_cast<float>(i);
  for (int k = 0; k < steps; ++k)
    for (int i = 0; i < chains; ++i)
      for (int l = 0; l < lanes; ++l) s[i][l] = s[i][l] * 0.999f + 0.001f;
  float sum = 0;
  for (int i = 0; i < chains; ++i) sum += s[i][0];
  return sum;
}

double seconds(const std::function<void()>& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// What one of so many threads does a nanosecond, `amount` being what one call does: the best of some rounds, the mean
// over the threads. The caller is one of them. Where the system gives no more threads, those that are there are
// measured: nor would a run have more.
double rate(int threads, double amount, const std::function<void(int thread)>& call) {
  constexpr int rounds = 5;
  std::vector<double> best(static_cast<std::size_t>(threads));
  std::optional<std::barrier<>> start;  // made when it is known how many come
  std::latch known(1);
  const auto measure = [&](int t) {
    known.wait();
    for (int round = 0; round < rounds; ++round) {
      start->arrive_and_wait();
      auto& mine = best[static_cast<std::size_t>(t)];
      mine = std::max(mine, amount / (1e9 * seconds([&] { call(t); })));
    }
  };
  std::vector<std::jthread> team;
  team.reserve(static_cast<std::size_t>(threads));
  int there = 1;
  try {
    for (; there < threads; ++there) team.emplace_back(measure, there);
  } catch (...) {  // no thread, or no memory for one
  }
  start.emplace(there);
  known.count_down();
  measure(0);
  team.clear();  // waits for them
  double sum = 0;
  for (const double b : best) sum += b;
  return sum / there;
}

double flops_rate(int threads) {
  constexpr int steps = 300'000;
  float (*run)(int) = chains_plain;
  int lanes = 4;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) {
    run = chains_512;
    lanes = 16;
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    run = chains_256;
    lanes = 8;
  }
#endif
  return rate(threads, 2.0 * chains * lanes * steps, [run](int) { [[maybe_unused]] volatile float sink = run(steps); });
}

// a = b + s c (McCalpin's STREAM triad) over arrays that no cache holds.
double bytes_rate(int threads) {
  constexpr std::size_t count = std::size_t{6} << 20;
  std::vector<std::vector<float>> memory(static_cast<std::size_t>(threads));
  for (auto& m : memory) m.assign(3 * count, 1.0f);
  return rate(threads, 3.0 * count * sizeof(float), [&](int thread) {
    float* const a = memory[static_cast<std::size_t>(thread)].data();
    const float *const b = a + count, *const c = b + count;
    for (std::size_t i = 0; i < count; ++i) a[i] = b[i] + 0.5f * c[i];
  });
}

}  // namespace

MachinePeak measure_peak(int threads) {
  return {.flops_per_ns = flops_rate(threads), .bytes_per_ns = bytes_rate(threads)};
}

}  // namespace oxbow::tools
