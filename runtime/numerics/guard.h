// Watches over the runs of one Session whose program checks its numbers: see runtime/numerics.h.
//
// A writing program's variables are written in place, so a run that turns out bad has to be taken back. The guard keeps
// a journal: a copy of the variables, and what was fed to each run since, and what others set in between. Runs give the
// same bits each time, so the journal gives the variables before any of its runs.
// Thread safety: as its Session. All is called with the store's lock held, alone where the plan writes.
#pragma once

#include <oxbow/runtime/numerics/feed_journal.h>
#include <oxbow/runtime/run/frame.h>
#include <oxbow/runtime/run/program_impl.h>
#include <oxbow/runtime/run/store_state.h>

#include <functional>

namespace oxbow::internal {

class NumericsGuard {
 public:
  /// Runs once more with these feeds, one an input, and returns where the results are.
  using Repeat = std::function<const Frame&(std::span<const Fed> feeds)>;

  NumericsGuard(std::shared_ptr<const Program::Impl> program, std::shared_ptr<Store::State> store);

  /// Before a run. With `CheckNumerics::all`, throws `NumericsError` when it would make a NaN or Inf.
  void before(std::span<const Fed> feeds, const Plan& plan, const LockGroup& lock);
  /// After a run. Throws `NumericsError` when it, or an earlier one, went wrong; variables are then as before that run.
  void after(std::span<const Fed> feeds, const Frame& frame, const LockGroup& lock, const Repeat& repeat);
  /// Looks at what runs wrote since the last look, unless others have written since. Throws likewise.
  void look(const LockGroup& lock, const Repeat& repeat);
  /// After a run that failed: it is not part of the journal.
  void failed();

 private:
  struct Kept {
    std::shared_ptr<StoredVariable> variable;
    bool written = false;
    bool may_be_infinite = false;  // an Inf was found there that is meant
    Tensor value;                  // when the journal began
    std::uint64_t taken_at = 0;    // `LockGroup::sets` then
  };
  struct Set {  // of a variable, by others
    std::size_t before_run, kept;
    Tensor value;
  };

  bool results_ok(const Frame& frame);
  bool kept_ok(const Kept& k) const;
  bool full() const;
  void begin(const Plan& plan, const LockGroup& lock);
  void empty_journal();
  void record(std::span<const Fed> feeds, const LockGroup& lock);
  void take_back(const Repeat& repeat);
  void retrace(const Repeat& repeat);
  class Again;
  void search(std::span<const Fed> feeds, std::int64_t run, bool everywhere, const std::vector<bool>& usual = {});

  std::shared_ptr<const Program::Impl> program_;
  std::shared_ptr<Store::State> store_;
  std::int64_t runs_ = 0;  // that ended well
  bool writes_ = false;
  bool crowded_ = false;               // others write the same store between our runs
  std::vector<bool> may_be_infinite_;  // of each result: an Inf was found there that is meant
  std::vector<int> results_;           // that are no variables, which are looked at as such
  std::vector<Kept> kept_;
  FeedJournal fed_;
  std::vector<Set> sets_;
  std::size_t looked_ = 0;  // runs of the journal after which the variables were looked at
  std::size_t capacity_ = 0, look_every_ = 0;
  std::uint64_t expected_runs_ = 0, expected_sets_ = 0, expected_version_ = 0;
};

}  // namespace oxbow::internal
