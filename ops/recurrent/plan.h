// What a plan keeps for a recurrence, and what the gradients of all of them are built with. Internal to ops/recurrent.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/recurrent/steps.h>

namespace oxbow::ops::recurrent {

struct Plan {
  Sizes sizes;
  StepProduct product, inner;  // inner: of a cell that has two in a step
};

/// Lengths as the nodes take them: integers as i64.
Value as_lengths(Value lengths, At at);

/// The gradient to the recurrent weights: the sum over all steps of (the state before)^T dz, of which the state before
/// the first step is `before`.
Value to_recurrent(Value states, Value before, Value dz, bool reverse);

/// [time, batch, ...] before each step: `x` one step later, and `first` [batch, ...] before the first one.
Value before_each(Value x, Value first, bool reverse);

/// bool [time, batch, 1]: whether a sequence of this length has the step. Empty without lengths.
Value within(Value like, Value lengths);

}  // namespace oxbow::ops::recurrent
