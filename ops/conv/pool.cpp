#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/pool.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

// The images, the windows, and what a part computes: whole images in backward, rows of windows in forward.
struct Windows {
  std::int64_t images, height, width, channels, rows, columns, size, stride;
  std::int64_t image() const { return height * width * channels; }
  std::int64_t pooled() const { return rows * columns * channels; }
};

Windows windows(const Shape& x, std::int64_t size, std::int64_t stride) {
  return {x[0], x[1], x[2], x[3], (x[1] - size) / stride + 1, (x[2] - size) / stride + 1, size, stride};
}

Shape pooled_shape(const Shape& x, std::int64_t size, std::int64_t stride) {
  if (x.rank() != 4)
    throw OpError("x has " + std::to_string(x.rank()) + " axes where images have four",
                  "Give [images, height, width, channels]");
  if (size < 1 || stride < 1)
    throw OpError("windows of size " + std::to_string(size) + " cannot lie " + std::to_string(stride) + " apart",
                  "Both are at least 1");
  if (x[1] < size || x[2] < size)
    throw OpError("a window of " + std::to_string(size) + " by " + std::to_string(size) +
                      " does not fit into images of " + std::to_string(x[1]) + " by " + std::to_string(x[2]),
                  "Pool with a smaller size, or larger images");
  const Windows w = windows(x, size, stride);
  return {w.images, w.rows, w.columns, w.channels};
}

Type check_pooled(Types in, std::int64_t size, std::int64_t stride, const char* which) {
  check_dtype(dtypes::Numbers{}, in[0], "x");
  const Shape pooled = pooled_shape(in[0].shape, size, stride);
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

// Which element of the window at `x` is the largest, for each channel: its number, row by row.
template <class T>
void find_largest(const Windows& w, const T* __restrict x, T* __restrict best, std::int32_t* __restrict which) {
  for (std::int64_t c = 0; c < w.channels; ++c) {
    best[c] = x[c];
    which[c] = 0;
  }
  for (std::int64_t tap = 1; tap < w.size * w.size; ++tap) {
    const T* v = x + (tap / w.size * w.width + tap % w.size) * w.channels;
    const auto number = static_cast<std::int32_t>(tap);
    for (std::int64_t c = 0; c < w.channels; ++c) {
      const bool take = takes(v[c], best[c]);
      best[c] = take ? v[c] : best[c];
      which[c] = take ? number : which[c];
    }
  }
}

// Calls f(x window's first element, window's number in the image, numbers of the largest) for each window of an image.
template <class T, class F>
void each_window(const Windows& w, const T* x, std::byte* scratch, F&& f) {
  auto* which = reinterpret_cast<std::int32_t*>(scratch);
  T* best = reinterpret_cast<T*>(scratch + (w.channels * 4 + 63) / 64 * 64);
  for (std::int64_t row = 0; row < w.rows; ++row)
    for (std::int64_t column = 0; column < w.columns; ++column) {
      const std::int64_t first = (row * w.stride * w.width + column * w.stride) * w.channels;
      find_largest(w, x + first, best, which);
      f(first, (row * w.columns + column) * w.channels, which);
    }
}

// The gradient where windows touch (stride = size), a row of windows at a time, all channels alike. The largest of a
// window is looked for at every place, as if a window began there, which keeps the lanes full with few channels too;
// what the true windows found is then laid out over all of their elements.
template <class T>
void touching_gradient(const Windows& w, const T* x, const T* dy, T* dx, std::byte* scratch) {
  const std::int64_t c = w.channels, across = w.width * c, span = w.columns * w.size * c;
  const std::int64_t places = span - (w.size - 1) * c;
  const std::int64_t room = (across * 8 + 63) / 64 * 64;  // bytes of an array
  auto* __restrict found = reinterpret_cast<std::int32_t*>(scratch);
  auto* __restrict which = reinterpret_cast<std::int32_t*>(scratch + room);       // in each element's own window
  auto* __restrict inside = reinterpret_cast<std::int32_t*>(scratch + 2 * room);  // its column there
  T* __restrict best = reinterpret_cast<T*>(scratch + 3 * room);                  // then dy, laid out
  for (std::int64_t i = 0; i < span; ++i) inside[i] = static_cast<std::int32_t>(i / c % w.size);
  for (std::int64_t row = 0; row < w.rows; ++row, x += w.size * across, dx += w.size * across, dy += w.columns * c) {
    std::copy_n(x, places, best);
    std::fill_n(found, places, 0);
    for (std::int64_t tap = 1; tap < w.size * w.size; ++tap) {
      const T* v = x + tap / w.size * across + tap % w.size * c;
      const auto number = static_cast<std::int32_t>(tap);
      for (std::int64_t i = 0; i < places; ++i) {
        const bool take = takes(v[i], best[i]);
        best[i] = take ? v[i] : best[i];
        found[i] = take ? number : found[i];
      }
    }
    for (std::int64_t column = 0; column < w.columns; ++column)
      for (std::int64_t b = 0; b < w.size; ++b) {
        const std::int64_t from = column * w.size * c, to = from + b * c;
        for (std::int64_t e = 0; e < c; ++e) which[to + e] = found[from + e];
        for (std::int64_t e = 0; e < c; ++e) best[to + e] = dy[column * c + e];
      }
    for (std::int64_t a = 0; a < w.size; ++a) {
      T* __restrict to = dx + a * across;
      const auto first = static_cast<std::int32_t>(a * w.size);
      for (std::int64_t i = 0; i < span; ++i) to[i] = which[i] == first + inside[i] ? best[i] : T(0);
      std::fill(to + span, to + across, T(0));
    }
  }
  std::fill_n(dx, (w.height - w.rows * w.size) * across, T(0));
}

std::int64_t window_scratch(const Type& x) { return (x.shape[3] * 4 + 63) / 64 * 64 + x.shape[3] * size_of(x.dtype); }

}  // namespace

Type MaxPool::infer(Types in) const {
  check_dtype(dtypes::Numbers{}, in[0], "x");
  return {in[0].dtype, pooled_shape(in[0].shape, size, stride)};
}

Work MaxPool::work(Types in) const {
  Work w = image_work(in, in[0].shape[2] * in[0].shape[3] * size_of(in[0].dtype));
  const Shape y = infer(in).shape;
  w.parts = std::clamp<std::int64_t>(static_cast<std::int64_t>(w.bytes / part_bytes), 1,
                                     std::max<std::int64_t>(1, y[0] * y[1]));
  return w;
}

// Down the columns first: whole rows at once, whatever the number of channels.
void MaxPool::run(const Run& r) const {
  const Windows w = windows(r.in_type(0).shape, size, stride);
  dispatch<dtypes::Numbers>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    T* __restrict high = reinterpret_cast<T*>(r.scratch);
    const std::int64_t across = w.width * w.channels;
    const auto [begin, end] = r.share(w.images * w.rows);
    for (std::int64_t row = begin; row < end; ++row) {
      const T* x = r.in<T>(0) + row / w.rows * w.image() + row % w.rows * w.stride * across;
      std::copy_n(x, across, high);
      for (std::int64_t tap = 1; tap < w.size; ++tap)
        for (std::int64_t i = 0; i < across; ++i) {
          const T v = x[tap * across + i];
          high[i] = takes(v, high[i]) ? v : high[i];
        }
      for (std::int64_t column = 0; column < w.columns; ++column) {
        T* __restrict y = r.out<T>() + (row * w.columns + column) * w.channels;
        const T* from = high + column * w.stride * w.channels;
        for (std::int64_t c = 0; c < w.channels; ++c) {
          T best = from[c];
          for (std::int64_t tap = 1; tap < w.size; ++tap) {
            const T v = from[tap * w.channels + c];
            best = takes(v, best) ? v : best;
          }
          y[c] = best;
        }
      }
    }
  });
}

Grads MaxPool::gradient(const Node& n, Values dy) const {
  return {apply(MaxPoolGradient{.size = size, .stride = stride}, {n.input(0), dy[0]}, Location{})};
}

Type MaxPoolGradient::infer(Types in) const {
  check_pooled(in, size, stride, "dy");
  return in[0];
}

Work MaxPoolGradient::work(Types in) const {
  const Shape& x = in[0].shape;
  return image_work(in, size == stride ? 4 * ((x[2] * x[3] * 8 + 63) / 64 * 64) : window_scratch(in[0]));
}

void MaxPoolGradient::run(const Run& r) const {
  const Windows w = windows(r.in_type(0).shape, size, stride);
  dispatch<dtypes::Numbers>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    const auto [begin, end] = r.share(w.images);
    for (std::int64_t image = begin; image < end; ++image) {
      const T* dy = r.in<T>(1) + image * w.pooled();
      T* dx = r.out<T>() + image * w.image();
      if (size == stride) {
        touching_gradient(w, r.in<T>(0) + image * w.image(), dy, dx, r.scratch);
        continue;
      }
      std::fill_n(dx, w.image(), T(0));
      each_window(w, r.in<T>(0) + image * w.image(), r.scratch,
                  [&](std::int64_t first, std::int64_t window, const std::int32_t* __restrict which) {
                    const T* __restrict from = dy + window;
                    for (std::int64_t tap = 0; tap < w.size * w.size; ++tap) {
                      T* __restrict to = dx + first + (tap / w.size * w.width + tap % w.size) * w.channels;
                      const auto number = static_cast<std::int32_t>(tap);
                      for (std::int64_t c = 0; c < w.channels; ++c)
                        to[c] = which[c] == number ? static_cast<T>(to[c] + from[c]) : to[c];
                    }
                  });
    }
  });
}

// Linear in dy; which element is largest does not change with x, but where it jumps.
Grads MaxPoolGradient::gradient(const Node& n, Values dy) const {
  return {Value(), apply(MaxPoolGradientGradient{.size = size, .stride = stride}, {n.input(0), dy[0]}, Location{})};
}

Type MaxPoolGradientGradient::infer(Types in) const {
  check_dtype(dtypes::Numbers{}, in[0], "x");
  if (in[0] != in[1])
    throw OpError("v is " + to_string(in[1]) + " and x is " + to_string(in[0]), "Give both the same type");
  return {in[0].dtype, pooled_shape(in[0].shape, size, stride)};
}

Work MaxPoolGradientGradient::work(Types in) const { return image_work(in, window_scratch(in[0])); }

void MaxPoolGradientGradient::run(const Run& r) const {
  const Windows w = windows(r.in_type(0).shape, size, stride);
  dispatch<dtypes::Numbers>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    const auto [begin, end] = r.share(w.images);
    for (std::int64_t image = begin; image < end; ++image) {
      const T* v = r.in<T>(1) + image * w.image();
      T* y = r.out<T>() + image * w.pooled();
      each_window(w, r.in<T>(0) + image * w.image(), r.scratch,
                  [&](std::int64_t first, std::int64_t window, const std::int32_t* which) {
                    for (std::int64_t c = 0; c < w.channels; ++c)
                      y[window + c] = v[first + (which[c] / w.size * w.width + which[c] % w.size) * w.channels + c];
                  });
    }
  });
}

Grads MaxPoolGradientGradient::gradient(const Node& n, Values dy) const {
  return {Value(), apply(MaxPoolGradient{.size = size, .stride = stride}, {n.input(0), dy[0]}, Location{})};
}

}  // namespace oxbow::ops

namespace oxbow {

Value max_pool(Value x, MaxPoolOptions options, At at) {
  const std::int64_t stride = options.stride == 0 ? options.size : options.stride;
  return apply(ops::MaxPool{.size = options.size, .stride = stride}, {x}, at);
}

}  // namespace oxbow
