// Rows of output pixels, each the sum of taps: an input pixel times the tap's matrix of weights. The convolution and
// its adjoint are both of this form; they differ in strides only. A row is a few batch-reduce products: the taps that
// are inside the image for all its pixels first, then each of the others for the pixels where it is inside. So nothing
// is padded or copied; with three channels or fewer, where a tap's product would be tiny, a row's patches are gathered
// instead and multiplied by all taps at once. Internal to ops/. Immutable once made.
#pragma once

#include <oxbow/ops/conv/patches.h>
#include <oxbow/ops/conv/rows_epilogue.h>
#include <oxbow/ops/conv/taps.h>
#include <oxbow/ops/shared/gemm_narrow.h>

#include <optional>

namespace oxbow::ops {

class ConvRows {
 public:
  /// `type`: of the result; `extra`: of the epilogue's other inputs; `panel`: of packed weights, or 0 when row-major.
  static ConvRows forward(const ConvShape& s, DType dtype);
  static ConvRows adjoint(const ConvShape& s, DType dtype, std::int64_t panel);
  bool serves(const internal::Tape& epilogue, Types extra) const;
  void then(const internal::Tape& epilogue, Types extra) { epilogue_ = {result(), epilogue, extra}; }
  /// Makes or looks up the kernels: not needed for `work`.
  void prepare();

  Work work() const;
  /// Computes a part; the epilogue's inputs begin at `first_extra`.
  void run(const Run& r, int first_extra) const;

 private:
  // Taps across that are all inside for pixels [begin, end) of a phase.
  struct Group {
    std::int64_t begin = 0, end = 0, shift = 0;  // `shift`: of the first tap
    std::vector<Tap> taps = {};
    bool first = false;                                               // covers the whole row: starts the sum
    std::vector<std::vector<unsigned long long>> input_offsets = {};  // by phase of rows: taps down by across
    std::vector<std::vector<unsigned long long>> weight_offsets = {};
    gemm::BatchKernel kernels[2] = {};  // the last panel's, and the others'; empty: plain loops
  };

  struct Groups {  // of a phase across
    std::vector<Group> each = {};
    bool at_once = false;  // a whole row's, then at most one that only the first pixel lacks, and one only the last
  };

  Type result() const { return {dtype_, {images_, out_h_, out_w_, out_c_}}; }
  std::int64_t most_parts() const;
  void make_groups();
  template <class T>
  void row(const Run& r, std::int64_t row, const T* weights, T* y, T* patches) const;
  template <class T>
  void group(const Group& g, const T* x, const T* weights, std::size_t phase, std::int64_t t, std::int64_t first,
             std::int64_t last, bool accumulate, T* y) const;
  void groups_at_once(std::span<const Group> groups, const float* x, const float* weights, std::size_t phase,
                      std::int64_t t, std::int64_t first, std::int64_t last, float* y) const;

  DType dtype_ = f32;
  double flops_ = 0;
  std::int64_t images_ = 0, in_h_ = 0, in_w_ = 0, in_c_ = 0, out_h_ = 0, out_w_ = 0, out_c_ = 0, kh_ = 0, kw_ = 0;
  DownAcross step_in_ = {}, step_out_ = {};
  std::int64_t weight_panel_ = 0, weight_row_ = 0, weight_panel_stride_ = 0, weight_tap_ = 0;
  std::vector<Phase> down_, across_;
  std::vector<Groups> groups_;  // by phase across
  bool narrow_ = false;         // up to 16 output channels: `gemm::narrow`
  bool widened_ = false;        // from a copy of the weights, with rows as wide as that reads
  std::optional<ConvPatches> patches_;
  gemm::Kernel patch_kernel_;
  std::vector<unsigned long long> padded_offsets_, tap_row_offsets_;  // of the rows of taps, in x and in the weights
  RowsEpilogue epilogue_;
};

}  // namespace oxbow::ops
