// The tasks of a program as planned for so many threads, each timed by itself, on one core.
// Thread safety: a pure function, but for the time it takes.
#pragma once

#include <oxbow/runtime/trace.h>

#include <vector>

#include "measure/simulate.h"

namespace oxbow::tools {

struct TimedTasks {
  Trace run;                    ///< the last one on one thread; it keeps the plan
  std::vector<TaskCost> costs;  ///< by task
  std::vector<double> step_ns;  ///< of each step of the plan, the longest of its chunks
  double measured_ns = 0;       ///< of a run on so many real threads; 0 where that was not asked for
  const Plan& plan() const { return run.plan(); }
};

struct TimingOfTasks {
  int threads = 1;               ///< that the plan is made for
  int runs = 12;                 ///< that are timed, of which the lower quartiles count
  bool measure = false;          ///< runs on so many real threads too, in turn with those on one
  double bytes_per_ns = 0;       ///< what one core by itself reads and writes of main memory
  std::int64_t cache_bytes = 0;  ///< what a run of no more bytes is about finds in cache
};

/// Compiles what computes `fetches`, feeds random numbers, and lets one thread run all tasks in the order in which it
/// finds them. What it takes between tasks counts as part of each, and what an op says that it reads and writes
/// (`Work::bytes`) is waited for at `bytes_per_ns`.
TimedTasks time_tasks(const Graph& graph, const std::vector<Value>& fetches, const TimingOfTasks& how);

/// The bytes of this machine's largest cache, or 0 where it does not say.
std::int64_t largest_cache();

}  // namespace oxbow::tools
