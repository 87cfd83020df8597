// What a variable's recipe (`Init`) draws: its first value. A pure function of the variable, in plain double arithmetic
// of exactly rounded operations, so the bits are the same on every machine. Safe from any thread.
#pragma once

#include <oxbow/graph/leaves.h>

namespace oxbow::internal {

/// Whether values of this kind are random: then a variable has a seed and a stream.
bool is_drawn(Init::Kind kind);

/// Throws `Error` for a random kind or a fraction in a variable that is not floating point, and for a shape that the
/// recipe does not fill.
void check_init(const ops::Variable& v, Location at);

/// The first value of `v`, row-major. Element i of a random recipe is drawn from the bits of (seed, stream, i) and then
/// rounded to the dtype, so an f32 variable starts at its f64 twin's values, rounded. Throws as `check_init` does.
Tensor initial_value(const ops::Variable& v);

}  // namespace oxbow::internal
