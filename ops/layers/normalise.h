// Layers that normalise: over the batch, over the features of a sample, over groups of them. Halves are normalised in
// f32 and rounded once.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/initializers.h>
#include <oxbow/ops/layers/layer.h>

namespace oxbow {

struct BatchNormOptions {
  double momentum = 0.9;  ///< what the running statistics keep of their value each step
  double epsilon = 1e-5;
  std::string name = {};
  bool trainable = true;  ///< otherwise it always takes the running statistics
};

/// scale (x - mean) / sqrt(variance + epsilon) + offset over all axes but the last: with the batch's statistics in
/// training and the running ones in inference: Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167. Variables, all
/// [c]: scale, offset; running_mean and running_variance, f32 also of halves, which are not trained but updated each
/// step (see Graph::updates), by each call that the loss depends on, in the order of the calls. A call throws `Error`
/// for a scalar x, a momentum outside [0, 1], or an epsilon that is not positive. Within `cond` and `repeat` it has to
/// be frozen, as nothing is updated there.
class BatchNorm : public Layer {
 public:
  explicit BatchNorm(BatchNormOptions options = {});
  explicit BatchNorm(Graph& g, BatchNormOptions options = {});
};

struct LayerNormOptions {
  double epsilon = 1e-3;
  bool use_scale = true, use_offset = true;
  std::string name = {};
  bool trainable = true;
};

/// scale (x - mean) / sqrt(variance + epsilon) + offset along the last axis, of [..., c]: Ba, Kiros and Hinton 2016,
/// https://arxiv.org/abs/1607.06450. Variables: scale [c], offset [c]. A call throws `Error` for a scalar x, or an
/// epsilon that is not positive.
class LayerNorm : public Layer {
 public:
  explicit LayerNorm(LayerNormOptions options = {});
  explicit LayerNorm(Graph& g, LayerNormOptions options = {});
};

struct RMSNormOptions {
  double epsilon = 1e-6;
  std::string name = {};
  bool trainable = true;
};

/// scale x / sqrt(mean(x^2) + epsilon) along the last axis, of [..., c]: Zhang and Sennrich 2019,
/// https://arxiv.org/abs/1910.07467. Variable: scale [c]. Errors as `LayerNorm`.
class RMSNorm : public Layer {
 public:
  explicit RMSNorm(RMSNormOptions options = {});
  explicit RMSNorm(Graph& g, RMSNormOptions options = {});
};

struct GroupNormOptions {
  double epsilon = 1e-3;
  bool use_scale = true, use_offset = true;
  std::string name = {};
  bool trainable = true;
};

/// As `LayerNorm`, over all axes but the first, in `groups` groups of neighbouring channels of x [n, ..., c]: Wu and He
/// 2018, https://arxiv.org/abs/1803.08494. Variables: scale [c], offset [c]. A call throws `Error` for fewer than two
/// axes, or groups that do not divide c.
class GroupNorm : public Layer {
 public:
  explicit GroupNorm(std::int64_t groups = 32, GroupNormOptions options = {});
  GroupNorm(Graph& g, std::int64_t groups, GroupNormOptions options = {});
};

}  // namespace oxbow
