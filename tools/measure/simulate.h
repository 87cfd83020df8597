// A run of a plan on so many cores, simulated: tasks of known length follow one another by the executor's own rule
// (runtime/run/pass_on.h), slower while more of them want main memory than it can serve.
// Thread safety: values, and pure functions.
#pragma once

#include <oxbow/runtime/plan.h>

#include <span>
#include <string>
#include <vector>

namespace oxbow::tools {

/// What a task takes by itself on a core.
struct TaskCost {
  double ns = 0;
  double memory = 0;  ///< the share of that in which it waits for main memory, 0 to 1
};

struct SimulatedMachine {
  int cores = 1;
  double buses = 1e9;          ///< so many cores can read from and write to main memory at full speed at once
  double hand_over_ns = 300;   ///< from when a task is ready to when a core that looks around for one begins it
  double asleep_after = 3e5;   ///< ns without a task until a core sleeps
  double wake_up_ns = 40'000;  ///< likewise, of a core that sleeps
};

struct Simulated {
  struct Event {
    std::uint32_t task = 0;
    int core = 0;
    double begin = 0, end = 0;  ///< ns; a hand-over comes before it begins
  };
  std::vector<Event> events;  ///< in the order in which they began
  double ns = 0;              ///< of the whole run
};

/// `costs`: of each task of the plan, as they are numbered there. Cores that have nothing to do take the most urgent
/// task that is ready, the first core first. While tasks run whose shares of waiting for memory add up to more than
/// `buses`, all waiting takes longer by one factor, so that they get `buses` in all.
Simulated simulate(const Plan& plan, std::span<const TaskCost> costs, const SimulatedMachine& machine);

/// The critical path: groups of the plan that wait for one another, the longest chunk of each counted.
struct CriticalPath {
  std::vector<std::uint32_t> groups;
  double ns = 0;
};
CriticalPath critical_path(const Plan& plan, std::span<const TaskCost> costs);

/// What no schedule on this machine is shorter than, in ns.
struct Bounds {
  double work = 0;           ///< of all tasks, over the cores
  double critical_path = 0;  ///< on any number of cores
  double memory = 0;         ///< all waiting for memory, over the buses
};
Bounds bounds(const Plan& plan, std::span<const TaskCost> costs, const SimulatedMachine& machine);

/// A lane a core, a bar a task, in the colour of its phase: an SVG picture.
std::string picture(const Plan& plan, const Simulated& run, int cores, const std::string& title);

}  // namespace oxbow::tools
