// The discrete Fourier transform of one row of complex numbers, of any length, in double: by factors (Stockham's order,
// which needs no permutation; Cochran et al. 1967) where these are small, else as a convolution of a longer length
// (Bluestein 1970). Error and time grow with log n. Immutable once made; safe from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace oxbow::ops {

/// Real and imaginary parts apart.
struct Complex {
  double* re;
  double* im;
};

class Fft {
 public:
  /// Of rows of n >= 1 numbers.
  explicit Fft(std::int64_t n);

  std::int64_t size() const { return n_; }
  /// How many doubles `run` needs beside the row.
  std::int64_t scratch() const;
  /// x[k] becomes sum over j of x[j] e^(-2 pi i j k / n). `scratch` is of so many doubles.
  void run(Complex x, double* scratch) const;

 private:
  void by_factors(Complex x, double* scratch) const;
  void by_chirp(Complex x, double* scratch) const;

  std::int64_t n_;
  std::vector<std::int64_t> factors_;
  std::vector<double> root_re_, root_im_;  // e^(-2 pi i k / n)
  // Of a length with a large prime factor.
  std::unique_ptr<Fft> longer_;
  std::vector<double> chirp_re_, chirp_im_;    // e^(-pi i k^2 / n)
  std::vector<double> filter_re_, filter_im_;  // the transform of the chirp's conjugate, over the longer length
};

}  // namespace oxbow::ops
