// What a plan decided, as plain data to print, draw and compare: when each step runs, where each value lives and until
// when, who reads it, what is kept for the backward pass, and what the peak of memory consists of.
//
//   Ledger l = ledger(compile({loss, w2}));
//   for (const Ledger::Value& v : l.values) std::cout << l.graph->node(v.node).full_name() << " " << v.bytes << "\n";
//
// It is worked out from the Plan alone (places, steps and their order), not from what the planner meant, so that it
// also checks the planner: the bytes of the blocks that are alive at `peak_step` sum to `live_bytes`, which is the
// plan's lower bound, and with `gap()` they make `arena_bytes`.
// A pure view for tools; linear in nodes and edges, apart from sorting. Thread safety: regular values.
#pragma once

#include <oxbow/graph/text.h>
#include <oxbow/runtime/program.h>

namespace oxbow {

struct Plan;
class Trace;

struct Ledger {
  static constexpr std::int32_t none = -1;

  /// One step of the serial order; the plan's own numbers, so that traces match.
  struct Step {
    NodeId node = none;      ///< -1: nothing runs, what comes after may write variables
    std::int32_t group = 0;  ///< what threads are handed
    std::int64_t parts = 0;
    bool commits = false;            ///< writes a variable in place
    bool critical = false;           ///< on the critical path, by the estimates
    double cost_ns = 0;              ///< estimated, on one thread; whole, as all estimates are
    double measured_ns = none;       ///< of all threads that took part, in a mean run; -1: not measured
    bool measured_critical = false;  ///< on the critical path, by the times of `run`
  };

  /// A stretch of steps that one thread runs, or one wide step whose parts several share. It starts when the groups
  /// in `waits_for` are finished. Start and finish are estimates: the costs, laid out on so many threads by urgency.
  struct Group {
    std::int32_t first = 0, last = 0;  ///< steps from `first` up to but without `last`
    std::vector<std::int32_t> waits_for = {};
    struct Share {
      std::int32_t lane = 0;  ///< 0 to threads - 1
      double start_ns = 0, finish_ns = 0;
    };
    std::vector<Share> shares = {};  ///< one, or those of a wide step
  };

  /// What became of a value.
  enum class Fate : std::uint8_t {
    leaf,         ///< fed, fixed, or a variable: lies outside the arena
    alias,        ///< the bytes of another value, looked at otherwise
    fetched,      ///< kept to the end of the run for the caller
    assigned,     ///< written straight into its variable
    saved,        ///< made in the forward pass and kept for a later phase
    overwritten,  ///< its bytes are taken over in place by its last reader's result
    dropped,      ///< its bytes are free after its last reader
  };

  /// Every output of every node, in the graph's order.
  struct Value {
    NodeId node = none;
    std::int32_t output = 0;
    std::string name = {};  ///< the user's, with scopes; "" without one
    Fate fate = Fate::dropped;
    bool saved = false;                      ///< forward, and a later phase reads it (whatever its fate)
    std::string home = {};                   ///< "arena", "input", "variable", "constant", or "none": nobody reads it
    std::int64_t offset = none;              ///< bytes into the arena; -1 outside
    std::int64_t bytes = 0;                  ///< its own, without padding
    std::int32_t block = none;               ///< within `blocks`; -1 outside the arena
    std::int32_t first = none;               ///< the step that writes it
    std::int32_t last = none;                ///< the last step in serial order that reads its bytes, or `first`
    std::vector<std::int32_t> readers = {};  ///< the steps that read it, in serial order; of bytes that are its own,
                                             ///< also those that read them through aliases
    std::int32_t alias_of = none;            ///< within `values`
    std::int32_t overwrites = none;          ///< within `values`: whose bytes it took over
    std::int32_t overwritten_by = none;
  };

  /// A stretch of the arena that some values use one after another, each overwriting the last in place. Blocks that
  /// share bytes are never alive at once, under any schedule that the groups allow.
  struct Block {
    std::int64_t offset = 0;
    std::int64_t bytes = 0;  ///< a multiple of 64
    std::int32_t first = 0;  ///< the step that first writes it
    std::int32_t last = 0;   ///< the last step, in serial order, that needs it
    bool kept = false;       ///< to the end of the run
    std::vector<std::int32_t> values = {};
  };

  /// What a thread did in a measured run, in nanoseconds since the run began.
  struct Event {
    std::int32_t step = 0;
    std::int32_t lane = 0;  ///< 0: the thread that asked for the run
    double begin_ns = 0, end_ns = 0;
  };

  std::shared_ptr<const Graph> graph;  ///< as planned: specialised, rewritten, lowered
  std::int32_t threads = 1;
  std::vector<Step> steps;
  std::vector<Group> groups;
  std::vector<Value> values;
  std::vector<Block> blocks;
  std::vector<Event> run;  ///< of those measured, the one of median time; empty where nothing was

  std::int64_t arena_bytes = 0;    ///< the peak: what a run takes
  std::int64_t lower_bound = 0;    ///< as the planner says: no arena is smaller
  std::int64_t live_bytes = 0;     ///< the most bytes alive at once in a serial run, by this ledger's own count
  std::int32_t peak_step = none;   ///< the first step at which they are
  std::vector<std::int32_t> live;  ///< the blocks that are alive there
  std::int64_t scratch_bytes = 0;  ///< a thread
  double cost_ns = 0;              ///< of all steps, on one thread
  std::vector<std::int32_t> critical_path;  ///< steps
  double critical_ns = 0;                   ///< the time that no number of threads can beat, if the estimates hold
  double run_ns = none;                     ///< the time of `run`; -1: not measured
  /// The same by what was measured: the longest way through `run`, on which a wide step takes as long as its longest
  /// event. At most `run_ns`; -1: not measured.
  double measured_critical_ns = none;
  std::vector<std::int32_t> measured_critical_path;

  std::int64_t gap() const { return arena_bytes - lower_bound; }
  /// The critical path and its time: as measured where that is known, else as estimated.
  bool measured() const { return measured_critical_ns >= 0; }
  double longest_ns() const { return measured() ? measured_critical_ns : critical_ns; }
  const std::vector<std::int32_t>& longest_path() const { return measured() ? measured_critical_path : critical_path; }
  /// The index in `values` of an output.
  std::int32_t index(NodeId node, std::int32_t output = 0) const { return first_value[std::size_t(node)] + output; }
  std::vector<std::int32_t> first_value;  ///< of each node
};

std::string_view name(Ledger::Fate fate);

/// The ledger of a plan that was made for so many threads.
Ledger ledger(const Plan& plan, int threads);
/// The ledger of what a program runs at these shapes of its inputs (others keep their example sizes).
Ledger ledger(const Program& program, const std::map<std::string, Shape>& shapes = {});

/// Fills in `measured_ns` from runs of this plan, means over them, `run`, and its critical path. Throws `Error` for
/// runs of another plan, and for one that failed.
void add_measured(Ledger& plan, std::span<const Trace> runs);
/// The measured time of each node of the graph, -1 where it is not a step; empty where nothing was measured.
std::vector<double> measured_by_node(const Ledger& plan);

}  // namespace oxbow
