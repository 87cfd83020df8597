// Fewer bytes for more time: steps run once more just before their results are read late, so that these need not be
// kept between. What is chosen never depends on how many bytes are wanted in the end: a smaller peak is reached by way
// of the larger ones, so less memory never comes with less work.
//
// At a time, the value is dropped whose bytes, times the places of the order at which there are too many, are worth the
// most for each nanosecond that its making anew takes. What that reads may be gone by then, too: which of it is made
// anew in turn, and which is kept instead, is a minimum cut between the values that are there and the one that is
// wanted (Boykov and Kolmogorov 2004); the rate at which bytes are weighed against time is the candidate's own
// (Dinkelbach 1967). Chen et al. 2016, "Training deep nets with sublinear memory cost", has the idea; Jain et al. 2020,
// "Checkmate", weighs values by bytes and time.
// Thread safety: for one thread at a time.
#pragma once

#include <oxbow/runtime/plan/rebuild.h>

#include <limits>
#include <set>

namespace oxbow::internal {

/// How far to go for fewer bytes.
struct RecomputationLimits {
  double cost = std::numeric_limits<double>::infinity();  ///< estimated nanoseconds of all steps
  double work = 1e8;                                      ///< places of the order looked at, and of cuts: some seconds
};

class Recomputation {
 public:
  /// Begins with the schedule as it is. All arguments must outlive it.
  Recomputation(const Graph& graph, const Storages& storages, const Dependences& waits, const Schedule& schedule);

  /// The most bytes that are alive at once in a serial run.
  std::int64_t peak() const { return line_.peak; }
  /// The estimated nanoseconds of all steps.
  double cost() const { return line_.cost(); }
  /// Goes on until the peak is at most `bytes`; false where nothing helps any more, or within the limits.
  bool lower_to(std::int64_t bytes, const RecomputationLimits& limits = {});
  Recomputed result() const;

 private:
  struct Candidate {
    std::uint32_t value, reader;            // not kept between the reader before this run and this one
    double cost = 0;                        // of its step once more; next to nothing where that moves it
    double gain = 0;                        // bytes by places that are too full
    double most = 0;                        // of gain for each nanosecond
    std::vector<std::uint32_t> steps = {};  // to be run again, in order
    double score = 0;
  };
  bool improve(std::int64_t target, const RecomputationLimits& limits);
  std::vector<Candidate> candidates(std::int64_t target);
  void choose_steps(Candidate& c);
  double cost_again(std::uint32_t run, std::uint32_t place) const;
  bool may_run_before(std::uint32_t step, std::uint32_t place) const;
  std::uint32_t version(std::uint32_t storage, std::uint32_t place) const;
  double places_too_full(std::uint32_t after, std::uint32_t before) const {
    return before > after ? static_cast<double>(full_[before] - full_[after + std::size_t{1}]) : 0;
  }
  Timeline with(const Candidate& c, bool instead_of_later) const;

  const Graph& graph_;
  const Storages& storages_;
  Timeline line_;
  std::vector<std::uint32_t> full_;  // up to each place, at how many there are too many bytes
  std::set<std::pair<std::uint32_t, std::uint32_t>> in_vain_;
  double work_ = 0;  // so far, as limits count it
};

}  // namespace oxbow::internal
