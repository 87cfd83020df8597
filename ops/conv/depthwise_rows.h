// Rows of output pixels of a convolution with a kernel a channel, and of its adjoint: they differ in strides only (see
// ConvRows, of which this is the sibling). Pixels for which the same taps are inside the image are computed in blocks,
// all channels of a block before the next. Internal to ops/. Immutable once made.
#pragma once

#include <oxbow/graph/passes/fusion/tape_plan.h>
#include <oxbow/ops/conv/geometry.h>
#include <oxbow/ops/conv/taps.h>

namespace oxbow::ops {

class DepthwiseRows {
 public:
  static DepthwiseRows forward(const ConvShape& s, DType dtype);
  static DepthwiseRows adjoint(const ConvShape& s, DType dtype);
  /// Applies a tape to rows while they are in cache; `extra`: the types of its other inputs.
  void then(const internal::Tape& epilogue, Types extra);

  Work work() const;
  /// Computes a part; the epilogue's inputs begin at `first_extra`.
  void run(const Run& r, int first_extra) const;

 private:
  // Pixels [begin, end) of a phase across, and for each phase down where the taps of all its rows lie in x and in the
  // weights, in elements: taps down by taps across.
  struct Run2d {
    std::int64_t begin, end, across;
    std::vector<std::vector<std::int64_t>> x_offsets = {}, weight_offsets = {};
  };

  void make_runs();
  template <class T>
  void row(const Run& r, std::int64_t number, T* y) const;

  DType dtype_ = f32;
  double flops_ = 0;
  std::int64_t images_ = 0, in_h_ = 0, in_w_ = 0, out_h_ = 0, out_w_ = 0, channels_ = 0, kh_ = 0, kw_ = 0;
  DownAcross step_in_ = {}, step_out_ = {};
  std::vector<Phase> down_, across_;
  std::vector<std::vector<Run2d>> runs_;  // by phase across
  bool with_tape_ = false;
  internal::TapePlan tape_;
};

}  // namespace oxbow::ops
