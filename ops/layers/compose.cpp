#include <oxbow/ops/layers/compose.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/random.h>
#include <oxbow/ops/shared/layer_state.h>

namespace oxbow {
namespace ops {
namespace {

class SequentialState : public LayerState {
 public:
  SequentialState(std::string name, std::vector<Layer> layers)
      : LayerState("Sequential", "sequential", std::move(name)), layers_(std::move(layers)) {}

  std::vector<Layer> parts() const override { return layers_; }

  Value call(Value x, At at) override {
    for (std::size_t i = 0; i < layers_.size(); ++i)
      if (!layers_[i])
        refuse_layer("sequential", "layer " + std::to_string(i) + " is empty", x, at, "Make it first: Dense(10)");
    std::optional<LayerCall> scope;
    if (is_named()) scope.emplace(*this, x, std::initializer_list<std::string_view>{}, at);
    for (const Layer& layer : layers_) x = layer(x, at);
    return x;
  }

 private:
  std::vector<Layer> layers_;
};

class ResidualState : public LayerState {
 public:
  ResidualState(Layer layer, ResidualOptions options)
      : LayerState("Residual", "residual"), layer_(std::move(layer)), options_(std::move(options)) {}

  std::vector<Layer> parts() const override { return {layer_, options_.shortcut}; }

  Value call(Value x, At at) override {
    if (!layer_) refuse_layer("residual", "its layer is empty", x, at, "Make it first: Residual(Dense(10))");
    const Value past = options_.shortcut ? options_.shortcut(x, at) : x, y = layer_(x, at);
    if (past.type() != y.type())
      refuse_layer("residual", "its layer gives " + to_string(y.type()) + " and the shortcut " + to_string(past.type()),
                   x, at, "Give a .shortcut that changes the shape in the same way, such as Dense or Conv2D");
    return add(past, y, at);
  }

 private:
  Layer layer_;
  ResidualOptions options_;
};

class DropoutState : public LayerState {
 public:
  explicit DropoutState(double rate) : LayerState("Dropout", "dropout"), rate_(rate) {}
  Value call(Value x, At at) override { return dropout(x, rate_, at); }

 private:
  double rate_;
};

class GaussianNoiseState : public LayerState {
 public:
  explicit GaussianNoiseState(double deviation)
      : LayerState("GaussianNoise", "gaussian_noise"), deviation_(deviation) {}
  // The mean stands for the noise outside training, and -0 is what adds nothing to 0 and to -0.
  Value call(Value x, At at) override {
    check_layer_input("gaussian_noise", x, 0, "", at);
    return as_called("gaussian_noise",
                     [&] { return add(x, random_normal_like(x, {.mean = -0.0, .deviation = deviation_}, at), at); });
  }

 private:
  double deviation_;
};

}  // namespace
}  // namespace ops

Sequential::Sequential(std::string name, std::vector<Layer> layers)
    : Layer(ops::new_layer<ops::SequentialState>(nullptr, std::move(name), std::move(layers))) {}

Residual::Residual(Layer layer, ResidualOptions options)
    : Layer(ops::new_layer<ops::ResidualState>(nullptr, std::move(layer), std::move(options))) {}

Dropout::Dropout(double rate) : Layer(ops::new_layer<ops::DropoutState>(nullptr, rate)) {}

GaussianNoise::GaussianNoise(double deviation) : Layer(ops::new_layer<ops::GaussianNoiseState>(nullptr, deviation)) {}

}  // namespace oxbow
