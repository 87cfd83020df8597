// The statistics behind batch normalisation (Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167). The layer is in
// ops/layers.h. Numerically sound for any offset of the data: sums are in double and of the differences to the chunk's
// first row, and chunks are merged in order (Chan, Golub, LeVeque 1979). A chunk of n rows whose squared deviations add
// up to S is at most sqrt(S) off its first row, so no number that is added up is beyond (1 + n) S in all: rounding
// costs at most n times what two passes would, some 1e-13. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// Mean [c] and (biased) variance [c] of x [..., c] over all axes but the last. Outside training, and where x has no
/// rows, the running ones take their place, which are otherwise read for their shape only. dx = (dmean + 2 (x - mean)
/// dvariance) / rows.
struct BatchMoments {
  static constexpr OpInfo info{.name = "batch_moments",
                               .inputs = {"x", "running_mean", "running_variance"},
                               .outputs = {"mean?", "variance?"},
                               .shape_only = {1, 2},
                               .exact = {0, 1}};
  std::vector<Type> infer(Types in) const;
  std::vector<Value> lower(Values in) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  std::vector<Value> inference(Values in) const { return {in[1], in[2]}; }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const BatchMoments&) const = default;
};

/// Means and sums of squared deviations of each chunk of rows: f64[chunks, 2, c]. It reads x once, front to back.
struct ChunkMoments {
  static constexpr OpInfo info{.name = "chunk_moments", .inputs = {"x"}, .outputs = {"chunks"}};
  Type infer(Types in) const;
  Consumer consume(Types in) const;
  bool operator==(const ChunkMoments&) const = default;
};

/// Mean and variance of x from those of its chunks.
struct MergeMoments {
  static constexpr OpInfo info{
      .name = "merge_moments", .inputs = {"chunks", "x"}, .outputs = {"mean?", "variance?"}, .shape_only = {1}};
  std::vector<Type> infer(Types in) const;
  void run(const Run& r) const;
  bool operator==(const MergeMoments&) const = default;
};

}  // namespace oxbow::ops
