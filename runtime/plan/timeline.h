// The serial order of a plan while steps are made to run more than once: who reads which run's results, and how many
// bytes are alive at each place of the order. A value that is read late is made anew just before that by a second run
// of its step, and need not be kept between.
// Thread safety: values.
#pragma once

#include <oxbow/runtime/plan/schedule.h>

namespace oxbow::internal {

struct Timeline {
  static constexpr std::uint32_t none = ~0u;

  /// What never changes of a step. Only storages that take bytes of the arena count.
  struct Step {
    NodeId node = -1;  ///< -1: the barrier
    double cost = 0;
    bool can_fail = false;                     ///< what writes variables waits for it
    bool may_repeat = false;                   ///< a second run gives the same bits and does nothing else
    std::vector<std::uint32_t> reads, writes;  ///< storages, each once
    std::vector<std::uint32_t> variables;      ///< the numbers of those that it reads
    struct Takes {
      std::uint32_t write, read;
    };                         ///< within `writes` and `reads`
    std::vector<Takes> takes;  ///< whose bytes it may take over in place
  };
  /// One run of a step. `reads` has the values for its step's storages.
  struct Run {
    std::uint32_t step = 0, first_value = 0;
    bool again = false;  ///< not where the step ran at first
    std::vector<std::uint32_t> reads = {};
  };
  /// A storage as one run writes it.
  struct Made {
    std::uint32_t run, storage;
  };

  std::vector<Step> steps;
  std::vector<std::int64_t> bytes;        ///< of each storage, as a block takes them
  std::vector<bool> kept;                 ///< of each storage: to the end of the run
  std::vector<std::uint32_t> writer;      ///< of each storage, its step
  std::vector<std::uint32_t> written_by;  ///< of each variable, the step that writes it in place, or `none`
  std::vector<Run> runs;                  ///< those that were left out stay, and are not in `order`
  std::vector<Made> values;
  std::vector<std::uint32_t> order;                 ///< runs
  std::vector<std::vector<std::uint32_t>> runs_of;  ///< of each step, those in `order`

  /// What holds of an order, worked out anew by `look`.
  std::vector<std::uint32_t> place;                 ///< of each run, or `none`
  std::vector<std::vector<std::uint32_t>> readers;  ///< of each value, runs by their place
  std::vector<std::int64_t> live;                   ///< bytes at each place
  std::int64_t peak = 0;

  /// The schedule of a graph as it is. Steps that write variables and that nobody waits for come last, where they read
  /// next to nothing: so whoever reads the variable may do so again until then.
  Timeline(const Graph& graph, const Storages& storages, const Dependences& waits, const Schedule& schedule);

  void look();
  std::uint32_t last_place(std::uint32_t value) const {
    const auto& r = readers[value];
    return kept[values[value].storage] ? static_cast<std::uint32_t>(order.size())
                                       : place[r.empty() ? values[value].run : r.back()];
  }
  double cost() const;

  /// Adds a run of a step, reading these values; it is in no order yet.
  std::uint32_t add_run(std::uint32_t step, std::vector<std::uint32_t> reads, bool again);
  /// Takes those runs out of the order whose results nobody reads any longer.
  void drop_unread();
};

}  // namespace oxbow::internal
