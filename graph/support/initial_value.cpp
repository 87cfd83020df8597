#include <oxbow/graph/support/draws.h>
#include <oxbow/graph/support/initial_value.h>
#include <oxbow/graph/support/near_names.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace oxbow::internal {
namespace {

// The first `count` values of a kind that is drawn element by element.
template <class T>
void draw_all(const Init& init, std::int64_t count, T* out) {
  const bool uniform = init.kind == Init::Kind::uniform;
  const auto distribution = uniform                                     ? Distribution::uniform
                            : init.kind == Init::Kind::truncated_normal ? Distribution::truncated_normal
                                                                        : Distribution::normal;
  const DrawKey key{.seed = init.seed, .stream = static_cast<std::uint32_t>(init.stream)};
  const double from = init.a, by = uniform ? init.b - init.a : init.b;
  Draws u;
  for (std::int64_t begin = 0; begin < count; begin += draws) {
    draw(distribution, key, begin / draws, u);
    const std::int64_t n = std::min(draws, count - begin);
    for (std::int64_t i = 0; i < n; ++i) out[begin + i] = static_cast<T>(from + by * u[static_cast<std::size_t>(i)]);
  }
}

// In eight sums, of every eighth product each, so that compilers may vectorise it and the bits are the same everywhere.
double dot(const double* x, const double* y, std::size_t n) {
  double sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::size_t k = 0; k < 8; ++k) sums[k] += x[i + k] * y[i + k];
  for (; i < n; ++i) sums[i % 8] += x[i] * y[i];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

// The shorter side's vectors, one after another, made orthonormal by Gram and Schmidt's way from normal draws, which
// makes every such set equally likely (Saxe, McClelland, Ganguli 2013, https://arxiv.org/abs/1312.6120). Each goes
// through it twice, so that they are orthogonal to the last bits ("twice is enough": Giraud and others 2005).
std::vector<double> orthonormal(const Init& init, std::size_t count, std::size_t length) {
  std::vector<double> q(count * length);
  const Init normal{.kind = Init::Kind::normal, .a = 0, .b = 1, .seed = init.seed, .stream = init.stream};
  draw_all(normal, static_cast<std::int64_t>(q.size()), q.data());
  for (std::size_t v = 0; v < count; ++v) {
    double* own = q.data() + v * length;
    for (int pass = 0; pass < 2; ++pass)
      for (std::size_t u = 0; u < v; ++u) {
        const double* other = q.data() + u * length;
        const double share = dot(own, other, length);
        for (std::size_t i = 0; i < length; ++i) own[i] -= share * other[i];
      }
    const double norm = std::sqrt(dot(own, own, length));
    for (std::size_t i = 0; i < length; ++i) own[i] /= norm;
  }
  return q;
}

template <Element T>
void fill_orthogonal(const ops::Variable& v, T* out) {
  const auto columns = static_cast<std::size_t>(v.type.shape[-1]);
  const auto rows = static_cast<std::size_t>(v.type.count()) / columns;
  const bool tall = rows >= columns;
  const std::size_t count = std::min(rows, columns), length = std::max(rows, columns);
  const std::vector<double> q = orthonormal(v.init, count, length);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c)
      out[r * columns + c] = static_cast<T>(v.init.a * (tall ? q[c * length + r] : q[r * length + c]));
}

template <Element T>
void fill_all(const ops::Variable& v, T* out) {
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
  if (init.kind == Init::Kind::orthogonal) {
    if (count > 0) fill_orthogonal(v, out);
    return;
  }
  draw_all(init, count, out);
}

template <Element T>
void fill(const ops::Variable& v, T* out) {
  fill_all(v, out);
  const Init::Part& part = v.init.part;
  if (part.of == 0) return;
  const std::int64_t each = v.type.count() / part.of;
  for (std::int64_t i = each * part.which; i < each * (part.which + 1); ++i) out[i] = static_cast<T>(part.value);
}

}  // namespace

bool is_drawn(Init::Kind kind) {
  return kind == Init::Kind::uniform || kind == Init::Kind::normal || kind == Init::Kind::truncated_normal ||
         kind == Init::Kind::orthogonal;
}

void check_init(const ops::Variable& v, Location at) {
  const auto refuse = [&](const std::string& problem, const std::string& remedy) {
    throw Error("variable " + in_quotes(v.name) + " of type " + to_string(v.type) + ": " + problem + at_line(at) +
                "\n  " + remedy);
  };
  const Init::Kind kind = v.init.kind;
  if (is_drawn(kind) && !is_float(v.type.dtype))
    refuse("only floating-point values are drawn at random", "Use f32, or another floating-point dtype");
  if (kind == Init::Kind::orthogonal && v.type.shape.rank() < 2)
    refuse("only matrices are orthogonal", "Give at least two axes, or another initializer");
  // Beyond 2^53 not every integer is a double: what was written may be another number.
  const auto check_value = [&](double value) {
    if (!is_float(v.type.dtype) && !(holds(v.type.dtype, value) && std::fabs(value) <= 0x1p53))
      refuse("its first value " + short_number(value) + " does not fit", "Give a value of its dtype");
  };
  if (kind == Init::Kind::constant) check_value(v.init.a);
  const Init::Part& part = v.init.part;
  if (part == Init::Part{}) return;
  if (part.of < 1 || part.which < 0 || part.which >= part.of || v.type.count() % part.of != 0)
    refuse("its elements have no part " + std::to_string(part.which) + " of " + std::to_string(part.of),
           "Give a number of parts that divides them, and one of these from 0");
  check_value(part.value);
}

Tensor initial_value(const ops::Variable& v) {
  check_init(v, {});
  Tensor t({v.type.dtype, v.type.shape});
  dispatch(v.type.dtype, [&]<class T>(std::type_identity<T>) { fill(v, t.data<T>()); });
  return t;
}

}  // namespace oxbow::internal
