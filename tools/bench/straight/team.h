// What the straight-line programs share that is no arithmetic: memory, threads with a barrier, and shares of the work.
#pragma once

#include <immintrin.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <thread>
#include <vector>

namespace straight {

/// Floats that begin as zeros, on huge pages where the system has them.
class Array {
 public:
  Array() = default;
  explicit Array(std::size_t size) : size_(size), data_(allocate(size)) {}
  explicit Array(std::span<const float> from) : Array(from.size()) { std::ranges::copy(from, data()); }
  float* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  float& operator[](std::size_t i) const { return data_.get()[i]; }
  std::span<const float> all() const { return {data(), size_}; }

 private:
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  static float* allocate(std::size_t size) {
    constexpr std::size_t huge = std::size_t{1} << 21, line = 64;
    const std::size_t unit = size * sizeof(float) >= huge ? huge : line;
    const std::size_t bytes = std::max((size * sizeof(float) + unit - 1) / unit, std::size_t{1}) * unit;
    void* p = std::aligned_alloc(unit, bytes);
    if (!p) throw std::bad_alloc();
    if (unit == huge) ::madvise(p, bytes, MADV_HUGEPAGE);
    std::fill_n(static_cast<float*>(p), bytes / sizeof(float), 0.0f);
    return static_cast<float*>(p);
  }
  std::size_t size_ = 0;
  std::unique_ptr<float[], Free> data_;
};

struct Range {
  int begin, end;
  int size() const { return end - begin; }
};

/// Threads that run a step together. They sleep between steps, and within one wait for each other awake.
class Team {
 public:
  explicit Team(int threads) : threads_(threads) {
    for (int t = 1; t < threads; ++t)
      workers_.emplace_back([this, t] {
        for (int seen = 0;;) {
          step_.wait(seen);
          seen = step_.load();
          if (!work_) return;
          flush_denormals();
          work_(t);
          barrier();
        }
      });
  }
  ~Team() {
    work_ = nullptr;
    begin();
  }
  int threads() const { return threads_; }

  /// Calls f(thread) on each, and returns when all are done.
  void run(std::function<void(int)> f) {
    work_ = std::move(f);
    begin();
    flush_denormals();
    work_(0);
    barrier();
  }

  /// Within `run`: returns when all threads have called it.
  void barrier() {
    if (threads_ == 1) return;
    const int round = round_.load();
    if (waiting_.fetch_add(1) + 1 == threads_) {
      waiting_ = 0;
      ++round_;
      return;
    }
    constexpr int tries = 4096;  // some 50 us, then others may have the core
    for (int i = 0; round_.load(std::memory_order_acquire) == round; ++i)
      i < tries ? _mm_pause() : std::this_thread::yield();
  }

  /// A thread's share of n things, in whole multiples of `unit`.
  Range share(int n, int thread, int unit = 1) const {
    const auto at = [&](int t) { return std::min((n + unit - 1) / unit * t / threads_ * unit, n); };
    return {at(thread), at(thread + 1)};
  }

 private:
  void begin() {
    ++step_;
    step_.notify_all();
  }
  static void flush_denormals() { _mm_setcsr(_mm_getcsr() | 0x8040); }

  int threads_;
  std::function<void(int)> work_;
  std::atomic<int> step_ = 0, round_ = 0, waiting_ = 0;
  std::vector<std::jthread> workers_;
};

}  // namespace straight
