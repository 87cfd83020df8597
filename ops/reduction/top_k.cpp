#include <oxbow/graph/known.h>
#include <oxbow/ops/indexing.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/reduction/top_k.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/numbers.h>
#include <oxbow/ops/shared/flow.h>
#include <oxbow/ops/shared/order.h>

#include <algorithm>
#include <numeric>

namespace oxbow::ops {
namespace {

// An element by its order and its place, which decides between equal ones.
struct Placed {
  std::uint64_t order, place;
  auto operator<=>(const Placed&) const = default;
};

// The first k of so many in order, before the others.
template <class Item>
void select(Item* items, std::int64_t n, std::int64_t k) {
  if (k < n / 8) return std::partial_sort(items, items + k, items + n);
  if (k < n) std::nth_element(items, items + k, items + n);
  std::sort(items, items + k);
}

// Calls found(i, place) for the k elements of a row that come first.
template <class T, class Found>
void choose(const T* x, std::int64_t n, std::int64_t k, bool largest, std::byte* scratch, Found found) {
  using Order = decltype(order_of(T()));
  const Order turned = largest ? ~Order{0} : Order{0};
  if (sizeof(Order) == 4 && n <= std::int64_t{1} << 32) {  // both in one word
    auto* items = reinterpret_cast<std::uint64_t*>(scratch);
    for (std::int64_t i = 0; i < n; ++i)
      items[i] = std::uint64_t{static_cast<Order>(order_of(x[i]) ^ turned)} << 32 | static_cast<std::uint64_t>(i);
    select(items, n, k);
    for (std::int64_t i = 0; i < k; ++i) found(i, static_cast<std::int64_t>(items[i] & 0xffff'ffff));
  } else {
    auto* items = reinterpret_cast<Placed*>(scratch);
    for (std::int64_t i = 0; i < n; ++i)
      items[i] = {static_cast<Order>(order_of(x[i]) ^ turned), static_cast<std::uint64_t>(i)};
    select(items, n, k);
    for (std::int64_t i = 0; i < k; ++i) found(i, static_cast<std::int64_t>(items[i].place));
  }
}

std::int64_t whole(const Tensor& k) {
  if ((k.dtype() != i32 && k.dtype() != i64) || k.shape().rank() != 0)
    throw OpError("k is " + to_string(k.type()) + ", not a whole number", "Give a scalar, i32 or i64");
  return k.dtype() == i32 ? k.item<std::int32_t>() : k.item<std::int64_t>();
}

// dy where the elements were, of which none is taken twice.
Grads gradient_of(const Node& n, Values dy) {
  const Value x = n.input(0), places = n.output(1);
  std::vector<Value> dx(static_cast<std::size_t>(n.input_count()));
  if (dy[0]) dx[0] = scatter_elements(filled(0, x), places, dy[0], -1, ScatterReduction::add);
  return dx;
}

}  // namespace

std::vector<Type> TopK::infer(Types in) const {
  if (in[0].shape.rank() == 0) throw OpError("x is a scalar", "Give it an axis to choose along");
  if (k < 0 || k > in[0].shape[-1])
    throw OpError(std::to_string(k) + " elements cannot be chosen of " + std::to_string(in[0].shape[-1]),
                  "Give a k from 0 to " + std::to_string(in[0].shape[-1]));
  const Shape shape = in[0].shape.with(-1, k);
  return {{in[0].dtype, shape}, {i64, shape}};
}

Work TopK::work(Types in) const {
  Work w = moving(in[0].bytes());
  w.flops = 8 * static_cast<double>(in[0].count());
  w.scratch = in[0].shape[-1] * static_cast<std::int64_t>(sizeof(Placed));
  return w;
}

void TopK::run(const Run& r) const {
  const std::int64_t n = r.in_type(0).shape[-1], rows = r.in_type(0).shape.count(0, r.in_type(0).shape.rank() - 1);
  const auto [begin, end] = r.share(rows);
  dispatch(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* x = r.in<T>(0) + row * n;
      choose(x, n, k, largest, r.scratch, [&](std::int64_t i, std::int64_t place) {
        if (r.wants(0)) r.out<T>(0)[row * k + i] = x[place];
        if (r.wants(1)) r.out<std::int64_t>(1)[row * k + i] = place;
      });
    }
  });
}

Grads TopK::gradient(const Node& n, Values dy) const { return gradient_of(n, dy); }

std::vector<Type> TopKOf::infer(Types in, const Known& known) const {
  return TopK{.k = whole(known(1)), .largest = largest}.infer(in.first(1));
}
std::vector<Value> TopKOf::lower(Values in) const {
  const Node n =
      in[0].graph().append(TopK{.k = whole(*known_value(in[1])), .largest = largest}, {in[0]}, At::current());
  return {n.output(0), n.output(1)};
}
Grads TopKOf::gradient(const Node& n, Values dy) const { return gradient_of(n, dy); }

}  // namespace oxbow::ops

namespace oxbow {
namespace {

// Of what is chosen along the last axis, which `axis` is put to and taken from.
template <class Choose>
TopKResult along(Value x, std::int64_t axis, At at, Choose&& choose) {
  if (!x || x.rank() == 0) return choose(x);
  int a = 0;
  try {
    a = x.shape().axis_of(axis);
  } catch (const OpError& e) {
    throw BuildError("top_k", e.problem() + at_line(at) + "\n  " + e.remedy());
  }
  if (a == x.rank() - 1) return choose(x);
  std::vector<std::int64_t> swapped(static_cast<std::size_t>(x.rank()));
  std::iota(swapped.begin(), swapped.end(), std::int64_t{0});
  std::swap(swapped[static_cast<std::size_t>(a)], swapped.back());
  const TopKResult chosen = choose(transpose(x, swapped, at));
  return {transpose(chosen.values, swapped, at), transpose(chosen.indices, swapped, at)};
}

TopKResult both(Value values) { return {values, values.node().output(1)}; }

}  // namespace

TopKResult top_k(Value x, std::int64_t k, std::int64_t axis, bool largest, At at) {
  return along(x, axis, at, [&](Value rows) { return both(apply(ops::TopK{.k = k, .largest = largest}, {rows}, at)); });
}

TopKResult top_k(Value x, Value k, std::int64_t axis, bool largest, At at) {
  return as_called("top_k", [&] {
    return along(x, axis, at, [&](Value rows) { return both(apply(ops::TopKOf{.largest = largest}, {rows, k}, at)); });
  });
}

namespace {
TopKResult sorted(const char* builder, Value x, std::int64_t axis, bool descending, At at) {
  return as_called(builder, [&] {
    return along(x, axis, at, [&](Value rows) {
      if (!rows || rows.rank() == 0) return both(apply(ops::TopK{}, {rows}, at));  // which says what to do
      return both(apply(ops::TopKOf{.largest = descending}, {rows, ops::size_of_axis(rows, -1, at)}, at));
    });
  });
}
}  // namespace

TopKResult sort(Value x, std::int64_t axis, bool descending, At at) { return sorted("sort", x, axis, descending, at); }

Value argsort(Value x, std::int64_t axis, bool descending, At at) {
  return sorted("argsort", x, axis, descending, at).indices;
}

}  // namespace oxbow
