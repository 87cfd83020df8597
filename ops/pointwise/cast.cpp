#include <oxbow/ops/pointwise/cast.h>
#include <oxbow/ops/pointwise/samples.h>

#include <cmath>
#include <limits>

namespace oxbow {
namespace {

template <Element From, Element To>
struct Conversion {
  To at(From x) const {
    if constexpr (std::same_as<To, bool>) {
      return x != From(0);
    } else if constexpr (std::floating_point<From> && std::integral<To>) {
      constexpr From low = static_cast<From>(std::numeric_limits<To>::min());
      constexpr From beyond = From(2) * static_cast<From>(std::numeric_limits<To>::max() / 2 + 1);
      if (x != x) return 0;
      if (x <= low) return std::numeric_limits<To>::min();
      return x >= beyond ? std::numeric_limits<To>::max() : static_cast<To>(x);
    } else {
      return static_cast<To>(x);
    }
  }
};

template <Element From, Element To>
void convert(const void*, const void* const* in, void* out, std::int64_t n) {
  using elementwise::Stored;
  elementwise::lanes<Conversion<From, To>, To, From>({}, n, static_cast<Stored<To>*>(out),
                                                     static_cast<const Stored<From>*>(in[0]));
}

}  // namespace

TileFn Cast::tile(Types in) const {
  return dispatch(in[0].dtype, [&]<class From>(std::type_identity<From>) {
    return dispatch(to, []<class To>(std::type_identity<To>) -> TileFn { return convert<From, To>; });
  });
}

Grads Cast::gradient(const Node& n, Values dy) const {
  if (!is_float(to)) return NotDifferentiable{"its result is " + std::string(name(to))};
  const DType from = n.input(0).dtype();
  return {is_float(from) ? cast(dy[0], from) : Value()};
}

// Every f32 is an f64, so there and back again changes nothing.
Value Cast::simplify(Values in) const {
  if (in[0].dtype() == to) return in[0];
  const Node n = in[0].node();
  if (to == f32 && in[0].dtype() == f64 && n.op().is<Cast>() && n.input(0).dtype() == f32) return n.input(0);
  return {};
}

std::vector<Sample> Cast::samples() {
  std::vector<Sample> s = unary_samples(Cast{f64}, [](double x) { return x; });
  const DType all[] = {f32, f64, i32, i64, u8, boolean};
  for (DType from : {f64, i32, i64, u8, boolean}) {
    for (DType to : all) {
      const double low = from == u8 || from == boolean || to == u8 ? 0 : -9, high = from == boolean ? 2 : 9;
      s.push_back({std::string(name(from)) + " to " + std::string(name(to)),
                   Cast{to},
                   {draw({5, 7}, low, high, static_cast<std::uint64_t>(to), from)},
                   [to](const std::vector<Tensor>& in) {
                     const auto f = [&](const auto& v) { return is_integer(to) ? std::trunc(v[0]) : v[0]; };
                     return std::vector{map_elements(in, to, f)};
                   },
                   is_float(to)});
    }
  }
  return s;
}

Value cast(Value x, DType to, At at) {
  if (x && x.dtype() == to) return x;
  return apply(Cast{to}, {x}, at);
}

}  // namespace oxbow
