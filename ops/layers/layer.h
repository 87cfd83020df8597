// What all layers have in common: a handle to shared state, called like a function.
//
//   Dense encode(128, {.activation = relu});
//   Value a = encode(x), b = encode(y);  // the same kernel: gradients of both calls add up
//   Layer any = encode;                  // still the same
//
// A layer makes its variables at its first call, in a scope of its own: that of the first call, or, where it was made
// with a graph (`Dense encode(g, 128)`), the scope in which it was made; within that its kind, numbered, or `.name`:
// "encoder/dense_1". The nodes of later calls belong to the same scope. Copies share the variables. A layer serves one
// graph, and is good for as long as that.
// Thread safety: a call appends to a graph, which is for one thread.
#pragma once

#include <oxbow/graph/value.h>

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace oxbow {

namespace ops {
class LayerState;
}

/// What follows a layer: `relu`, `tanh`, `[](Value v) { return v * sigmoid(v); }`, or anything that is called with a
/// Value, and with the caller's line where it takes one; none when empty. A function is taken by address, so that
/// `tanh` is ours also where <cmath> brings its own.
class Activation {
 public:
  Activation() = default;
  Activation(Value (*function)(Value, At)) : function_(function) {}
  template <class F>
  requires(std::is_invocable_r_v<Value, F&, Value, At> && !std::is_same_v<F, Activation>) Activation(F function)
      : function_(std::move(function)) {}
  template <class F>
  requires(std::is_invocable_r_v<Value, F&, Value> && !std::is_invocable_r_v<Value, F&, Value, At>)
      Activation(F function)
      : function_([f = std::move(function)](Value x, At) mutable { return f(x); }) {}

  explicit operator bool() const { return static_cast<bool>(function_); }
  /// Whether it is this very function, given by name: `is(tanh)`.
  bool is(Value (*function)(Value, At)) const {
    const auto* held = function_.target<Value (*)(Value, At)>();
    return held && *held == function;
  }
  /// x itself where there is none.
  Value operator()(Value x, At at = At::current()) const { return function_ ? function_(x, at) : x; }

 private:
  std::function<Value(Value, At)> function_;
};

/// Any layer, or any function of a value: `Sequential{Dense(64), relu, Dense(10)}`. Layers that are called in a call of
/// this one, by such a function or by an activation, are layers in it from then on. A call that throws leaves the graph
/// and all layers as they were.
class Layer {
 public:
  Layer() = default;  ///< none; `if (layer)` is false
  Layer(Value (*function)(Value, At)) : Layer(Activation(function)) {}
  template <class F>
  requires(!std::derived_from<F, Layer> && std::constructible_from<Activation, F>) Layer(F function)
      : Layer(Activation(std::move(function))) {}
  Layer(Activation function);

  explicit operator bool() const { return state_ != nullptr; }

  /// Throws `Error` where x is not what the layer takes, or does not fit the variables that the first call made, where
  /// the layer's name is taken, and where x is of another graph than it was before.
  Value operator()(Value x, At at = At::current()) const;

  /// "Dense".
  std::string_view kind() const;
  /// Its scope, "encoder/dense"; "" before the first call, and for a layer that has none.
  std::string name() const;
  /// Its variables and those of the layers in it, each once, as they were made, those that are not trained too; none
  /// before the first call. Handles to what `in_order` or a loop's body is building do not outlast it: ask again.
  std::vector<Value> variables() const;
  /// Of these the ones that are trained: without running statistics and what is frozen.
  std::vector<Value> parameters() const;
  /// One of its own: "kernel". Throws `Error` where it has none of that name, or was not called yet.
  Value variable(std::string_view name) const;
  /// So many elements all variables have.
  std::int64_t parameter_count() const;

  /// Makes it, with the layers in it, one that is not trained, which its variables say: a `BatchNorm` then takes its
  /// running statistics in training, too. Returns it. Throws `Error`, and freezes nothing, where one of them has made
  /// variables that are trained: what is to be trained at other times belongs to a group of the optimizer, which may be
  /// frozen (optim/groups.h). There is no way back.
  Layer freeze() const;

 protected:
  explicit Layer(std::shared_ptr<ops::LayerState> state) : state_(std::move(state)) {}

 private:
  friend class ops::LayerState;
  std::shared_ptr<ops::LayerState> state_;
};

}  // namespace oxbow
