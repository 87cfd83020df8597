// Which task follows which: the rule of the executor, which simulations of it go by too. Thread safety: that of the
// functions that it is given.
#pragma once

#include <oxbow/runtime/plan.h>

#include <utility>

namespace oxbow::internal {

constexpr std::uint32_t no_group = ~0u;

/// Passes on that a group is finished. `last_wait(g)` counts one of the groups that g waits for as finished, and says
/// whether it was the last; `make_ready(g, first)` offers g's chunks from `first` to all threads. Returns the most
/// urgent of the groups that became ready, whose first chunk, alone not offered, the same thread runs next: what it
/// reads is in that thread's cache. Returns `no_group` where none became ready.
template <class LastWait, class MakeReady>
std::uint32_t pass_on(const Plan& plan, std::uint32_t group, const LastWait& last_wait, const MakeReady& make_ready) {
  std::uint32_t mine = no_group;
  for (std::uint32_t i = plan.groups[group].first_next; i < plan.groups[group].last_next; ++i) {
    std::uint32_t g = plan.next[i];
    if (!last_wait(g)) continue;
    if (mine == no_group) {
      mine = g;
      continue;
    }
    if (plan.groups[g].first_task < plan.groups[mine].first_task) std::swap(g, mine);
    make_ready(g, 0);
  }
  if (mine != no_group) make_ready(mine, 1);
  return mine;
}

}  // namespace oxbow::internal
