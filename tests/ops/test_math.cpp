// The functions of ops/math.h where they are special: infinities, NaN and signed zeros, angles next to quarter turns,
// what is exact, and the same bits wherever an element stands; test_accuracy.cpp has their errors. Kernels are reached
// through the ops, compiled as they run.
// Labels: levels.
#include <oxbow/ops/ops.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/activation.h>
#include <oxbow/ops/pointwise/arcs.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/pointwise/division.h>
#include <oxbow/ops/pointwise/hyperbolic.h>
#include <oxbow/ops/pointwise/rounding.h>
#include <oxbow/ops/pointwise/trigonometry.h>
#include <oxbow/ops/pointwise/unary.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <numbers>
#include <random>

BOOST_AUTO_TEST_SUITE(test_math)

using namespace oxbow;
using namespace oxbow::ops;

namespace {

template <class T>
std::vector<T> computed(const Op& op, std::vector<const T*> in, std::size_t n) {
  std::vector<Type> types(in.size(), Type{dtype_of<T>, {static_cast<std::int64_t>(n)}});
  std::vector<const void*> pointers(in.begin(), in.end());
  std::vector<T> out(n);
  op.tile(types)(op.self(), pointers.data(), out.data(), static_cast<std::int64_t>(n));
  return out;
}

// Even and logarithmic draws of both signs.
template <class T>
std::vector<T> arguments(double low, double high) {
  std::mt19937_64 random(7);
  const auto unit = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  std::vector<T> x;
  for (int i = 0; i < 60000; ++i) x.push_back(static_cast<T>(low + (high - low) * unit()));
  for (int i = 0; i < 60000; ++i) {
    const double v = std::pow(2.0, -40 + 47 * unit()) * (low < 0 && unit() < 0.5 ? -1 : 1);
    if (v >= low && v <= high) x.push_back(static_cast<T>(v));
  }
  return x;
}

using Exact = long double (*)(long double);

long double sine(long double x) { return std::sin(x); }
long double cosine(long double x) { return std::cos(x); }

}  // namespace

BOOST_AUTO_TEST_CASE(special_powers) {
  const double specials[] = {0.0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, INFINITY, -INFINITY, NAN, 5e-324, 1e30, -1e300};
  for (const double a : specials) {
    for (const double b : specials) {
      const double got = computed<double>(Pow{}, {&a, &b}, 1)[0], want = std::pow(a, b);
      const bool same = (std::isnan(got) && std::isnan(want)) ||
                        (std::signbit(got) == std::signbit(want) && (got == want || std::abs(got / want - 1) < 1e-13));
      BOOST_TEST(same, "pow(" << a << ", " << b << ") is " << got << ", not " << want);
    }
  }
}

BOOST_AUTO_TEST_CASE(special_arguments) {
  const float specials[] = {0.0F, -0.0F, INFINITY, -INFINITY, NAN, 1e-45F, -1e-45F, 3e38F, -3e38F};
  const auto check = [&](const Op& op, double (*f)(double)) {
    for (const float x : specials) {
      const float got = computed<float>(op, {&x}, 1)[0], want = static_cast<float>(f(x));
      const bool same = (std::isnan(got) && std::isnan(want)) ||
                        (std::signbit(got) == std::signbit(want) && (got == want || std::abs(got / want - 1) < 1e-6F));
      BOOST_TEST(same, op.name() << "(" << x << ") is " << got << ", not " << want);
    }
  };
  check(Exp{}, [](double x) { return std::exp(x); });
  check(Log{}, [](double x) { return std::log(x); });
  check(Tanh{}, [](double x) { return std::tanh(x); });
  check(Erf{}, [](double x) { return std::erf(x); });
  check(Sigmoid{}, [](double x) { return 1 / (1 + std::exp(-x)); });
  check(Softplus{}, [](double x) { return x > 700 ? x : std::log1p(std::exp(x)); });
  check(Sqrt{}, [](double x) { return std::sqrt(x); });
  check(Sin{}, [](double x) { return std::sin(x); });
  check(Cos{}, [](double x) { return std::cos(x); });
  check(Tan{}, [](double x) { return std::tan(x); });
  check(Asin{}, [](double x) { return std::asin(x); });
  check(Acos{}, [](double x) { return std::acos(x); });
  check(Atan{}, [](double x) { return std::atan(x); });
  check(Sinh{}, [](double x) { return std::sinh(x); });
  check(Cosh{}, [](double x) { return std::cosh(x); });
  check(Asinh{}, [](double x) { return std::asinh(x); });
  check(Acosh{}, [](double x) { return std::acosh(x); });
  check(Atanh{}, [](double x) { return std::atanh(x); });
  check(Expm1{}, [](double x) { return std::expm1(x); });
  check(Log1p{}, [](double x) { return std::log1p(x); });
  check(Floor{}, [](double x) { return std::floor(x); });
  check(Ceil{}, [](double x) { return std::ceil(x); });
  check(Round{}, [](double x) { return std::nearbyint(x); });
  check(Trunc{}, [](double x) { return std::trunc(x); });
}

// The doubles nearest to a multiple of pi / 2, where a sine or a cosine is next to nothing: the digits are those of
// what is left of pi / 2, of which ever more count. The last is the worst of all doubles (Muller, "Elementary
// Functions", 1997).
BOOST_AUTO_TEST_CASE(angles_next_to_quarter_turns) {
  std::vector<double> x{0x1.6ac5b262ca1ffp+849};
  for (int i = 1; i < 700000; i += 7) x.push_back(static_cast<double>(i * (std::numbers::pi_v<long double> / 2)));
  const auto check = [&]<class T>(T) {
    const std::vector<T> of(x.begin(), x.end());
    for (const auto& [op, exact] : {std::pair<Op, Exact>{Sin{}, sine}, {Cos{}, cosine}}) {
      const std::vector<T> y = computed<T>(op, {of.data()}, of.size());
      double largest = 0;
      for (std::size_t i = 0; i < of.size(); ++i) {
        if (!std::isfinite(of[i])) continue;
        const long double e = exact(of[i]);
        const long double place = std::ldexp(1.0L, std::ilogb(e) + 1 - std::numeric_limits<T>::digits);
        largest = std::max(largest, static_cast<double>(std::fabs(e - static_cast<long double>(y[i])) / place));
      }
      BOOST_TEST(largest <= 1, op.name() << " in " << name(dtype_of<T>) << ": " << largest);
    }
  };
  check(float{});
  check(double{});
}

// The remainder is exact, so any other exact one gives the same.
BOOST_AUTO_TEST_CASE(remainders_are_exact) {
  const auto check = [&]<class T>(T) {
    std::vector<T> a, b,
        specials{0,
                 -T(0),
                 1,
                 -1,
                 T(1.5),
                 T(-2.5),
                 3,
                 1e30F,
                 std::numeric_limits<T>::min(),
                 std::numeric_limits<T>::denorm_min(),
                 std::numeric_limits<T>::max(),
                 INFINITY,
                 -INFINITY,
                 NAN};
    for (const T x : specials)
      for (const T y : specials) a.push_back(x), b.push_back(y);
    std::mt19937_64 random(11);
    for (int i = 0; i < 20000; ++i) {
      const auto drawn = [&] {
        return static_cast<T>(
            std::ldexp(static_cast<double>(random() >> 11) * 0x1p-53, static_cast<int>(random() % 120) - 60));
      };
      a.push_back(drawn() * (random() % 2 == 0 ? 1 : -1));
      b.push_back(drawn() * (random() % 2 == 0 ? 1 : -1));
    }
    const std::vector<T> y = computed<T>(Fmod{}, {a.data(), b.data()}, a.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      const T want = std::fmod(a[i], b[i]);
      if (!(std::isnan(want) ? std::isnan(y[i]) : want == y[i] && std::signbit(want) == std::signbit(y[i])))
        BOOST_ERROR("fmod(" << a[i] << ", " << b[i] << ") is " << y[i] << ", not " << want);
    }
  };
  check(float{});
  check(double{});
}

BOOST_AUTO_TEST_CASE(whole_numbers) {
  std::vector<double> x{0x1p52, 0x1p53 - 1, -0x1p60, 0.49999999999999994, 4503599627370495.5};
  for (double v = -6; v <= 6; v += 0.125) x.push_back(v);
  const std::pair<Op, double (*)(double)> all[] = {
      {Floor{}, std::floor}, {Ceil{}, std::ceil}, {Round{}, std::nearbyint}, {Trunc{}, std::trunc}};
  for (const auto& [op, f] : all) {
    const std::vector<double> y = computed<double>(op, {x.data()}, x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      BOOST_TEST((y[i] == f(x[i]) && std::signbit(y[i]) == std::signbit(f(x[i]))),
                 op.name() << "(" << x[i] << ") is " << y[i]);
  }
}

// Every significand with an even and an odd exponent: all others only scale. Then what is too small to scale, and a
// number that is special among others.
BOOST_AUTO_TEST_CASE(every_root_is_rounded_correctly) {
  const auto check = [](const std::vector<float>& x) {
    const std::vector<float> y = computed<float>(Sqrt{}, {x.data()}, x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      if (const float want = std::sqrt(x[i]);
          std::bit_cast<std::uint32_t>(want) != std::bit_cast<std::uint32_t>(y[i]) &&
          !(std::isnan(want) && std::isnan(y[i])))
        BOOST_FAIL("sqrt(" << x[i] << ") is " << y[i] << ", not " << want);
  };
  std::vector<float> x(1 << 16);
  for (std::uint32_t first = 0x3f800000; first < 0x40800000; first += 1 << 16) {
    for (std::uint32_t i = 0; i < x.size(); ++i) x[i] = std::bit_cast<float>(first + i);
    check(x);
  }
  for (const float scale : {0x1p-149F, 0x1p-127F, 0x1p-81F, 0x1p-80F, 0x1p-79F, 0x1p127F}) {
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = scale * (1 + static_cast<float>(i) * 0x1p-16F);
    check(x);
  }
  for (const float special : {0.0F, -0.0F, INFINITY, -INFINITY, NAN, -1.0F}) {
    x[100] = special;
    check(x);
  }
}

// An element alone, in a row of any length, and at any alignment.
BOOST_AUTO_TEST_CASE(the_same_bits_at_any_place) {
  const std::vector<float> x = arguments<float>(0.01, 8);
  const std::vector<double> xd(x.begin(), x.begin() + 300);
  for (const Op& op : std::initializer_list<Op>{
           Exp{}, Log{}, Tanh{}, Sigmoid{}, Erf{},  Gelu{},  Softplus{}, Rsqrt{}, Pow{},   GeluGradient{}, Sin{},
           Cos{}, Tan{}, Asin{}, Atan{},    Sinh{}, Asinh{}, Expm1{},    Log1p{}, Floor{}, Fmod{}}) {
    const bool two = op.info().inputs.size() == 2;
    const auto run = [&]<class T>(const T* from, std::size_t n) {
      return two ? computed<T>(op, {from, from}, n) : computed<T>(op, {from}, n);
    };
    const std::vector<float> all = run(x.data(), 300);
    const std::vector<double> all_d = run(xd.data(), 300);
    for (std::size_t first = 0; first < 40; ++first) {
      for (const std::size_t n : {std::size_t{1}, std::size_t{7}, std::size_t{16}, std::size_t{33}, std::size_t{100}}) {
        const std::vector<float> some = run(x.data() + first, n);
        const std::vector<double> some_d = run(xd.data() + first, n);
        BOOST_TEST(std::memcmp(some.data(), all.data() + first, n * sizeof(float)) == 0, op.name() << " f32");
        BOOST_TEST(std::memcmp(some_d.data(), all_d.data() + first, n * sizeof(double)) == 0, op.name() << " f64");
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
