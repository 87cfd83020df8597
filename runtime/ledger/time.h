// The estimated times of a ledger: its critical path, and its groups laid out on lanes. Part of `ledger`'s
// implementation. Pure functions.
#pragma once

#include <oxbow/runtime/ledger.h>

namespace oxbow::internal {

/// Fills in `critical`, `critical_path`, `critical_ns` and the groups' shares of a ledger whose steps, groups and
/// values are those of `plan`.
void add_times(Ledger& ledger, const Plan& plan);

}  // namespace oxbow::internal
