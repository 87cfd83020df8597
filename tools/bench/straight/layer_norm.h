// Layer normalisation of rows in panels.
#pragma once

#include "dense.h"

namespace straight {

class LayerNorm {
 public:
  LayerNorm(std::span<const float> scale, std::span<const float> offset, int rows, int threads)
      : width_(static_cast<int>(scale.size())),
        normed_(rows, width_),
        rate_(static_cast<std::size_t>(rows)),
        scale_(scale),
        offset_(offset) {
    for (int t = 0; t < threads; ++t) gradients_.emplace_back(2 * scale.size());
  }

  void forward(const Matrix& x, const Matrix& y, Range rows) {
    const float per = 1 / static_cast<float>(width_);
    for (int r = rows.begin; r < rows.end; ++r) {
      float sum = 0, squares = 0;
      for (int p = 0; p < x.panels(); ++p)
        for (int j = 0; j < panel; ++j) sum += x.at(p, r)[j];
      const float mean = sum * per;
      for (int p = 0; p < x.panels(); ++p)
        for (int j = 0; j < panel; ++j) squares += (x.at(p, r)[j] - mean) * (x.at(p, r)[j] - mean);
      const float rate = rate_[static_cast<std::size_t>(r)] = 1 / std::sqrt(squares * per + 1e-5f);
      for (int p = 0; p < x.panels(); ++p) {
        const float *in = x.at(p, r), *scale = scale_.w.data() + p * panel, *offset = offset_.w.data() + p * panel;
        float *normed = normed_.at(p, r), *out = y.at(p, r);
#pragma omp simd
        for (int j = 0; j < panel; ++j) {
          normed[j] = (in[j] - mean) * rate;
          out[j] = normed[j] * scale[j] + offset[j];
        }
      }
    }
  }

  /// Adds what flows to x to dx.
  void backward(const Matrix& dy, const Matrix& dx, Range rows, int thread) {
    const float per = 1 / static_cast<float>(width_);
    float *d_scale = gradients_[static_cast<std::size_t>(thread)].data(), *d_offset = d_scale + width_;
    std::fill_n(d_scale, 2 * width_, 0.0f);
    for (int r = rows.begin; r < rows.end; ++r) {
      float sum = 0, dot = 0;
      for (int p = 0; p < dy.panels(); ++p) {
        const float *d = dy.at(p, r), *normed = normed_.at(p, r), *scale = scale_.w.data() + p * panel;
        float *to_scale = d_scale + p * panel, *to_offset = d_offset + p * panel;
#pragma omp simd reduction(+ : sum, dot)
        for (int j = 0; j < panel; ++j) {
          to_scale[j] += d[j] * normed[j];
          to_offset[j] += d[j];
          sum += d[j] * scale[j];
          dot += d[j] * scale[j] * normed[j];
        }
      }
      const float rate = rate_[static_cast<std::size_t>(r)];
      for (int p = 0; p < dy.panels(); ++p) {
        const float *d = dy.at(p, r), *normed = normed_.at(p, r), *scale = scale_.w.data() + p * panel;
        float* out = dx.at(p, r);
#pragma omp simd
        for (int j = 0; j < panel; ++j) out[j] += rate * (d[j] * scale[j] - (sum + normed[j] * dot) * per);
      }
    }
  }

  /// By one thread, when all have been through `backward`.
  void update(const Adam& adam) {
    for (std::size_t t = 1; t < gradients_.size(); ++t)
      for (std::size_t i = 0; i < gradients_[0].size(); ++i) gradients_[0][i] += gradients_[t][i];
    scale_.update(adam, gradients_[0].data(), 0, scale_.w.size());
    offset_.update(adam, gradients_[0].data() + width_, 0, offset_.w.size());
  }
  std::vector<float> scale() const { return {scale_.w.data(), scale_.w.data() + width_}; }
  std::vector<float> offset() const { return {offset_.w.data(), offset_.w.data() + width_}; }

 private:
  int width_;
  Matrix normed_;
  Array rate_;
  Parameter scale_, offset_;
  std::vector<Array> gradients_;  // of each thread's rows
};

}  // namespace straight
