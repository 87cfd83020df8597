// MobileNet: each thread has its own images. Some of them, as many as stay in cache, go from one batch norm's sums to
// the next; threads meet for the sums. What convolutions give and what flows back to it is kept,
// [image][y][x][channel]; what a convolution reads is made anew from the layer before, with a border of zeros where
// windows of 3x3 read it.
#include <array>
#include <cstring>

#include "batch_norm.h"
#include "loss.h"
#include "separable.h"

namespace straight {
namespace {

constexpr int batch = 64, classes = 10, share_unit = 16;  // images of a thread's share
constexpr int most_channels = 512;

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
        head_(s.variables.at("dense/kernel"), s.variables.at("dense/bias"), batch, share_unit),
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
      const Range images = team_.share(batch, thread, share_unit);
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
