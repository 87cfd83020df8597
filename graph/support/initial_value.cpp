#include <oxbow/graph/support/initial_value.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/random.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace oxbow::internal {
namespace {

// Horner's rule, lowest coefficient first.
template <std::size_t n>
double polynomial(const std::array<double, n>& c, double x) {
  double y = c[n - 1];
  for (std::size_t i = n - 1; i-- > 0;) y = y * x + c[i];
  return y;
}

// log x for a normal x > 0 by additions, multiplications and one division, which round the same everywhere; libm's does
// not. x = 2^e m with m near 1, and log m = 2 artanh s = 2 (s + s^3 / 3 + s^5 / 5 + ...) where s = (m - 1) / (m + 1).
double portable_log(double x) {
  constexpr std::uint64_t mantissa = (std::uint64_t{1} << 52) - 1, one = std::uint64_t{1023} << 52;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  double e = static_cast<double>(static_cast<std::int64_t>(bits >> 52) - 1023);
  double m = std::bit_cast<double>((bits & mantissa) | one);
  if (m > 1.4142135623730951) {
    m *= 0.5;
    e += 1;
  }
  const double s = (m - 1) / (m + 1);
  constexpr std::array<double, 12> series{1.0,      1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11,
                                          1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};
  return e * 0.69314718055994531 + 2 * s * polynomial(series, s * s);
}

// A double in (0, 1) from 52 random bits: the middle of its cell, so never 0 nor 1.
double open01(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = (std::uint64_t{high} << 20) | (low >> 12);
  return (static_cast<double>(bits) + 0.5) * 0x1p-52;
}

template <Element T>
void fill(const ops::Variable& v, T* out) {
  const Init& init = v.init;
  const std::int64_t count = v.type.count();
  if (init.kind == Init::Kind::zeros) return;  // as it was allocated
  if (init.kind == Init::Kind::constant) {
    const T value = static_cast<T>(init.a);
    for (std::int64_t i = 0; i < count; ++i) out[i] = value;
    return;
  }
  if (init.kind == Init::Kind::seed) {
    if (count > 0) out[0] = static_cast<T>(init.seed);
    return;
  }
  const bool normal = init.kind == Init::Kind::normal;
  for (std::int64_t i = 0; i < count; ++i) {
    const RandomBlock bits =
        random_block(init.seed, 0, static_cast<std::uint32_t>(init.stream), static_cast<std::uint64_t>(i / 2));
    const auto half = static_cast<std::size_t>(i % 2 * 2);
    const double u = open01(bits[half], bits[half + 1]);
    out[i] = static_cast<T>(normal ? init.a + init.b * normal_quantile(u) : init.a + (init.b - init.a) * u);
  }
}

}  // namespace

double normal_quantile(double p) {
  const double q = p - 0.5;
  if (std::fabs(q) <= 0.425) {
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
  double r = std::sqrt(-portable_log(q < 0 ? p : 1 - p));
  double x;
  if (r <= 5) {
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
    r -= 1.6;
    x = polynomial(c, r) / polynomial(d, r);
  } else {
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
    r -= 5;
    x = polynomial(e, r) / polynomial(f, r);
  }
  return q < 0 ? -x : x;
}

void check_init(const ops::Variable& v, Location at) {
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw Error("variable " + in_quotes(v.name) + " of type " + to_string(v.type) + ": " + problem + at_line(at) +
                "\n  " + remedy);
  };
  const Init::Kind kind = v.init.kind;
  if ((kind == Init::Kind::uniform || kind == Init::Kind::normal) && !is_float(v.type.dtype))
    refuse("only floating-point values are drawn at random", "Use f32, or another floating-point dtype");
  // Beyond 2^53 not every integer is a double: what was written may be another number.
  const bool held = kind != Init::Kind::constant || is_float(v.type.dtype) ||
                    (holds(v.type.dtype, v.init.a) && std::fabs(v.init.a) <= 0x1p53);
  if (!held) refuse("its first value " + short_number(v.init.a) + " does not fit", "Give a value of its dtype");
}

Tensor initial_value(const ops::Variable& v) {
  check_init(v, {});
  Tensor t({v.type.dtype, v.type.shape});
  dispatch(v.type.dtype, [&]<class T>(std::type_identity<T>) { fill(v, t.data<T>()); });
  return t;
}

}  // namespace oxbow::internal
