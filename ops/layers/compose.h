// Layers of layers, and layers without variables.
#pragma once

#include <oxbow/ops/layers/layer.h>

#include <concepts>
#include <initializer_list>

namespace oxbow {

/// Each of these layers on what the one before gave; x itself where there are none.
///   Sequential net{Dense(256, {.activation = relu}), Dropout(0.2), Dense(10)};
/// With a name, the layers' scopes are in a scope of that name. A call throws `Error` where one of them is empty.
class Sequential : public Layer {
 public:
  Sequential(std::initializer_list<Layer> layers) : Sequential("", std::vector<Layer>(layers)) {}
  Sequential(std::string name, std::vector<Layer> layers);
};

struct ResidualOptions {
  Layer shortcut = {};  ///< what x goes through where the shape changes; x itself when empty
};

/// shortcut(x) + layer(x): He et al. 2015, https://arxiv.org/abs/1512.03385. A call throws `Error` unless both have one
/// type.
///   Residual block{Dense(64, {.activation = relu}), Dense(64)};
class Residual : public Layer {
 public:
  explicit Residual(Layer layer, ResidualOptions options = {});
  /// Of two layers or more, one after another. (A list of one would be taken for this where a copy is meant.)
  template <std::convertible_to<Layer>... More>
  Residual(Layer first, Layer second, More... more)
      : Residual(Sequential{std::move(first), std::move(second), Layer(std::move(more))...}) {}
};

/// Any function of a value. The layers that it calls are in it, since its first call: their variables are among its
/// own, and are frozen with it. So a block of any form is a layer:
///   const Dense a(64), b(64);
///   const Lambda gated([=](Value x) { return a(x) * sigmoid(b(x)); });
class Lambda : public Layer {
 public:
  explicit Lambda(Activation function) : Layer(std::move(function)) {}
};

/// `dropout` of ops/random.h. Each call draws a mask of its own.
class Dropout : public Layer {
 public:
  explicit Dropout(double rate);
};

/// x + deviation * `random_normal_like(x)`; outside training x. Each call draws noise of its own.
class GaussianNoise : public Layer {
 public:
  explicit GaussianNoise(double deviation);
};

}  // namespace oxbow
