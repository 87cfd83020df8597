// Where a program's time goes: traces of its runs, added up by node and by scope, and as a timeline.
// Thread safety: a Profile belongs to one thread; the functions are pure.
#pragma once

#include <oxbow/runtime/trace.h>

#include <string>
#include <vector>

#include "measure/machine_peak.h"

namespace oxbow::tools {

/// The sums over some runs of one plan.
class Profile {
 public:
  struct NodeTime {
    NodeId node = -1;
    std::int64_t ns = 0;          ///< of all workers that took part, over all runs
    std::int64_t tasks = 0;       ///< what threads were handed: runs, times the shares of a wide node
    double flops = 0, bytes = 0;  ///< of one run, as the op estimates them
  };

  /// Throws `InternalError` for a trace of another plan, or of a run that failed.
  void add(const Trace& trace);

  const std::vector<NodeTime>& nodes() const { return nodes_; }  ///< in serial order
  const Graph& graph() const { return *graph_; }
  int workers() const { return workers_; }
  int runs() const { return runs_; }
  std::int64_t wall() const { return wall_; }  ///< nanoseconds of all runs
  std::int64_t busy() const;                   ///< of all nodes
  /// When workers waited, or the engine worked: workers times wall is busy plus idle.
  std::int64_t idle() const { return workers_ * wall_ - busy(); }

 private:
  std::shared_ptr<const Graph> graph_;
  std::vector<NodeTime> nodes_;
  std::vector<std::uint32_t> of_step_;
  int workers_ = 0, runs_ = 0;
  std::int64_t wall_ = 0;
};

/// What a node is, in one line: its name, what a fused one is made of, whose gradient it belongs to, its source line.
std::string describe(const Graph& graph, NodeId node);

/// The nodes that take longest, a line each: time and share a run, rates, fractions of a core's peak.
std::string table(const Profile& profile, const MachinePeak& peak, int top);
/// Phases and scopes, indented, with the sums of what is in them.
std::string tree(const Profile& profile);
/// Lines of "phase;scope;node nanoseconds", of a mean run: what flame graphs are drawn from.
std::string folded(const Profile& profile);
/// One run in the trace event format, which Perfetto (ui.perfetto.dev) and Chrome (chrome://tracing) open: a lane a
/// worker, a slice a node. https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
std::string chrome_trace(const Trace& trace, const std::string& title);

}  // namespace oxbow::tools
