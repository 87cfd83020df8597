// A Plan: everything about running one graph at one set of shapes that can be known before, in flat arrays. Immutable,
// so shared by all Sessions and threads; what a run changes is in a Frame (runtime/run/frame.h).
#pragma once

#include <oxbow/graph/graph.h>

#include <optional>

namespace oxbow {

namespace internal {
class PreparedOps;
}

/// Whose memory a value lies in; `index` below counts within each kind, in the Plan's lists.
enum class Home : std::uint8_t { none, arena, input, variable, constant, fetch };

/// Where a value's bytes begin: so many bytes into the arena, or into bytes that are known when a run starts.
struct Place {
  Home home = Home::none;  ///< none: no bytes, as of an input that is read for its shape only
  std::int32_t index = 0;
  std::int64_t offset = 0;
};

struct Plan {
  /// One node that computes, and its operands within `reads` and `writes`.
  struct Step {
    const Op* op;
    const void* prepared;
    NodeId node;
    std::uint32_t first_read, reads, first_write, writes;
    std::int64_t parts;
    bool can_fail = false;  ///< on its data, where no step before it has: whatever commits waits for it
    bool commits = false;   ///< writes a variable in place: from here on the run cannot be taken back
    double cost = 0;        ///< estimated nanoseconds
  };
  /// What threads are handed: a stretch of steps, or, with several chunks, the parts of one wide step.
  struct Group {
    std::uint32_t first, last;            ///< steps from `first` up to `last`
    std::uint32_t chunks;                 ///< tasks
    std::uint32_t first_task;             ///< tasks are numbered by urgency
    std::uint32_t first_next, last_next;  ///< within `next`: the groups that wait for this one
    std::uint32_t waits;                  ///< for so many groups
  };
  struct Operand {
    const Type* type;
    Place place;
  };
  /// A fetched value: in the arena (or a span of the user's), or, for an assign, the variable itself.
  struct Fetch {
    Type type;
    std::int64_t offset = 0;  ///< in the arena
    std::int32_t variable = -1;
  };
  struct Leaf {
    NodeId node;
    bool written = false;  ///< of variables
  };

  std::shared_ptr<const Graph> graph;  ///< specialised, rewritten and lowered; keeps ops and types alive
  std::vector<Step> steps;             ///< in the order of a serial run
  std::vector<Operand> reads, writes;
  std::vector<Group> groups;  ///< in serial order; a single one runs on the caller's thread
  std::vector<std::uint32_t> next, group_of_task;
  std::vector<Fetch> fetches;
  std::vector<Leaf> inputs, variables, constants;
  std::shared_ptr<const internal::PreparedOps> ops;  ///< what `steps` point to

  std::int64_t arena_bytes = 0;    ///< all values that are no leaves
  std::int64_t lower_bound = 0;    ///< no arena is smaller: what is alive at once in a serial run
  double cost = 0;                 ///< estimated nanoseconds of all steps
  std::int64_t scratch_bytes = 0;  ///< a thread
  bool writes_variables = false;
};

/// How finely work is shared among threads; all times are estimated nanoseconds on one thread. The defaults serve every
/// program; tests share more than is worth it.
struct Grain {
  double inline_below = 12'000;    ///< a run that is shorter is one thread's
  double task = 3'000;             ///< stretches of small steps grow to this
  double join_below = 800;         ///< a stretch so short takes the next step in even where that need not wait
  double chunk = 2'500;            ///< so long at least are the shares of a wide step
  double not_worth_sharing = 0.8;  ///< of all work: where steps wait for one another so long, one thread does it all
  double fence = 40'000;  ///< so far at least threads may run ahead of the serial order: see runtime/plan/fences.h
};

/// Plans a graph as `rewrite` leaves it, its outputs being what is fetched. Where values need copies, the plan is that
/// of the graph with these (runtime/plan/copies.h). With a budget, `arena_bytes` is at most that: where it would be
/// more, threads run in order, and steps run more than once (runtime/plan/recompute.h); throws `Error` where that does
/// not go far enough.
std::shared_ptr<const Plan> make_plan(std::shared_ptr<const Graph> graph, int threads, const Grain& grain = {},
                                      std::optional<std::int64_t> memory_budget = {});

}  // namespace oxbow
