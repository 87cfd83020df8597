#include <oxbow/graph/known.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/reduction/top_k.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/moving.h>

#include <algorithm>
#include <numeric>

namespace oxbow::ops {
namespace {

// Whether a comes before b: the larger one, NaN first of all.
template <class T>
bool is_larger(T a, T b) {
  const bool a_is_nan = a != a, b_is_nan = b != b;
  return a_is_nan || b_is_nan ? a_is_nan && !b_is_nan : a > b;
}

std::int64_t whole(const Tensor& k) {
  if ((k.dtype() != i32 && k.dtype() != i64) || k.shape().rank() != 0)
    throw OpError("k is " + to_string(k.type()) + ", not a whole number", "Give a scalar, i32 or i64");
  return k.dtype() == i32 ? k.item<std::int32_t>() : k.item<std::int64_t>();
}

// dy where the largest elements are, as a product with their places as rows of one 1.
Grads gradient_of(const Node& n, Values dy) {
  const Value x = n.input(0), places = n.output(1);
  std::vector<Value> dx(static_cast<std::size_t>(n.input_count()));
  if (!dy[0]) return dx;
  const Value length = reshape(slice(shape_of(x), 0, -1), {});
  std::vector<std::int64_t> column(static_cast<std::size_t>(x.rank()), 0);  // axes kept, and one of size 1 added
  column.push_back(1);
  dx[0] = sum(one_hot(places, length, x.dtype()) * reshape(dy[0], column), {-2});
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
  w.scratch = in[0].shape[-1] * size_of(i64);
  return w;
}

void TopK::run(const Run& r) const {
  const std::int64_t n = r.in_type(0).shape[-1], rows = r.in_type(0).shape.count(0, r.in_type(0).shape.rank() - 1);
  const auto [begin, end] = r.share(rows);
  auto* places = reinterpret_cast<std::int64_t*>(r.scratch);
  dispatch(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t row = begin; row < end; ++row) {
      const T* x = r.in<T>(0) + row * n;
      std::iota(places, places + n, std::int64_t{0});
      std::partial_sort(places, places + k, places + n, [x](std::int64_t a, std::int64_t b) {
        return is_larger(x[a], x[b]) || (!is_larger(x[b], x[a]) && a < b);
      });
      for (std::int64_t i = 0; i < k; ++i) {
        if (r.wants(0)) r.out<T>(0)[row * k + i] = x[places[i]];
        if (r.wants(1)) r.out<std::int64_t>(1)[row * k + i] = places[i];
      }
    }
  });
}

Grads TopK::gradient(const Node& n, Values dy) const { return gradient_of(n, dy); }

std::vector<Type> TopKOf::infer(Types in, const Known& known) const {
  return TopK{.k = whole(known(1))}.infer(in.first(1));
}
std::vector<Value> TopKOf::lower(Values in) const {
  const Node n = in[0].graph().append(TopK{.k = whole(*known_value(in[1]))}, {in[0]}, At::current());
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

TopKResult top_k(Value x, std::int64_t k, std::int64_t axis, At at) {
  return along(x, axis, at, [&](Value rows) { return both(apply(ops::TopK{.k = k}, {rows}, at)); });
}

TopKResult top_k(Value x, Value k, std::int64_t axis, At at) {
  return as_called("top_k", [&] {
    return along(x, axis, at, [&](Value rows) { return both(apply(ops::TopKOf{}, {rows, k}, at)); });
  });
}

}  // namespace oxbow
