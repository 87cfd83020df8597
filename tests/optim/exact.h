// Arithmetic in multiple precision that keeps the largest term of what it computed: what a rounding error in double is
// to be measured by. Where terms cancel, no order of double operations keeps more than ulps of the largest.
#pragma once

#include <boost/multiprecision/mpfr.hpp>
#include <cmath>

namespace oxbow::test {

using Real =
    boost::multiprecision::number<boost::multiprecision::mpfr_float_backend<50>, boost::multiprecision::et_off>;

struct Term {
  Real v = 0;        ///< the value
  Real largest = 0;  ///< the largest term that went into it, through products, quotients and roots; at least |v|
  Term() = default;
  Term(double d) : v(d), largest(abs(v)) {}
  Term(const Real& r) : v(r), largest(abs(r)) {}
  Term(const Real& r, const Real& l) : v(r), largest(l) {}
};

inline const Real& larger(const Real& a, const Real& b) { return a < b ? b : a; }
inline Term operator+(const Term& a, const Term& b) { return {a.v + b.v, larger(a.largest, b.largest)}; }
inline Term operator-(const Term& a, const Term& b) { return {a.v - b.v, larger(a.largest, b.largest)}; }
inline Term operator*(const Term& a, const Term& b) {
  return {a.v * b.v, larger(a.largest * abs(b.v), abs(a.v) * b.largest)};
}
inline Term operator/(const Term& a, const Term& b) {
  return {a.v / b.v, larger(a.largest / abs(b.v), abs(a.v) * b.largest / (b.v * b.v))};
}
inline Term root(const Term& a) {
  const Real r = sqrt(a.v);
  return {r, r == 0 ? r : larger(r, a.largest / (2 * r))};
}
inline Term power(const Term& a, double p) {
  const Real r = pow(a.v, Real(p));
  return {r, a.v == 0 ? r : larger(r, abs(Real(p)) * r * a.largest / a.v)};
}
inline Term greater_of(const Term& a, const Term& b) { return a.v < b.v ? b : a; }
inline Term lesser_of(const Term& a, const Term& b) { return b.v < a.v ? b : a; }
inline Term size_of(const Term& a) { return {abs(a.v), a.largest}; }
inline int sign_of(const Term& a) { return a.v > 0 ? 1 : a.v < 0 ? -1 : 0; }

/// One unit in the last place of `x` as a double has it.
inline Real ulp(const Real& x) {
  const auto d = x.convert_to<double>();
  return d == 0 ? Real(0x1p-1074) : Real(std::ldexp(1.0, std::max(std::ilogb(d) - 52, -1074)));
}

}  // namespace oxbow::test
