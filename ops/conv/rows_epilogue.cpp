#include <oxbow/ops/conv/rows_epilogue.h>

namespace oxbow::ops {
namespace {

constexpr std::int64_t enough_chunks = 32;  // of reductions: so many parts may be fewer than without them

std::int64_t row_of(const Type& result) { return result.shape[2] * result.shape[3]; }

}  // namespace

RowsEpilogue::RowsEpilogue(const Type& result, const internal::Tape& epilogue, Types extra)
    : rows_(result.shape[0] * result.shape[1]),
      row_(row_of(result)),
      channels_(result.shape[3]),
      size_(size_of(result.dtype)),
      with_tape_(!epilogue.empty()) {
  if (with_tape_) {
    std::vector<Type> types{result};
    types.insert(types.end(), extra.begin(), extra.end());
    tape_ = internal::TapePlan(epilogue, types);
    const auto stored = std::find(epilogue.outputs.begin(), epilogue.outputs.end(), 0);
    if (stored != epilogue.outputs.end()) stored_ = stored - epilogue.outputs.begin();
  }
  const std::int64_t row = std::max<std::int64_t>(1, row_);
  block_rows_ = tape_.chunk() > 0 ? tape_.chunk() / row : std::max<std::int64_t>(1, block_bytes / (row * size_));
}

bool RowsEpilogue::serves(const internal::Tape& epilogue, const Type& result, Types extra, std::int64_t parts) {
  return internal::reduces_whole_rows(epilogue, result, extra, row_of(result), std::min(parts, enough_chunks));
}

void RowsEpilogue::add_to(Work& w) const {
  if (!with_tape_) return;
  if (tape_.chunk() > 0) w.parts = std::clamp<std::int64_t>((rows_ + block_rows_ - 1) / block_rows_, 1, w.parts);
  if (stored_ < 0) w.scratch += block_scratch();
  w.scratch += tape_.scratch();
  w.add_flops(tape_.flops() * static_cast<double>(rows_ * row_));
}

}  // namespace oxbow::ops
