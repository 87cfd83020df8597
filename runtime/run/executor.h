// Runs a plan's steps: on the caller's thread, or as tasks that the workers of a pool share with it.
//
// Thread safety: an Executor belongs to one Frame and runs one run at a time; `help` is what the pool's workers call.
// Every hand-over from one thread to another passes an atomic of this class: a step's bytes are written before its
// group is counted as finished (release), and read after whoever waits for it was seen to have nothing left to wait for
// (acquire).
#pragma once

#include <oxbow/runtime/run/frame.h>
#include <oxbow/runtime/run/pool_impl.h>
#include <oxbow/runtime/trace.h>

#include <exception>
#include <stop_token>

namespace oxbow::internal {

class Executor final : private TeamWork {
 public:
  Executor(const Frame& frame, Pool pool);

  enum class Outcome { finished, stopped };
  /// All steps once. `scratch`: `Plan::scratch_bytes` for each thread of the pool. Allocates nothing unless a step
  /// fails. Throws what a step threw, with its node's name and line. After an error or a stop no variable has been
  /// written. With a `trace`, which was started for this plan, writes down what runs when.
  Outcome run(std::byte* scratch, const std::stop_token& stop, Trace* trace = nullptr);

 private:
  /// `committed`: variables are being written in place, so a request to stop comes too late.
  enum class Phase : int { open, committed, stopped };
  struct alignas(64) Progress {
    std::atomic<std::uint32_t> waits;   ///< for so many groups; back at its first value as soon as it reached zero
    std::atomic<std::uint32_t> chunks;  ///< so many are not finished; likewise
  };

  bool ready() const noexcept override;
  bool help() noexcept override;
  // Each in two instantiations, so that a run without a trace does not even ask for one between steps. `worker` is the
  // number of the thread's scratch memory.
  template <bool traced>
  void run_inline();
  template <bool traced>
  void run_shared();
  template <bool traced>
  bool work(int worker) noexcept;
  template <bool traced>
  void run_task(std::uint32_t group, std::uint32_t chunk, int worker) noexcept;
  bool has_tasks() const;
  int seats() const { return std::min(pool_.threads() - 1, 64); }
  bool claim(std::uint32_t& task, int worker);
  std::uint64_t choose(std::size_t word, std::uint64_t bits, int worker) const;
  std::uint32_t home(std::uint32_t group, int worker) const;
  bool may_run(const Plan::Step& step);
  void run_parts(const Plan::Step& step, std::int64_t first, std::int64_t last, std::byte* scratch) const;
  std::uint32_t finish(std::uint32_t group, int worker);
  void make_ready(std::uint32_t group, std::uint32_t kept);
  void call(std::uint32_t tasks);
  void fail(const Plan::Step& step) noexcept;

  const Frame& frame_;
  const Plan& plan_;
  Pool pool_;
  std::vector<std::uint32_t> roots_;  // groups that wait for none
  std::vector<Progress> progress_;
  // A bit for each task that is ready, the most urgent first; `summary_` has one for each word of `ready_` that is not
  // 0.
  std::vector<std::atomic<std::uint64_t>> ready_, summary_;
  Pool::Crew* crew_ = nullptr;  // which takes part in this run
  WaitingRoom caller_;          // where the thread that called `run` waits for the last tasks
  std::byte* scratch_ = nullptr;
  const std::stop_token* stop_ = nullptr;
  Trace* trace_ = nullptr;
  std::exception_ptr error_;                         // written by whoever set `failed_`
  alignas(64) std::atomic<std::uint32_t> left_{0};   // groups that are not finished
  alignas(64) std::atomic<std::uint64_t> seats_{0};  // bit i: some worker has the i-th scratch memory
  alignas(64) std::atomic<Phase> phase_{Phase::open};
  std::atomic<bool> failed_{false};
};

}  // namespace oxbow::internal
