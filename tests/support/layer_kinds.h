// Every kind of layer, each as small as shows what it does: for tests that all of them have to pass.
#pragma once

#include <oxbow/ops/ops.h>

#include <functional>
#include <string>
#include <vector>

namespace oxbow::test {

struct LayerKind {
  std::string name;        ///< of its class
  std::vector<Dim> shape;  ///< of what it takes, without the batch
  std::function<Layer()> make;
  bool of_places = false;  ///< it takes integers, below 5
  bool smooth = true;      ///< it has a second derivative wherever it has a first one
};

/// `dtype` is that of the variables of layers that cannot take it from their input.
inline std::vector<LayerKind> layer_kinds(DType dtype) {
  const std::vector<Dim> row{4}, series{3, 4}, image{4, 4, 2};
  return {
      {"Dense", row, [] { return Dense(3, {.activation = tanh}); }},
      {"Embedding", row, [=] { return Embedding(5, 3, {.dtype = dtype}); }, true},
      {"Conv2D", image, [] { return Conv2D(3, {.activation = tanh}); }},
      {"Conv1D", series, [] { return Conv1D(3, {.activation = tanh}); }},
      {"Conv3D", {2, 3, 2, 2}, [] { return Conv3D(2, {.activation = tanh}); }},
      {"Conv2DTranspose", image, [] { return Conv2DTranspose(2, {.stride = 2, .activation = tanh}); }},
      {"DepthwiseConv2D", image, [] { return DepthwiseConv2D({.depth_multiplier = 2, .activation = tanh}); }},
      {"SeparableConv2D", image, [] { return SeparableConv2D(3, {.activation = tanh}); }},
      {"MaxPool2D", image, [] { return MaxPool2D(); }, false, false},
      {"GlobalPool", image, [] { return GlobalPool(); }},
      {"BatchNorm", row, [] { return BatchNorm(); }},
      {"LayerNorm", row, [] { return LayerNorm(); }},
      {"RMSNorm", row, [] { return RMSNorm(); }},
      {"GroupNorm", series, [] { return GroupNorm(2); }},
      {"SimpleRNN", series, [] { return SimpleRNN(3); }},
      {"GRU", series, [] { return GRU(3); }},
      {"LSTM", series, [] { return LSTM(3); }},
      {"Bidirectional", series, [] { return Bidirectional(GRU(2, {.return_sequences = true})); }},
      {"MultiHeadAttention", series, [] { return MultiHeadAttention(2, 2, {.causal = true, .rotary = true}); }},
      {"TransformerBlock", series, [] { return TransformerBlock(2, {.intermediate_dim = 3}); }},
      {"PositionEmbedding", series, [] { return PositionEmbedding(3); }},
      {"Dropout", row, [] { return Dropout(0.5); }},
      {"GaussianNoise", row, [] { return GaussianNoise(0.1); }},
      {"Sequential", row,
       [] {
         return Sequential{Dense(3), tanh, Dense(2)};
       }},
      {"Residual", row, [] { return Residual(Dense(4, {.activation = tanh})); }},
      {"Lambda", row, [] { return Lambda([d = Dense(4)](Value x) { return d(x) * sigmoid(x); }); }},
  };
}

/// A layer on what it takes, and its outputs, two for each sample, by a dense layer.
struct OfKind {
  Value x, y, out;
  Layer layer;
};
inline OfKind of_kind(Graph& g, const LayerKind& kind, DType dtype) {
  std::vector<Dim> shape{any(3)};
  shape.insert(shape.end(), kind.shape.begin(), kind.shape.end());
  OfKind all;
  all.x = input(g, "x", kind.of_places ? i64 : dtype, shape);
  all.layer = kind.make();
  all.y = all.layer(all.x);
  all.out = Dense(2, {.name = "head"})(flatten(all.y));
  return all;
}

/// So many samples of what it takes.
inline Tensor samples_of(const LayerKind& kind, std::int64_t n, DType dtype) {
  std::vector<std::int64_t> shape{n};
  for (const Dim& d : kind.shape) shape.push_back(d.size);
  return kind.of_places ? draw(Shape(shape), 0, 5, 7, i64) : draw(Shape(shape), -1, 1, 7, dtype);
}

}  // namespace oxbow::test
