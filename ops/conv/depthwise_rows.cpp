#include <oxbow/graph/support/tables.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/depthwise_rows.h>
#include <oxbow/ops/shared/registers.h>

#include <algorithm>
#include <array>

namespace oxbow::ops {
namespace {

// Some pixels of a row that sum the same taps: pixel p reads x[origin + p * x_step + x_offsets[t]].
template <class T>
struct Pixels {
  const T *x, *weights;
  T* y;
  std::int64_t origin, taps;
  const std::int64_t *x_offsets, *weight_offsets;
  std::int64_t x_step, y_step, channels;
};

// Channels from c on, as many registers full as there are; returns the first one left.
template <class T, int pixels, int lanes, int vectors>
std::int64_t columns(const Pixels<T>& b, std::int64_t c) {
  const std::int64_t taps = b.taps, x_step = b.x_step, y_step = b.y_step, channels = b.channels;
  for (; c + vectors * lanes <= channels; c += vectors * lanes) {
    Register<T, lanes> sums[pixels][vectors] = {};
    for (std::int64_t t = 0; t < taps; ++t) {
      const T* x = b.x + (b.origin + b.x_offsets[t] + c);
      const T* weights = b.weights + (b.weight_offsets[t] + c);
      Register<T, lanes> w[vectors];
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) w[v] = load<T, lanes>(weights + v * lanes);
#pragma GCC unroll 8
      for (int p = 0; p < pixels; ++p)
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v)
          add_product<T, lanes>(load<T, lanes>(x + p * x_step + v * lanes), w[v], sums[p][v]);
    }
#pragma GCC unroll 8
    for (int p = 0; p < pixels; ++p)
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) store(sums[p][v], b.y + p * y_step + c + v * lanes);
  }
  return c;
}

template <class T, int pixels>
void block(const Pixels<T>& b) {
  constexpr int widest = register_bytes / static_cast<int>(sizeof(T));
  // At least eight sums at once, which do not wait for one another: a pixel at an edge stands alone.
  constexpr int vectors = pixels == 1 ? 8 : pixels <= 3 ? 4 : 2;
  std::int64_t c = columns<T, pixels, widest, vectors>(b, 0);
  if constexpr (vectors > 2) c = columns<T, pixels, widest, 2>(b, c);
  c = columns<T, pixels, widest, 1>(b, c);
  if constexpr (widest > 4) c = columns<T, pixels, 4, 1>(b, c);
  columns<T, pixels, 1, 1>(b, c);
}

constexpr std::int64_t most_pixels = 6;  // with two vectors each: 12 of AVX2's 16 registers are sums

template <class T>
void blocks(Pixels<T> b, std::int64_t count) {
  constexpr auto table = []<std::size_t... p>(std::index_sequence<p...>) {
    return std::array{&block<T, static_cast<int>(p) + 1>...};
  }
  (std::make_index_sequence<most_pixels>{});
  for (std::int64_t left = (count + most_pixels - 1) / most_pixels; left > 0; --left) {
    const std::int64_t pixels = (count + left - 1) / left;  // blocks as equal as can be
    table[static_cast<std::size_t>(pixels - 1)](b);
    b.origin += pixels * b.x_step;
    b.y += pixels * b.y_step;
    count -= pixels;
  }
}

}  // namespace

DepthwiseRows DepthwiseRows::forward(const ConvShape& s, DType dtype) {
  DepthwiseRows r;
  r.dtype_ = dtype;
  r.flops_ = s.flops();
  r.images_ = s.images, r.channels_ = s.channels;
  r.in_h_ = s.height, r.in_w_ = s.width;
  r.out_h_ = s.rows, r.out_w_ = s.columns;
  r.kh_ = s.kh, r.kw_ = s.kw;
  r.step_in_ = s.stride;
  r.down_ = phases({s.rows, s.kh, s.top, s.stride.down, s.dilation.down}, false);
  r.across_ = phases({s.columns, s.kw, s.left, s.stride.across, s.dilation.across}, false);
  r.make_runs();
  return r;
}

DepthwiseRows DepthwiseRows::adjoint(const ConvShape& s, DType dtype) {
  DepthwiseRows r;
  r.dtype_ = dtype;
  r.flops_ = s.flops();
  r.images_ = s.images, r.channels_ = s.channels;
  r.in_h_ = s.rows, r.in_w_ = s.columns;
  r.out_h_ = s.height, r.out_w_ = s.width;
  r.kh_ = s.kh, r.kw_ = s.kw;
  r.step_out_ = s.stride;
  r.down_ = phases({s.height, s.kh, s.top, s.stride.down, s.dilation.down}, true);
  r.across_ = phases({s.width, s.kw, s.left, s.stride.across, s.dilation.across}, true);
  r.make_runs();
  return r;
}

void DepthwiseRows::make_runs() {
  internal::claim_table(std::ssize(across_), sizeof(std::vector<Run2d>));
  for (const Phase& across : across_) {
    std::vector<Run2d>& runs = runs_.emplace_back();
    for (const Stretch& s : stretches(across, step_in_.across, in_w_)) {
      internal::claim_table(1, sizeof(Run2d));
      internal::claim_table(std::ssize(down_), 2 * sizeof(std::vector<std::int64_t>));
      internal::claim_table(kh_ * (s.last - s.first), 2 * sizeof(std::int64_t));  // each tap down is of one phase
      Run2d& run = runs.emplace_back(Run2d{s.begin, s.end, s.last - s.first});
      for (const Phase& down : down_) {
        auto &xs = run.x_offsets.emplace_back(), &weights = run.weight_offsets.emplace_back();
        for (const Tap& y : down.taps)
          for (std::int64_t i = s.first; i < s.last; ++i) {
            const Tap& x = across.taps[static_cast<std::size_t>(i)];
            xs.push_back((y.shift * in_w_ + x.shift) * channels_);
            weights.push_back((y.number * kw_ + x.number) * channels_);
          }
      }
    }
  }
}

double DepthwiseRows::bytes() const {
  return static_cast<double>(size_of(dtype_) * channels_ * (images_ * (in_h_ * in_w_ + out_h_ * out_w_) + kh_ * kw_));
}

// Parts that rows alone would be cut into.
std::int64_t DepthwiseRows::most_parts() const {
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(bytes() / part_bytes), 1,
                                  std::max<std::int64_t>(1, images_ * out_h_));
}

bool DepthwiseRows::serves(const internal::Tape& epilogue, Types extra) const {
  return RowsEpilogue::serves(epilogue, result(), extra, most_parts());
}

Work DepthwiseRows::work() const {
  Work w{.parts = most_parts(), .flops = flops_, .bytes = bytes()};
  epilogue_.add_to(w);
  return w;
}

template <class T>
void DepthwiseRows::row(const Run& r, std::int64_t number, T* y) const {
  const std::int64_t image = number / out_h_, i = number % out_h_;
  const std::int64_t t = i / step_out_.down;
  const auto phase = static_cast<std::size_t>(i % step_out_.down);
  const std::vector<Tap>& taps = down_[phase].taps;
  const auto row_of = [&](std::int64_t n) { return t * step_in_.down + taps[static_cast<std::size_t>(n)].shift; };
  std::int64_t first = 0, last = static_cast<std::int64_t>(taps.size());  // the taps down that are inside the image
  while (first < last && row_of(first) < 0) ++first;
  while (first < last && row_of(last - 1) >= in_h_) --last;

  const std::int64_t origin = (image * in_h_ + t * step_in_.down) * in_w_ * channels_;
  for (std::size_t p = 0; p < runs_.size(); ++p)
    for (const Run2d& run : runs_[p])
      blocks<T>({.x = r.in<T>(0),
                 .weights = r.in<T>(1),
                 .y = y + (static_cast<std::int64_t>(p) + run.begin * step_out_.across) * channels_,
                 .origin = origin + run.begin * step_in_.across * channels_,
                 .taps = (last - first) * run.across,
                 .x_offsets = run.x_offsets[phase].data() + first * run.across,
                 .weight_offsets = run.weight_offsets[phase].data() + first * run.across,
                 .x_step = step_in_.across * channels_,
                 .y_step = step_out_.across * channels_,
                 .channels = channels_},
                run.end - run.begin);
}

void DepthwiseRows::run(const Run& r, int first_extra) const {
  if (images_ * out_h_ * out_w_ * channels_ == 0) return;
  dispatch<dtypes::Floats>(dtype_, [&]<class T>(std::type_identity<T>) {
    epilogue_.run<T>(r, first_extra, r.scratch, [&](std::int64_t number, T* y) { row<T>(r, number, y); });
  });
}

}  // namespace oxbow::ops
