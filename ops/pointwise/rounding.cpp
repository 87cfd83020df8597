#include <oxbow/ops/math.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/rounding.h>

namespace oxbow::ops {

template <std::floating_point T>
T Floor::at(T x) const {
  return math::floor(x);
}

template <std::floating_point T>
T Ceil::at(T x) const {
  return math::ceil(x);
}

template <std::floating_point T>
T Round::at(T x) const {
  return math::round(x);
}

template <std::floating_point T>
T Trunc::at(T x) const {
  return math::trunc(x);
}

}  // namespace oxbow::ops

namespace oxbow {

template struct Elementwise<ops::Floor, Same>;
template struct Elementwise<ops::Ceil, Same>;
template struct Elementwise<ops::Round, Same>;
template struct Elementwise<ops::Trunc, Same>;

Value floor(Value x, At at) { return apply(ops::Floor{}, {x}, at); }
Value ceil(Value x, At at) { return apply(ops::Ceil{}, {x}, at); }
Value round(Value x, At at) { return apply(ops::Round{}, {x}, at); }
Value trunc(Value x, At at) { return apply(ops::Trunc{}, {x}, at); }

}  // namespace oxbow
