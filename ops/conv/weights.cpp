// The gradient to a convolution's weights: for each tap, x^T dy summed over the pixels where the tap is inside.
#include <oxbow/graph/support/tables.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/nodes.h>
#include <oxbow/ops/conv/patches.h>
#include <oxbow/ops/shared/gemm_narrow.h>

#include <algorithm>
#include <optional>

namespace oxbow::ops {
namespace {

constexpr double kernel_flops = 1e5;  // below, plain loops take less time than making the kernels
// A chunk with more, some ms, is split by taps down as well, although each of these parts reads all of the chunk.
constexpr double split_flops = 1e8;

// Elements of a row of dy, and of the gradient of all taps, in the width that `gemm::narrow` reads and writes.
std::int64_t wide_row(const ConvShape& s) { return s.columns * gemm::narrow_width(s.kernels); }
std::int64_t wide_taps(const ConvShape& s) { return s.kh * s.kw * s.channels * gemm::narrow_width(s.kernels); }

}  // namespace

struct ConvWeightChunks::Plan {
  ConvShape s;
  std::int64_t chunks = 1, splits = 1;  // parts: chunks of the batch by groups of taps down
  std::int64_t block_rows = 1;          // of dy that all taps go over before the next: what `narrow` reads stays cached
  struct Across {                       // a tap across: the output pixels [begin, end) for which it is inside
    std::int64_t begin, end, shift;
    gemm::BatchKernel kernels[2] = {};  // the last panel's, and the others'; empty: plain loops
  };
  std::vector<Across> across;
  std::vector<unsigned long long> x_offsets, dy_offsets;  // of the image's rows
  std::optional<ConvPatches> patches;                     // with few channels: all taps are one product
  gemm::Kernel patch_kernel;
  bool narrow = false;  // up to 16 kernels: `gemm::narrow`; others than 8 and 16 with patches only

  template <class T>
  void tap(const T* x, const T* dy, std::int64_t down, std::int64_t number, std::int64_t begin, std::int64_t end,
           bool accumulate, T* dw) const;
  template <class T>
  void rows(const T* x, const T* dy, bool accumulate, T* dw, T* scratch) const;
  void narrow_rows(const float* x, const float* dy, std::int64_t first, std::int64_t last, float* dw,
                   float* scratch) const;
};

Type ConvWeightChunks::infer(Types in) const {
  check_computed<dtypes::Floats>(in[0], "x");
  check_one_group(groups);
  const ConvShape s = conv_shape(in[0].shape, in[2].shape, *this);
  check_given("dy", in[1], {in[0].dtype, s.y()});
  return {in[0].dtype, {chunks_of(s), s.kh, s.kw, s.channels, s.kernels}};
}

Prepared<ConvWeightChunks::Plan> ConvWeightChunks::prepare(Types in) const {
  auto plan = std::make_shared<Plan>();
  Plan& p = *plan;
  const ConvShape& s = p.s = conv_shape(in[0].shape, in[2].shape, *this);
  p.chunks = chunks_of(s);
  Work work{.parts = p.chunks, .bytes = static_cast<double>(in[0].bytes() + in[1].bytes() + infer(in).bytes())};
  work.add_flops(s.flops(), gemm::flops_per_ns(in[0].dtype, s.kernels));
  if (ConvPatches::pay(s))
    work.scratch = (ConvPatches(s).scratch() + wide_row(s) + wide_taps(s)) * size_of(in[0].dtype);
  else if (s.flops() / static_cast<double>(p.chunks) > split_flops)
    p.splits = s.kh;
  work.parts *= p.splits;
  const auto size = static_cast<unsigned long long>(size_of(in[0].dtype));
  internal::claim_table(s.rows, 2 * sizeof(unsigned long long));
  for (std::int64_t i = 0; i < s.rows; ++i) {
    p.x_offsets.push_back(static_cast<unsigned long long>(i * s.stride.down * s.width * s.channels) * size);
    p.dy_offsets.push_back(static_cast<unsigned long long>(i * s.columns * s.kernels) * size);
  }
  p.narrow =
      gemm::is_narrow(in[0].dtype, s.kernels) && (ConvPatches::pay(s) || s.kernels == gemm::narrow_width(s.kernels));
  const std::int64_t row_bytes = (s.stride.down * s.width * s.channels + s.columns * s.kernels) * size_of(in[0].dtype);
  p.block_rows = std::max<std::int64_t>(1, p.narrow ? block_bytes / std::max<std::int64_t>(1, row_bytes) : s.rows);
  const bool jit = !p.narrow && gemm::sums_in_one_chain(in[0].dtype) && s.flops() >= kernel_flops && gemm::has_jit();
  if (ConvPatches::pay(s)) {
    const std::int64_t patch = p.patches.emplace(s).size();
    if (jit && s.kernels <= panel)
      p.patch_kernel = gemm::kernel({.rows = patch,
                                     .columns = s.kernels,
                                     .k = s.columns,
                                     .lda = patch,
                                     .ldb = s.kernels,
                                     .ldy = s.kernels,
                                     .transpose_a = true,
                                     .accumulate = true});
    return {work, plan};
  }
  internal::claim_table(s.kw, sizeof(Plan::Across));
  for (std::int64_t tap = 0; tap < s.kw; ++tap) {
    const std::int64_t shift = tap * s.dilation.across - s.left;
    const std::int64_t begin = std::clamp<std::int64_t>((-shift + s.stride.across - 1) / s.stride.across, 0, s.columns);
    const std::int64_t end =
        shift >= s.width ? begin
                         : std::clamp<std::int64_t>((s.width - 1 - shift) / s.stride.across + 1, begin, s.columns);
    Plan::Across across{begin, end, shift};
    for (int full = 0; full < 2 && jit && begin < end; ++full) {
      if (full && s.kernels <= panel) continue;
      across.kernels[full] = gemm::batch_kernel({.rows = s.channels,
                                                 .columns = full ? panel : s.kernels - (s.kernels - 1) / panel * panel,
                                                 .k = end - begin,
                                                 .lda = s.stride.across * s.channels,
                                                 .ldb = s.kernels,
                                                 .ldy = s.kernels,
                                                 .transpose_a = true,
                                                 .accumulate = true});
    }
    p.across.push_back(across);
  }
  return {work, plan};
}

// dw[c][k] += sum over dy's rows i from `begin` to `end` and pixels j of
// x[i * stride + down][j * stride + across][c] dy[i][j][k], of one image.
template <class T>
void ConvWeightChunks::Plan::tap(const T* x, const T* dy, std::int64_t down, std::int64_t number, std::int64_t begin,
                                 std::int64_t end, bool accumulate, T* dw) const {
  const Across& a = across[static_cast<std::size_t>(number)];
  const std::int64_t shift = down * s.dilation.down - s.top;
  const std::int64_t first = std::clamp<std::int64_t>((-shift + s.stride.down - 1) / s.stride.down, begin, end);
  const std::int64_t last =
      shift >= s.height ? first : std::clamp<std::int64_t>((s.height - 1 - shift) / s.stride.down + 1, first, end);
  if (!accumulate) std::fill_n(dw, s.channels * s.kernels, T(0));
  if (first == last || a.begin == a.end) return;
  const T* from = x + (((first * s.stride.down + shift) * s.width) + a.begin * s.stride.across + a.shift) * s.channels;
  for (std::int64_t k = 0; k < s.kernels; k += panel) {
    const T* d = dy + (first * s.columns + a.begin) * s.kernels + k;
    const std::int64_t columns = std::min(panel, s.kernels - k);
    if constexpr (std::is_same_v<T, float>) {
      if (narrow) {
        gemm::narrow({.rows = s.channels,
                      .columns = columns,
                      .k = a.end - a.begin,
                      .ldb = s.kernels,
                      .ldy = s.kernels,
                      .taps = {last - first, x_offsets.data(), dy_offsets.data()},
                      .accumulate = true},
                     {from, 1, s.stride.across * s.channels}, d, dw);
        continue;
      }
      if (const auto& kernel = a.kernels[columns == panel && s.kernels > panel]) {
        const auto count = static_cast<unsigned long long>(last - first);
        kernel(d, from, dw + k, &count, dy_offsets.data(), x_offsets.data());
        continue;
      }
    }
    for (std::int64_t i = 0; i < last - first; ++i)
      gemm::multiply<T>(s.channels, columns, a.end - a.begin,
                        {from + i * s.stride.down * s.width * s.channels, 1, s.stride.across * s.channels},
                        d + i * s.columns * s.kernels, s.kernels, dw + k, s.kernels, true);
  }
}

// The same for all taps at once, by rows of pixels: dw[tap, c][k] += patches^T dy.
template <class T>
void ConvWeightChunks::Plan::rows(const T* x, const T* dy, bool accumulate, T* dw, T* scratch) const {
  const std::int64_t patch = patches->size();
  if (!accumulate) std::fill_n(dw, patch * s.kernels, T(0));
  for (std::int64_t i = 0; i < s.rows; ++i) {
    patches->row(x, i, scratch);
    const T* d = dy + i * s.columns * s.kernels;
    if constexpr (std::is_same_v<T, float>)
      if (patch_kernel) {
        patch_kernel(d, scratch, dw);
        continue;
      }
    gemm::multiply<T>(patch, s.kernels, s.columns, {scratch, 1, patch}, d, s.kernels, dw, s.kernels, true);
  }
}

// The same in rows as wide as registers, for images [first, last).
void ConvWeightChunks::Plan::narrow_rows(const float* x, const float* dy, std::int64_t first, std::int64_t last,
                                         float* dw, float* scratch) const {
  const std::int64_t patch = patches->size(), width = gemm::narrow_width(s.kernels);
  float* row = scratch + patches->scratch();
  float* sums = row + wide_row(s);
  std::fill_n(sums, patch * width, 0.0f);
  for (std::int64_t i = first * s.rows; i < last * s.rows; ++i) {
    patches->row(x + i / s.rows * s.height * s.width * s.channels, i % s.rows, scratch);
    gemm::widen(s.columns, s.kernels, dy + i * s.columns * s.kernels, row);
    gemm::narrow({.rows = patch, .columns = width, .k = s.columns, .ldb = width, .ldy = width, .accumulate = true},
                 {scratch, 1, patch}, row, sums);
  }
  for (std::int64_t i = 0; i < patch; ++i) std::copy_n(sums + i * width, s.kernels, dw + i * s.kernels);
}

void ConvWeightChunks::run(const Run& r, const Plan& p) const {
  const ConvShape& s = p.s;
  const std::int64_t chunk = r.part / p.splits, split = r.part % p.splits;
  const std::int64_t first = chunk * s.images / p.chunks, last = (chunk + 1) * s.images / p.chunks;
  const std::int64_t matrix = s.channels * s.kernels, taps = s.kh * s.kw;
  const auto compute = [&]<class T>(std::type_identity<T>) {
    T* dw = r.out<T>() + chunk * taps * matrix;
    if (s.images == 0) return void(std::fill_n(dw, taps * matrix, T(0)));
    if constexpr (std::is_same_v<T, float>)
      if (p.narrow && p.patches)
        return p.narrow_rows(r.in<float>(0), r.in<float>(1), first, last, dw, reinterpret_cast<float*>(r.scratch));
    for (std::int64_t image = first; image < last; ++image) {
      const T* x = r.in<T>(0) + image * s.height * s.width * s.channels;
      const T* dy = r.in<T>(1) + image * s.rows * s.columns * s.kernels;
      if (p.patches) {
        p.rows<T>(x, dy, image > first, dw, reinterpret_cast<T*>(r.scratch));
        continue;
      }
      for (std::int64_t i = 0; i < std::max<std::int64_t>(1, s.rows); i += p.block_rows)
        for (std::int64_t tap = 0; tap < taps; ++tap)
          if (tap / s.kw % p.splits == split)
            p.tap<T>(x, dy, tap / s.kw, tap % s.kw, i, std::min(i + p.block_rows, s.rows), image > first || i > 0,
                     dw + tap * matrix);
    }
  };
  dispatch<dtypes::Floats>(r.in_type(0).dtype, compute);
}

}  // namespace oxbow::ops
