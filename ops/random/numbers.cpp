#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/random/numbers.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace oxbow::internal {

AttrValue to_attr(Distribution d) { return std::string(distribution_names[static_cast<std::size_t>(d)]); }
void from_attr(const AttrValue& a, Distribution& d) {
  d = static_cast<Distribution>(word_of(a, "distribution", distribution_names, {}));
}

}  // namespace oxbow::internal

namespace oxbow::ops {
namespace {

using FloatTypes = dtypes::Where<[](const dtypes::Properties& p) { return is_float(p.dtype); }>;

// The largest T below x; below 0 the largest that a run, which flushes denormals, tells from 0.
template <class T>
T below(double x) {
  using Bits = dtypes::Word<sizeof(T)>;
  T y = static_cast<T>(x);
  while (!(static_cast<double>(y) < x)) {
    const auto value = static_cast<double>(y);
    const auto bits = std::bit_cast<Bits>(y);
    y = value == 0 ? static_cast<T>(-std::numeric_limits<T>::min())
                   : std::bit_cast<T>(static_cast<Bits>(value > 0 ? bits - 1 : bits + 1));
  }
  return y;
}

}  // namespace

internal::DrawKey draw_key(const std::int64_t* state, std::int64_t stream) {
  return {.seed = static_cast<std::uint64_t>(state[0]),
          .step = static_cast<std::uint32_t>(state[1]),
          .stream = static_cast<std::uint32_t>(stream)};
}

void check_state(const Type& t) {
  if (t != Type{i64, {2}}) throw OpError("the state is " + to_string(t) + ", not i64[2]", "Give random_state(graph)");
}

Type RandomNumbers::infer(Types in) const {
  check_state(in[0]);
  if (!is_float(dtype))
    throw OpError("it draws floating-point numbers, not " + std::string(name(dtype)),
                  "Give f32, or another floating-point dtype, and cast what is drawn");
  if (distribution == Distribution::uniform && !(a < b && std::isfinite(b - a)))
    throw OpError("there is nothing from low " + internal::short_number(a) + " up to but without high " +
                      internal::short_number(b),
                  "Give finite numbers, the lower one first");
  if (distribution != Distribution::uniform && !(std::isfinite(a) && std::isfinite(b) && b >= 0))
    throw OpError("there is no normal distribution of mean " + internal::short_number(a) + " and deviation " +
                      internal::short_number(b),
                  "Give finite numbers, and a deviation that is not negative");
  return {dtype, shape};
}

Work RandomNumbers::work(Types) const {
  const std::int64_t n = shape.count();
  const double each = distribution == Distribution::uniform ? 40 : 100;
  return {.parts = std::clamp<std::int64_t>(n / 8192, 1, 256),
          .flops = each * static_cast<double>(n),
          .bytes = static_cast<double>(n * size_of(dtype))};
}

void RandomNumbers::run(const Run& r) const {
  using internal::draws;
  const std::int64_t n = shape.count();
  const auto [begin, end] = r.share((n + draws - 1) / draws);
  const internal::DrawKey key = draw_key(r.in<std::int64_t>(0), stream);
  const bool uniform = distribution == Distribution::uniform;
  const double by = uniform ? b - a : b;
  dispatch<FloatTypes>(dtype, [&]<class T>(std::type_identity<T>) {
    const T last = uniform ? below<T>(b) : T{};
    internal::Draws u;
    for (std::int64_t batch = begin; batch < end; ++batch) {
      internal::draw(distribution, key, batch, u);
      T* y = r.out<T>() + batch * draws;
      const std::int64_t count = std::min(draws, n - batch * draws);
      for (std::int64_t i = 0; i < count; ++i) {
        const T x = static_cast<T>(a + by * u[static_cast<std::size_t>(i)]);
        y[i] = uniform && !(static_cast<double>(x) < b) ? last : x;
      }
    }
  });
}

}  // namespace oxbow::ops
