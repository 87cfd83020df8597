#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/cast.h>
#include <oxbow/ops/shape/moving.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace oxbow::ops {
namespace {

template <class T>
constexpr bool is_half = is_narrow(dtype_of<T>) && is_float(dtype_of<T>);

template <Element From, Element To>
struct Conversion {
  To at(From x) const {
    if constexpr (is_half<From> && std::same_as<To, bool>) {
      return (x.bits() & 0x7fff) != 0;  // as a float a small one might be flushed to zero
    } else if constexpr (std::same_as<To, bool>) {
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

// An integer as the double that rounds to a half as the integer does.
template <std::integral From>
struct Odd {
  double at(From x) const { return float16::odd_double(x); }
};

template <class F, Element From, Element To>
void convert(const void*, const void* const* in, void* out, std::int64_t n) {
  using elementwise::Stored;
  elementwise::lanes<F, To, From>({}, n, static_cast<Stored<To>*>(out), static_cast<const Stored<From>*>(in[0]));
}

// By way of another dtype, a few elements at a time. `out` may be the input.
template <TileFn first, TileFn second, class From, class Between, class To>
void convert_by_way(const void*, const void* const* in, void* out, std::int64_t n) {
  Between between[256];
  for (std::int64_t i = 0; i < n; i += std::ssize(between)) {
    const std::int64_t count = std::min<std::int64_t>(n - i, std::ssize(between));
    const void *from = static_cast<const From*>(in[0]) + i, *middle = between;
    first(nullptr, &from, between, count);
    second(nullptr, &middle, static_cast<To*>(out) + i, count);
  }
}

// A loop for each pair that needs one of its own: integers are cut to a width, whatever their signs; halves go by way
// of float, which is exact, and integers to them by way of double.
template <Element From, Element To>
constexpr TileFn conversion() {
  if constexpr (std::same_as<From, bool>) {
    return conversion<std::uint8_t, To>();
  } else if constexpr (std::integral<From> && std::integral<To> && !std::same_as<To, bool>) {
    using Word = dtypes::Word<sizeof(To)>;
    using Read = std::conditional_t<sizeof(To) <= sizeof(From), dtypes::Word<sizeof(From)>, From>;
    return convert<Conversion<Read, Word>, Read, Word>;
  } else if constexpr (is_half<From> && std::same_as<From, To>) {
    return conversion<std::uint16_t, std::uint16_t>();
  } else if constexpr (is_half<From> && (is_half<To> || (std::integral<To> && !std::same_as<To, bool>))) {
    return convert_by_way<conversion<From, float>(), conversion<float, To>(), From, float, To>;
  } else if constexpr (std::integral<From> && is_half<To>) {
    return convert_by_way<convert<Odd<From>, From, double>, conversion<double, To>(), From, double, To>;
  } else {
    return convert<Conversion<From, To>, From, To>;
  }
}

// Whether every A is a B.
template <Element A, Element B>
constexpr bool is_within() {
  using From = std::numeric_limits<A>;
  using To = std::numeric_limits<B>;
  return (From::is_integer || !To::is_integer) && (To::is_signed || !From::is_signed) && From::digits <= To::digits &&
         From::max_exponent <= To::max_exponent && To::min_exponent <= From::min_exponent;
}

bool is_within(DType a, DType b) {
  return dispatch(a, [&]<class A>(std::type_identity<A>) {
    return dispatch(b, []<class B>(std::type_identity<B>) { return is_within<A, B>(); });
  });
}

}  // namespace

TileFn Cast::tile(Types in) const {
  return dispatch(in[0].dtype, [&]<class From>(std::type_identity<From>) {
    return dispatch(to, []<class To>(std::type_identity<To>) { return conversion<From, To>(); });
  });
}

Grads Cast::gradient(const Node& n, Values dy) const {
  if (!is_float(to)) return NotDifferentiable{"its result is " + std::string(name(to))};
  const DType from = n.input(0).dtype();
  return {is_float(from) ? cast(dy[0], from) : Value()};
}

// Where every value of the first dtype is one of the second, as every f32 is an f64, there and back changes nothing.
Value Cast::simplify(Values in) const {
  if (in[0].dtype() == to) return in[0];
  const Node n = in[0].node();
  if (n.op().is<Cast>() && n.input(0).dtype() == to && is_within(to, in[0].dtype())) return n.input(0);
  return {};
}

Work Restore::work(Types in) const { return moving(in[0].bytes() + in[0].count() * size_of(to)); }

void Restore::run(const Run& r) const {
  const Type& x = r.in_type(0);
  const auto [begin, end] = r.share(x.count());
  const void* from = r.inputs[0].bytes + begin * size_of(x.dtype);
  Cast{to}.tile(std::array{x})(nullptr, &from, r.outputs[0].bytes + begin * size_of(to), end - begin);
}

}  // namespace oxbow::ops

namespace oxbow {

Value cast(Value x, DType to, At at) {
  if (x && x.dtype() == to) return x;
  return apply(ops::Cast{to}, {x}, at);
}

}  // namespace oxbow
