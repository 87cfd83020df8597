// Convolutions of 3x3 for each channel, and by single pixels, over groups of images that are in cache together.
#pragma once

#include "dense.h"

namespace straight {

#ifdef __AVX512F__
constexpr int lanes = 16;
#else
constexpr int lanes = 8;
#endif
using Lanes [[gnu::vector_size(4 * lanes), gnu::may_alias]] = float;
inline Lanes& at(float* p) { return *reinterpret_cast<Lanes*>(p); }
inline const Lanes& at(const float* p) { return *reinterpret_cast<const Lanes*>(p); }

constexpr int tile = 128;            // rows of a product
constexpr int group_size = 1 << 16;  // floats of images that are in cache together

/// What a value adds to the two sums of its channel.
struct Terms {
  Lanes first, second;
};

/// [count][size + 2 border][size + 2 border][channels].
struct Images {
  int size, channels, border;
  Array data;
  Images(int count, int s, int c, int b) : size(s), channels(c), border(b), data(count * line() * (size + 2 * b)) {}
  std::size_t line() const { return static_cast<std::size_t>(size + 2 * border) * channels; }
  float* at(int n, int y, int x) const {
    return data.data() + (static_cast<std::size_t>(n) * (size + 2 * border) + y + border) * line() +
           (x + border) * channels;
  }
};

/// For pixels of a row the sums over taps of x[pixel + offset] weights[tap], both in floats, which `to` takes by pixel
/// and channel.
template <int taps, class To>
void weighted(const float* x, int step, const int* offsets, const float* weights, const int* which, int pixels,
              int channels, float* sums, const To& to) {
  for (int c = 0; c < channels; c += lanes) {
    Lanes w[taps], first = {}, second = {};
    for (int t = 0; t < taps; ++t) w[t] = at(weights + which[t] + c);
    for (int p = 0; p < pixels; ++p) {
      Lanes sum = {};
      for (int t = 0; t < taps; ++t) sum += at(x + p * step + offsets[t] + c) * w[t];
      const Terms terms = to(p, c, sum);
      first += terms.first;
      second += terms.second;
    }
    at(sums + c) += first;
    at(sums + channels + c) += second;
  }
}

/// The same of values that are there already, which need no taps.
template <class To>
void summed(const float* x, int pixels, int channels, float* sums, const To& to) {
  for (int c = 0; c < channels; c += lanes) {
    Lanes first = {}, second = {};
    for (int p = 0; p < pixels; ++p) {
      const Terms terms = to(p, c, at(x + p * channels + c));
      first += terms.first;
      second += terms.second;
    }
    at(sums + c) += first;
    at(sums + channels + c) += second;
  }
}

/// Where a gradient to x goes: d, once relu has let it through, and its sums.
struct Back {
  float* d;
  const float* z;
  float* sums;
  Terms operator()(std::size_t i, const float* x, Lanes sum) const {
    const Lanes zero = {}, through = at(x) > zero ? sum : zero;
    at(d + i) = through;
    return {through, through * at(z + i)};
  }
};

class Conv {
 public:
  const int in, out, from, to, border, group;  // channels; sizes; how x lies; images taken together
  Conv(std::span<const float> kernel, int c, int k, int size, int stride, int b, int threads)
      : in(c),
        out(k),
        from(size),
        to(size / stride),
        border(b),
        group(std::clamp(group_size / std::max(c * size * size, k * to * to), 1, 8)),
        weights_(kernel) {
    for (int t = 0; t < threads; ++t) gradients_.emplace_back(kernel.size());
  }
  virtual ~Conv() = default;
  /// Before a step.
  virtual void begin(const Team&, int thread) {
    std::fill_n(gradients_[thread].data(), gradients_[thread].size(), 0.0f);
  }
  /// z of a group of images, and the sums of z and z^2.
  virtual void forward(const Images& x, float* z, float* sums) const = 0;
  virtual void gradient(const Images& x, const Images& dz, int thread) const = 0;
  virtual void to_x(const Images& x, const Images& dz, const Back& back) const = 0;
  virtual std::vector<float> values() const { return {weights_.w.data(), weights_.w.data() + weights_.w.size()}; }
  void update(const Adam& adam, const Team& team, int thread) {
    const Range part = team.share(static_cast<int>(weights_.w.size()), thread, 64);
    float* const g = gradients_[0].data();
    for (std::size_t t = 1; t < gradients_.size(); ++t)
      for (int i = part.begin; i < part.end; ++i) g[i] += gradients_[t][i];
    weights_.update(adam, g + part.begin, part.begin, part.size());
  }

 protected:
  Parameter weights_;
  std::vector<Array> gradients_;  // by thread
};

/// Weights [3][3][channels].
class Depthwise final : public Conv {
 public:
  Depthwise(std::span<const float> kernel, int channels, int size, int stride, int threads)
      : Conv(kernel, channels, channels, size, stride, 1, threads), stride_(stride) {
    const int before = stride == 1 ? 1 : 0;
    for (int t = 0; t < 9; ++t) forward_.add(((t / 3 - before) * (size + 2) + t % 3 - before) * channels, t * channels);
    // To x: each phase of the stride by the taps that reach it, which go back by whole pixels of y.
    for (int phase = 0; phase < stride * stride; ++phase) {
      Taps& taps = to_x_.emplace_back();
      for (int t = 0; t < 9; ++t) {
        const int y = phase / stride + before - t / 3, x = phase % stride + before - t % 3;
        if (y % stride == 0 && x % stride == 0) taps.add((y / stride * (to + 2) + x / stride) * channels, t * channels);
      }
    }
  }
  void forward(const Images& x, float* z, float* sums) const override {
    each_row([&](int n, int y) {
      float* const row = z + (n * to + y) * to * out;
      run(forward_, x.at(n, y * stride_, 0), stride_ * in, sums, [&](int p, int c, Lanes sum) -> Terms {
        at(row + p * out + c) = sum;
        return {sum, sum * sum};
      });
    });
  }
  void gradient(const Images& x, const Images& dz, int thread) const override {
    float* const g = gradients_[thread].data();
    each_row([&](int n, int y) {
      const float *from_x = x.at(n, y * stride_, 0), *from_dz = dz.at(n, y, 0);
      for (int c = 0; c < in; c += lanes) {
        Lanes sums[9];
        for (int t = 0; t < 9; ++t) sums[t] = at(g + t * in + c);
        for (int p = 0; p < to; ++p)
          for (int t = 0; t < 9; ++t)
            sums[t] += at(from_x + p * stride_ * in + forward_.offsets[t] + c) * at(from_dz + p * in + c);
        for (int t = 0; t < 9; ++t) at(g + t * in + c) = sums[t];
      }
    });
  }
  void to_x(const Images& x, const Images& dz, const Back& back) const override {
    each_row([&](int n, int y) {
      for (int phase = 0; phase < stride_ * stride_; ++phase) {
        const int at_y = y * stride_ + phase / stride_, at_x = phase % stride_;
        const std::size_t first = ((static_cast<std::size_t>(n) * from + at_y) * from + at_x) * in;
        const float* const row = x.at(n, at_y, at_x);
        run(to_x_[phase], dz.at(n, y, 0), in, back.sums, [&](int p, int c, Lanes sum) {
          const int i = p * stride_ * in + c;
          return back(first + i, row + i, sum);
        });
      }
    });
  }

 private:
  struct Taps {
    std::vector<int> offsets, weights;
    void add(int offset, int weight) {
      offsets.push_back(offset);
      weights.push_back(weight);
    }
  };
  template <class F>
  void each_row(const F& f) const {
    for (int n = 0; n < group; ++n)
      for (int y = 0; y < to; ++y) f(n, y);
  }
  template <class To>
  void run(const Taps& taps, const float* x, int step, float* sums, const To& each) const {
    const auto of = [&]<int count>(std::integral_constant<int, count>) {
      weighted<count>(x, step, taps.offsets.data(), weights_.w.data(), taps.weights.data(), to, in, sums, each);
    };
    switch (taps.offsets.size()) {
      case 9:
        return of(std::integral_constant<int, 9>());
      case 4:
        return of(std::integral_constant<int, 4>());
      case 2:
        return of(std::integral_constant<int, 2>());
      default:
        return of(std::integral_constant<int, 1>());
    }
  }
  int stride_;
  Taps forward_;
  std::vector<Taps> to_x_;
};

/// A product y[rows][columns] of a tile's rows by weights in panels, k in chunks.
class Product {
 public:
  Product(int k, int columns) : k_(k), columns_(columns), width_(std::min(columns, panel)), chunk_(std::min(k, tile)) {
    for (const bool add : {false, true}) kernels_[add] = Kernel({tile, width_, chunk_, k, width_, columns, false, add});
  }
  void operator()(const float* x, const float* weights, float* y) const {
    for (int j = 0; j < columns_; j += width_)
      for (int i = 0; i < k_; i += chunk_) kernels_[i > 0](x + i, weights + j * k_ + i * width_, y + j);
  }

 private:
  int k_, columns_, width_, chunk_;
  Kernel kernels_[2];
};

/// A convolution by single pixels, whose x lies without a border; of the first layer, x is patches. Weights
/// [out / width][in][width].
class Pointwise final : public Conv {
 public:
  Pointwise(const std::vector<float>& kernel, int c, int k, int size, int threads)
      : Conv(kernel, c, k, size, 1, 0, threads),
        width_(std::min(k, panel)),
        x_width_(std::min(c, panel)),
        block_(std::min(c, tile)),
        turned_(kernel.size()),
        forward_(c, k),
        to_x_(k, c),
        gradient_({block_, strip, tile, c, k, width_, true, true}) {
    for (int i = 0; i < c; ++i)
      for (int j = 0; j < k; ++j) weights_.w[place(i, j)] = kernel[i * k + j];
  }
  void begin(const Team& team, int thread) override {
    Conv::begin(team, thread);
    if (in % x_width_ != 0) return;
    const Range part = team.share(in / x_width_, thread);
    for (int q = part.begin; q < part.end; ++q)
      for (int j = 0; j < out; j += 16)
        for (int i = 0; i < x_width_; ++i)
          for (int jj = j; jj < j + 16; ++jj)
            turned_[(q * out + jj) * x_width_ + i] = weights_.w[place(q * x_width_ + i, jj)];
  }
  void forward(const Images& x, float* z, float* sums) const override {
    each_tile([&](int row) {
      float* const rows = z + row * out;
      forward_(x.data.data() + row * in, weights_.w.data(), rows);
      for (int r = 0; r < tile; r += 16)
        summed(rows + r * out, 16, out, sums, [](int, int, Lanes v) -> Terms { return {v, v * v}; });
    });
  }
  void gradient(const Images& x, const Images& dz, int thread) const override {
    float* const g = gradients_[thread].data();
    each_tile([&](int row) {
      for (int j = 0; j < out; j += strip)
        for (int i = 0; i < in; i += block_)
          gradient_(x.data.data() + row * in + i, dz.data.data() + row * out + j, g + place(i, j));
    });
  }
  void to_x(const Images& x, const Images& dz, const Back& back) const override {
    each_tile([&](int row) {
      float* const rows = back.d + row * in;
      to_x_(dz.data.data() + row * out, turned_.data(), rows);
      for (int r = 0; r < tile; r += 16) {
        const std::size_t first = static_cast<std::size_t>(row + r) * in;
        summed(rows + r * in, 16, in, back.sums, [&](int p, int c, Lanes v) {
          const std::size_t i = first + p * in + c;
          return back(i, x.data.data() + i, v);
        });
      }
    });
  }
  std::vector<float> values() const override {
    std::vector<float> all;
    for (int i = 0; i < in; ++i)
      for (int j = 0; j < out; ++j) all.push_back(weights_.w[place(i, j)]);
    return all;
  }

 private:
  static constexpr int strip = 32;  // columns of a gradient's tile: of 12 rows in registers instead of 6
  std::size_t place(int i, int j) const { return (j / width_ * in + i) * width_ + j % width_; }
  template <class F>
  void each_tile(const F& f) const {
    for (int row = 0; row < group * to * to; row += tile) f(row);
  }
  int width_, x_width_, block_;
  Array turned_;  // [in / width][out][width], for `to_x`
  Product forward_, to_x_;
  Kernel gradient_;
};

}  // namespace straight
