#include <oxbow/ops/math.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/trigonometry.h>
#include <oxbow/ops/shared/angle.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace oxbow::ops {
namespace {

constexpr double pi = std::numbers::pi;

// f in [-1/4, 1/4] and the quarter turns q with x = f + q / 2; both exact. Beyond 2^22 (2^51) every float is an
// integer, and beyond twice as much an even one.
template <std::floating_point T>
T quarter_turns(T x, bool& odd, bool& half) {
  using F = math::Format<T>;
  constexpr T large = F::integer * 2;
  const T near = math::abs(x) < large ? x : x - x;  // 0, or NaN for an infinity
  const T turns = near * T(0.5);                    // of whole turns only the fraction matters
  const T whole = (turns + F::round) - F::round;
  const T rest = near - T(2) * whole;               // in [-1, 1]
  const T q = (T(2) * rest + F::round) - F::round;  // -2 .. 2
  odd = (q == T(1)) | (q == T(-1));
  half = (q == T(2)) | (q == T(-2)) | (q == T(-1));
  return rest - T(0.5) * q;
}

template <std::floating_point T>
T cosine(T x) {  // |x| <= pi / 4; the Taylor series
  const T z = x * x;
  if constexpr (std::is_same_v<T, float>)
    return math::fma(z, math::polynomial(z, 2.48015873e-5F, -1.38888889e-3F, 4.16666667e-2F, -0.5F), 1.0F);
  else
    return math::fma(z,
                     math::polynomial(z, 4.77947733238738530e-14, -1.14707455977297247e-11, 2.08767569878680990e-9,
                                      -2.75573192239858907e-7, 2.48015873015873016e-5, -1.38888888888888889e-3,
                                      4.16666666666666667e-2, -0.5),
                     1.0);
}

template <std::floating_point T>
T sine(T x) {
  const T z = x * x;
  if constexpr (std::is_same_v<T, float>)
    return math::fma(x * z, math::polynomial(z, 2.75573192e-6F, -1.98412698e-4F, 8.33333333e-3F, -1.66666667e-1F), x);
  else
    return math::fma(x * z,
                     math::polynomial(z, 2.81145725434552076e-15, -7.64716373181981648e-13, 1.60590438368216146e-10,
                                      -2.50521083854417188e-8, 2.75573192239858907e-6, -1.98412698412698413e-4,
                                      8.33333333333333333e-3, -1.66666666666666667e-1),
                     x);
}

template <std::floating_point T>
bool is_far(T x) {
  return !(math::abs(x) <= static_cast<T>(math::near_angle));
}

constexpr auto sine_of = []<class T>(std::type_identity<T>, const math::Angle& a) { return math::sin_of<T>(a); };
constexpr auto cosine_of = []<class T>(std::type_identity<T>, const math::Angle& a) { return math::cos_of<T>(a); };
constexpr auto tangent_of = []<class T>(std::type_identity<T>, const math::Angle& a) { return math::tan_of<T>(a); };

template <auto f, class T>
T near_by(T x) {
  return f(std::type_identity<T>{}, math::near_turns<std::is_same_v<T, double>>(x));
}
template <auto f, class T>
T far_off(T x) {
  return f(std::type_identity<T>{}, math::far_turns(x));
}
template <auto f, class T>
T of_angle(T x) {
  return is_far(x) ? far_off<f>(x) : near_by<f>(x);
}

// All elements as if they were near, in a loop that vectorises, then those that are not, which are few.
template <auto f, class T>
void over_angles(const void*, const void* const* in, void* out, std::int64_t n) {
  constexpr std::int64_t at_once = 256;
  const T* x = static_cast<const T*>(in[0]);
  T* y = static_cast<T*>(out);  // may be x
  T some[at_once];
  for (std::int64_t begin = 0; begin < n; begin += at_once) {
    const std::int64_t count = std::min(at_once, n - begin);
    int far = 0;
    for (std::int64_t i = 0; i < count; ++i) far |= is_far(x[begin + i]);
    for (std::int64_t i = 0; i < count; ++i) some[i] = near_by<f>(x[begin + i]);
    for (std::int64_t i = 0; far != 0 && i < count; ++i)
      if (is_far(x[begin + i])) some[i] = far_off<f>(x[begin + i]);
    std::copy(some, some + count, y + begin);
  }
}

template <auto f>
TileFn angle_tile(DType dtype) {
  return dispatch<dtypes::Floats>(dtype, []<class T>(std::type_identity<T>) -> TileFn { return over_angles<f, T>; });
}

}  // namespace

template <std::floating_point T>
T Sin::at(T x) const {
  return of_angle<sine_of>(x);
}
template <std::floating_point T>
T Cos::at(T x) const {
  return of_angle<cosine_of>(x);
}
template <std::floating_point T>
T Tan::at(T x) const {
  return of_angle<tangent_of>(x);
}

TileFn Sin::tile(Types in) const { return angle_tile<sine_of>(in[0].dtype); }
TileFn Cos::tile(Types in) const { return angle_tile<cosine_of>(in[0].dtype); }
TileFn Tan::tile(Types in) const { return angle_tile<tangent_of>(in[0].dtype); }

Grads Sin::gradient(const Node& n, Values dy) const { return {dy[0] * cos(n.input(0))}; }
Grads Cos::gradient(const Node& n, Values dy) const { return {-(dy[0] * sin(n.input(0)))}; }
Grads Tan::gradient(const Node& n, Values dy) const { return {dy[0] * (1.0 + square(n.output()))}; }

template <std::floating_point T>
T CosPi::at(T x) const {
  bool odd, half;
  const T f = quarter_turns(x, odd, half) * T(pi);
  const T c = cosine(f), s = sine(f);
  // cos(a + pi q / 2): c, -s, -c, s for q = 0, 1, 2, -1.
  const T y = odd ? s : c;
  return half != odd ? -y : y;
}

template <std::floating_point T>
T SinPi::at(T x) const {
  bool odd, half;
  const T f = quarter_turns(x, odd, half) * T(pi);
  const T c = cosine(f), s = sine(f);
  // sin(a + pi q / 2): s, c, -s, -c for q = 0, 1, 2, -1.
  const T y = odd ? c : s;
  return half ? -y : y;
}

template double CosPi::at(double) const;  // also for tables of roots
template double SinPi::at(double) const;

Grads CosPi::gradient(const Node& n, Values dy) const { return {dy[0] * -pi * sinpi(n.input(0))}; }
Grads SinPi::gradient(const Node& n, Values dy) const { return {dy[0] * pi * cospi(n.input(0))}; }

}  // namespace oxbow::ops

namespace oxbow {

template struct Elementwise<ops::Sin, Same>;
template struct Elementwise<ops::Cos, Same>;
template struct Elementwise<ops::Tan, Same>;
template struct Elementwise<ops::CosPi, Same>;
template struct Elementwise<ops::SinPi, Same>;

Value sin(Value x, At at) { return apply(ops::Sin{}, {x}, at); }
Value cos(Value x, At at) { return apply(ops::Cos{}, {x}, at); }
Value tan(Value x, At at) { return apply(ops::Tan{}, {x}, at); }
Value cospi(Value x, At at) { return apply(ops::CosPi{}, {x}, at); }
Value sinpi(Value x, At at) { return apply(ops::SinPi{}, {x}, at); }

}  // namespace oxbow
