// The inside of a Store, for the executor: variables at addresses that stay, and the one lock of a run.
// Thread safety: everything here is read and written with the group's lock held, see `StoreLock`.
#pragma once

#include <oxbow/runtime/store.h>

#include <map>
#include <mutex>
#include <shared_mutex>
#include <span>

namespace oxbow::internal {

/// A variable's value. Stores that share it point to the same one.
struct StoredVariable {
  std::string name;
  Tensor value;
  bool frozen = false;
  std::uint64_t changed = 0;  ///< `LockGroup::sets` when it was last set, restored or reset
};

/// The lock of all Stores that share variables with one another: sharing merges two groups, so that one lock still
/// covers whatever a run touches. `version` counts the changes that a bound Session has to notice.
struct LockGroup {
  std::shared_mutex mutex;
  std::shared_ptr<LockGroup> merged_into;  // guarded by `mutex`
  std::uint64_t version = 1;               // guarded by `mutex`, as are these:
  std::uint64_t runs = 0;                  // that wrote variables
  std::uint64_t sets = 0;                  // of single variables, by Store's functions
};

}  // namespace oxbow::internal

namespace oxbow {

struct Store::State {
  std::vector<std::shared_ptr<internal::StoredVariable>> variables;  // guarded by the group's lock, as is `index`
  std::map<std::string, std::size_t, std::less<>> index;
  const std::shared_ptr<internal::LockGroup> group =
      std::make_shared<internal::LockGroup>();  // or what it was merged into

  /// The variable, or null. The caller holds the lock.
  internal::StoredVariable* find(std::string_view name) const {
    const auto place = index.find(name);
    return place == index.end() ? nullptr : variables[place->second].get();
  }
  /// The variable. Throws `Error` with near names.
  internal::StoredVariable& get(std::string_view name) const;
  /// The graph's variables that are not here yet. Takes the lock.
  void add(const Graph& graph);
  /// All of them, or none where memory runs out. The caller holds the lock.
  void insert(std::span<const std::shared_ptr<internal::StoredVariable>> more);
  /// One lock for both from now on.
  static void merge(State& a, State& b);
};

}  // namespace oxbow

namespace oxbow::internal {

/// Holds a group's lock until the end of the block, alone or beside other readers.
class StoreLock {
 public:
  enum class Kind { shared, alone };
  /// Locks what `group` was merged into, if it was, and leaves that in `group`, which must stay as long as the lock.
  StoreLock(std::shared_ptr<LockGroup>& group, Kind kind);
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  void unlock();
  LockGroup* group_;
  Kind kind_;
};

/// Holds two groups' locks alone until the end of the block, or the one lock where both are one. Follows what they were
/// merged into, as `StoreLock` does. Locks are taken in the order of the groups' addresses, so that no two threads wait
/// for each other; whoever waited for a group that was merged meanwhile begins again.
class TwoLocks {
 public:
  TwoLocks(std::shared_ptr<LockGroup>& a, std::shared_ptr<LockGroup>& b);

 private:
  std::unique_lock<std::shared_mutex> first_, second_;
};

}  // namespace oxbow::internal
