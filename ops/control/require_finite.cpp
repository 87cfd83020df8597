#include <oxbow/ops/control.h>
#include <oxbow/ops/control/require_finite.h>

#include <cmath>

namespace oxbow::ops {

Type RequireFinite::infer(Types in) const {
  if (in[0].shape.rank() != 0 || !is_float(in[0].dtype))
    throw OpError("x is " + to_string(in[0]) + ", not a floating-point scalar", "Reduce it first");
  return in[0];
}

void RequireFinite::run(const Run& r) const {
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    const T x = *r.in<T>(0);
    if (!std::isfinite(x)) throw OpError(what + " has a NaN or Inf", remedy);
    *r.out<T>() = x;
  });
}

}  // namespace oxbow::ops

namespace oxbow {

Value require_finite(Value x, std::string what, std::string remedy, At at) {
  return apply(ops::RequireFinite{.what = std::move(what), .remedy = std::move(remedy)}, {x}, at);
}

}  // namespace oxbow
