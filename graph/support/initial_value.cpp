#include <oxbow/graph/support/initial_value.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/normal_quantile.h>
#include <oxbow/graph/support/random_blocks.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace oxbow::internal {
namespace {

// Elements are drawn in batches, two from a block of bits.
constexpr std::int64_t blocks = 128, batch = 2 * blocks;

// The doubles that blocks first, first + 1, ... give: of 52 bits each, in (0, 1), the middle of its cell.
void draw_batch(const Init& init, std::int64_t first, std::array<double, batch>& u) {
  RandomWords<blocks> words;
  random_blocks<blocks>(init.seed, 0, static_cast<std::uint32_t>(init.stream), static_cast<std::uint64_t>(first),
                        words);
  const auto open01 = [](std::uint32_t high, std::uint32_t low) {
    constexpr std::uint64_t whole = std::uint64_t{0x433} << 52;  // 2^52: with i below that in its mantissa, 2^52 + i
    const std::uint64_t bits = std::uint64_t{high} << 20 | low >> 12;
    return (std::bit_cast<double>(bits | whole) - 0x1p52 + 0.5) * 0x1p-52;
  };
  const std::uint32_t* w = words.data();
  for (std::size_t i = 0; i < blocks; ++i) {
    u[2 * i] = open01(w[i], w[blocks + i]);
    u[2 * i + 1] = open01(w[2 * blocks + i], w[3 * blocks + i]);
  }
}

template <Element T>
void fill(const ops::Variable& v, T* out) {
  const Init& init = v.init;
  const std::int64_t count = v.type.count();
  if (init.kind == Init::Kind::zeros) return;  // as it was allocated
  if (init.kind == Init::Kind::constant) {
    const T value = static_cast<T>(init.a);
    for (std::int64_t i = 0; i < count; ++i) out[i] = value;
    return;
  }
  if (init.kind == Init::Kind::seed) {
    if (count > 0) out[0] = static_cast<T>(init.seed);
    return;
  }
  std::array<double, batch> u;
  for (std::int64_t begin = 0; begin < count; begin += batch) {
    draw_batch(init, begin / 2, u);
    const bool normal = init.kind == Init::Kind::normal;
    if (normal) normal_quantiles(u);
    const double from = init.a, by = normal ? init.b : init.b - init.a;
    const std::int64_t n = std::min(batch, count - begin);
    for (std::int64_t i = 0; i < n; ++i) out[begin + i] = static_cast<T>(from + by * u[static_cast<std::size_t>(i)]);
  }
}

}  // namespace

void check_init(const ops::Variable& v, Location at) {
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw Error("variable " + in_quotes(v.name) + " of type " + to_string(v.type) + ": " + problem + at_line(at) +
                "\n  " + remedy);
  };
  const Init::Kind kind = v.init.kind;
  if ((kind == Init::Kind::uniform || kind == Init::Kind::normal) && !is_float(v.type.dtype))
    refuse("only floating-point values are drawn at random", "Use f32, or another floating-point dtype");
  // Beyond 2^53 not every integer is a double: what was written may be another number.
  const bool held = kind != Init::Kind::constant || is_float(v.type.dtype) ||
                    (holds(v.type.dtype, v.init.a) && std::fabs(v.init.a) <= 0x1p53);
  if (!held) refuse("its first value " + short_number(v.init.a) + " does not fit", "Give a value of its dtype");
}

Tensor initial_value(const ops::Variable& v) {
  check_init(v, {});
  Tensor t({v.type.dtype, v.type.shape});
  dispatch(v.type.dtype, [&]<class T>(std::type_identity<T>) { fill(v, t.data<T>()); });
  return t;
}

}  // namespace oxbow::internal
