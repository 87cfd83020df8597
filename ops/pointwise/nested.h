// An elementwise op and the one that computes an operand of it as one routine, so that what is between them stays in a
// register: `absorb` of the op contract. So do scalar operands, `Single`s. Each formula rounds as it does alone, so the
// bits are the same. Made while tapes are planned, never part of a graph. Internal to ops/; the table of what there is
// stands in nested.cpp. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/passes/fusion/single.h>
#include <oxbow/ops/elementwise.h>
#include <oxbow/ops/pointwise/root.h>
#include <oxbow/ops/pointwise/unary.h>

#include <string>

namespace oxbow::ops {

/// Whether a formula takes a square root: then a loop over it goes by registers where there are some.
template <class>
inline constexpr bool takes_root = false;
template <>
inline constexpr bool takes_root<Sqrt> = true;
template <>
inline constexpr bool takes_root<Rsqrt> = true;

/// One number in the place of an array of them.
template <class T>
struct Alike {
  T value;
  T operator[](std::int64_t) const { return value; }
};

#if defined(__AVX512F__)
template <class F, class... X>
void by_register(const F& f, std::int64_t n, float* y, X... x) {
  constexpr std::int64_t lanes = sizeof(math::Lanes) / sizeof(float);
  const auto at = []<class Operand>(Operand operand, std::int64_t i, auto... count) -> math::Lanes {
    if constexpr (std::is_same_v<Operand, Alike<float>>)
      return math::all(operand.value);
    else
      return math::load(operand + i, count...);
  };
  std::int64_t i = 0;
  for (; i + lanes <= n; i += lanes) math::store(f.at(at(x, i)...), y + i);
  if (i < n) math::store(f.at(at(x, i, n - i)...), y + i, n - i);
}
#endif

/// y[i] = f(x[i]...) for i < n, each of `x` an array or `Alike`. `y` may be one of them.
template <class F, class T, class... X>
void over(const F& f, std::int64_t n, T* y, X... x) {
#if defined(__AVX512F__)
  if constexpr (takes_root<F> && std::is_same_v<T, float>) return by_register(f, n, y, x...);
#endif
  independent(0, n, [&](std::int64_t i) { y[i] = f.at(x[i]...); });
}

/// The routine of a formula of floats whose operands at `singles`, a bit each, are single elements.
template <class F, unsigned singles = 0>
TileFn tile_over(DType dtype) {
  return dispatch<dtypes::Floats>(dtype, []<class T>(std::type_identity<T>) -> TileFn {
    return [](const void*, const void* const* in, void* out, std::int64_t n) {
      const auto operand = []<bool single>(std::bool_constant<single>, const void* x) {
        const T* at = static_cast<const T*>(x);
        if constexpr (single)
          return Alike<T>{*at};
        else
          return at;
      };
      [&]<std::size_t... I>(std::index_sequence<I...>) {
        over(F{}, n, static_cast<T*>(out), operand(std::bool_constant<(singles >> I & 1) != 0>(), in[I])...);
      }
      (std::make_index_sequence<F::operands>());
    };
  });
}

/// A loop over floats, of the formula of an op or of several within each other.
struct Routine {
  const void* formula;  ///< tells formulas apart
  unsigned singles;     ///< the set of operands that are single elements, a bit each
  TileFn (*tile)(DType);
};

/// All routines in one type of op: a type for each would take minutes to compile.
struct Joined {
  static constexpr OpInfo info{.name = "joined", .inputs = {"x..."}, .any_layout = true};
  const Routine* routine = nullptr;  ///< in the table
  bool operator==(const Joined&) const = default;

  Type infer(Types in) const { return elementwise::common(in, in[0].dtype); }
  TileFn tile(Types in) const { return routine->tile(in[0].dtype); }
  std::optional<Op> absorb(int operand, const Op& producer, Types in) const;
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
