// Layers: functions that make their variables as they build. Each has a scope of its own, by default its kind numbered
// within the current scope: "dense", "dense_1", ...; so the first kernel is "dense/kernel".
//
//   // with #include <oxbow/ops/ops.h>
//   Value h = dense(x, 256, {.activation = relu});
//   Value logits = dense(dropout(h, 0.2), 10);
#pragma once

#include <oxbow/ops/conv.h>
#include <oxbow/ops/initializers.h>

#include <functional>
#include <type_traits>
#include <utility>

namespace oxbow {

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
  requires(std::is_invocable_r_v<Value, F&, Value>) Activation(F function)
      : function_([f = std::move(function)](Value x, At) mutable { return f(x); }) {}

  explicit operator bool() const { return static_cast<bool>(function_); }
  Value operator()(Value x, At at) const { return function_(x, at); }

 private:
  std::function<Value(Value, At)> function_;
};

struct DenseOptions {
  Activation activation = {};
  Initializer kernel_init = init::glorot_uniform();
  Initializer bias_init = init::zeros();
  bool use_bias = true;
  std::string name = {};
};
/// activation(x kernel + bias) along the last axis: [..., in] to [..., units]. Variables: kernel [in, units] and bias
/// [units]. Throws `Error` for a scalar x, units < 1, or a name that is taken.
Value dense(Value x, std::int64_t units, DenseOptions options = {}, At at = At::current());

struct ConvOptions {
  std::int64_t size = 3;  ///< of the square window
  std::int64_t stride = 1;
  Padding padding = Padding::same;
  Activation activation = {};
  Initializer kernel_init = init::glorot_uniform();
  Initializer bias_init = init::zeros();
  bool use_bias = true;
  std::string name = {};
};
/// activation(conv2d(x, kernel) + bias) of images [n, h, w, c] to [n, oh, ow, filters]. Variables: kernel [size, size,
/// c, filters] and bias [filters]. Throws `Error` as `conv2d` and `dense` do.
Value conv(Value x, std::int64_t filters, ConvOptions options = {}, At at = At::current());

struct BatchNormOptions {
  double momentum = 0.9;  ///< what the running statistics keep of their value each step
  double epsilon = 1e-5;
  std::string name = {};
};
/// scale (x - mean) / sqrt(variance + epsilon) + offset over all axes but the last: with the batch's statistics in
/// training and the running ones in inference. Variables, all [c]: scale, offset; running_mean and running_variance,
/// which are not trained but updated each step (see Graph::updates). Throws `Error` for a scalar x, a momentum outside
/// [0, 1], an epsilon that is not positive, or a name that is taken.
Value batch_norm(Value x, BatchNormOptions options = {}, At at = At::current());

}  // namespace oxbow
