// Layers that multiply by a matrix of weights, or look rows of it up.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/initializers.h>
#include <oxbow/ops/layers/layer.h>

namespace oxbow {

struct DenseOptions {
  Activation activation = {};
  Initializer kernel_init = init::glorot_uniform();
  Initializer bias_init = init::zeros();
  bool use_bias = true;
  std::string name = {};
  bool trainable = true;
  Layer transpose_of = {};  ///< tied: the kernel is this `Dense` layer's or `Embedding`'s, transposed
};

/// activation(x kernel + bias) along the last axis: [..., in] to [..., units]. Variables: kernel [in, units], none
/// where it is tied, and bias [units]. A call throws `Error` for a scalar x and units < 1.
class Dense : public Layer {
 public:
  explicit Dense(std::int64_t units, DenseOptions options = {});
  Dense(Graph& g, std::int64_t units, DenseOptions options = {});
  Value kernel() const { return variable("kernel"); }
  Value bias() const { return variable("bias"); }
};

struct EmbeddingOptions {
  Initializer embeddings_init = init::uniform(-0.05, 0.05);
  DType dtype = f32;
  std::string name = {};
  bool trainable = true;
};

/// Row i of a table for each index i: integers [...] to [..., width]. Variable: embeddings [rows, width]. A call throws
/// `Error` for what is not integers, and rows or width < 1; an index out of range fails the run.
class Embedding : public Layer {
 public:
  Embedding(std::int64_t rows, std::int64_t width, EmbeddingOptions options = {});
  Embedding(Graph& g, std::int64_t rows, std::int64_t width, EmbeddingOptions options = {});
  Value embeddings() const { return variable("embeddings"); }
};

}  // namespace oxbow
