// ResNet-20: each thread has its own images, each of which goes from one batch norm's sums to the next while it is in
// cache; threads meet for the sums. Images have a border of zeros, so that a convolution knows no edges, and all rows
// have 512 floats: 32 x 16, 16 x 32, 8 x 64.
#include <array>

#include "batch_norm.h"
#include "dense.h"
#include "loss.h"
#include "net.h"

namespace straight {
namespace {

constexpr int batch = 128, classes = 10, tile = 16, row_size = 512;

/// [images][size + 2][size + 2][channels].
struct Images {
  int size = 0, channels = 0;
  Array data;
  Images() = default;
  Images(int count, int s, int c)
      : size(s), channels(c), data(static_cast<std::size_t>(count) * (s + 2) * (s + 2) * c) {}
  std::size_t line() const { return static_cast<std::size_t>(size + 2) * channels; }
  float* at(int n, int y, int x) const {
    return data.data() + (static_cast<std::size_t>(n) * (size + 2) + y + 1) * line() + (x + 1) * channels;
  }
};

class Conv {
 public:
  /// kernel [window][window][in][out]; `size`: of the output.
  Conv(std::span<const float> kernel, int window, int in, int out, int stride, int size, int threads)
      : window_(window), in_(in), out_(out), stride_(stride), size_(size), weights_(kernel), turned_(kernel.size()) {
    for (int t = 0; t < threads; ++t) gradients_.emplace_back(kernel.size());
    const int lines = size * stride + 2, before = stride == 1 ? window / 2 : 0;
    for (int ky = 0; ky < window; ++ky)
      for (int kx = 0; kx < window; ++kx) {
        forward_.a.push_back(4UL * ((ky - before) * lines + kx - before) * in);
        forward_.b.push_back(4UL * (ky * window + kx) * in * out);
      }
    forward_.code = made<libxsmm_smmdispatch_reducebatch_offs>({size, out, in, in * stride, out, out});
    // To x: each phase of the stride by the taps that reach it, which go back by whole pixels of y.
    for (int phase = 0; phase < stride * stride; ++phase) {
      Taps taps;
      const int py = phase / stride, px = phase % stride;
      for (int ky = 0; ky < window; ++ky)
        for (int kx = 0; kx < window; ++kx) {
          const int y = py + before - ky, x = px + before - kx;
          if (y % stride != 0 || x % stride != 0) continue;
          taps.a.push_back(4UL * (y / stride * (size + 2) + x / stride) * out);
          taps.b.push_back(4UL * (ky * window + kx) * in * out);
        }
      for (const bool add : {false, true}) (add ? to_x_add_ : to_x_).push_back(taps);
      if (taps.a.empty()) continue;
      to_x_.back().code = made<libxsmm_smmdispatch_reducebatch_offs>({size, in, out, out, in, in * stride});
      to_x_add_.back().code = made<libxsmm_smmdispatch_reducebatch_offs>({.rows = size,
                                                                          .columns = in,
                                                                          .k = out,
                                                                          .lda = out,
                                                                          .ldb = in,
                                                                          .ldy = in * stride,
                                                                          .transpose_a = false,
                                                                          .add = true});
    }
    for (int y = 0; y < size; ++y) {
      gradient_.a.push_back(4UL * y * stride * lines * in);
      gradient_.b.push_back(4UL * y * (size + 2) * out);
    }
    gradient_.code = made<libxsmm_smmdispatch_reducebatch_offs>({.rows = in,
                                                                 .columns = out,
                                                                 .k = size,
                                                                 .lda = in * stride,
                                                                 .ldb = out,
                                                                 .ldy = out,
                                                                 .transpose_a = true,
                                                                 .add = true});
  }

  int in() const { return in_; }
  int out() const { return out_; }
  int size() const { return size_; }

  /// [taps][out][in], for `to_x`.
  void turn() {
    for (int t = 0; t < window_ * window_; ++t)
      for (int i = 0; i < in_; ++i)
        for (int j = 0; j < out_; ++j) turned_[(t * out_ + j) * in_ + i] = weights_.w[(t * in_ + i) * out_ + j];
  }
  void clear(int thread) { std::fill_n(gradients_[thread].data(), turned_.size(), 0.0f); }

  void forward(const float* x, int lines, const Images& y, int n) const {
    for (int row = 0; row < size_; ++row)
      forward_(x + static_cast<std::size_t>(row) * stride_ * lines * in_, weights_.w.data(), y.at(n, row, 0));
  }
  /// dx (+)= what flows back from the one image dy.
  void to_x(const Images& dy, const Images& dx, int n, bool add) const {
    for (int phase = 0; phase < stride_ * stride_; ++phase)
      if (const Taps& taps = (add ? to_x_add_ : to_x_)[phase]; !taps.a.empty())
        for (int row = 0; row < size_; ++row)
          taps(dy.at(0, row, 0), turned_.data(), dx.at(n, row * stride_ + phase / stride_, phase % stride_));
  }
  void gradient(const float* x, const Images& dy, int thread) const {
    for (std::size_t t = 0; t < forward_.a.size(); ++t)
      gradient_(
          reinterpret_cast<const float*>(reinterpret_cast<const char*>(x) + static_cast<std::ptrdiff_t>(forward_.a[t])),
          dy.at(0, 0, 0), gradients_[thread].data() + t * in_ * out_);
  }
  void update(const Adam& adam, Range part) {
    float* const g = gradients_[0].data();
    for (std::size_t t = 1; t < gradients_.size(); ++t)
      for (int i = part.begin; i < part.end; ++i) g[i] += gradients_[t][i];
    weights_.update(adam, g + part.begin, part.begin, part.size());
  }
  int count() const { return static_cast<int>(turned_.size()); }
  std::vector<float> values() const { return {weights_.w.data(), weights_.w.data() + count()}; }

 private:
  struct Taps {
    libxsmm_smmfunction_reducebatch_offs code = nullptr;
    std::vector<unsigned long long> a, b;  // bytes; those of a wrap around where they are negative
    void operator()(const float* left, const float* right, float* y) const {
      const unsigned long long count = a.size();
      code(right, left, y, &count, b.data(), a.data());
    }
  };
  int window_, in_, out_, stride_, size_;
  Parameter weights_;
  Array turned_;
  std::vector<Array> gradients_;
  Taps forward_, gradient_;
  std::vector<Taps> to_x_, to_x_add_;
};

/// Adds the sums of d and of d z by channel, of an image.
void gather(const Images& d, const Images& z, int n, double* to) {
  alignas(64) float sum[row_size] = {}, dot[row_size] = {};
  for (int y = 0; y < d.size; ++y) {
    const float *a = d.at(n, y, 0), *b = z.at(n, y, 0);
    for (int i = 0; i < row_size; ++i) sum[i] += a[i], dot[i] += a[i] * b[i];
  }
  for (int i = 0; i < row_size; ++i) {
    to[i % d.channels] += sum[i];
    to[d.channels + i % d.channels] += dot[i];
  }
}

struct Unit {
  Conv conv;
  Norm norm;
  Images z;  // what the convolution gives
};

struct Block {
  std::unique_ptr<Unit> shortcut, first, second;
  Images middle, out, d_middle, d_out;
};

class ResNet20 final : public Net {
 public:
  ResNet20(const Start& s, Team& team)
      : team_(team),
        x_(batch, 32, 3),
        h_(batch, 32, 16),
        dh_(batch, 32, 16),
        pooled_(batch, 64),
        d_pooled_(batch, 64),
        logits_(batch, classes),
        head_(s.variables.at("dense/kernel"), s.variables.at("dense/bias"), batch, tile),
        input_(s.x),
        labels_(s.labels),
        losses_(static_cast<std::size_t>(team.threads())) {
    stem_ = unit(s, 3, 3, 16, 1, 32);
    int in = 16, size = 32;
    for (const int filters : {16, 32, 64})
      for (int i = 0; i < 3; ++i) {
        const int stride = i == 0 && filters > 16 ? 2 : 1;
        size /= stride;
        Block& b = blocks_.emplace_back();
        if (stride > 1) b.shortcut = unit(s, 1, in, filters, stride, size);
        b.first = unit(s, 3, in, filters, stride, size);
        b.second = unit(s, 3, filters, filters, 1, size);
        for (Images* images : {&b.middle, &b.out, &b.d_middle, &b.d_out}) *images = Images(batch, size, filters);
        in = filters;
      }
    for (int t = 0; t < team.threads(); ++t) {
      dz_.push_back(std::array{Images(1, 32, 16), Images(1, 16, 32), Images(1, 8, 64)});
      scratch_.emplace_back(head_.scratch_size());
    }
  }

  float step() override {
    adam_.begin_step();
    team_.run([this](int thread) {
      const Range images = team_.share(batch, thread, tile);
      for (std::size_t i = 0; i < units_.size(); ++i) {
        units_[i]->conv.clear(thread);
        units_[i]->norm.clear(thread);
        if (static_cast<int>(i) % team_.threads() == thread) units_[i]->conv.turn();
      }
      head_.transpose(team_, thread);
      forward(images, thread);
      backward(images, thread);
      team_.barrier();
      for (Unit* u : units_) u->conv.update(adam_, team_.share(u->conv.count(), thread));
      head_.update(pooled_, logits_, adam_, team_, thread, scratch_[thread].data());
      if (thread == 0)
        for (Unit* u : units_) u->norm.update(adam_);
    });
    double loss = 0;
    for (const double l : losses_) loss += l;
    return static_cast<float>(loss / batch);
  }

  Values variables() const override {
    Values all{{"dense/kernel", head_.kernel()}, {"dense/bias", head_.bias_values()}};
    for (std::size_t i = 0; i < units_.size(); ++i) {
      all[numbered("conv", i) + "/kernel"] = units_[i]->conv.values();
      units_[i]->norm.values(all);
    }
    return all;
  }

 private:
  std::unique_ptr<Unit> unit(const Start& s, int window, int in, int out, int stride, int size) {
    auto u = std::make_unique<Unit>(
        Conv(s.variables.at(numbered("conv", units_.size()) + "/kernel"), window, in, out, stride, size,
             team_.threads()),
        Norm(s.variables, numbered("batch_norm", units_.size()), batch * size * size, row_size / out, team_.threads()),
        Images(batch, size, out));
    units_.push_back(u.get());
    return u;
  }

  void convolve(Unit& u, const Images& x, int n, int thread) {
    u.conv.forward(x.at(n, 0, 0), x.size + 2, u.z, n);
    gather(u.z, u.z, n, u.norm.sums(thread));
  }
  // y = relu(norm(z) + other).
  static void normed(const Unit& u, const float* by, const Images* other, const float* other_by, const Images& y,
                     int n) {
    for (int row = 0; row < y.size; ++row) {
      const float* z = u.z.at(n, row, 0);
      float* out = y.at(n, row, 0);
      if (!other) {
        for (int i = 0; i < row_size; ++i) out[i] = std::max(z[i] * by[i] + by[row_size + i], 0.0f);
        continue;
      }
      const float* o = other->at(n, row, 0);
      if (other_by)
        for (int i = 0; i < row_size; ++i)
          out[i] = std::max(z[i] * by[i] + by[row_size + i] + o[i] * other_by[i] + other_by[row_size + i], 0.0f);
      else
        for (int i = 0; i < row_size; ++i) out[i] = std::max(z[i] * by[i] + by[row_size + i] + o[i], 0.0f);
    }
  }

  void forward(Range images, int thread) {
    for (int n = images.begin; n < images.end; ++n) {
      for (int row = 0; row < 32; ++row) std::copy_n(input_.data() + (n * 32 + row) * 96, 96, x_.at(n, row, 0));
      convolve(*stem_, x_, n, thread);
    }
    team_.barrier();
    const float* by = stem_->norm.forward(thread);
    const Images* in = &h_;
    for (std::size_t i = 0; i <= blocks_.size(); ++i) {
      // The block before, or the stem, ends, and the next begins.
      Block* const b = i < blocks_.size() ? &blocks_[i] : nullptr;
      Block* const last = i > 0 ? &blocks_[i - 1] : nullptr;
      const float* shortcut_by = last && last->shortcut ? last->shortcut->norm.forward(thread) : nullptr;
      const Images* out = last ? &last->out : &h_;
      for (int n = images.begin; n < images.end; ++n) {
        if (last)
          normed(*last->second, by, last->shortcut ? &last->shortcut->z : in, shortcut_by, *out, n);
        else
          normed(*stem_, by, nullptr, nullptr, *out, n);
        if (!b) continue;
        convolve(*b->first, *out, n, thread);
        if (b->shortcut) convolve(*b->shortcut, *out, n, thread);
      }
      in = out;
      if (!b) break;
      team_.barrier();
      by = b->first->norm.forward(thread);
      for (int n = images.begin; n < images.end; ++n) {
        normed(*b->first, by, nullptr, nullptr, b->middle, n);
        convolve(*b->second, b->middle, n, thread);
      }
      team_.barrier();
      by = b->second->norm.forward(thread);
    }
    for (int n = images.begin; n < images.end; ++n) {
      float* mean = pooled_.at(0, n);
      std::fill_n(mean, 64, 0.0f);
      for (int p = 0; p < 64; ++p)
        for (int c = 0; c < 64; ++c) mean[c] += blocks_.back().out.at(n, p / 8, p % 8)[c] / 64;
    }
    double loss = 0;
    head_.forward(pooled_, logits_, images, [&](int, int row, int n, float* y) {
      loss += cross_entropy(y, head_.bias(0), n, classes, head_.width(), batch, labels_.data() + row);
    });
    losses_[thread] = loss;
  }

  // What flows back where relu has let through, and its sums.
  static void masked(const Images& d, const Images& y, int n, std::initializer_list<Unit*> units, int thread) {
    for (int row = 0; row < d.size; ++row) {
      float* to = d.at(n, row, 0);
      const float* out = y.at(n, row, 0);
      for (int i = 0; i < row_size; ++i) to[i] = out[i] > 0 ? to[i] : 0;
    }
    for (Unit* u : units)
      if (u) gather(d, u->z, n, u->norm.gradient_sums(thread));
  }
  // The gradient to what the convolution gave, of one image.
  static void unnormed(const Unit& u, const Images& d, const float* by, const Images& dz, int n) {
    for (int row = 0; row < d.size; ++row) {
      const float *from = d.at(n, row, 0), *z = u.z.at(n, row, 0);
      float* to = dz.at(0, row, 0);
      for (int i = 0; i < row_size; ++i) to[i] = by[i] * from[i] + by[row_size + i] * z[i] + by[2 * row_size + i];
    }
  }
  const Images& dz(const Unit& u, int thread) const { return dz_[thread][u.conv.out() / 32]; }

  void backward(Range images, int thread) {
    head_.to_x(logits_, d_pooled_, images);
    for (int n = images.begin; n < images.end; ++n) {
      Block& b = blocks_.back();
      for (int p = 0; p < 64; ++p)
        for (int c = 0; c < 64; ++c) b.d_out.at(n, p / 8, p % 8)[c] = d_pooled_.at(0, n)[c] / 64;
      masked(b.d_out, b.out, n, {b.second.get()}, thread);
    }
    for (std::size_t i = blocks_.size(); i-- > 0;) {
      Block& b = blocks_[i];
      Block* const before = i > 0 ? &blocks_[i - 1] : nullptr;
      const Images &in = before ? before->out : h_, &d_in = before ? before->d_out : dh_;
      team_.barrier();
      const float* by = b.second->norm.backward(thread);
      for (int n = images.begin; n < images.end; ++n) {
        const Images& d = dz(*b.second, thread);
        unnormed(*b.second, b.d_out, by, d, n);
        b.second->conv.gradient(b.middle.at(n, 0, 0), d, thread);
        b.second->conv.to_x(d, b.d_middle, n, false);
        masked(b.d_middle, b.middle, n, {b.first.get()}, thread);
      }
      team_.barrier();
      by = b.first->norm.backward(thread);
      const float* shortcut_by = b.shortcut ? b.shortcut->norm.backward(thread) : nullptr;
      for (int n = images.begin; n < images.end; ++n) {
        const Images& d = dz(*b.first, thread);
        unnormed(*b.first, b.d_middle, by, d, n);
        b.first->conv.gradient(in.at(n, 0, 0), d, thread);
        b.first->conv.to_x(d, d_in, n, false);
        if (b.shortcut) {
          unnormed(*b.shortcut, b.d_out, shortcut_by, d, n);
          b.shortcut->conv.gradient(in.at(n, 0, 0), d, thread);
          b.shortcut->conv.to_x(d, d_in, n, true);
        } else {
          for (int row = 0; row < in.size; ++row)
            for (int k = 0; k < row_size; ++k) d_in.at(n, row, 0)[k] += b.d_out.at(n, row, 0)[k];
        }
        masked(d_in, in, n, {before ? before->second.get() : stem_.get(), before ? before->shortcut.get() : nullptr},
               thread);
      }
    }
    team_.barrier();
    const float* by = stem_->norm.backward(thread);
    for (int n = images.begin; n < images.end; ++n) {
      unnormed(*stem_, dh_, by, dz(*stem_, thread), n);
      stem_->conv.gradient(x_.at(n, 0, 0), dz(*stem_, thread), thread);
    }
  }

  Team& team_;
  Images x_, h_, dh_;
  Matrix pooled_, d_pooled_, logits_;
  Dense head_;
  std::vector<float> input_;
  std::vector<int> labels_;
  std::vector<double> losses_;
  std::unique_ptr<Unit> stem_;
  std::vector<Block> blocks_;
  std::vector<Unit*> units_;               // in the engine's order
  std::vector<std::array<Images, 3>> dz_;  // by thread: one image of 16, 32 and 64 channels
  std::vector<Array> scratch_;
  Adam adam_;
};

}  // namespace

std::unique_ptr<Net> resnet20(const Start& start, Team& team) { return std::make_unique<ResNet20>(start, team); }

}  // namespace straight
