// What is done with what flows back where only a run decides whether anything does. For .cpp files of ops only.
#pragma once

#include <oxbow/graph/op.h>

namespace oxbow::ops {

/// The sum, and 0 where nothing has flowed.
Value or_zero(const Flow& f);
/// The sum, and where nothing has flowed what adds nothing to anything: -0.
Value or_nothing(const Flow& f);

/// A scalar's value in every element of a value like `like`.
Value filled(double scalar, Value like, At at = At::current());

/// One after the other. What has not flowed is not added, as it has no place in the graph without the branch: a zero
/// would change the sign of another, and what follows from it may be no number. Either may be empty.
Flow add_flows(const Flow& before, const Flow& more);

}  // namespace oxbow::ops
