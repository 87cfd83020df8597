#include <oxbow/graph/passes/fusion/epilogue.h>
#include <oxbow/graph/support/tables.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/rows.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

constexpr std::int64_t widest_copy = 1024;  // rows of weights that a part copies: some 2 us

}  // namespace

ConvRows ConvRows::forward(const ConvShape& s, DType dtype) {
  ConvRows r;
  r.dtype_ = dtype;
  r.flops_ = s.flops();
  r.images_ = s.images;
  r.in_h_ = s.height, r.in_w_ = s.width, r.in_c_ = s.channels;
  r.out_h_ = s.rows, r.out_w_ = s.columns, r.out_c_ = s.kernels;
  r.kh_ = s.kh, r.kw_ = s.kw;
  r.step_in_ = s.stride;
  r.weight_row_ = s.kernels;
  r.weight_panel_stride_ = panel;
  r.narrow_ = gemm::is_narrow(dtype, s.kernels);
  r.widened_ = r.narrow_ && s.kernels != gemm::narrow_width(s.kernels);
  if (r.widened_ && s.kh * s.kw * s.channels > widest_copy) r.narrow_ = r.widened_ = false;
  if (r.widened_) r.weight_row_ = gemm::narrow_width(s.kernels);
  r.weight_tap_ = s.channels * r.weight_row_;
  r.down_ = phases({s.rows, s.kh, s.top, s.stride.down, s.dilation.down}, false);
  r.across_ = phases({s.columns, s.kw, s.left, s.stride.across, s.dilation.across}, false);
  if (ConvPatches::pay(s)) {
    r.patches_.emplace(s);
    internal::claim_table(s.kh, 2 * sizeof(unsigned long long));
    for (std::int64_t tap = 0; tap < s.kh; ++tap) {
      r.padded_offsets_.push_back(static_cast<unsigned long long>(tap * r.patches_->across()) * sizeof(float));
      r.tap_row_offsets_.push_back(static_cast<unsigned long long>(tap * s.kw * r.weight_tap_) * sizeof(float));
    }
  } else {
    r.make_groups();
  }
  return r;
}

ConvRows ConvRows::adjoint(const ConvShape& s, DType dtype, std::int64_t weight_panel) {
  ConvRows r;
  r.dtype_ = dtype;
  r.flops_ = s.flops();
  r.images_ = s.images;
  r.in_h_ = s.rows, r.in_w_ = s.columns, r.in_c_ = s.kernels;
  r.out_h_ = s.height, r.out_w_ = s.width, r.out_c_ = s.channels;
  r.kh_ = s.kh, r.kw_ = s.kw;
  r.step_out_ = s.stride;
  r.weight_panel_ = weight_panel;
  r.narrow_ = gemm::is_narrow(dtype, s.channels) && weight_panel >= gemm::narrow_width(s.channels);
  r.weight_row_ = weight_panel;
  r.weight_panel_stride_ = weight_panel > panel ? panel : s.kernels * weight_panel;
  r.weight_tap_ = (s.channels + weight_panel - 1) / weight_panel * weight_panel * s.kernels;
  r.down_ = phases({s.height, s.kh, s.top, s.stride.down, s.dilation.down}, true);
  r.across_ = phases({s.width, s.kw, s.left, s.stride.across, s.dilation.across}, true);
  r.make_groups();
  return r;
}

void ConvRows::make_groups() {
  const auto size = static_cast<unsigned long long>(size_of(dtype_));
  const std::int64_t step_in = step_in_.across;
  internal::claim_table(std::ssize(across_), sizeof(Groups));
  for (const Phase& across : across_) {
    internal::claim_table(std::ssize(across.taps), sizeof(Group));
    std::vector<Group> groups;
    Group whole{.end = across.count, .first = true};
    for (const Tap& tap : across.taps) {
      // Inside where 0 <= t * step_in + shift < in_w.
      const std::int64_t begin = std::clamp<std::int64_t>((-tap.shift + step_in - 1) / step_in, 0, across.count);
      const std::int64_t end =
          tap.shift >= in_w_ ? begin
                             : std::clamp<std::int64_t>((in_w_ - 1 - tap.shift) / step_in + 1, begin, across.count);
      if (begin == 0 && end == across.count)
        whole.taps.push_back(tap);
      else if (begin < end)
        groups.push_back({.begin = begin, .end = end, .taps = {tap}});
    }
    if (!whole.taps.empty()) groups.insert(groups.begin(), std::move(whole));
    for (Group& g : groups) {
      g.shift = g.taps[0].shift;
      internal::claim_table(std::ssize(down_), sizeof g.input_offsets[0] + sizeof g.weight_offsets[0]);
      internal::claim_table(kh_ * std::ssize(g.taps), 2 * sizeof(unsigned long long));  // each tap is of one phase
      for (const Phase& down : down_) {
        auto &inputs = g.input_offsets.emplace_back(), &weights = g.weight_offsets.emplace_back();
        for (const Tap& y : down.taps)
          for (const Tap& x : g.taps) {
            const std::int64_t pixel = (y.shift - down.taps[0].shift) * in_w_ + x.shift - g.shift;
            inputs.push_back(static_cast<unsigned long long>(pixel * in_c_) * size);
            weights.push_back(static_cast<unsigned long long>((y.number * kw_ + x.number) * weight_tap_) * size);
          }
      }
    }
    std::size_t seen = 0;
    const auto next_is = [&](std::int64_t begin, std::int64_t end) {
      return seen < groups.size() && groups[seen].begin == begin && groups[seen].end == end;
    };
    const bool starts = next_is(0, across.count);
    for (const auto& [begin, end] : {std::pair{0l, across.count}, {1l, across.count}, {0l, across.count - 1}})
      if (next_is(begin, end)) ++seen;
    const bool at_once = starts && seen == groups.size();
    groups_.push_back({.each = std::move(groups), .at_once = at_once});
  }
}

// Parts that products alone would be cut into.
std::int64_t ConvRows::most_parts() const {
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(flops_ / part_flops), 1,
                                  std::max<std::int64_t>(1, images_ * out_h_));
}

bool ConvRows::serves(const internal::Tape& epilogue, Types extra) const {
  return RowsEpilogue::serves(epilogue, result(), extra, most_parts());
}

void ConvRows::prepare() {
  // By image, so that an image's bits are the same in any batch.
  if (narrow_ || !gemm::sums_in_one_chain(dtype_) || !gemm::has_jit()) return;
  if (flops_ < jit_flops * static_cast<double>(std::max<std::int64_t>(images_, 1))) return;
  if (patches_) {
    if (out_c_ <= panel)
      patch_kernel_ = gemm::kernel({.rows = out_w_,
                                    .columns = out_c_,
                                    .k = patches_->size(),
                                    .lda = patches_->size(),
                                    .ldb = out_c_,
                                    .ldy = out_c_});
    return;
  }
  for (Groups& groups : groups_)
    for (Group& g : groups.each)
      for (int full = 0; full < 2; ++full) {
        if (full && out_c_ <= panel) continue;
        g.kernels[full] = gemm::batch_kernel({.rows = g.end - g.begin,
                                              .columns = full ? panel : out_c_ - (out_c_ - 1) / panel * panel,
                                              .k = in_c_,
                                              .lda = step_in_.across * in_c_,
                                              .ldb = weight_row_,
                                              .ldy = step_out_.across * out_c_,
                                              .accumulate = !g.first});
      }
}

Work ConvRows::work() const {
  Work w;
  w.add_flops(flops_, gemm::flops_per_ns(dtype_, out_c_));
  const std::int64_t size = size_of(dtype_), rows = images_ * out_h_;
  w.bytes =
      static_cast<double>(size * (images_ * in_h_ * in_w_ * in_c_ + rows * out_w_ * out_c_ + kh_ * kw_ * weight_tap_));
  w.parts = most_parts();
  if (patches_) w.scratch += aligned(patches_->scratch() * size);
  if (widened_) w.scratch += aligned(kh_ * kw_ * weight_tap_ * size);
  epilogue_.add_to(w);
  return w;
}

template <class T>
void ConvRows::group(const Group& g, const T* x, const T* weights, std::size_t phase, std::int64_t t,
                     std::int64_t first, std::int64_t last, bool accumulate, T* y) const {
  const Phase& down = down_[phase];
  const auto across = static_cast<std::int64_t>(g.taps.size());
  // Offsets count from the phase's first tap down, which may be above the image; it is then not among those read.
  const std::int64_t origin = (t * step_in_.down + down.taps[0].shift) * in_w_ + g.begin * step_in_.across + g.shift;
  const auto at = [&](const T* base, std::int64_t elements, unsigned long long bytes) {
    return reinterpret_cast<const T*>(reinterpret_cast<std::uintptr_t>(base) +
                                      static_cast<std::uintptr_t>(elements) * sizeof(T) + bytes);
  };
  for (std::int64_t k = 0; k * panel < out_c_; ++k) {
    const T* w = weights + k * weight_panel_stride_;
    T* to = y + g.begin * step_out_.across * out_c_ + k * panel;
    const std::int64_t columns = std::min(panel, out_c_ - k * panel);
    const auto& inputs = g.input_offsets[phase];
    const auto& matrices = g.weight_offsets[phase];
    const gemm::BatchKernel& kernel = g.kernels[columns == panel && out_c_ > panel];
    if constexpr (std::is_same_v<T, float>) {
      if (narrow_) {
        gemm::narrow(
            {.rows = g.end - g.begin,
             .columns = columns,
             .k = in_c_,
             .ldb = weight_row_,
             .ldy = step_out_.across * out_c_,
             .taps = {(last - first) * across, inputs.data() + first * across, matrices.data() + first * across},
             .accumulate = accumulate},
            {at(x, origin * in_c_, 0), step_in_.across * in_c_, 1}, w, to);
        continue;
      }
      if (kernel && accumulate == !g.first) {
        const auto count = static_cast<unsigned long long>((last - first) * across);
        kernel(w, at(x, origin * in_c_, 0), to, &count, matrices.data() + first * across,
               inputs.data() + first * across);
        continue;
      }
    }
    for (std::int64_t i = first * across; i < last * across; ++i, accumulate = true) {
      const auto n = static_cast<std::size_t>(i);
      gemm::multiply<T>(g.end - g.begin, columns, in_c_, {at(x, origin * in_c_, inputs[n]), step_in_.across * in_c_, 1},
                        at(w, 0, matrices[n]), weight_row_, to, step_out_.across * out_c_, accumulate);
    }
    accumulate = !g.first;
  }
}

// The same for all groups of a row, in their order, so that a sum stays in its register from the first tap to the last.
void ConvRows::groups_at_once(std::span<const Group> groups, const float* x, const float* weights, std::size_t phase,
                              std::int64_t t, std::int64_t first, std::int64_t last, float* y) const {
  const auto taps = [&](const Group& g) {
    const auto across = static_cast<std::int64_t>(g.taps.size());
    return gemm::Narrow::Taps{.count = (last - first) * across,
                              .a_offsets = g.input_offsets[phase].data() + first * across,
                              .b_offsets = g.weight_offsets[phase].data() + first * across,
                              .a_shift = (g.shift - groups[0].shift) * in_c_};
  };
  gemm::Narrow n{.rows = groups[0].end,
                 .columns = out_c_,
                 .k = in_c_,
                 .ldb = weight_row_,
                 .ldy = step_out_.across * out_c_,
                 .taps = taps(groups[0])};
  for (const Group& g : groups.subspan(1)) (g.begin > 0 ? n.but_first : n.but_last) = taps(g);
  const std::int64_t origin = (t * step_in_.down + down_[phase].taps[0].shift) * in_w_ + groups[0].shift;
  gemm::narrow(n,
               {reinterpret_cast<const float*>(reinterpret_cast<std::uintptr_t>(x) +
                                               static_cast<std::uintptr_t>(origin * in_c_) * sizeof(float)),
                step_in_.across * in_c_, 1},
               weights, y);
}

template <class T>
void ConvRows::row(const Run& r, std::int64_t number, const T* weights, T* y, T* patches) const {
  const std::int64_t image = number / out_h_, i = number % out_h_;
  const T* x = r.in<T>(0) + image * in_h_ * in_w_ * in_c_;
  if (patches_) {
    if constexpr (std::is_same_v<T, float>)
      if (narrow_) {
        // A row of taps lies as it is in the padded rows.
        const float* padded = patches_->pad(x, i, patches);
        return gemm::narrow({.rows = out_w_,
                             .columns = out_c_,
                             .k = kw_ * in_c_,
                             .ldb = weight_row_,
                             .ldy = out_c_,
                             .taps = {kh_, padded_offsets_.data(), tap_row_offsets_.data()}},
                            {padded, step_in_.across * in_c_, 1}, weights, y);
      }
    patches_->row(x, i, patches);
    if constexpr (std::is_same_v<T, float>)
      if (patch_kernel_) return patch_kernel_(weights, patches, y);
    return gemm::multiply<T>(out_w_, out_c_, patches_->size(), {patches, patches_->size(), 1}, weights, out_c_, y,
                             out_c_, false);
  }

  const std::int64_t t = i / step_out_.down;
  const auto phase = static_cast<std::size_t>(i % step_out_.down);
  const std::vector<Tap>& taps = down_[phase].taps;
  const auto row_of = [&](std::int64_t n) { return t * step_in_.down + taps[static_cast<std::size_t>(n)].shift; };
  std::int64_t first = 0, last = static_cast<std::int64_t>(taps.size());  // the taps down that are inside the image
  while (first < last && row_of(first) < 0) ++first;
  while (first < last && row_of(last - 1) >= in_h_) --last;

  for (std::size_t p = 0; p < across_.size(); ++p) {
    const std::vector<Group>& groups = groups_[p].each;
    T* to = y + static_cast<std::int64_t>(p) * out_c_;
    if (first == last || groups.empty() || !groups[0].first)
      for (std::int64_t pixel = 0; pixel < across_[p].count; ++pixel)
        std::fill_n(to + pixel * step_out_.across * out_c_, out_c_, T(0));
    if (first == last) continue;
    if constexpr (std::is_same_v<T, float>)
      if (narrow_ && groups_[p].at_once) {
        groups_at_once(groups, x, weights, phase, t, first, last, to);
        continue;
      }
    for (const Group& g : groups) group<T>(g, x, weights, phase, t, first, last, !g.first, to);
  }
}

void ConvRows::run(const Run& r, int first_extra) const {
  if (images_ * out_h_ * out_w_ * out_c_ == 0) return;
  const auto compute = [&]<class T>(std::type_identity<T>) {
    std::byte* scratch = r.scratch;
    T* patches = reinterpret_cast<T*>(scratch);
    if (patches_) scratch += aligned(patches_->scratch() * size_of(dtype_));
    const T* weights = r.in<T>(1);
    if constexpr (std::is_same_v<T, float>)
      if (widened_) {
        float* to = reinterpret_cast<float*>(scratch);
        gemm::widen(kh_ * kw_ * in_c_, out_c_, weights, to);
        weights = to;
        scratch += aligned(kh_ * kw_ * weight_tap_ * size_of(dtype_));
      }
    epilogue_.run<T>(r, first_extra, scratch,
                     [&](std::int64_t number, T* y) { row<T>(r, number, weights, y, patches); });
  };
  dispatch<dtypes::Floats>(dtype_, compute);
}

}  // namespace oxbow::ops
