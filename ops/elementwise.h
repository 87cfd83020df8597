// Elementwise ops: the formula is a plain scalar function, written once; loops over lanes are instantiated from it and
// vectorised by the compiler. Operands broadcast. Whatever runs an elementwise op (graph/passes/fusion/fused.h) goes
// through `tile`.
//
//   // gaussian.h
//   struct Gaussian : Unary<Gaussian> {
//     static constexpr OpInfo info{.name = "gaussian", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
//     template <std::floating_point T>
//     T at(T x) const;
//     Grads gradient(const Node& n, Values dy) const { return {dy[0] * n.output() * n.input(0) * -2}; }
//     bool operator==(const Gaussian&) const = default;
//   };
//   extern template struct Elementwise<Gaussian, Same>;
//
//   // gaussian.cpp, compiled with the kernels' flags
//   template <std::floating_point T>
//   T Gaussian::at(T x) const { return math::exp(-x * x); }
//   template struct Elementwise<Gaussian, Same>;
//
// The dtypes that an op takes are those whose compute type (graph/dtype.h) `at` may be called with; its result's dtype
// is what `at` returns, or the operands' own where that is their compute type.
// Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/independent.h>
#include <oxbow/ops/lanes.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/widen.h>

#include <concepts>
#include <optional>
#include <utility>

namespace oxbow {

/// An operand of the op's own dtype, which all such operands share; any other operand type stands for itself.
struct Same {};

/// What formulas of floating point compute with: a number, or a register of them (ops/lanes.h).
template <class T>
concept Real = std::floating_point<T> || math::is_lanes<T>;
/// A number that kernels compute with, or a register of them.
template <class T>
concept Number = dtypes::Numbers::has<T> || math::is_lanes<T>;
/// An integer that kernels compute with.
template <class T>
concept Integer = dtypes::Integers::has<T>;

namespace elementwise {

/// The common shape and layout of operands, with dtype `result`. Throws `OpError` when shapes do not broadcast, when
/// operands of the full shape differ in layout, or when a row or column meets operands in panels.
Type common(Types in, DType result);
/// Throws `OpError` with a cast as the remedy unless all operands that `same` lists have one dtype.
void check_same_dtype(const OpInfo& info, Types in, std::span<const bool> same);
/// An elementwise op whose operands of full rank are transposed: the others follow.
std::vector<Value> transposed(const Op& op, Values in, std::span<const int> axes);
[[noreturn]] void refuse_dtype(const OpInfo& info, int input, DType dtype, const std::string& accepted);

/// How an element lies in memory while a loop runs over it: truth values as bytes, which vectorise better.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;

template <class In, class T>
using OperandOf = std::conditional_t<std::is_same_v<In, Same>, T, In>;

template <class Self, class T, class... In>
concept Takes = requires(const Self& s) {
  s.at(OperandOf<In, T>{}...);
};

template <class Self, class T, class... In>
using ResultOf = decltype(std::declval<const Self&>().at(OperandOf<In, T>{}...));

template <class Self, class... In, class... T>
auto taken(dtypes::List<T...>) {
  return (dtypes::List<>{} + ... + std::conditional_t<Takes<Self, T, In...>, dtypes::List<T>, dtypes::List<>>{});
}
/// The element types of `Self`'s loops: those of its own that it computes with, or bool where all operands are.
template <class Self, class... In>
using TakenBy = std::conditional_t<(std::is_same_v<In, Same> || ...), decltype(taken<Self, In...>(dtypes::Computed{})),
                                   dtypes::List<bool>>;

/// y[i] = f(x[i]...). `y` may be one of `x`, but not overlap one in part.
template <class F, class R, class... T>
void lanes(const F& f, std::int64_t n, Stored<R>* y, const Stored<T>*... x) {
  independent(0, n, [&](std::int64_t i) { y[i] = static_cast<Stored<R>>(f.at(static_cast<T>(x[i])...)); });
}

}  // namespace elementwise

/// What makes `Self` an elementwise op of the operands `In`, each `Same` or a fixed element type.
template <class Self, class... In>
struct Elementwise {
  static constexpr std::size_t operands = sizeof...(In);
  Type infer(Types in) const;
  TileFn tile(Types in) const;
  std::vector<Value> widen(Values in) const { return widened(static_cast<const Self&>(*this), in); }
  std::vector<Value> transposed(Values in, std::span<const int> axes) const {
    return elementwise::transposed(static_cast<const Self&>(*this), in, axes);
  }
  bool operator==(const Elementwise&) const = default;

 private:
  /// The operand whose dtype chooses the loop.
  static constexpr int leader() {
    constexpr bool same[] = {std::is_same_v<In, Same>...};
    for (int i = 0; i < static_cast<int>(sizeof...(In)); ++i)
      if (same[i]) return i;
    return 0;
  }
  template <class T, std::size_t... I>
  static void run_lanes(const void* op, const void* const* in, void* out, std::int64_t n, std::index_sequence<I...>) {
    using R = elementwise::ResultOf<Self, T, In...>;
    const Self f = *static_cast<const Self*>(op);
    elementwise::lanes<Self, R, elementwise::OperandOf<In, T>...>(
        f, n, static_cast<elementwise::Stored<R>*>(out),
        static_cast<const elementwise::Stored<elementwise::OperandOf<In, T>>*>(in[I])...);
  }
};

template <class Self>
using Unary = Elementwise<Self, Same>;
template <class Self>
using Binary = Elementwise<Self, Same, Same>;
template <class Self>
using Ternary = Elementwise<Self, Same, Same, Same>;

template <class Self, class... In>
Type Elementwise<Self, In...>::infer(Types in) const {
  constexpr bool same[] = {std::is_same_v<In, Same>...};
  elementwise::check_same_dtype(Self::info, in, same);
  constexpr DType fixed[] = {dtype_of<elementwise::OperandOf<In, bool>>...};
  for (std::size_t i = 0; i < sizeof...(In); ++i)
    if (!same[i] && in[i].dtype != fixed[i])
      elementwise::refuse_dtype(Self::info, static_cast<int>(i), in[i].dtype, std::string(name(fixed[i])));
  using Taken = typename elementwise::TakenBy<Self, In...>;
  const DType dtype = in[leader()].dtype;
  if (!dtypes::serve(Taken{}, dtype))
    elementwise::refuse_dtype(Self::info, leader(), dtype, dtypes::served_by(Taken{}));
  return dispatch<Taken>(compute_type(dtype), [&]<class T>(std::type_identity<T>) {
    using R = elementwise::ResultOf<Self, T, In...>;
    return elementwise::common(in, std::is_same_v<R, T> ? dtype : dtype_of<R>);
  });
}

template <class Self, class... In>
TileFn Elementwise<Self, In...>::tile(Types in) const {
  using Taken = typename elementwise::TakenBy<Self, In...>;
  return dispatch<Taken>(in[leader()].dtype, []<class T>(std::type_identity<T>) -> TileFn {
    return [](const void* op, const void* const* from, void* out, std::int64_t n) {
      run_lanes<T>(op, from, out, n, std::index_sequence_for<In...>{});
    };
  });
}

/// Operands as values: numbers become constants of the dtype of the first value among them. Throws `Error` when none is
/// a value, and for a number that the dtype does not hold; `op` names the op that asks, `at` the line.
std::vector<Value> values_of(std::string_view op, std::initializer_list<Operand> operands, At at);

/// The only element of a constant of floating point or integers, if `v` is one: what `simplify` looks for.
std::optional<double> constant_number(Value v);

/// What `gradient` of an op with several operands returns: each summed over the axes along which its operand was
/// stretched; empty values stay empty.
Grads sum_to_inputs(const Node& n, std::vector<Value> grads);

}  // namespace oxbow
