#include <oxbow/graph/support/initial_value.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/initializers.h>

#include <cmath>

namespace oxbow {
namespace {

struct Fans {
  double in, out;
};

// The last two axes are in and out; those before are a window, which each of them sees whole.
Fans fans(const Shape& shape) {
  const int rank = shape.rank();
  if (rank == 0) return {1, 1};
  if (rank == 1) return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  const auto window = static_cast<double>(shape.count(0, rank - 2));
  return {window * static_cast<double>(shape[-2]), window * static_cast<double>(shape[-1])};
}

Init symmetric(double limit) { return {.kind = Init::Kind::uniform, .a = -limit, .b = limit}; }
Init centered(double deviation) { return {.kind = Init::Kind::normal, .a = 0, .b = deviation}; }

// The square root of a variance; a parameter without elements needs none.
double root(double numerator, double fan) { return fan > 0 ? std::sqrt(numerator / fan) : 0; }

Initializer always(Init init) {
  return [init](const Shape&) { return init; };
}

}  // namespace

namespace init {

Initializer glorot_uniform() {
  return [](const Shape& s) { return symmetric(root(6, fans(s).in + fans(s).out)); };
}
Initializer glorot_normal() {
  return [](const Shape& s) { return centered(root(2, fans(s).in + fans(s).out)); };
}
Initializer he_uniform() {
  return [](const Shape& s) { return symmetric(root(6, fans(s).in)); };
}
Initializer he_normal() {
  return [](const Shape& s) { return centered(root(2, fans(s).in)); };
}
Initializer lecun_uniform() {
  return [](const Shape& s) { return symmetric(root(3, fans(s).in)); };
}
Initializer lecun_normal() {
  return [](const Shape& s) { return centered(root(1, fans(s).in)); };
}

Initializer uniform(double low, double high) {
  if (!(low <= high))
    throw Error("uniform: " + internal::short_number(low) + " is above " + internal::short_number(high) +
                ". Give (low, high)");
  return always({.kind = Init::Kind::uniform, .a = low, .b = high});
}
Initializer normal(double mean, double deviation) {
  if (!(deviation >= 0))
    throw Error("normal: the deviation " + internal::short_number(deviation) + " is negative. Give (mean, deviation)");
  return always({.kind = Init::Kind::normal, .a = mean, .b = deviation});
}
Initializer truncated_normal(double mean, double deviation) {
  if (!(deviation >= 0))
    throw Error("truncated_normal: the deviation " + internal::short_number(deviation) +
                " is negative. Give (mean, deviation)");
  return always({.kind = Init::Kind::truncated_normal, .a = mean, .b = deviation});
}
Initializer orthogonal(double gain) { return always({.kind = Init::Kind::orthogonal, .a = gain}); }
Initializer zeros() { return always({}); }
Initializer ones() { return constant(1); }
Initializer constant(double value) { return always({.kind = Init::Kind::constant, .a = value}); }

}  // namespace init

Value ops::drawn(Graph& g, std::string_view name, const Type& type, const Initializer& initializer, bool trainable,
                 At at) {
  Init init = initializer ? initializer(type.shape) : Init{};
  if (internal::is_drawn(init.kind)) {
    init.seed = g.seed();
    init.stream = g.next_stream();
  }
  return variable(g, name, type, std::move(init), trainable, at);
}

Value parameter(Graph& g, std::string_view name, const Type& type, const Initializer& initializer, At at) {
  return ops::drawn(g, name, type, initializer, /*trainable=*/true, at);
}

}  // namespace oxbow
