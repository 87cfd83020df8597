// A tape over images whose rows are computed one after another: it goes over a block of rows while these are in cache.
// What ConvRows and DepthwiseRows end with. Internal to ops/. Immutable once made.
#pragma once

#include <oxbow/graph/passes/fusion/epilogue.h>
#include <oxbow/ops/conv/cuts.h>

#include <algorithm>

namespace oxbow::ops {

class RowsEpilogue {
 public:
  RowsEpilogue() = default;
  /// `result`: [images, height, width, channels] before the tape; `extra`: of the tape's other inputs.
  RowsEpilogue(const Type& result, const internal::Tape& epilogue, Types extra);

  /// Whether rows can be computed in whole chunks of the tape's reductions, with enough of these to share out among
  /// so many parts.
  static bool serves(const internal::Tape& epilogue, const Type& result, Types extra, std::int64_t parts);
  /// `op` with this epilogue: with reductions only where its rows, made without an epilogue, serve them.
  template <class T, class Rows>
  static std::optional<Op> extended(const T& op, const internal::Tape& tape, Types extra, const Rows& rows) {
    const bool reduces = !tape.reductions.empty() && op.epilogue.empty() && rows().serves(tape, extra);
    return internal::extended(op, tape, reduces);
  }

  /// Parts, cut down to what whole blocks can be shared out to; and what the tape adds to the work, behind the scratch
  /// that is there.
  void add_to(Work& w) const;

  /// Computes a part: `row(number, y)` writes a row to y. `scratch`: behind that of the rows.
  template <class T, class Row>
  void run(const Run& r, int first_extra, std::byte* scratch, const Row& row) const {
    T* block = with_tape_ && stored_ < 0 ? reinterpret_cast<T*>(scratch) : nullptr;
    T* out = block ? nullptr : r.out<T>(static_cast<int>(std::max<std::ptrdiff_t>(stored_, 0)));
    if (block) scratch += block_scratch();
    const std::int64_t each = block_rows_, all = rows_;
    const bool whole = tape_.chunk() > 0;  // a part takes whole blocks
    auto [begin, end] = r.share(whole ? (all + each - 1) / each : all);
    if (whole) begin *= each, end = std::min(end * each, all);
    for (std::int64_t i = begin; i < end; i += each) {
      const std::int64_t rows = std::min(each, end - i);
      T* y = block ? block : out + i * row_;
      for (std::int64_t k = 0; k < rows; ++k) row(i + k, y + k * row_);
      if (with_tape_)
        tape_.run(r.inputs.subspan(static_cast<std::size_t>(first_extra)), r.outputs,
                  {.first = i * row_,
                   .rows = rows * row_ / channels_,
                   .columns = channels_,
                   .stride = channels_,
                   .result = y,
                   .result_stride = channels_},
                  scratch);
    }
  }

 private:
  std::int64_t block_scratch() const { return aligned(block_rows_ * row_ * size_); }

  std::int64_t rows_ = 0, row_ = 0, channels_ = 0, size_ = 0;  // `row_`: elements of one
  std::int64_t block_rows_ = 1;
  bool with_tape_ = false;
  internal::TapePlan tape_;
  std::ptrdiff_t stored_ = -1;  // the output of the tape that is the result itself
};

}  // namespace oxbow::ops
