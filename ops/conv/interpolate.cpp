#include <oxbow/ops/control.h>
#include <oxbow/ops/conv/channels.h>
#include <oxbow/ops/conv/interpolate.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>

namespace oxbow::ops {
namespace {

// The next whole number below or at x; its slope is 0.
Value floor_of(Value x, At at) {
  const Value still = stop_gradient(x, at), whole = cast(cast(still, i64, at), x.dtype(), at);
  return subtract(whole, cast(greater(whole, still, at), x.dtype(), at), at);
}

// The nearest whole number, halves to the even one.
Value nearest_of(Value x, At at) {
  const Value low = floor_of(x, at), rest = subtract(stop_gradient(x, at), low, at);
  const Value half = floor_of(multiply(low, 0.5, at), at);
  const Value odd = not_equal(multiply(half, 2, at), low, at);
  const Value up = logical_or(greater(rest, 0.5, at), logical_and(equal(rest, 0.5, at), odd, at), at);
  return add(low, cast(up, x.dtype(), at), at);
}

Value clamped(Value x, Value high, At at) { return minimum(maximum(x, 0, at), high, at); }

// x mirrored at `low` and `high` until it lies between.
Value reflected(Value x, double low, Value high, At at) {
  const Value reach = subtract(high, low, at), twice = multiply(reach, 2, at), from = subtract(x, low, at);
  const Value safe = where(equal(reach, 0, at), 1, twice, at);  // of a single pixel's middle
  const Value rest = subtract(from, multiply(floor_of(divide(from, safe, at), at), twice, at), at);  // in [0, 2 reach)
  const Value back = where(greater(rest, reach, at), subtract(twice, rest, at), rest, at);
  const Value within = clamped(back, reach, at);  // far out `rest` is rounded by more than it is
  return add(where(equal(reach, 0, at), 0, within, at), low, at);
}

// One of the pixels along an axis that a place is made of: which, and how much of it; no weight is 1.
struct Part {
  Value pixel, weight;
};

// a + x (b + x (c + x d))
Value polynomial(Value x, double a, double b, double c, double d, At at) {
  const Value inner = add(multiply(add(multiply(x, d, at), c, at), x, at), b, at);
  return add(multiply(inner, x, at), a, at);
}

// Keys' cubic at the four pixels around: of x, the distance to the second.
std::vector<Value> cubic_weights(Value x, double a, At at) {
  const auto near_ = [&](Value t) { return polynomial(t, 1, 0, -(a + 3), a + 2, at); };
  const auto far_ = [&](Value t) { return polynomial(t, -4 * a, 8 * a, -5 * a, a, at); };
  const Value y = subtract(1, x, at);
  return {far_(add(x, 1, at)), near_(x), near_(y), far_(add(y, 1, at))};
}

std::vector<Part> parts_of(const PlacesAlong& axis, const Between& how, At at) {
  Value x = axis.places;
  const Value last = subtract(cast(axis.size, x.dtype(), at), 1, at);
  const double low = how.align_corners ? 0 : -0.5;
  const Value high = subtract(last, low, at);
  if (how.mode == Interpolation::nearest) x = nearest_of(x, at);
  if (how.padding != GridPadding::zeros) {
    // Places within half a pixel of the edge stay: it is their pixels that are moved.
    const Value beyond = logical_or(less(x, low, at), greater(x, high, at), at);
    const bool clamp = how.padding == GridPadding::border;
    x = where(beyond, clamp ? clamped(x, last, at) : reflected(x, low, high, at), x, at);
  }
  const Value base = how.mode == Interpolation::nearest ? x : floor_of(x, at);
  std::vector<Value> weights(1);
  std::int64_t first = 0;
  if (how.mode != Interpolation::nearest) {
    const Value rest = subtract(x, base, at);
    weights = how.mode == Interpolation::linear ? std::vector{subtract(1, rest, at), rest}
                                                : cubic_weights(rest, how.cubic_coefficient, at);
    first = how.mode == Interpolation::linear ? 0 : -1;
  }
  std::vector<Part> parts;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    Value pixel = add(stop_gradient(base, at), static_cast<double>(first + static_cast<std::int64_t>(i)), at);
    Value weight = weights[i];
    if (how.padding == GridPadding::zeros) {
      const Value inside = logical_and(greater_equal(pixel, 0, at), less_equal(pixel, last, at), at);
      weight = weight ? where(inside, weight, 0, at) : cast(inside, x.dtype(), at);
    } else if (how.padding == GridPadding::reflection) {
      pixel = floor_of(reflected(pixel, low, high, at), at);
    }
    parts.push_back({cast(clamped(pixel, last, at), i64, at), weight});
  }
  return parts;
}

}  // namespace

std::vector<Value> weighted(Value table, Value first, const std::vector<PlacesAlong>& axes, Value group,
                            std::int64_t groups, const Between& how, At at) {
  std::vector<Part> sofar{{first, {}}};
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const std::vector<Part> parts = parts_of(axes[a], how, at);
    std::vector<Part> next;
    for (const Part& before : sofar)
      for (const Part& part : parts) {
        const Value row = a == 0 ? before.pixel : multiply(before.pixel, axes[a].size, at);
        const Value weight = before.weight && part.weight ? multiply(before.weight, part.weight, at)
                             : part.weight                ? part.weight
                                                          : before.weight;
        next.push_back({add(row, part.pixel, at), weight});
      }
    sofar = std::move(next);
  }
  std::vector<Value> all;
  for (const Part& p : sofar) {
    Value row = p.pixel;
    if (group) row = add(multiply(row, static_cast<double>(groups), at), group, at);
    Value seen = gather(table, row, 0, at);
    if (p.weight) {
      const Value shape = concat({shape_of(p.weight, at), whole_numbers(table, {1}, at)}, 0, at);
      seen = multiply(seen, reshape(p.weight, shape, at), at);
    }
    all.push_back(seen);
  }
  return all;
}

Value interpolated(Value table, Value first, const std::vector<PlacesAlong>& axes, Value group, std::int64_t groups,
                   const Between& how, At at) {
  Value sum;
  for (const Value& v : weighted(table, first, axes, group, groups, how, at)) sum = sum ? add(sum, v, at) : v;
  return sum;
}

}  // namespace oxbow::ops
