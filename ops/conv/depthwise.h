// What convolutions lower to whose channels have a kernel each: x [n, h, w, c] by weights [kh, kw, 1, c], in c groups.
// They read and write every value once and compute little, so they are as fast as memory, or nearly. An element is one
// chain of multiply-adds over its taps. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/passes/fusion/tape.h>
#include <oxbow/ops/conv/conv.h>

namespace oxbow::ops {

class DepthwiseRows;

/// y = x * weights. With an epilogue the inputs go on with what its tape reads, and the outputs are the tape's.
struct DepthwiseForward : ConvAttributes {
  static constexpr OpInfo info{
      .name = "depthwise_forward", .inputs = {"x", "weights", "extra..."}, .outputs = {"y..."}};
  internal::Tape epilogue = {};
  static void attributes(auto&& visit) {
    conv_attributes<DepthwiseForward>(visit);
    visit("epilogue", &DepthwiseForward::epilogue);
  }
  std::vector<Type> infer(Types in) const;
  Prepared<DepthwiseRows> prepare(Types in) const;
  void run(const Run& r, const DepthwiseRows& rows) const;
  std::vector<InputSet> overwrites(Types in) const;
  std::optional<Op> with_epilogue(int output, const internal::Tape& tape, Types in) const;
  bool operator==(const DepthwiseForward&) const = default;
};

/// dx [n, height, width, c] from dy and weights.
struct DepthwiseAdjoint : ConvAttributes {
  static constexpr OpInfo info{
      .name = "depthwise_adjoint", .inputs = {"dy", "weights", "extra..."}, .outputs = {"dx..."}};
  std::int64_t height = 0, width = 0;
  internal::Tape epilogue = {};
  static void attributes(auto&& visit) {
    conv_attributes<DepthwiseAdjoint>(visit);
    visit("height", &DepthwiseAdjoint::height);
    visit("width", &DepthwiseAdjoint::width);
    visit("epilogue", &DepthwiseAdjoint::epilogue);
  }
  std::vector<Type> infer(Types in) const;
  Prepared<DepthwiseRows> prepare(Types in) const;
  void run(const Run& r, const DepthwiseRows& rows) const;
  std::vector<InputSet> overwrites(Types in) const;
  std::optional<Op> with_epilogue(int output, const internal::Tape& tape, Types in) const;
  bool operator==(const DepthwiseAdjoint&) const = default;
};

/// The gradient to the weights from each of up to eight runs of images: [chunks, kh, kw, 1, c], to be summed.
struct DepthwiseWeightChunks : ConvAttributes {
  static constexpr OpInfo info{
      .name = "depthwise_weight_chunks", .inputs = {"x", "dy", "weights"}, .outputs = {"chunks"}, .shape_only = {2}};
  static void attributes(auto&& visit) { conv_attributes<DepthwiseWeightChunks>(visit); }
  struct Plan;
  Type infer(Types in) const;
  Prepared<Plan> prepare(Types in) const;
  void run(const Run& r, const Plan& p) const;
  bool operator==(const DepthwiseWeightChunks&) const = default;
};

}  // namespace oxbow::ops
