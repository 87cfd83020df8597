// An elementwise op and the one that computes an operand of it as one routine, so that what is between them stays in a
// register: `absorb` of the op contract. Each formula rounds as it does alone, so the bits are the same. Made while
// tapes are planned, never part of a graph. Internal to ops/, for .cpp files that see both formulas. Regular value
// types, safe from any thread.
#pragma once

#include <oxbow/ops/elementwise.h>

#include <tuple>

namespace oxbow {

template <std::size_t>
using SameAt = Same;
template <std::size_t, class T>
using OneOf = T;

template <class Outer, std::size_t place, class Inner,
          class Operands = std::make_index_sequence<Outer::operands - 1 + Inner::operands>>
struct Nested;

/// outer(x..., inner(x...), x...), floats only: `inner` computes the operand number `place`.
template <class Outer, std::size_t place, class Inner, std::size_t... I>
struct Nested<Outer, place, Inner, std::index_sequence<I...>> : Elementwise<Nested<Outer, place, Inner>, SameAt<I>...> {
  static constexpr OpInfo info{.name = "nested", .inputs = {"x"}, .variadic = true, .any_layout = true};
  Outer outer = {};
  Inner inner = {};
  bool operator==(const Nested&) const = default;

  template <std::floating_point T>
  T at(OneOf<I, T>... x) const {
    const std::tuple<OneOf<I, T>...> all(x...);
    const T within = [&]<std::size_t... J>(std::index_sequence<J...>) { return inner.at(std::get<place + J>(all)...); }
    (std::make_index_sequence<Inner::operands>());
    const auto operand = [&]<std::size_t j>(std::integral_constant<std::size_t, j>) {
      if constexpr (j < place)
        return std::get<j>(all);
      else if constexpr (j == place)
        return within;
      else
        return std::get<j - 1 + Inner::operands>(all);
    };
    return [&]<std::size_t... J>(std::index_sequence<J...>) {
      return outer.at(operand(std::integral_constant<std::size_t, J>())...);
    }
    (std::make_index_sequence<Outer::operands>());
  }
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
};

/// An op that may compute the operand number `place`.
template <std::size_t at, class Op>
struct Operands {
  static constexpr std::size_t place = at;
  using Inner = Op;
};

/// What `absorb` returns for an op that takes in these `Operands`, floats only.
template <class... Candidates, class Outer>
std::optional<Op> nest(const Outer& outer, int operand, const Op& producer, Types in) {
  std::optional<Op> nested;
  const auto consider = [&]<std::size_t place, class Inner>(Operands<place, Inner>) {
    const auto* inner = producer.as<Inner>();
    if (inner == nullptr || operand != static_cast<int>(place)) return;
    Nested<Outer, place, Inner> both;
    both.outer = outer;
    both.inner = *inner;
    nested = both;
  };
  if (is_float(in[0].dtype)) (consider(Candidates()), ...);
  return nested;
}

}  // namespace oxbow
