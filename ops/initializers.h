// How parameters start. An `Initializer` makes an `Init` (graph/leaves.h) for a shape; `parameter` makes a variable of
// it, with the graph's seed and a stream of its own:
//
//   Value w = parameter(g, "w", {f32, {784, 256}}, init::he_normal());
//
// Fans: [in, out] for matrices, [kh, kw, in, out] times the window for convolutions. Safe from any thread.
#pragma once

#include <oxbow/graph/leaves.h>

#include <concepts>
#include <functional>

namespace oxbow {

using Initializer = std::function<Init(const Shape&)>;

namespace init {

/// Uniform in (-a, a), a = sqrt(6 / (fan_in + fan_out)), or normal with deviation sqrt(2 / (fan_in + fan_out)): Glorot
/// and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks".
Initializer glorot_uniform();
Initializer glorot_normal();
/// Uniform in (-a, a), a = sqrt(6 / fan_in), or normal with deviation sqrt(2 / fan_in): He et al. 2015,
/// https://arxiv.org/abs/1502.01852. For relu.
Initializer he_uniform();
Initializer he_normal();
/// Uniform in (-a, a), a = sqrt(3 / fan_in), or normal with deviation sqrt(1 / fan_in): LeCun et al. 1998, "Efficient
/// BackProp".
Initializer lecun_uniform();
Initializer lecun_normal();
/// Throws `Error` unless low <= high, or deviation >= 0.
Initializer uniform(double low, double high);
Initializer normal(double mean = 0, double deviation = 1);
/// Normal, without what is more than two deviations from the mean; so its own deviation is 0.88 of the one given.
Initializer truncated_normal(double mean = 0, double deviation = 0.05);
/// gain times a random matrix with orthonormal rows or columns, whichever are fewer: Saxe et al. 2013,
/// https://arxiv.org/abs/1312.6120. All axes but the last count as rows. The shape needs two axes.
Initializer orthogonal(double gain = 1);
Initializer zeros();
Initializer ones();
Initializer constant(double value);

}  // namespace init

namespace ops {  // what `variable` calls
Value drawn(Graph& g, std::string_view name, const Type& type, const Initializer& initializer, bool trainable, At at);
}

/// A variable in the current scope that starts as `initializer` says. Throws `Error` when the name is taken.
template <std::convertible_to<Initializer> F>  // no braced list is one: that is an `Init`
Value variable(Graph& g, std::string_view name, const Type& type, const F& initializer, bool trainable = true,
               At at = At::current()) {
  return ops::drawn(g, name, type, initializer, trainable, at);
}

/// The same, trainable.
Value parameter(Graph& g, std::string_view name, const Type& type,
                const Initializer& initializer = init::glorot_uniform(), At at = At::current());

}  // namespace oxbow
