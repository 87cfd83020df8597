// Where threads sleep until somebody has something for them. Thread safety: all of it may be called from any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

namespace oxbow::internal {

class WaitingRoom {
 public:
  /// Sleeps until called; not at all where `ready()`. That is asked when this thread is already counted as asleep, so
  /// nothing is missed by someone who first makes something ready and then calls: either `ready` sees it, or the call
  /// finds the sleeper.
  template <class Ready>
  void wait(const Ready& ready) {
    std::unique_lock lock(mutex_);
    ++asleep_;
    if (ready()) {
      --asleep_;
      return;
    }
    called_up_.wait(lock, [this] { return calls_ > 0; });
    --calls_;
  }

  /// Wakes up to so many of those that sleep, and returns how many. Where nobody sleeps it is one load.
  int call(int count) {
    if (count <= 0 || asleep_.load() == 0) return 0;
    const std::lock_guard lock(mutex_);
    const int woken = std::min(count, asleep_.load());
    asleep_ -= woken;
    calls_ += woken;
    for (int i = 0; i < woken; ++i) called_up_.notify_one();
    return woken;
  }

 private:
  std::mutex mutex_;
  std::condition_variable called_up_;
  std::atomic<int> asleep_{0};  // and not called yet; written with the lock held
  int calls_ = 0;               // guarded by mutex_: woken, and not up yet
};

}  // namespace oxbow::internal
