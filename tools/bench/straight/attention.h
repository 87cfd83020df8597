// Causal attention, a head of a sequence at a time, in blocks of 64 places: what is hidden is not computed.
#pragma once

#include "dense.h"
#include "maths.h"

namespace straight {

class Attention {
 public:
  /// q, k and v lie side by side in `qkv` [rows][3 width], in panels of 64, which hold whole heads.
  Attention(int length, int heads, int width)
      : length_(length),
        heads_(heads),
        size_(width / heads),
        width_(width),
        scale_(1 / std::sqrt(static_cast<float>(size_))) {
    for (int i = 0; i < blocks(); ++i) {
      const int seen = (i + 1) * block, rest = length - i * block;
      scores_.emplace_back(Shape{block, seen, size_, panel, length, length});
      values_.emplace_back(Shape{block, size_, seen, length, panel, panel});
      columns_.emplace_back(Shape{
          .rows = block, .columns = size_, .k = rest, .lda = length, .ldb = panel, .ldy = panel, .transpose_a = true});
    }
  }
  /// Floats that are kept from forward for backward: the softmax of each head of each sequence.
  std::size_t kept_size(int sequences) const {
    return static_cast<std::size_t>(sequences) * heads_ * length_ * length_;
  }
  std::size_t scratch_size() const { return static_cast<std::size_t>(length_) * (length_ + size_); }

  void forward(const Matrix& qkv, const Matrix& y, int sequence, float* kept, float* scratch) const {
    for (int h = 0; h < heads_; ++h) {
      const Head head = at(qkv, sequence, h);
      float* p = kept_of(kept, sequence, h);
      transpose(head.k, scratch);
      for (int i = 0; i < blocks(); ++i) {
        float* rows = p + static_cast<std::size_t>(i) * block * length_;
        scores_[i](head.q + i * block * panel, scratch, rows);
        for (int r = 0; r < block; ++r) softmax(rows + r * length_, i * block + r + 1, (i + 1) * block);
        values_[i](rows, head.v, place(y, sequence, h) + i * block * panel);
      }
    }
  }

  void backward(const Matrix& qkv, const Matrix& dy, const Matrix& d_qkv, int sequence, float* kept,
                float* scratch) const {
    float* const ds = scratch + length_ * size_;
    for (int h = 0; h < heads_; ++h) {
      const Head head = at(qkv, sequence, h), d = at(d_qkv, sequence, h);
      const float* p = kept_of(kept, sequence, h);
      const float* dy_head = place(dy, sequence, h);
      transpose(head.v, scratch);
      for (int i = 0; i < blocks(); ++i) {
        float* rows = ds + static_cast<std::size_t>(i) * block * length_;
        scores_[i](dy_head + i * block * panel, scratch, rows);
        for (int r = 0; r < block; ++r)
          through_softmax(p + (i * block + r) * length_, rows + r * length_, (i + 1) * block);
        values_[i](rows, head.k, d.q + i * block * panel);
      }
      for (int i = 0; i < blocks(); ++i) {
        const int corner = i * block * length_ + i * block, row = i * block * panel;
        columns_[i](ds + corner, head.q + row, d.k + row);
        columns_[i](p + corner, dy_head + row, d.v + row);
      }
    }
  }

 private:
  static constexpr int block = 64;
  struct Head {
    float *q, *k, *v;
  };
  int blocks() const { return length_ / block; }
  // Column `column` of the matrix, in the sequence's first row.
  float* column(const Matrix& m, int sequence, int column) const {
    return m.at(column / panel, sequence * length_) + column % panel;
  }
  float* place(const Matrix& m, int sequence, int h) const { return column(m, sequence, h * size_); }
  Head at(const Matrix& m, int sequence, int h) const {
    return {column(m, sequence, h * size_), column(m, sequence, width_ + h * size_),
            column(m, sequence, 2 * width_ + h * size_)};
  }
  float* kept_of(float* kept, int sequence, int h) const {
    return kept + kept_size(sequence) + static_cast<std::size_t>(h) * length_ * length_;
  }
  void transpose(const float* from, float* to) const {
    for (int i = 0; i < length_; i += 16)
      for (int j = 0; j < size_; ++j)
        for (int ii = i; ii < i + 16; ++ii) to[j * length_ + ii] = from[ii * panel + j];
  }
  void softmax(float* row, int seen, int end) const {
    float top = row[0], sum = 0;
    for (int j = 0; j < seen; ++j) top = std::max(top, row[j]);
    for (int j = 0; j < seen; ++j) sum += row[j] = exp((row[j] - top) * scale_);
    const float by = 1 / sum;
    for (int j = 0; j < seen; ++j) row[j] *= by;
    for (int j = seen; j < end; ++j) row[j] = 0;
  }
  // dp becomes ds, of the scores before they are scaled. Where p is 0, so is ds.
  void through_softmax(const float* __restrict p, float* __restrict dp, int end) const {
    float dot = 0;
    for (int j = 0; j < end; ++j) dot += p[j] * dp[j];
    for (int j = 0; j < end; ++j) dp[j] = p[j] * (dp[j] - dot) * scale_;
  }

  int length_, heads_, size_, width_;
  float scale_;
  std::vector<Kernel> scores_, values_, columns_;  // by block of rows, or of keys
};

}  // namespace straight
