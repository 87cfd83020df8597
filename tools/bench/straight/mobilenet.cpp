// MobileNet: each thread has its own images. Some of them, as many as stay in cache, go from one batch norm's sums to
// the next; threads meet for the sums. What convolutions give and what flows back to it is kept,
// [image][y][x][channel]; what a convolution reads is made anew from the layer before, with a border of zeros where
// windows of 3x3 read it.
#include <array>
#include <cstring>

#include "batch_norm.h"
#include "dense.h"
#include "loss.h"
#include "net.h"

namespace straight {
namespace {

constexpr int batch = 64, classes = 10, tile = 128, unit = 16;  // rows of a product, and images of a thread's share
constexpr int group_size = 1 << 16;                             // floats of images that are in cache together
constexpr int most_channels = 512;

#ifdef __AVX512F__
constexpr int lanes = 16;
#else
constexpr int lanes = 8;
#endif
using Lanes [[gnu::vector_size(4 * lanes), gnu::may_alias]] = float;
Lanes& at(float* p) { return *reinterpret_cast<Lanes*>(p); }
const Lanes& at(const float* p) { return *reinterpret_cast<const Lanes*>(p); }

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

/// A convolution, its batch norm and relu.
struct Layer {
  std::unique_ptr<Conv> conv;
  Norm norm;
  Array z, d;                         // of the convolution; what flows back to the norm
  std::vector<Images> x, dz;          // by thread, of a group
  std::vector<const float*> by = {};  // the norm's coefficients, by thread
  std::size_t place(int n) const { return static_cast<std::size_t>(n) * conv->to * conv->to * conv->out; }
};

class MobileNet final : public Net {
 public:
  MobileNet(const Start& s, Team& team)
      : team_(team),
        padded_(team.threads(), 32, 3, 1),
        pooled_(batch, most_channels),
        d_pooled_(batch, most_channels),
        logits_(batch, classes),
        head_(s.variables.at("dense/kernel"), s.variables.at("dense/bias"), batch, unit),
        input_(s.x),
        labels_(s.labels),
        losses_(static_cast<std::size_t>(team.threads())) {
    const auto pointwise = [&](std::size_t i, int in, int out, int size) {
      layer(s, std::make_unique<Pointwise>(s.variables.at(numbered("conv", i) + "/kernel"), in, out, size,
                                           team.threads()));
    };
    pointwise(0, 27, 32, 32);
    int in = 32, size = 32;
    const std::array<std::array<int, 2>, 7> blocks = {
        {{64, 1}, {128, 2}, {128, 1}, {256, 2}, {256, 1}, {512, 2}, {512, 1}}};
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const auto [filters, stride] = blocks[i];
      layer(s, std::make_unique<Depthwise>(s.variables.at(numbered("depthwise_conv", i) + "/depthwise_kernel"), in,
                                           size, stride, team.threads()));
      size /= stride;
      pointwise(i + 1, in, filters, size);
      in = filters;
    }
    for (int t = 0; t < team.threads(); ++t) {
      sums_.emplace_back(2 * most_channels);
      scratch_.emplace_back(head_.scratch_size());
    }
  }

  float step() override {
    adam_.begin_step();
    team_.run([this](int thread) {
      const Range images = team_.share(batch, thread, unit);
      for (Layer& l : layers_) {
        l.conv->begin(team_, thread);
        l.norm.clear(thread);
      }
      head_.transpose(team_, thread);
      forward(images, thread);
      backward(images, thread);
      team_.barrier();
      for (Layer& l : layers_) l.conv->update(adam_, team_, thread);
      head_.update(pooled_, logits_, adam_, team_, thread, scratch_[thread].data());
      if (thread == 0)
        for (Layer& l : layers_) l.norm.update(adam_);
    });
    double loss = 0;
    for (const double l : losses_) loss += l;
    return static_cast<float>(loss / batch);
  }

  Values variables() const override {
    Values all{{"dense/kernel", head_.kernel()}, {"dense/bias", head_.bias_values()}};
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const bool depthwise = i % 2 == 1;
      all[depthwise ? numbered("depthwise_conv", i / 2) + "/depthwise_kernel" : numbered("conv", i / 2) + "/kernel"] =
          layers_[i].conv->values();
      layers_[i].norm.values(all);
    }
    return all;
  }

 private:
  void layer(const Start& s, std::unique_ptr<Conv> conv) {
    const Conv& c = *conv;
    Norm norm(s.variables, numbered("batch_norm", layers_.size()), batch * c.to * c.to, 1, team_.threads());
    const std::size_t size = static_cast<std::size_t>(batch) * c.to * c.to * c.out;
    Layer& l = layers_.emplace_back(Layer{std::move(conv), std::move(norm), Array(size), Array(size), {}, {}});
    for (int t = 0; t < team_.threads(); ++t) {
      l.x.emplace_back(c.group, c.from, c.in, c.border);
      l.dz.emplace_back(c.group, c.to, c.out, c.border);
    }
    l.by.resize(static_cast<std::size_t>(team_.threads()));
  }

  // What layer i reads of the images from n on.
  const Images& entered(std::size_t i, int n, int thread) {
    const Images& x = layers_[i].x[thread];
    const int count = layers_[i].conv->group;
    if (i == 0) {
      for (int m = 0; m < count; ++m) {
        for (int y = 0; y < 32; ++y) std::copy_n(input_.data() + ((n + m) * 32 + y) * 96, 96, padded_.at(thread, y, 0));
        for (int y = 0; y < 32; ++y)
          for (int p = 0; p < 32; ++p)
            for (int k = 0; k < 3; ++k)
              std::memcpy(x.at(m, y, p) + 9 * k, padded_.at(thread, y + k - 1, p - 1), 9 * sizeof(float));
      }
      return x;
    }
    const Layer& before = layers_[i - 1];
    const float* const by = before.by[thread];
    for (int m = 0; m < count; ++m)
      for (int y = 0; y < x.size; ++y) {
        const float* const z = before.z.data() + before.place(n + m) + y * x.size * x.channels;
        for (int p = 0; p < x.size * x.channels; p += x.channels)
          for (int c = 0; c < x.channels; c += lanes) at(x.at(m, y, 0) + p + c) = normed(by, x.channels, c, z + p + c);
      }
    return x;
  }
  static Lanes normed(const float* by, int channels, int c, const float* z) {
    const Lanes v = at(z) * at(by + c) + at(by + channels + c), zero = {};
    return v > zero ? v : zero;
  }
  // The gradient to what layer i's convolution gave.
  const Images& unnormed(std::size_t i, int n, int thread) {
    const Layer& l = layers_[i];
    const Images& dz = l.dz[thread];
    const float* const by = l.by[thread];
    for (int m = 0; m < l.conv->group; ++m)
      for (int y = 0; y < dz.size; ++y) {
        const std::size_t row = l.place(n + m) + y * dz.size * dz.channels;
        for (int p = 0; p < dz.size * dz.channels; p += dz.channels)
          for (int c = 0; c < dz.channels; c += lanes) {
            const std::size_t k = row + p + c;
            at(dz.at(m, y, 0) + p + c) = at(by + c) * at(l.d.data() + k) +
                                         at(by + dz.channels + c) * at(l.z.data() + k) + at(by + 2 * dz.channels + c);
          }
      }
    return dz;
  }
  // Gathers the sums of a group in single precision, and adds them to those of a thread.
  template <class F>
  void gathered(int channels, int thread, double* to, const F& f) {
    float* const sums = sums_[thread].data();
    std::fill_n(sums, 2 * channels, 0.0f);
    f(sums);
    for (int c = 0; c < 2 * channels; ++c) to[c] += sums[c];
  }

  void forward(Range images, int thread) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      Layer& l = layers_[i];
      for (int n = images.begin; n < images.end; n += l.conv->group)
        gathered(l.conv->out, thread, l.norm.sums(thread),
                 [&](float* sums) { l.conv->forward(entered(i, n, thread), l.z.data() + l.place(n), sums); });
      team_.barrier();
      l.by[thread] = l.norm.forward(thread);
    }
    const Layer& last = layers_.back();
    for (int n = images.begin; n < images.end; ++n)
      for (int c = 0; c < most_channels; c += lanes) {
        Lanes mean = {};
        for (int p = 0; p < 16; ++p)
          mean += normed(last.by[thread], most_channels, c, last.z.data() + last.place(n) + p * most_channels + c) / 16;
        at(pooled_.at(c / panel, n) + c % panel) = mean;
      }
    double loss = 0;
    head_.forward(pooled_, logits_, images, [&](int, int row, int n, float* y) {
      loss += cross_entropy(y, head_.bias(0), n, classes, head_.width(), batch, labels_.data() + row);
    });
    losses_[thread] = loss;
  }

  void backward(Range images, int thread) {
    head_.to_x(logits_, d_pooled_, images);
    Layer& last = layers_.back();
    for (int n = images.begin; n < images.end; ++n)
      gathered(most_channels, thread, last.norm.gradient_sums(thread), [&](float* sums) {
        const float* const z = last.z.data() + last.place(n);
        const Back back{last.d.data() + last.place(n), z, sums};
        summed(z, 16, most_channels, sums, [&](int p, int c, Lanes) {
          const int k = p * most_channels + c;
          const Lanes y = normed(last.by[thread], most_channels, c, z + k);
          return back(k, reinterpret_cast<const float*>(&y), at(d_pooled_.at(c / panel, n) + c % panel) / 16);
        });
      });
    for (std::size_t i = layers_.size(); i-- > 0;) {
      team_.barrier();
      Layer& l = layers_[i];
      l.by[thread] = l.norm.backward(thread);
      for (int n = images.begin; n < images.end; n += l.conv->group) {
        const Images &x = entered(i, n, thread), &dz = unnormed(i, n, thread);
        l.conv->gradient(x, dz, thread);
        if (i == 0) continue;
        Layer& before = layers_[i - 1];
        const std::size_t first = before.place(n);
        gathered(l.conv->in, thread, before.norm.gradient_sums(thread), [&](float* sums) {
          l.conv->to_x(x, dz, {before.d.data() + first, before.z.data() + first, sums});
        });
      }
    }
  }

  Team& team_;
  Images padded_;  // an image by thread
  Matrix pooled_, d_pooled_, logits_;
  Dense head_;
  std::vector<float> input_;
  std::vector<int> labels_;
  std::vector<double> losses_;
  std::vector<Layer> layers_;  // pointwise and depthwise in turn; the first reads patches
  std::vector<Array> sums_, scratch_;
  Adam adam_;
};

}  // namespace

std::unique_ptr<Net> mobilenet(const Start& start, Team& team) { return std::make_unique<MobileNet>(start, team); }

}  // namespace straight
