// The gradient to the weights of a convolution with a kernel a channel: for each tap and channel the sum of x dy over
// the pixels where the tap is inside. An image is cut into fields of pixels for which the same taps are: their sums
// stay in registers over a whole field.
#include <oxbow/graph/support/tables.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/depthwise.h>
#include <oxbow/ops/conv/geometry.h>
#include <oxbow/ops/conv/taps.h>
#include <oxbow/ops/shared/registers.h>

#include <algorithm>
#include <array>

namespace oxbow::ops {
namespace {

constexpr std::int64_t band_bytes = 64 << 10;  // of x and dy at once, which are read again for other fields and taps
constexpr std::int64_t most_taps = 9;          // summed at once: of AVX2's 16 registers

// Pixels, and the taps that are inside for all of them: tap t reads x[origin + x_offsets[t]] for the first pixel.
template <class T>
struct Field {
  const T *x, *dy;
  T* dw;
  std::int64_t x_origin, dy_origin, images, rows, columns;
  std::int64_t x_image, x_row, x_column, dy_image, dy_row, dy_column;  // from one to the next
  const std::int64_t *x_offsets, *dw_offsets;
  std::int64_t channels;
};

// Channels from c on, a register full each; returns the first one left.
template <class T, int taps, int lanes>
std::int64_t columns(const Field<T>& f, std::int64_t c) {
  for (; c + lanes <= f.channels; c += lanes) {
    Register<T, lanes> sums[taps];
    std::int64_t offsets[taps];
    for (int t = 0; t < taps; ++t) {
      sums[t] = load<T, lanes>(f.dw + f.dw_offsets[t] + c);
      offsets[t] = f.x_offsets[t];
    }
    for (std::int64_t image = 0; image < f.images; ++image)
      for (std::int64_t i = 0; i < f.rows; ++i) {
        std::int64_t at = f.x_origin + image * f.x_image + i * f.x_row + c;
        const T* dy = f.dy + (f.dy_origin + image * f.dy_image + i * f.dy_row + c);
        for (std::int64_t j = 0; j < f.columns; ++j, at += f.x_column, dy += f.dy_column) {
          const Register<T, lanes> d = load<T, lanes>(dy);
#pragma GCC unroll 9
          for (int t = 0; t < taps; ++t) add_product<T, lanes>(load<T, lanes>(f.x + (at + offsets[t])), d, sums[t]);
        }
      }
    for (int t = 0; t < taps; ++t) store(sums[t], f.dw + f.dw_offsets[t] + c);
  }
  return c;
}

template <class T, int taps>
void sum_taps(const Field<T>& f) {
  constexpr int widest = register_bytes / static_cast<int>(sizeof(T));
  std::int64_t c = columns<T, taps, widest>(f, 0);
  if constexpr (widest > 4) c = columns<T, taps, 4>(f, c);
  columns<T, taps, 1>(f, c);
}

template <class T>
void sum_field(Field<T> f, std::int64_t taps) {
  constexpr auto table = []<std::size_t... t>(std::index_sequence<t...>) {
    return std::array{&sum_taps<T, static_cast<int>(t) + 1>...};
  }
  (std::make_index_sequence<most_taps>{});
  for (std::int64_t left = (taps + most_taps - 1) / most_taps; left > 0; --left) {
    const std::int64_t some = (taps + left - 1) / left;  // as equal as can be
    table[static_cast<std::size_t>(some - 1)](f);
    f.x_offsets += some;
    f.dw_offsets += some;
    taps -= some;
  }
}

}  // namespace

struct DepthwiseWeightChunks::Plan {
  ConvShape s;
  std::int64_t chunks = 1;
  std::int64_t band_rows = 1, band_images = 1;  // what is summed before the next: some rows, or whole images
  struct Field2d {
    Stretch down, across;
    std::vector<std::int64_t> x_offsets = {}, dw_offsets = {};
  };
  std::vector<Field2d> fields;

  template <class T>
  void band(const T* x, const T* dy, std::int64_t image, std::int64_t images, std::int64_t first, std::int64_t last,
            T* dw) const;
};

Type DepthwiseWeightChunks::infer(Types in) const {
  check_computed<dtypes::Floats>(in[0], "x");
  const ConvShape s = depthwise_shape(in[0].shape, in[2].shape, *this);
  check_given("dy", in[1], {in[0].dtype, s.y()});
  return {in[0].dtype, {chunks_of(s), s.kh, s.kw, 1, s.channels}};
}

Prepared<DepthwiseWeightChunks::Plan> DepthwiseWeightChunks::prepare(Types in) const {
  auto plan = std::make_shared<Plan>();
  Plan& p = *plan;
  const ConvShape& s = p.s = depthwise_shape(in[0].shape, in[2].shape, *this);
  p.chunks = chunks_of(s);
  const Work work{.parts = p.chunks,
                  .flops = s.flops(),
                  .bytes = static_cast<double>(in[0].bytes() + in[1].bytes() + infer(in).bytes())};
  const std::int64_t row = (s.stride.down * s.width + s.columns) * s.channels * size_of(in[0].dtype);
  const std::int64_t rows = std::max<std::int64_t>(1, band_bytes / std::max<std::int64_t>(1, row));
  p.band_rows = std::min(rows, std::max<std::int64_t>(1, s.rows));
  p.band_images = std::max<std::int64_t>(1, rows / std::max<std::int64_t>(1, s.rows));
  const Phase down = phases({s.rows, s.kh, s.top, s.stride.down, s.dilation.down}, false)[0];
  const Phase across = phases({s.columns, s.kw, s.left, s.stride.across, s.dilation.across}, false)[0];
  for (const Stretch& y : stretches(down, s.stride.down, s.height))
    for (const Stretch& x : stretches(across, s.stride.across, s.width)) {
      internal::claim_table(1, sizeof(Plan::Field2d));
      internal::claim_table((y.last - y.first) * (x.last - x.first), 2 * sizeof(std::int64_t));
      Plan::Field2d& field = p.fields.emplace_back(Plan::Field2d{y, x});
      for (std::int64_t a = y.first; a < y.last; ++a)
        for (std::int64_t b = x.first; b < x.last; ++b) {
          const Tap &below = down.taps[static_cast<std::size_t>(a)], &beside = across.taps[static_cast<std::size_t>(b)];
          field.x_offsets.push_back((below.shift * s.width + beside.shift) * s.channels);
          field.dw_offsets.push_back((below.number * s.kw + beside.number) * s.channels);
        }
    }
  return {work, plan};
}

// Adds what the rows [first, last) of some images give.
template <class T>
void DepthwiseWeightChunks::Plan::band(const T* x, const T* dy, std::int64_t image, std::int64_t images,
                                       std::int64_t first, std::int64_t last, T* dw) const {
  const std::int64_t c = s.channels;
  for (const Field2d& f : fields) {
    const std::int64_t begin = std::max(first, f.down.begin), end = std::min(last, f.down.end);
    if (begin >= end || f.x_offsets.empty()) continue;
    sum_field<T>(
        {.x = x,
         .dy = dy,
         .dw = dw,
         .x_origin = ((image * s.height + begin * s.stride.down) * s.width + f.across.begin * s.stride.across) * c,
         .dy_origin = ((image * s.rows + begin) * s.columns + f.across.begin) * c,
         .images = images,
         .rows = end - begin,
         .columns = f.across.end - f.across.begin,
         .x_image = s.height * s.width * c,
         .x_row = s.stride.down * s.width * c,
         .x_column = s.stride.across * c,
         .dy_image = s.rows * s.columns * c,
         .dy_row = s.columns * c,
         .dy_column = c,
         .x_offsets = f.x_offsets.data(),
         .dw_offsets = f.dw_offsets.data(),
         .channels = c},
        static_cast<std::int64_t>(f.x_offsets.size()));
  }
}

void DepthwiseWeightChunks::run(const Run& r, const Plan& p) const {
  const ConvShape& s = p.s;
  const std::int64_t first = r.part * s.images / p.chunks, last = (r.part + 1) * s.images / p.chunks;
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    T* dw = r.out<T>() + r.part * s.kh * s.kw * s.channels;
    std::fill_n(dw, s.kh * s.kw * s.channels, T(0));
    for (std::int64_t image = first; image < last; image += p.band_images)
      for (std::int64_t row = 0; row < s.rows; row += p.band_rows)
        p.band<T>(r.in<T>(0), r.in<T>(1), image, std::min(p.band_images, last - image), row,
                  std::min(row + p.band_rows, s.rows), dw);
  });
}

}  // namespace oxbow::ops
