// What convolutions lower to: windows for a product, two that compute rows of images (the convolution itself, and its
// adjoint, which is the gradient to x), and the gradient to the weights in chunks of the batch. All of one group.
// Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/passes/fusion/tape.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/conv.h>

namespace oxbow::ops {

class ConvRows;
struct ConvShape;

/// y = x * weights. With an epilogue the inputs go on with what its tape reads, and the outputs are the tape's.
struct ConvForward : ConvAttributes {
  static constexpr OpInfo info{.name = "conv_forward", .inputs = {"x", "weights", "extra..."}, .outputs = {"y..."}};
  internal::Tape epilogue = {};
  static void attributes(auto&& visit) {
    conv_attributes<ConvForward>(visit);
    visit("epilogue", &ConvForward::epilogue);
  }
  std::vector<Type> infer(Types in) const;
  Prepared<ConvRows> prepare(Types in) const;
  void run(const Run& r, const ConvRows& rows) const;
  std::vector<InputSet> overwrites(Types in) const;
  std::optional<Op> with_epilogue(int output, const internal::Tape& tape, Types in) const;
  bool operator==(const ConvForward&) const = default;
};

/// Each window of x as a row, in which a product with all weights sees it: [n, rows, columns, kh kw c], with zeros
/// where the window is beyond the image. For small images of many channels: rows of a few pixels would read all weights
/// each.
struct ConvWindows : ConvAttributes {
  static constexpr OpInfo info{.name = "conv_windows", .inputs = {"x"}, .outputs = {"windows"}};
  std::int64_t kh = 1, kw = 1;
  static void attributes(auto&& visit) {
    conv_attributes<ConvWindows>(visit);
    visit("kh", &ConvWindows::kh);
    visit("kw", &ConvWindows::kw);
  }
  /// Whether a convolution is better done so. It goes by an image alone, so that its bits are the same in any batch.
  static bool pays(const ConvShape& s, DType dtype);
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  bool operator==(const ConvWindows&) const = default;

 private:
  ConvShape shape(const Type& x) const;
};

/// dx [n, height, width, c] from dy, and weights whose last two axes are swapped and packed (ops/linalg/pack.h).
struct ConvAdjoint : ConvAttributes {
  static constexpr OpInfo info{
      .name = "conv_adjoint", .inputs = {"dy", "packed", "extra..."}, .outputs = {"dx..."}, .any_layout = true};
  std::int64_t height = 0, width = 0;
  internal::Tape epilogue = {};
  static void attributes(auto&& visit) {
    conv_attributes<ConvAdjoint>(visit);
    visit("height", &ConvAdjoint::height);
    visit("width", &ConvAdjoint::width);
    visit("epilogue", &ConvAdjoint::epilogue);
  }
  std::vector<Type> infer(Types in) const;
  Prepared<ConvRows> prepare(Types in) const;
  void run(const Run& r, const ConvRows& rows) const;
  std::vector<InputSet> overwrites(Types in) const;
  std::optional<Op> with_epilogue(int output, const internal::Tape& tape, Types in) const;
  bool operator==(const ConvAdjoint&) const = default;
};

/// The same for images of few channels: each pixel of dy gives a strip to each row of dx around it, one product for all
/// strips, which are then added up. The packed weights are [k, kh kw c].
struct ConvStrips {
  static constexpr OpInfo info{
      .name = "conv_strips", .inputs = {"dy", "packed", "extra..."}, .outputs = {"dx..."}, .any_layout = true};
  std::int64_t height = 0, width = 0;
  std::int64_t kh = 1, kw = 1;
  PerAxis stride = 1;
  Padding padding = {};
  internal::Tape epilogue = {};
  static void attributes(auto&& visit) {
    visit("height", &ConvStrips::height);
    visit("width", &ConvStrips::width);
    visit("kh", &ConvStrips::kh);
    visit("kw", &ConvStrips::kw);
    visit("stride", &ConvStrips::stride);
    visit("padding", &ConvStrips::padding);
    visit("epilogue", &ConvStrips::epilogue);
  }
  struct Plan;
  /// Whether a convolution of these images and weights [kh, kw, c, k] is better done so.
  static bool pays(const Shape& x, const Shape& weights);
  std::vector<Type> infer(Types in) const;
  Prepared<Plan> prepare(Types in) const;
  void run(const Run& r, const Plan& p) const;
  std::vector<InputSet> overwrites(Types in) const;
  std::optional<Op> with_epilogue(int output, const internal::Tape& tape, Types in) const;
  bool operator==(const ConvStrips&) const = default;
};

/// The gradient to the weights from each of up to eight runs of images: [chunks, kh, kw, c, k], to be summed.
struct ConvWeightChunks : ConvAttributes {
  static constexpr OpInfo info{
      .name = "conv_weight_chunks", .inputs = {"x", "dy", "weights"}, .outputs = {"chunks"}, .shape_only = {2}};
  static void attributes(auto&& visit) { conv_attributes<ConvWeightChunks>(visit); }
  struct Plan;
  Type infer(Types in) const;
  Prepared<Plan> prepare(Types in) const;
  void run(const Run& r, const Plan& p) const;
  bool operator==(const ConvWeightChunks&) const = default;
};

}  // namespace oxbow::ops
