// What a graph begins and ends with: what is fed, what is fixed, what is remembered, and what is written.
// Thread safety: they append to a graph, which is for one thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/leaf_ops.h>

namespace oxbow {

/// A value to be fed. `dims` may have free axes: `input(g, "x", f32, {any(64), 784})`.
/// Throws `Error` when the name is taken or a size is negative.
Value input(Graph& g, std::string_view name, DType dtype, std::initializer_list<Dim> dims, At at = At::current());
Value input(Graph& g, std::string_view name, DType dtype, std::span<const Dim> dims, At at = At::current());
/// Of just this shape: `input(g, "y", f32, x.shape())`.
Value input(Graph& g, std::string_view name, DType dtype, const Shape& shape, At at = At::current());

Value constant(Graph& g, Tensor value, At at = At::current());
/// A scalar of the given dtype, rounded to it; integers drop a fraction. Throws `Error` for a number beyond an integer
/// dtype's range.
Value constant(Graph& g, double value, DType dtype = f32, At at = At::current());

/// A variable named in the current scope, for state and for known first values: ops/initializers.h has those that take
/// an initializer. Throws `Error` when the name is taken or `init` cannot be drawn in that type.
Value variable(Graph& g, std::string_view name, const Type& type, Init init = {}, bool trainable = true,
               At at = At::current());

/// What a variable was declared as: its name in a Store, type and first value. Throws `Error` for another value.
const ops::Variable& variable_of(Value variable);

/// Throws `Error` unless `variable` is one and the types agree.
Value assign(Value variable, Value value, At at = At::current());

/// The graph's variables in order; `trainable_only` leaves out running statistics and other state.
std::vector<Value> variables(const Graph& g, bool trainable_only = true);

}  // namespace oxbow
