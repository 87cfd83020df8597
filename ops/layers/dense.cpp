#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/layers.h>
#include <oxbow/ops/linalg.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shared/layer_state.h>

namespace oxbow {
namespace ops {
namespace {

class DenseState : public LayerState {
 public:
  DenseState(std::int64_t units, DenseOptions options)
      : LayerState("Dense", "dense", options.name, options.trainable), units_(units), options_(std::move(options)) {}

  Value call(Value x, At at) override {
    check_layer_input("dense", x, 1, "[samples, features]", at);
    check_layer_size("dense", "units", units_, x, at);
    LayerCall here(*this, x, {"kernel", "bias"}, at);
    const Value y = as_called("dense", [&] {
      const Value products = product(here, x, at);
      if (!options_.use_bias) return products;
      return add(products, here.parameter("bias", {x.dtype(), {units_}}, options_.bias_init), at);
    });
    return options_.activation(y, at);
  }

 private:
  Value product(LayerCall& here, Value x, At at) {
    const Type kernel{x.dtype(), {x.shape()[-1], units_}};
    if (!options_.transpose_of) return matmul(x, here.parameter("kernel", kernel, options_.kernel_init), {}, at);
    return matmul(x, transposed(x, kernel, at), {.transpose_b = true}, at);
  }

  // The other layer's matrix, [units, in].
  Value transposed(Value x, const Type& kernel, At at) const {
    const LayerState& other = LayerState::of(options_.transpose_of);
    if (other.was_called() && !other.is_of(x.graph()))
      refuse_layer("dense", "the layer that it is the transpose of is in another graph", x, at,
                   "Make a layer for each graph");
    auto matrix = other.find("kernel");
    if (!matrix) matrix = other.find("embeddings");
    if (!matrix)
      refuse_layer("dense",
                   other.was_called() ? "the layer that it is the transpose of has no kernel of its own"
                                      : "the layer that it is the transpose of was not called yet",
                   x, at, "Call a Dense layer or an Embedding, then the one that is tied to it");
    const Value v = matrix->output();
    if (v.type() != Type{kernel.dtype, {kernel.shape[1], kernel.shape[0]}})
      refuse_layer("dense",
                   internal::in_quotes(v.node().full_name()) + " is " + to_string(v.type()) +
                       ", not the transpose of a kernel " + to_string(kernel),
                   x, at, "Give as many units as that layer has inputs, and an x of its units");
    return v;
  }

  std::int64_t units_;
  DenseOptions options_;
};

class EmbeddingState : public LayerState {
 public:
  EmbeddingState(std::int64_t rows, std::int64_t width, EmbeddingOptions options)
      : LayerState("Embedding", "embedding", options.name, options.trainable),
        rows_(rows),
        width_(width),
        options_(std::move(options)) {}

  Value call(Value x, At at) override {
    check_layer_size("embedding", "rows", rows_, x, at);
    check_layer_size("embedding", "columns", width_, x, at);
    if (!is_integer(x.dtype())) refuse_layer("embedding", "x is not of integers", x, at, "Give the numbers of rows");
    LayerCall here(*this, x, {"embeddings"}, at);
    return as_called("embedding", [&] {
      return gather(here.parameter("embeddings", {options_.dtype, {rows_, width_}}, options_.embeddings_init), x, 0,
                    at);
    });
  }

 private:
  std::int64_t rows_, width_;
  EmbeddingOptions options_;
};

}  // namespace
}  // namespace ops

using ops::new_layer;

Dense::Dense(std::int64_t units, DenseOptions options)
    : Layer(new_layer<ops::DenseState>(nullptr, units, std::move(options))) {}
Dense::Dense(Graph& g, std::int64_t units, DenseOptions options)
    : Layer(new_layer<ops::DenseState>(&g, units, std::move(options))) {}

Embedding::Embedding(std::int64_t rows, std::int64_t width, EmbeddingOptions options)
    : Layer(new_layer<ops::EmbeddingState>(nullptr, rows, width, std::move(options))) {}
Embedding::Embedding(Graph& g, std::int64_t rows, std::int64_t width, EmbeddingOptions options)
    : Layer(new_layer<ops::EmbeddingState>(&g, rows, width, std::move(options))) {}

Value dense(Value x, std::int64_t units, DenseOptions options, At at) {
  return Dense(units, std::move(options))(x, at);
}

}  // namespace oxbow
