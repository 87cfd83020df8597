// Rows of output pixels of a convolution with a kernel a channel, and of its adjoint: they differ in strides only (see
// ConvRows, of which this is the sibling). Pixels for which the same taps are inside the image are computed in blocks,
// all channels of a block before the next. Internal to ops/. Immutable once made.
#pragma once

#include <oxbow/ops/conv/geometry.h>
#include <oxbow/ops/conv/rows_epilogue.h>
#include <oxbow/ops/conv/taps.h>

namespace oxbow::ops {

class DepthwiseRows {
 public:
  static DepthwiseRows forward(const ConvShape& s, DType dtype);
  static DepthwiseRows adjoint(const ConvShape& s, DType dtype);
  bool serves(const internal::Tape& epilogue, Types extra) const;
  void then(const internal::Tape& epilogue, Types extra) { epilogue_ = {result(), epilogue, extra}; }

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

  Type result() const { return {dtype_, {images_, out_h_, out_w_, channels_}}; }
  double bytes() const;  // read and written
  std::int64_t most_parts() const;
  void make_runs();
  template <class T>
  void row(const Run& r, std::int64_t number, T* y) const;

  DType dtype_ = f32;
  double flops_ = 0;
  std::int64_t images_ = 0, in_h_ = 0, in_w_ = 0, out_h_ = 0, out_w_ = 0, channels_ = 0, kh_ = 0, kw_ = 0;
  DownAcross step_in_ = {}, step_out_ = {};
  std::vector<Phase> down_, across_;
  std::vector<std::vector<Run2d>> runs_;  // by phase across
  RowsEpilogue epilogue_;
};

}  // namespace oxbow::ops
