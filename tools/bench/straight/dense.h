// Dense layers: weights and activations lie in panels of some 64 columns, [columns / width][rows][width], so that all
// that a kernel reads is contiguous. Rows are shared among threads in forward and to x, weights in `update`.
#pragma once

#include <cstring>

#include "kernels.h"

namespace straight {

constexpr int panel = 64;  // columns

/// Columns of a panel: one of all columns, up to 96, padded to a register's multiple.
constexpr int width_of(int columns) { return columns <= 96 ? (columns + 15) / 16 * 16 : panel; }

/// [columns / width][rows][width]; with `width` of all columns it is an ordinary row-major matrix.
struct Matrix {
  int rows = 0, columns = 0, width = 0;
  Array data;
  Matrix() = default;
  Matrix(int r, int c) : Matrix(r, c, width_of(c)) {}
  Matrix(int r, int c, int w) : rows(r), columns(c), width(w), data(static_cast<std::size_t>(panels()) * r * w) {}
  int panels() const { return (columns + width - 1) / width; }
  std::size_t stride() const { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(width); }
  float* at(int p, int row) const { return data.data() + p * stride() + static_cast<std::size_t>(row) * width; }
};

/// For a tile that has just been computed: (panel, first row, rows, its elements).
struct NoTail {
  void operator()(int, int, int, float*) const {}
};

class Dense {
 public:
  /// kernel [in][out] and bias [out] as the engine has them; rows of x in all and in a tile, of which they are a
  /// multiple; and how wide x's panels are.
  Dense(std::span<const float> kernel, std::span<const float> bias, int rows, int tile, int x_width = panel)
      : rows_(rows),
        tile_(tile),
        out_(static_cast<int>(bias.size())),
        in_(static_cast<int>(kernel.size() / bias.size())),
        width_(width_of(out_)),
        x_width_(x_width),
        panels_((out_ + width_ - 1) / width_),
        block_(x_width == panel ? panel : block_of(in_)),
        w_(static_cast<std::size_t>(panels_) * in_ * width_),
        bias_(static_cast<std::size_t>(panels_) * width_),
        transposed_(out_, in_, panel) {
    for (int i = 0; i < in_; ++i)
      for (int j = 0; j < out_; ++j) w_.w[place(i, j)] = kernel[static_cast<std::size_t>(i) * out_ + j];
    std::ranges::copy(bias, bias_.w.data());
    forward_ = SumKernel({tile, width_, x_width, x_width, width_, width_}, in_ / x_width,
                         static_cast<std::size_t>(rows) * x_width, static_cast<std::size_t>(x_width) * width_);
    to_x_ = SumKernel({tile, panel, panels_ == 1 ? out_ : width_, width_, panel, panel}, panels_,
                      static_cast<std::size_t>(rows) * width_, static_cast<std::size_t>(width_) * panel);
    gradient_ = Kernel({.rows = block_,
                        .columns = strip(),
                        .k = rows,
                        .lda = block_,
                        .ldb = width_,
                        .ldy = width_,
                        .transpose_a = true});
  }

  float bias(int p, int column) const { return bias_.w[static_cast<std::size_t>(p * width_ + column)]; }
  const float* bias(int p) const { return bias_.w.data() + p * width_; }
  int width() const { return width_; }

  /// y = x w, without the bias, which is the tail's.
  template <class Tail = NoTail>
  void forward(const Matrix& x, const Matrix& y, Range rows, const Tail& tail = {}) const {
    each_tile(rows, panels_, [&](int p, int r) {
      forward_(x.at(0, r), w_.w.data() + static_cast<std::size_t>(p) * in_ * width_, y.at(p, r));
      tail(p, r, tile_, y.at(p, r));
    });
  }

  /// dx = dy w^T. `transpose` comes before it.
  template <class Tail = NoTail>
  void to_x(const Matrix& dy, const Matrix& dx, Range rows, const Tail& tail = {}) const {
    each_tile(rows, dx.panels(), [&](int p, int r) {
      to_x_(dy.at(0, r), transposed_.at(p, 0), dx.at(p, r));
      tail(p, r, tile_, dx.at(p, r));
    });
  }

  /// This thread's share of the weights transposed, for `to_x`.
  void transpose(const Team& team, int thread) const {
    const Range part = team.share(transposed_.panels(), thread);
    for (int q = part.begin; q < part.end; ++q)
      for (int j = 0; j < out_; j += 16)
        for (int i = 0; i < panel; i += 16)
          for (int jj = j; jj < std::min(j + 16, out_); ++jj)
            for (int ii = i; ii < i + 16; ++ii) transposed_.at(q, jj)[ii] = w_.w[place(q * panel + ii, jj)];
  }

  /// This thread's share of the gradient x^T dy, and of Adam's step with it. `scratch`: of `scratch_size`, its own.
  void update(const Matrix& x, const Matrix& dy, const Adam& adam, const Team& team, int thread, float* scratch) {
    const Range part = team.share(in_ / block_, thread), biases = team.share(panels_, thread);
    float* const tile = scratch + static_cast<std::size_t>(rows_) * block_;
    for (int i = part.begin; i < part.end; ++i) {
      const float* a = x.at(i, 0);
      if (x.width != block_) {
        for (int r = 0; r < rows_; ++r)
          std::memcpy(scratch + static_cast<std::size_t>(r) * block_, x.at(0, r) + i * block_, 4UL * block_);
        a = scratch;
      }
      for (int p = 0; p < panels_; ++p) {
        for (int j = 0; j < width_; j += strip()) gradient_(a, dy.at(p, 0) + j, tile + j);
        w_.update(adam, tile, place(i * block_, p * width_), static_cast<std::size_t>(block_) * width_);
      }
    }
    for (int p = biases.begin; p < biases.end; ++p) {
      std::fill_n(tile, width_, 0.0f);
      for (int r = 0; r < rows_; ++r)
        for (int j = 0; j < width_; ++j) tile[j] += dy.at(p, r)[j];
      bias_.update(adam, tile, static_cast<std::size_t>(p) * width_, width_);
    }
  }
  std::size_t scratch_size() const { return static_cast<std::size_t>(block_) * (rows_ + width_); }

  std::vector<float> kernel() const {
    std::vector<float> all;
    for (int i = 0; i < in_; ++i)
      for (int j = 0; j < out_; ++j) all.push_back(w_.w[place(i, j)]);
    return all;
  }
  std::vector<float> bias_values() const { return {bias_.w.data(), bias_.w.data() + out_}; }

 private:
  // Rows of w whose gradient is one tile, where x has to be packed for it.
  static int block_of(int in) {
    int block = std::min(in, 128);
    while (in % block != 0) --block;
    return block;
  }
  int strip() const { return width_ == panel ? panel / 2 : width_; }  // of 12 rows in registers instead of 6
  std::size_t place(int i, int j) const {
    return (static_cast<std::size_t>(j / width_) * in_ + i) * width_ + j % width_;
  }
  template <class F>
  void each_tile(Range rows, int panels, const F& f) const {
    for (int r = rows.begin; r < rows.end; r += tile_)
      for (int p = 0; p < panels; ++p) f(p, r);
  }

  int rows_, tile_, out_, in_, width_, x_width_, panels_, block_;
  Parameter w_, bias_;
  Matrix transposed_;  // [in / 64][out][64]
  SumKernel forward_, to_x_;
  Kernel gradient_;
};

}  // namespace straight
