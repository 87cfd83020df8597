// Gradients of gradients: a recurrence's gradient is differentiated as the plain ops that give the same. Internal to
// ops/recurrent.
#pragma once

#include <oxbow/graph/op.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/linalg.h>
#include <oxbow/ops/pointwise.h>

#include <functional>

namespace oxbow::ops::recurrent {

/// The gradients of n's inputs, of which `composed` makes n's outputs by ops that have gradients.
Grads by_plain_ops(const Node& n, Values dy, const std::function<std::vector<Value>(Values)>& composed);

Value zeros_like(Value x);

}  // namespace oxbow::ops::recurrent
