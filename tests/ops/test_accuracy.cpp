// Errors of the elementwise functions in units of the last place (ulp), against MPFR with 40 digits, over arguments
// that are spread evenly among the numbers of a dtype and evenly along the line. Long runs take a hundred times as
// many, and write down what they found. Kernels are reached through the ops, compiled as they run.
// Labels: levels, long.
#include <oxbow/ops/ops.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/activation.h>
#include <oxbow/ops/pointwise/arcs.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/pointwise/hyperbolic.h>
#include <oxbow/ops/pointwise/trigonometry.h>
#include <oxbow/ops/pointwise/unary.h>

#include <bit>
#include <boost/math/constants/constants.hpp>
#include <boost/multiprecision/mpfr.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <iomanip>
#include <limits>
#include <random>
#include <sstream>
#include <string_view>

#include "support/figures.h"

BOOST_AUTO_TEST_SUITE(test_accuracy)

using namespace oxbow;
using namespace oxbow::ops;

namespace {

using Real =
    boost::multiprecision::number<boost::multiprecision::mpfr_float_backend<40>, boost::multiprecision::et_off>;

std::size_t points() { return std::getenv("OXBOW_LONG") != nullptr ? 400'000 : 4'000; }

// The place of a number among all of its dtype, in their order.
template <class T>
std::int64_t place(T x) {
  using I = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  const auto i = std::bit_cast<I>(std::abs(x));
  return std::signbit(x) ? -static_cast<std::int64_t>(i) : i;
}

template <class T>
T at_place(std::int64_t i) {
  using I = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
  const T size = std::bit_cast<T>(static_cast<I>(i < 0 ? -i : i));
  return i < 0 ? -size : size;
}

template <class T>
std::vector<T> arguments(double low, double high, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::int64_t first = place(static_cast<T>(low)), last = place(static_cast<T>(high));
  std::vector<T> x{static_cast<T>(low), static_cast<T>(high)};
  while (x.size() < points()) {
    const double unit = static_cast<double>(random() >> 11) * 0x1p-53;
    x.push_back(at_place<T>(
        first + static_cast<std::int64_t>(unit * (static_cast<double>(last) - static_cast<double>(first)))));
    x.push_back(static_cast<T>(low + (high - low) * unit));
  }
  return x;
}

template <class T>
std::vector<T> computed(const Op& op, std::vector<const T*> in, std::size_t n) {
  const std::vector<Type> types(in.size(), Type{dtype_of<T>, {static_cast<std::int64_t>(n)}});
  const std::vector<const void*> pointers(in.begin(), in.end());
  std::vector<T> out(n);
  op.tile(types)(op.self(), pointers.data(), out.data(), static_cast<std::int64_t>(n));
  return out;
}

// In ulps of the exact value, or of `least` where that is larger. Of results that are normal numbers.
template <class T>
double error(const Real& exact, T got, double least = 0) {
  const auto size = static_cast<double>(abs(exact));
  if (size < std::numeric_limits<T>::min() || size > std::numeric_limits<T>::max()) return 0;
  const int exponent = std::ilogb(std::max(size, least)) + 1 - std::numeric_limits<T>::digits;
  return static_cast<double>(abs(exact - Real(got)) / ldexp(Real(1), exponent));
}

struct Function {
  Op op;
  Real (*exact)(const Real&);
  double low, high;
  double f32, f64;       // largest errors that are allowed
  bool of_size = false;  // in ulps of max(1, |x|): where a result vanishes, its error does not
};

Real pi() { return boost::math::constants::pi<Real>(); }
Real normal(const Real& x) { return erfc(-x / sqrt(Real(2))) / 2; }
Real half_turns(const Real& x) { return pi() * (x - 2 * floor(x / 2)); }

const Function functions[] = {
    {Exp{}, [](const Real& x) -> Real { return exp(x); }, -87, 88, 1.2, 1.2},
    {Expm1{}, [](const Real& x) -> Real { return expm1(x); }, -50, 88, 2.5, 2.5},
    {Log{}, [](const Real& x) -> Real { return log(x); }, 1e-37, 1e37, 1, 1},
    {Log1p{}, [](const Real& x) -> Real { return log1p(x); }, -0.999, 1e30, 2.5, 2.5},
    {Sqrt{}, [](const Real& x) -> Real { return sqrt(x); }, 1e-37, 1e37, 0.5, 0.5},
    {Rsqrt{}, [](const Real& x) -> Real { return 1 / sqrt(x); }, 1e-37, 1e37, 1.5, 1.5},
    {Reciprocal{}, [](const Real& x) -> Real { return 1 / x; }, 1e-37, 1e37, 0.5, 0.5},
    {Sin{}, [](const Real& x) -> Real { return sin(x); }, -3e38, 3e38, 0.6, 1.3},
    {Cos{}, [](const Real& x) -> Real { return cos(x); }, -3e38, 3e38, 0.6, 1.3},
    {Tan{}, [](const Real& x) -> Real { return tan(x); }, -3e38, 3e38, 0.6, 2.8},
    {SinPi{}, [](const Real& x) -> Real { return sin(half_turns(x)); }, -9, 9, 2, 2, true},
    {CosPi{}, [](const Real& x) -> Real { return cos(half_turns(x)); }, -9, 9, 2, 2, true},
    {Asin{}, [](const Real& x) -> Real { return asin(x); }, -1, 1, 0.51, 2.3},
    {Acos{}, [](const Real& x) -> Real { return acos(x); }, -1, 1, 0.51, 1.3},
    {Atan{}, [](const Real& x) -> Real { return atan(x); }, -1e30, 1e30, 0.51, 1},
    {Sinh{}, [](const Real& x) -> Real { return sinh(x); }, -88, 88, 0.51, 2.5},
    {Cosh{}, [](const Real& x) -> Real { return cosh(x); }, -88, 88, 0.51, 1.6},
    {Asinh{}, [](const Real& x) -> Real { return asinh(x); }, -1e30, 1e30, 0.51, 2.2},
    {Acosh{}, [](const Real& x) -> Real { return acosh(x); }, 1, 1e30, 0.51, 3},
    {Atanh{}, [](const Real& x) -> Real { return atanh(x); }, -0.9999, 0.9999, 0.51, 2.5},
    {Sigmoid{}, [](const Real& x) -> Real { return 1 / (1 + exp(-x)); }, -80, 80, 3, 3},
    {Softplus{}, [](const Real& x) -> Real { return log1p(exp(x)); }, -80, 80, 3, 3},
    {Tanh{}, [](const Real& x) -> Real { return tanh(x); }, -30, 30, 3, 2},
    {Erf{}, [](const Real& x) -> Real { return erf(x); }, -9, 9, 3.6, 2},
    {Gelu{}, [](const Real& x) -> Real { return x * normal(x); }, -10, 10, 4, 4, true},
};

template <class T>
double largest_error(const Function& f) {
  const std::vector<T> x = arguments<T>(f.low, f.high, 7), y = computed<T>(f.op, {x.data()}, x.size());
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double e = error(f.exact(Real(x[i])), y[i], f.of_size ? std::max(1.0, std::abs(double{x[i]})) : 0);
    if (!(e <= largest)) largest = e;
  }
  return largest;
}

// x^y with the bases and the exponents in two lists of one length, whose results are mostly within a dtype's range.
template <class T>
double largest_error_of_pow() {
  const std::vector<T> x = arguments<T>(1e-3, 1e3, 7);
  std::vector<T> y = arguments<T>(-12, 12, 8);
  const T most = std::numeric_limits<T>::max_exponent - 2;  // near 1 the exponent may be large
  for (std::size_t i = 0; i < x.size(); i += 3)
    if (const T log2 = std::abs(std::log2(x[i])); log2 > 0 && log2 < T(0.5)) y[i] = most / log2 * y[i] / 12;
  const std::vector<T> z = computed<T>(Pow{}, {x.data(), y.data()}, x.size());
  double largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double e = error(Real(pow(Real(x[i]), Real(y[i]))), z[i]);
    if (!(e <= largest)) largest = e;
  }
  return largest;
}

std::string shown(std::string_view name, double f32, double f64) {
  std::ostringstream text;
  text << name << std::fixed << std::setprecision(2) << " " << f32 << " and " << f64;
  return text.str();
}

}  // namespace

BOOST_AUTO_TEST_CASE(errors_are_a_few_units_of_the_last_place) {
  std::string ulps, ulps_of_size;
  for (const Function& f : functions) {
    const double f32 = largest_error<float>(f), f64 = largest_error<double>(f);
    BOOST_TEST(f32 <= f.f32, f.op.name() << " f32: " << f32);
    BOOST_TEST(f64 <= f.f64, f.op.name() << " f64: " << f64);
    std::string& list = f.of_size ? ulps_of_size : ulps;
    list += (list.empty() ? "" : ", ") + shown(f.op.name(), f32, f64);
  }
  const double f32 = largest_error_of_pow<float>(), f64 = largest_error_of_pow<double>();
  BOOST_TEST(f32 <= 1, "pow f32: " << f32);
  BOOST_TEST(f64 <= 1, "pow f64: " << f64);
  test::figure("ulps", test::counted(points()) + " numbers a function, largest errors in f32 and f64, in ulp: " + ulps +
                           ", " + shown("pow", f32, f64) + "; in ulp of max(1, |x|): " + ulps_of_size);
}

BOOST_AUTO_TEST_SUITE_END()
