#include <oxbow/graph/support/tables.h>
#include <oxbow/ops/pointwise/trigonometry.h>
#include <oxbow/ops/signal/fft.h>

#include <algorithm>
#include <utility>

namespace oxbow::ops {
namespace {

constexpr std::int64_t largest_factor = 31;

constexpr std::int64_t entry = 2 * sizeof(double);  // of a table: the parts of a number

// n, for which there is a table of so many numbers in any case.
std::int64_t claimed(std::int64_t n) {
  internal::claim_table(n, entry);
  return n;
}

// Those of n, four where it can be, in the order of the passes; 1 has none.
std::vector<std::int64_t> factors_of(std::int64_t n) {
  std::vector<std::int64_t> factors;
  for (; n % 4 == 0; n /= 4) factors.push_back(4);
  for (std::int64_t p = 2; p * p <= n;) {
    if (n % p != 0) {
      ++p;
      continue;
    }
    factors.push_back(p);
    n /= p;
  }
  if (n > 1) factors.push_back(n);
  return factors;
}

// e^(-pi i k / n)
std::pair<double, double> turn(std::int64_t k, std::int64_t n) {
  const double x = static_cast<double>(k) / static_cast<double>(n);
  return {CosPi{}.at(x), -SinPi{}.at(x)};
}

// One pass of radix 4, over `m` groups of `s` neighbours.
void pass_of_four(const double* xr, const double* xi, double* yr, double* yi, std::int64_t m, std::int64_t s,
                  const double* roots_re, const double* roots_im) {
  for (std::int64_t q = 0; q < m; ++q) {
    const double w1r = roots_re[q * s], w1i = roots_im[q * s], w2r = roots_re[2 * q * s], w2i = roots_im[2 * q * s],
                 w3r = roots_re[3 * q * s], w3i = roots_im[3 * q * s];
    const std::int64_t from = s * q, step = s * m, to = 4 * s * q;
    for (std::int64_t k = 0; k < s; ++k) {
      const std::int64_t a = from + k, b = a + step, c = b + step, d = c + step, y = to + k;
      const double sum_r = xr[a] + xr[c], sum_i = xi[a] + xi[c], gap_r = xr[a] - xr[c], gap_i = xi[a] - xi[c];
      const double odd_r = xr[b] + xr[d], odd_i = xi[b] + xi[d], side_r = xi[b] - xi[d], side_i = xr[d] - xr[b];
      yr[y] = sum_r + odd_r;
      yi[y] = sum_i + odd_i;
      const double r1 = gap_r + side_r, i1 = gap_i + side_i, r2 = sum_r - odd_r, i2 = sum_i - odd_i,
                   r3 = gap_r - side_r, i3 = gap_i - side_i;
      yr[y + s] = r1 * w1r - i1 * w1i;
      yi[y + s] = r1 * w1i + i1 * w1r;
      yr[y + 2 * s] = r2 * w2r - i2 * w2i;
      yi[y + 2 * s] = r2 * w2i + i2 * w2r;
      yr[y + 3 * s] = r3 * w3r - i3 * w3i;
      yi[y + 3 * s] = r3 * w3i + i3 * w3r;
    }
  }
}

}  // namespace

Fft::Fft(std::int64_t n) : n_(claimed(n)), factors_(factors_of(n)) {
  const bool direct = factors_.empty() || *std::max_element(factors_.begin(), factors_.end()) <= largest_factor;
  if (direct) {
    root_re_.reserve(static_cast<std::size_t>(n));
    root_im_.reserve(static_cast<std::size_t>(n));
    for (std::int64_t k = 0; k < n; ++k) {
      const auto [re, im] = turn(2 * k, n);
      root_re_.push_back(re);
      root_im_.push_back(im);
    }
    return;
  }
  std::int64_t size = 1;
  while (size < 2 * n - 1) size *= 2;
  longer_ = std::make_unique<Fft>(size);
  internal::claim_table(size, entry);
  filter_re_.assign(static_cast<std::size_t>(size), 0);
  filter_im_.assign(static_cast<std::size_t>(size), 0);
  std::int64_t squared = 0;  // k^2 modulo 2n
  for (std::int64_t k = 0; k < n; ++k) {
    const auto [re, im] = turn(squared, n);
    chirp_re_.push_back(re);
    chirp_im_.push_back(im);
    for (const std::int64_t at : {k, (size - k) % size}) {
      filter_re_[static_cast<std::size_t>(at)] = re;
      filter_im_[static_cast<std::size_t>(at)] = -im;
    }
    squared = (squared + 2 * k + 1) % (2 * n);
  }
  std::vector<double> scratch(static_cast<std::size_t>(longer_->scratch()));
  longer_->run({filter_re_.data(), filter_im_.data()}, scratch.data());
  for (double& v : filter_re_) v /= static_cast<double>(size);
  for (double& v : filter_im_) v /= static_cast<double>(size);
}

std::int64_t Fft::scratch() const { return longer_ ? 2 * longer_->size() + longer_->scratch() : 2 * n_; }

void Fft::run(Complex x, double* scratch) const { longer_ ? by_chirp(x, scratch) : by_factors(x, scratch); }

// Pass by pass, n = p m s: element k of group q + m j of x, over j = 0 .. p - 1, gives the elements k of the groups
// p q + r of y, r = 0 .. p - 1, times the root r q.
void Fft::by_factors(Complex x, double* scratch) const {
  double *xr = x.re, *xi = x.im, *yr = scratch, *yi = scratch + n_;
  std::int64_t s = 1, left = n_;
  for (const std::int64_t p : factors_) {
    const std::int64_t m = left / p;
    if (p == 4) {
      pass_of_four(xr, xi, yr, yi, m, s, root_re_.data(), root_im_.data());
    } else {
      for (std::int64_t q = 0; q < m; ++q)
        for (std::int64_t r = 0; r < p; ++r) {
          double *to_r = yr + s * (p * q + r), *to_i = yi + s * (p * q + r);
          for (std::int64_t j = 0; j < p; ++j) {
            // The root of term j, r of the short transform times the one that follows it: e^(-2 pi i (j r / p + q r /
            // left)).
            const auto at = static_cast<std::size_t>((j * r % p * (n_ / p) + q * r * s) % n_);
            const double wr = root_re_[at], wi = root_im_[at];
            const double *from_r = xr + s * (q + m * j), *from_i = xi + s * (q + m * j);
            for (std::int64_t k = 0; k < s; ++k) {
              const double re = from_r[k] * wr - from_i[k] * wi, im = from_r[k] * wi + from_i[k] * wr;
              to_r[k] = j == 0 ? re : to_r[k] + re;
              to_i[k] = j == 0 ? im : to_i[k] + im;
            }
          }
        }
    }
    std::swap(xr, yr);
    std::swap(xi, yi);
    left = m;
    s *= p;
  }
  if (xr != x.re) {
    std::copy_n(xr, n_, x.re);
    std::copy_n(xi, n_, x.im);
  }
}

// j k = (j^2 + k^2 - (k - j)^2) / 2 makes it a convolution with the chirp, which the longer transform does as a
// product.
void Fft::by_chirp(Complex x, double* scratch) const {
  const std::int64_t size = longer_->size();
  double *ar = scratch, *ai = scratch + size, *rest = scratch + 2 * size;
  for (std::int64_t k = 0; k < n_; ++k) {
    const auto at = static_cast<std::size_t>(k);
    ar[k] = x.re[k] * chirp_re_[at] - x.im[k] * chirp_im_[at];
    ai[k] = x.re[k] * chirp_im_[at] + x.im[k] * chirp_re_[at];
  }
  std::fill(ar + n_, ar + size, 0.0);
  std::fill(ai + n_, ai + size, 0.0);
  longer_->run({ar, ai}, rest);
  // The way back is the way there with real and imaginary parts changed over.
  for (std::int64_t k = 0; k < size; ++k) {
    const auto at = static_cast<std::size_t>(k);
    const double re = ar[k] * filter_re_[at] - ai[k] * filter_im_[at],
                 im = ar[k] * filter_im_[at] + ai[k] * filter_re_[at];
    ar[k] = im;
    ai[k] = re;
  }
  longer_->run({ar, ai}, rest);
  for (std::int64_t k = 0; k < n_; ++k) {
    const auto at = static_cast<std::size_t>(k);
    x.re[k] = ai[k] * chirp_re_[at] - ar[k] * chirp_im_[at];
    x.im[k] = ai[k] * chirp_im_[at] + ar[k] * chirp_re_[at];
  }
}

}  // namespace oxbow::ops
