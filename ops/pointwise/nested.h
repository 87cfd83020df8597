// An elementwise op and the one that computes an operand of it as one routine, so that what is between them stays in a
// register: `absorb` of the op contract. So do scalar operands, `Single`s. Each formula rounds as it does alone, so the
// bits are the same. Made while tapes are planned, never part of a graph. Internal to ops/; the table of what there is
// stands in nested.cpp. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/passes/fusion/single.h>
#include <oxbow/ops/elementwise.h>

#include <string>
#include <tuple>

namespace oxbow::ops {

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
  static constexpr OpInfo info{.name = "nested", .inputs = {"x..."}, .any_layout = true};
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

/// `inner`, floats only, with a single element for each operand in the set `singles`.
template <class Inner, unsigned singles>
struct WithSingles {
  static constexpr OpInfo info{.name = "with_singles", .inputs = {"x..."}, .any_layout = true};
  Inner inner = {};
  bool operator==(const WithSingles&) const = default;

  Type infer(Types in) const { return inner.infer(in); }
  TileFn tile(Types in) const {
    return dispatch<dtypes::Floats>(in[0].dtype, []<class T>(std::type_identity<T>) -> TileFn { return run<T>; });
  }
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;

 private:
  template <class T>
  struct Element {
    T value;
    T operator[](std::int64_t) const { return value; }
  };
  template <class T, std::size_t place>
  static auto operand(const void* const* in) {
    const T* at = static_cast<const T*>(in[place]);
    if constexpr ((singles >> place & 1) != 0)
      return Element<T>{*at};
    else
      return at;
  }
  template <class T>
  static void run(const void* op, const void* const* in, void* out, std::int64_t n) {
    const Inner f = static_cast<const WithSingles*>(op)->inner;
    const auto lanes = [&](auto... x) {
      T* y = static_cast<T*>(out);
      independent(0, n, [&](std::int64_t i) { y[i] = f.at(x[i]...); });
    };
    [&]<std::size_t... I>(std::index_sequence<I...>) { lanes(operand<T, I>(in)...); }
    (std::make_index_sequence<Inner::operands>());
  }
};

/// A pair that becomes one routine: the operand number `operand` of `outer` is computed by `inner`.
struct Absorbed {
  std::string formula;  ///< "add(multiply(a, b), c)"
  Op outer, inner;
  std::size_t outer_operands, inner_operands;
  int operand;
};
/// All pairs: the rows of the table in nested.cpp, for its test and its measurement.
std::vector<Absorbed> absorbed_pairs();

}  // namespace oxbow::ops
