#include <oxbow/graph/leaves.h>
#include <oxbow/ops/control/require_within.h>
#include <oxbow/ops/indexing.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/found.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/numbers.h>
#include <oxbow/ops/shared/order.h>

#include <algorithm>
#include <numeric>

namespace oxbow::ops {
namespace {

Tensor nonzero_of(const Tensor& x) {
  Numbers places;
  dispatch(x.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < x.count(); ++i)
      if (static_cast<double>(x.data<T>()[i]) != 0) places.push_back(i);
  });
  const Shape& shape = x.shape();
  Tensor found({i64, {shape.rank(), static_cast<std::int64_t>(places.size())}});
  std::int64_t* y = found.data<std::int64_t>();
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const std::int64_t inner = shape.count(axis + 1, shape.rank());
    for (const std::int64_t place : places) *y++ = place / inner % shape[axis];
  }
  return found;
}

struct Found {
  Tensor values, indices, inverse, counts;
};

Found unique_of(const Unique& op, const Tensor& x) {
  const Shape shape = op.by_axis ? x.shape() : Shape{x.count()};
  const int axis = op.by_axis ? shape.axis_of(op.axis) : 0;
  const AroundAxis a(shape, axis);
  std::vector<std::uint64_t> orders;
  dispatch(x.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < x.count(); ++i) orders.push_back(order_of(x.data<T>()[i]));
  });
  // Slices i and j, by their elements from the first on: less than 0, 0, or more.
  const auto compared = [&](std::int64_t i, std::int64_t j) {
    for (std::int64_t o = 0; o < a.outer; ++o) {
      const std::uint64_t* first = orders.data() + (o * a.size + i) * a.inner;
      const std::uint64_t* second = orders.data() + (o * a.size + j) * a.inner;
      for (std::int64_t k = 0; k < a.inner; ++k)
        if (first[k] != second[k]) return first[k] < second[k] ? -1 : 1;
    }
    return 0;
  };
  Numbers slices(static_cast<std::size_t>(a.size)), first, counts, inverse(slices.size());
  std::iota(slices.begin(), slices.end(), std::int64_t{0});
  std::stable_sort(slices.begin(), slices.end(), [&](auto i, auto j) { return compared(i, j) < 0; });
  std::vector<Numbers> groups;
  for (const std::int64_t i : slices) {
    if (groups.empty() || compared(groups.back()[0], i) != 0) groups.emplace_back();
    groups.back().push_back(i);
  }
  if (!op.sorted) std::sort(groups.begin(), groups.end(), [](const auto& g, const auto& h) { return g[0] < h[0]; });
  for (std::size_t g = 0; g < groups.size(); ++g) {
    first.push_back(groups[g][0]);
    counts.push_back(std::ssize(groups[g]));
    for (const std::int64_t i : groups[g]) inverse[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(g);
  }
  Tensor values({x.dtype(), shape.with(axis, std::ssize(first))});
  const std::int64_t row = a.inner * size_of(x.dtype());
  std::byte* y = values.bytes();
  for (std::int64_t o = 0; o < a.outer; ++o)
    for (const std::int64_t i : first) {
      copy_bytes(y, x.bytes() + (o * a.size + i) * row, row);
      y += row;
    }
  return {values, whole(first), whole(inverse), whole(counts)};
}

}  // namespace

Type NonZero::infer(Types, const Known& known) const { return nonzero_of(known(0)).type(); }
std::vector<Value> NonZero::lower(Values in) const {
  return {constant(in[0].graph(), nonzero_of(*known_value(in[0])), At::current())};
}

std::vector<Type> Unique::infer(Types, const Known& known) const {
  const Found f = unique_of(*this, known(0));
  return {f.values.type(), f.indices.type(), f.inverse.type(), f.counts.type()};
}
std::vector<Value> Unique::lower(Values in) const {
  const Found f = unique_of(*this, *known_value(in[0]));
  std::vector<Value> values;
  for (const Tensor& t : {f.values, f.indices, f.inverse, f.counts})
    values.push_back(constant(in[0].graph(), t, At::current()));
  return values;
}

}  // namespace oxbow::ops

namespace oxbow {

using namespace ops;

Value nonzero(Value x, At at) { return apply(NonZero{}, {x}, at); }

Value compress(Value x, Value condition, std::int64_t axis, At at) {
  return as_called("compress", [&] {
    check_built("compress", condition, at);
    if (condition.dtype() != boolean || condition.rank() != 1)
      throw BuildError("compress", "condition is " + to_string(condition.type()) + at_line(at) +
                                       "\n  Give a vector of bool, true for what is kept");
    return gather(x, reshape(nonzero(condition, at), {-1}, at), axis, at);
  });
}

Value compress(Value x, Value condition, At at) {
  return as_called("compress", [&] { return compress(reshape(x, {-1}, at), condition, 0, at); });
}

namespace {
UniqueResult found(const Node& n) { return {n.output(0), n.output(1), n.output(2), n.output(3)}; }
}  // namespace

UniqueResult unique(Value x, UniqueOptions options, At at) {
  return found(apply(Unique{.sorted = options.sorted}, {x}, at).node());
}

UniqueResult unique(Value x, std::int64_t axis, UniqueOptions options, At at) {
  return found(apply(Unique{.by_axis = true, .axis = axis, .sorted = options.sorted}, {x}, at).node());
}

Value reverse_sequence(Value x, Value lengths, std::int64_t time_axis, std::int64_t batch_axis, At at) {
  return as_called("reverse_sequence", [&] {
    check_built("reverse_sequence", x, at);
    check_built("reverse_sequence", lengths, at);
    if (x.rank() < 2 || time_axis + batch_axis != 1 || time_axis * batch_axis != 0 || lengths.rank() != 1 ||
        !is_integer(lengths.dtype()))
      throw BuildError("reverse_sequence",
                       "x is " + to_string(x.type()) + " with time along axis " + std::to_string(time_axis) +
                           " and the batch along axis " + std::to_string(batch_axis) + ", lengths are " +
                           to_string(lengths.type()) + at_line(at) +
                           "\n  Give x [time, batch, ...] or [batch, time, ...] and whole numbers [batch]");
    // The places along an axis: 0, 1, ..., along `axis` of two.
    const auto along = [&](std::int64_t axis) {
      const Value zero = constant(x.graph(), Tensor::scalar(std::int64_t{0}), at),
                  one = constant(x.graph(), Tensor::scalar(std::int64_t{1}), at);
      return expand_dims(arange(zero, size_of_axis(x, axis, at), one, at), 1 - axis, at);
    };
    const Value most = add(size_of_axis(x, time_axis, at), 1, at);
    const Value length = expand_dims(require_within(lengths, most, "length", at), time_axis, at);
    const Value time = along(time_axis);
    const Value from = where(less(time, length, at), subtract(subtract(length, 1, at), time, at), time, at);
    const Value batch = broadcast_like(along(batch_axis), from, {}, at);
    const std::vector<Value> place = time_axis == 0 ? std::vector{from, batch} : std::vector{batch, from};
    return gather_nd(x, stack(place, -1, at), 0, at);
  });
}

}  // namespace oxbow
