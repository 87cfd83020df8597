// Batch norm from sums that threads gather, each over its own images.
#pragma once

#include "kernels.h"
#include "net.h"

namespace straight {

/// Coefficients lie side by side `repeat` times, as pixels in a row of an image do. Threads meet between adding to
/// `sums` and reading coefficients.
class Norm {
 public:
  /// `pixels`: how many values of a channel there are in the batch.
  Norm(const Values& start, const std::string& name, int pixels, int repeat, int threads)
      : name_(name),
        channels_(static_cast<int>(start.at(name + "/scale").size())),
        row_(repeat * channels_),
        per_(1.0 / pixels),
        scale_(start.at(name + "/scale")),
        offset_(start.at(name + "/offset")),
        running_mean_(start.at(name + "/running_mean")),
        running_variance_(start.at(name + "/running_variance")),
        sums_(threads),
        mean_(channels_),
        rate_(channels_) {
    for (int t = 0; t < threads; ++t) coefficients_.emplace_back(3 * row_);
    for (auto& s : sums_) s.resize(4 * channels_);
  }
  void clear(int thread) { std::ranges::fill(sums_[thread], 0.0); }

  /// By channel: a thread's sums of z and of z^2.
  double* sums(int thread) { return sums_[thread].data(); }
  /// Those of the gradient d to what the norm gives, and of d z.
  double* gradient_sums(int thread) { return sums_[thread].data() + 2 * channels_; }

  /// What z is multiplied by, and what is added: two rows.
  const float* forward(int thread) {
    float* const out = coefficients_[thread].data();
    for (int c = 0; c < channels_; ++c) {
      const double mean = total(c) * per_, variance = std::max(total(channels_ + c) * per_ - mean * mean, 0.0);
      const double rate = 1 / std::sqrt(variance + 1e-5);
      if (thread == 0) {
        mean_[c] = mean;
        rate_[c] = rate;
        running_mean_[c] = static_cast<float>(0.9 * running_mean_[c] + 0.1 * mean);
        running_variance_[c] = static_cast<float>(0.9 * running_variance_[c] + 0.1 * variance);
      }
      spread(out, c, scale_.w[c] * rate);
      spread(out + row_, c, offset_.w[c] - scale_.w[c] * rate * mean);
    }
    return out;
  }
  /// dz = [0] d + [1] z + [2]: three rows.
  const float* backward(int thread) {
    float* const out = coefficients_[thread].data();
    for (int c = 0; c < channels_; ++c) {
      const double sum = total(2 * channels_ + c), dot = (total(3 * channels_ + c) - mean_[c] * sum) * rate_[c];
      const double by = scale_.w[c] * rate_[c], slope = -by * dot * per_ * rate_[c];
      spread(out, c, by);
      spread(out + row_, c, slope);
      spread(out + 2 * row_, c, -by * sum * per_ - slope * mean_[c]);
      if (thread == 0) scale_.g[c] = static_cast<float>(dot), offset_.g[c] = static_cast<float>(sum);
    }
    return out;
  }
  void update(const Adam& adam) {
    scale_.update(adam);
    offset_.update(adam);
  }
  void values(Values& to) const {
    const auto all = [](const Array& a) { return std::vector<float>(a.data(), a.data() + a.size()); };
    to[name_ + "/scale"] = all(scale_.w);
    to[name_ + "/offset"] = all(offset_.w);
    to[name_ + "/running_mean"] = all(running_mean_);
    to[name_ + "/running_variance"] = all(running_variance_);
  }

 private:
  void spread(float* row, int c, double value) const {
    for (int i = c; i < row_; i += channels_) row[i] = static_cast<float>(value);
  }
  double total(int i) const {
    double sum = 0;
    for (const auto& s : sums_) sum += s[i];
    return sum;
  }

  std::string name_;
  int channels_, row_;
  double per_;
  Parameter scale_, offset_;
  Array running_mean_, running_variance_;
  std::vector<std::vector<double>> sums_;  // by thread: of z, z^2, d and d z
  std::vector<Array> coefficients_;        // by thread
  std::vector<double> mean_, rate_;
};

}  // namespace straight
