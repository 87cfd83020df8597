#include <oxbow/graph/support/normal_quantile.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>

namespace oxbow::internal {
namespace {

// Loops do little each, over arrays that stay in cache: so they become vectors, and many iterations run at once.
constexpr std::size_t most = 256;
using Lanes = std::array<double, most>;

// Horner's rule, lowest coefficient first, without a loop, which a vector of x would need to be the inner one.
template <std::size_t n, std::size_t... i>
inline double polynomial(const std::array<double, n>& c, double x, std::index_sequence<i...>) {
  double y = c[n - 1];
  ((y = y * x + c[n - 2 - i]), ...);
  return y;
}
template <std::size_t n>
inline double polynomial(const std::array<double, n>& c, double x) {
  return polynomial(c, x, std::make_index_sequence<n - 1>{});
}

double central(double q) {  // for |q| = |p - 0.5| <= 0.425
  constexpr std::array<double, 8> a{3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                                    1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                    3.3430575583588128105e+4, 2.5090809287301226727e+3};
  constexpr std::array<double, 8> b{1.0,
                                    4.2313330701600911252e+1,
                                    6.8718700749205790830e+2,
                                    5.3941960214247511077e+3,
                                    2.1213794301586595867e+4,
                                    3.9307895800092710610e+4,
                                    2.8729085735721942674e+4,
                                    5.2264952788528545610e+3};
  const double r = 0.180625 - q * q;
  return q * polynomial(a, r) / polynomial(b, r);
}

// Of r, the square root of minus the logarithm of the tail.
double near_tail(double r) {  // r <= 5
  constexpr std::array<double, 8> c{1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                    3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                    2.27238449892691845833e-2, 7.74545014278341407640e-4};
  constexpr std::array<double, 8> d{1.0,
                                    2.05319162663775882187e0,
                                    1.67638483018380384940e0,
                                    6.89767334985100004550e-1,
                                    1.48103976427480074590e-1,
                                    1.51986665636164571966e-2,
                                    5.47593808499534494600e-4,
                                    1.05075007164441684324e-9};
  return polynomial(c, r - 1.6) / polynomial(d, r - 1.6);
}
double far_tail(double r) {
  constexpr std::array<double, 8> e{6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                                    2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                    2.71155556874348757815e-5, 2.01033439929228813265e-7};
  constexpr std::array<double, 8> f{1.0,
                                    5.99832206555887937690e-1,
                                    1.36929880922735805310e-1,
                                    1.48753612908506148525e-2,
                                    7.86869131145613259100e-4,
                                    1.84631831751005468180e-5,
                                    1.42151175831644588870e-7,
                                    2.04426310338993978564e-15};
  return polynomial(e, r - 5) / polynomial(f, r - 5);
}

// x becomes log x for normal x > 0; libm's does not round the same everywhere. x = 2^e m with m near 1, and
// log m = 2 artanh s = 2 (s + s^3 / 3 + s^5 / 5 + ...) where s = (m - 1) / (m + 1).
void logarithms(Lanes& x, std::size_t count) {
  constexpr std::uint64_t mantissa = (std::uint64_t{1} << 52) - 1, one = std::uint64_t{1023} << 52;
  constexpr std::uint64_t whole = std::uint64_t{0x433} << 52;  // 2^52: with i below that in its mantissa, 2^52 + i
  Lanes e, s;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<std::uint64_t>(x[i]);
    const double exponent = std::bit_cast<double>(bits >> 52 | whole) - (0x1p52 + 1023);
    const double m = std::bit_cast<double>((bits & mantissa) | one);
    const bool above = m > 1.4142135623730951;
    const double near = above ? m * 0.5 : m;
    e[i] = above ? exponent + 1 : exponent;
    s[i] = (near - 1) / (near + 1);
  }
  constexpr std::array<double, 12> series{1.0,      1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11,
                                          1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};
  for (std::size_t i = 0; i < count; ++i)
    x[i] = e[i] * 0.69314718055994531 + 2 * s[i] * polynomial(series, s[i] * s[i]);
}

void quantiles(double* p, std::size_t count) {
  // One of seven lies in the tails.
  Lanes q, r;
  std::array<std::uint32_t, most> place;
  std::size_t tails = 0;
  for (std::size_t i = 0; i < count; ++i) {
    q[tails] = p[i];
    place[tails] = static_cast<std::uint32_t>(i);
    tails += std::fabs(p[i] - 0.5) > 0.425;
  }
  for (std::size_t i = 0; i < count; ++i) p[i] = central(p[i] - 0.5);
  for (std::size_t i = 0; i < tails; ++i) r[i] = std::min(q[i], 1 - q[i]);
  logarithms(r, tails);
  for (std::size_t i = 0; i < tails; ++i) r[i] = std::sqrt(-r[i]);
  for (std::size_t i = 0; i < tails; ++i) q[i] = std::copysign(near_tail(r[i]), q[i] - 0.5);
  for (std::size_t i = 0; i < tails; ++i) p[place[i]] = r[i] <= 5 ? q[i] : std::copysign(far_tail(r[i]), q[i]);
}

}  // namespace

void normal_quantiles(std::span<double> p) {
  for (std::size_t i = 0; i < p.size(); i += most) quantiles(p.data() + i, std::min(most, p.size() - i));
}

double normal_quantile(double p) {
  normal_quantiles({&p, 1});
  return p;
}

}  // namespace oxbow::internal
