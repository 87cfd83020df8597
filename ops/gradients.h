// Reverse accumulation: derivatives as graph. The nodes appended are like any others: dumped, optimised, and
// differentiated again. What backward needs of forward is an ordinary edge. Appends to y's graph: one thread builds.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow {

/// The gradients of y with respect to each of `x`, of x's types; y must have one element.
///   const auto g = gradients(loss, {w, b});
/// Every x may be any floating-point value that y is computed from: a variable, an input, an intermediate. An x that y
/// does not depend on (or only through integers, shapes or `stop_gradient`) gets zeros, which is its derivative.
/// Contributions to a value are added in a fixed order: of its readers, the last built comes first. What flows back to
/// a part of it (a slice, rows that were looked up) is added to that part of the sum so far (`Op::add_to`), in place: a
/// value that is read in a thousand parts has one gradient of its size, not a thousand. Time is linear in the nodes up
/// to y, depth does not matter, and only nodes between x and y are asked for their gradient.
/// What an op builds for inputs that lead to no x is taken back.
/// The appended nodes have phase `backward`, and the line, scope and number of the forward node that they belong to.
/// Throws `Error` when y has several elements, y or an x is not floating point, two graphs are mixed, or a node in
/// between has no gradient: then with the op, the node, the reason and the user's line.
std::vector<Value> gradients(Value y, Values x, At at = At::current());

/// The same for a y of any shape, given `dy`, the gradient of what is differentiated with respect to y: the product of
/// dy with y's Jacobian. Throws `Error` also when dy is not of y's type.
std::vector<Value> gradients(Value y, Value dy, Values x, At at = At::current());

/// For ops that differentiate graphs of their own: what flows from several `y`, whose gradients are `dy` (empty where
/// nothing flows), back to each x, empty where nothing does. What `sums` holds for an x has flowed there before, and
/// the rest is added to it. Every x is floating point.
std::vector<Flow> flow_back(Values y, Flows dy, Values x, Flows sums);

}  // namespace oxbow
