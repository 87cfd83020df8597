// A Trace: what ran when, and on which worker, during one run.
//
//   Trace trace;
//   session.run(trace);                      // as session.run(), and every step's beginning and end are written down
//   for (const Trace::Event& e : trace.events())
//     std::cout << trace.graph().node(e.node).full_name() << ' ' << e.end - e.begin << " ns\n";
//
// Each node has one event, a wide one as many as tasks shared its parts. Events stand in the order of a serial run,
// whatever ran first, so that those of two runs of a plan match one to one. A run that is not traced pays nothing for
// it; a traced one pays two readings of the clock an event at most, and allocates only when the trace was last used for
// another plan. Thread safety: one run writes it at a time; read it between runs.
#pragma once

#include <oxbow/graph/value.h>

namespace oxbow {

struct Plan;

class Trace {
 public:
  /// Times are nanoseconds since the run began.
  struct Event {
    NodeId node = -1;                    ///< in `graph()`; -1: nothing but a wait for all that can fail on data
    std::uint32_t step = 0;              ///< in `plan().steps`
    std::int32_t chunk = 0, chunks = 1;  ///< which share of the node's parts, of how many
    std::int32_t worker = -1;            ///< 0: the thread that called `run`; -1: it did not run, for the run failed
    std::int64_t begin = 0, end = 0;
  };

  /// Of the last run; empty before the first.
  std::span<const Event> events() const { return {events_.data(), events_.size()}; }
  /// How many threads might have taken part: workers are numbered below it. At any moment a number stands for at most
  /// one thread; over time it may stand for several.
  int workers() const { return workers_; }
  /// From the run's beginning to its end, commits included.
  std::int64_t wall() const { return wall_; }
  const Plan& plan() const { return *plan_; }
  /// The graph that ran: rewritten and lowered.
  const Graph& graph() const;

  /// For the executor: gets ready for a run of `plan`, which begins now.
  void start(const std::shared_ptr<const Plan>& plan, int workers);
  /// The event of a step's share, to be written by the worker that runs it.
  Event& event(std::size_t step, std::uint32_t chunk) { return events_[first_event_[step] + chunk]; }
  /// Now, in the run's own time.
  std::int64_t now() const;
  void stop() { wall_ = now(); }

 private:
  std::shared_ptr<const Plan> plan_;
  std::vector<Event> events_;
  std::vector<std::uint32_t> first_event_;  // of each step
  int workers_ = 0;
  std::int64_t epoch_ = 0, wall_ = 0;
};

}  // namespace oxbow
