// Inverse trigonometric functions. f32 goes through f64, so that its result is rounded once; f64 is within 2.2 ulp
// (measured by tests/ops/test_accuracy.cpp). NaN outside the domain. Branch-free, of correctly rounded operations
// only. Pure functions.
#pragma once

#include <oxbow/ops/math.h>

namespace oxbow::math {

/// (asin(x) - x) / x of z = x^2 for |x| <= 1/2: the rational function of FreeBSD's msun, e_asin.c.
inline double arc_series(double z) {
  const double p = polynomial(z, 3.47933107596021167570e-05, 7.91534994289814532176e-04, -4.00555345006794114027e-02,
                              2.01212532134862925881e-01, -3.25565818622400915405e-01, 1.66666666666666657415e-01);
  const double q = polynomial(z, 7.70381505559019352791e-02, -6.88283971605453293030e-01, 2.02094576023350569471e+00,
                              -2.40339491173441421878e+00, 1.0);
  return z * (p / q);
}

/// Beyond 1/2: asin(x) = pi / 2 - 2 asin(sqrt((1 - x) / 2)).
inline double asin(double x) {
  const double a = abs(x);
  const bool large = a > 0.5;
  const double z = large ? 0.5 * (1 - a) : a * a, s = large ? sqrt(z) : a;
  const double y = s + s * arc_series(z);
  return std::copysign(large ? 0x1.921fb54442d18p+0 - (2 * y - 0x1.1a62633145c07p-54) : y, x);
}

inline double acos(double x) {
  const double a = abs(x);
  const bool large = a > 0.5;
  const double z = large ? 0.5 * (1 - a) : a * a, s = large ? sqrt(z) : x;
  const double y = s + s * arc_series(z);
  const double near = 0x1.921fb54442d18p+0 - (y - 0x1.1a62633145c07p-54);
  const double far = x < 0 ? 0x1.921fb54442d18p+1 - (2 * y - 0x1.1a62633145c07p-53) : 2 * y;
  return large ? far : near;
}

/// By atan(x) = pi / 4 + atan((x - 1) / (x + 1)) or pi / 2 - atan(1 / x), then the rational function of Moshier's
/// Cephes, atan.c.
inline double atan(double x) {
  const double a = abs(x);
  const bool far = a > 2.414213562373095, middle = a > 0.66;
  const double t = (far ? -1.0 : middle ? a - 1 : a) / (far ? a : middle ? a + 1 : 1.0), z = t * t;
  const double p = polynomial(z, -8.750608600031904122785e-1, -1.615753718733365076637e1, -7.500855792314704667340e1,
                              -1.228866684490136173410e2, -6.485021904942025371773e1);
  const double q = polynomial(z, 1.0, 2.485846490142306297962e1, 1.650270098316988542046e2, 4.328810604912902668951e2,
                              4.853903996359136964868e2, 1.945506571482613964425e2);
  const double base = far ? 0x1.921fb54442d18p+0 : middle ? 0x1.921fb54442d18p-1 : 0.0;
  const double low = far ? 0x1.1a62633145c07p-54 : middle ? 0x1.1a62633145c07p-55 : 0.0;
  return std::copysign(base + (t + (t * (z * (p / q)) + low)), x);
}

}  // namespace oxbow::math
