#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/pool.h>

#include <algorithm>
#include <limits>

namespace oxbow::ops {
namespace {

// One axis of a window: the taps [first, last) are within x.
struct Inside {
  std::int64_t begin, first, last;
  std::int64_t at(std::int64_t tap, const PoolShape::Axis& a) const { return begin + tap * a.dilation; }
  bool empty() const { return first >= last; }
};

Inside inside(const PoolShape::Axis& a, std::int64_t window) {
  const std::int64_t begin = window * a.stride - a.before;
  const std::int64_t first = begin >= 0 ? 0 : (-begin + a.dilation - 1) / a.dilation;
  const std::int64_t last = begin >= a.in ? 0 : std::min(a.taps, (a.in - 1 - begin) / a.dilation + 1);
  return {begin, first, std::max(first, last)};
}

Type check_pooled(Types in, const PoolAttributes& options, const char* which) {
  check_dtype(dtypes::Numbers{}, in[0], "x");
  const Shape pooled = pool_shape(in[0].shape, options).y(in[0].shape.rank());
  if (in[1].shape != pooled || in[1].dtype != in[0].dtype)
    throw OpError(std::string(which) + " is " + to_string(in[1]) + " where the pooled x is " +
                      to_string(Type{in[0].dtype, pooled}),
                  "Give it the type of max_pool(x)");
  return {in[0].dtype, pooled};
}

Work image_work(Types in, std::int64_t scratch) {
  Work w{.scratch = scratch};
  for (const Type& t : in) w.bytes += static_cast<double>(t.bytes());
  w.bytes += static_cast<double>(in[0].bytes());
  w.flops = w.bytes / 2;
  w.parts = std::clamp<std::int64_t>(static_cast<std::int64_t>(w.bytes / part_bytes), 1,
                                     std::max<std::int64_t>(1, in[0].shape[0]));
  return w;
}

// Whether v takes the place of the largest so far: the first of equals stays, and a NaN wins.
template <class T>
inline bool takes(T v, T best) {
  return v > best || v != v;
}

// What nothing is the largest of.
template <class T>
constexpr T least() {
  return std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
}

// Calls f(pixel of the image) for each tap of a window that is within x, row by row.
template <class F>
inline void each_tap(const PoolShape& s, const Inside& depth, const Inside& down, const Inside& across, F&& f) {
  for (std::int64_t a = depth.first; a < depth.last; ++a)
    for (std::int64_t b = down.first; b < down.last; ++b)
      for (std::int64_t c = across.first; c < across.last; ++c)
        f((depth.at(a, s.depth) * s.down.in + down.at(b, s.down)) * s.across.in + across.at(c, s.across));
}

// Calls f(window's number in the image, its taps on the three axes) for the windows of a row of them.
template <class F>
void each_window(const PoolShape& s, std::int64_t row, F&& f) {
  const Inside depth = inside(s.depth, row / s.down.out), down = inside(s.down, row % s.down.out);
  for (std::int64_t column = 0; column < s.across.out; ++column)
    f(row * s.across.out + column, depth, down, inside(s.across, column));
}

// Which element of a window is the largest, for each channel: its pixel, -1 where there is none.
template <class T>
void find_largest(const PoolShape& s, const Inside& depth, const Inside& down, const Inside& across,
                  const T* __restrict x, T* __restrict best, std::int32_t* __restrict which) {
  bool first = true;
  std::fill_n(which, s.channels, -1);
  each_tap(s, depth, down, across, [&](std::int64_t pixel) {
    const T* v = x + pixel * s.channels;
    const auto number = static_cast<std::int32_t>(pixel);
    if (first) {
      std::copy_n(v, s.channels, best);
      std::fill_n(which, s.channels, number);
      first = false;
      return;
    }
    for (std::int64_t c = 0; c < s.channels; ++c) {
      const bool take = takes(v[c], best[c]);
      best[c] = take ? v[c] : best[c];
      which[c] = take ? number : which[c];
    }
  });
}

// Calls f(window's number, its taps, pixels of the largest, the largest) for each window of an image.
template <class T, class F>
void each_largest(const PoolShape& s, const T* x, std::byte* scratch, F&& f) {
  auto* which = reinterpret_cast<std::int32_t*>(scratch);
  T* best = reinterpret_cast<T*>(scratch + aligned(s.channels * 4));
  for (std::int64_t row = 0; row < s.depth.out * s.down.out; ++row)
    each_window(s, row, [&](std::int64_t window, const Inside& depth, const Inside& down, const Inside& across) {
      find_largest(s, depth, down, across, x, best, which);
      f(window, depth, down, across, which, best);
    });
}

std::int64_t window_scratch(const Type& x) { return aligned(x.shape[-1] * 4) + x.shape[-1] * size_of(x.dtype); }

// Square windows of an image that touch, within it.
bool touching(const PoolShape& s) {
  const auto whole = [](const PoolShape::Axis& a) {
    return a.taps == a.stride && a.dilation == 1 && a.before == 0 && a.out * a.stride <= a.in;
  };
  return s.depth.in == 1 && s.depth.taps == 1 && s.depth.out == 1 && s.depth.before == 0 && whole(s.down) &&
         whole(s.across) && s.down.taps == s.across.taps;
}

// The gradient where windows touch (stride = size), a row of windows at a time, all channels alike. The largest of a
// window is looked for at every place, as if a window began there, which keeps the lanes full with few channels too;
// what the true windows found is then laid out over all of their elements.
template <class T>
void touching_gradient(const PoolShape& w, const T* x, const T* dy, T* dx, std::byte* scratch) {
  const std::int64_t c = w.channels, size = w.across.taps, rows = w.down.out, columns = w.across.out;
  const std::int64_t across = w.across.in * c, span = columns * size * c;
  const std::int64_t places = span - (size - 1) * c;
  const std::int64_t room = (across * 8 + 63) / 64 * 64;  // bytes of an array
  auto* __restrict found = reinterpret_cast<std::int32_t*>(scratch);
  auto* __restrict which = reinterpret_cast<std::int32_t*>(scratch + room);       // in each element's own window
  auto* __restrict inside = reinterpret_cast<std::int32_t*>(scratch + 2 * room);  // its column there
  T* __restrict best = reinterpret_cast<T*>(scratch + 3 * room);                  // then dy, laid out
  for (std::int64_t i = 0; i < span; ++i) inside[i] = static_cast<std::int32_t>(i / c % size);
  for (std::int64_t row = 0; row < rows; ++row, x += size * across, dx += size * across, dy += columns * c) {
    std::copy_n(x, places, best);
    std::fill_n(found, places, 0);
    for (std::int64_t tap = 1; tap < size * size; ++tap) {
      const T* v = x + tap / size * across + tap % size * c;
      const auto number = static_cast<std::int32_t>(tap);
      for (std::int64_t i = 0; i < places; ++i) {
        const bool take = takes(v[i], best[i]);
        best[i] = take ? v[i] : best[i];
        found[i] = take ? number : found[i];
      }
    }
    for (std::int64_t column = 0; column < columns; ++column)
      for (std::int64_t b = 0; b < size; ++b) {
        const std::int64_t from = column * size * c, to = from + b * c;
        for (std::int64_t e = 0; e < c; ++e) which[to + e] = found[from + e];
        for (std::int64_t e = 0; e < c; ++e) best[to + e] = dy[column * c + e];
      }
    for (std::int64_t a = 0; a < size; ++a) {
      T* __restrict to = dx + a * across;
      const auto first = static_cast<std::int32_t>(a * size);
      for (std::int64_t i = 0; i < span; ++i) to[i] = which[i] == first + inside[i] ? best[i] : T(0);
      std::fill(to + span, to + across, T(0));
    }
  }
  std::fill_n(dx, (w.down.in - rows * size) * across, T(0));
}

}  // namespace

namespace {

// Parts are rows of windows.
Work row_work(Types in, const PoolShape& s, std::int64_t scratch) {
  Work w = image_work(in, scratch);
  w.parts = std::clamp<std::int64_t>(static_cast<std::int64_t>(w.bytes / part_bytes), 1,
                                     std::max<std::int64_t>(1, s.images * s.depth.out * s.down.out));
  return w;
}

}  // namespace

Type MaxPool::infer(Types in) const {
  check_dtype(dtypes::Numbers{}, in[0], "x");
  return {in[0].dtype, pool_shape(in[0].shape, *this).y(in[0].shape.rank())};
}

Work MaxPool::work(Types in) const {
  const PoolShape s = pool_shape(in[0].shape, *this);
  return row_work(in, s, s.across.in * s.channels * size_of(in[0].dtype));
}

namespace {

// A row of windows, down the columns first: whole rows at once, whatever the number of channels.
template <class T>
void largest_of_row(const PoolShape& s, const T* image, std::int64_t row, T* __restrict high, T* y) {
  const std::int64_t across = s.across.in * s.channels;
  const Inside depth = inside(s.depth, row / s.down.out), down = inside(s.down, row % s.down.out);
  bool first = true;
  for (std::int64_t a = depth.first; a < depth.last; ++a)
    for (std::int64_t b = down.first; b < down.last; ++b, first = false) {
      const T* x = image + (depth.at(a, s.depth) * s.down.in + down.at(b, s.down)) * across;
      if (first) {
        std::copy_n(x, across, high);
        continue;
      }
      for (std::int64_t i = 0; i < across; ++i) high[i] = takes(x[i], high[i]) ? x[i] : high[i];
    }
  for (std::int64_t column = 0; column < s.across.out; ++column) {
    T* __restrict to = y + column * s.channels;
    const Inside in = inside(s.across, column);
    if (first || in.empty()) {
      std::fill_n(to, s.channels, least<T>());
      continue;
    }
    const T* from = high + in.at(in.first, s.across) * s.channels;
    std::copy_n(from, s.channels, to);
    for (std::int64_t tap = in.first + 1; tap < in.last; ++tap) {
      const T* v = high + in.at(tap, s.across) * s.channels;
      for (std::int64_t c = 0; c < s.channels; ++c) to[c] = takes(v[c], to[c]) ? v[c] : to[c];
    }
  }
}

}  // namespace

void MaxPool::run(const Run& r) const {
  const PoolShape s = pool_shape(r.in_type(0).shape, *this);
  const std::int64_t rows = s.depth.out * s.down.out, width = s.across.out * s.channels;
  dispatch<dtypes::Numbers>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    const auto [begin, end] = r.share(s.images * rows);
    for (std::int64_t i = begin; i < end; ++i)
      largest_of_row(s, r.in<T>(0) + i / rows * s.image(), i % rows, reinterpret_cast<T*>(r.scratch),
                     r.out<T>() + i * width);
  });
}

Grads MaxPool::gradient(const Node& n, Values dy) const {
  return {apply(MaxPoolGradient{*this}, {n.input(0), dy[0]}, Location{})};
}

Type MaxPoolPlaces::infer(Types in) const {
  check_dtype(dtypes::Numbers{}, in[0], "x");
  return {i64, pool_shape(in[0].shape, *this).y(in[0].shape.rank())};
}

Work MaxPoolPlaces::work(Types in) const { return row_work(in, pool_shape(in[0].shape, *this), window_scratch(in[0])); }

void MaxPoolPlaces::run(const Run& r) const {
  const PoolShape s = pool_shape(r.in_type(0).shape, *this);
  const std::int64_t rows = s.depth.out * s.down.out, pixels = s.depth.in * s.down.in * s.across.in;
  const auto place = [&](std::int64_t image, std::int64_t pixel, std::int64_t channel) {
    if (pixel < 0) return std::int64_t{-1};
    if (column_major) {
      const std::int64_t slice = pixel / (s.down.in * s.across.in), row = pixel / s.across.in % s.down.in;
      pixel = (pixel % s.across.in * s.down.in + row) * s.depth.in + slice;
    }
    return channels_first ? (image * s.channels + channel) * pixels + pixel
                          : (image * pixels + pixel) * s.channels + channel;
  };
  dispatch<dtypes::Numbers>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    auto* which = reinterpret_cast<std::int32_t*>(r.scratch);
    T* best = reinterpret_cast<T*>(r.scratch + aligned(s.channels * 4));
    const auto [begin, end] = r.share(s.images * rows);
    for (std::int64_t i = begin; i < end; ++i)
      each_window(s, i % rows, [&](std::int64_t window, const Inside& depth, const Inside& down, const Inside& across) {
        const std::int64_t image = i / rows;
        find_largest(s, depth, down, across, r.in<T>(0) + image * s.image(), best, which);
        std::int64_t* to = r.out<std::int64_t>() + (image * s.windows() + window) * s.channels;
        for (std::int64_t c = 0; c < s.channels; ++c) to[c] = place(image, which[c], c);
      });
  });
}

Type MaxPoolGradient::infer(Types in) const {
  check_pooled(in, *this, "dy");
  return in[0];
}

Work MaxPoolGradient::work(Types in) const {
  const PoolShape s = pool_shape(in[0].shape, *this);
  Work w = image_work(in, touching(s) ? 4 * aligned(s.across.in * s.channels * 8) : window_scratch(in[0]));
  w.add_flops(2 * w.bytes);
  return w;
}

void MaxPoolGradient::run(const Run& r) const {
  const PoolShape s = pool_shape(r.in_type(0).shape, *this);
  dispatch<dtypes::Numbers>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    const auto [begin, end] = r.share(s.images);
    for (std::int64_t image = begin; image < end; ++image) {
      const T* x = r.in<T>(0) + image * s.image();
      const T* dy = r.in<T>(1) + image * s.windows() * s.channels;
      T* dx = r.out<T>() + image * s.image();
      if (touching(s)) {
        touching_gradient(s, x, dy, dx, r.scratch);
        continue;
      }
      std::fill_n(dx, s.image(), T(0));
      each_largest(s, x, r.scratch,
                   [&](std::int64_t window, const Inside& depth, const Inside& down, const Inside& across,
                       const std::int32_t* __restrict which, const T*) {
                     const T* __restrict from = dy + window * s.channels;
                     each_tap(s, depth, down, across, [&](std::int64_t pixel) {
                       T* __restrict to = dx + pixel * s.channels;
                       const auto number = static_cast<std::int32_t>(pixel);
                       for (std::int64_t c = 0; c < s.channels; ++c)
                         to[c] = which[c] == number ? static_cast<T>(to[c] + from[c]) : to[c];
                     });
                   });
    }
  });
}

// Linear in dy; which element is largest does not change with x, but where it jumps.
Grads MaxPoolGradient::gradient(const Node& n, Values dy) const {
  return {Value(), apply(MaxPoolGradientGradient{*this}, {n.input(0), dy[0]}, Location{})};
}

Type MaxPoolGradientGradient::infer(Types in) const {
  check_dtype(dtypes::Numbers{}, in[0], "x");
  if (in[0] != in[1])
    throw OpError("v is " + to_string(in[1]) + " and x is " + to_string(in[0]), "Give both the same type");
  return {in[0].dtype, pool_shape(in[0].shape, *this).y(in[0].shape.rank())};
}

Work MaxPoolGradientGradient::work(Types in) const { return image_work(in, window_scratch(in[0])); }

void MaxPoolGradientGradient::run(const Run& r) const {
  const PoolShape s = pool_shape(r.in_type(0).shape, *this);
  dispatch<dtypes::Numbers>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    const auto [begin, end] = r.share(s.images);
    for (std::int64_t image = begin; image < end; ++image) {
      const T* v = r.in<T>(1) + image * s.image();
      T* y = r.out<T>() + image * s.windows() * s.channels;
      each_largest(
          s, r.in<T>(0) + image * s.image(), r.scratch,
          [&](std::int64_t window, const Inside&, const Inside&, const Inside&, const std::int32_t* which, const T*) {
            for (std::int64_t c = 0; c < s.channels; ++c)
              y[window * s.channels + c] = which[c] < 0 ? T(0) : v[which[c] * s.channels + c];
          });
    }
  });
}

Grads MaxPoolGradientGradient::gradient(const Node& n, Values dy) const {
  return {Value(), apply(MaxPoolGradient{*this}, {n.input(0), dy[0]}, Location{})};
}

}  // namespace oxbow::ops
