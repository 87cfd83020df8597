#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/gather.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shared/flow.h>

namespace oxbow::ops {
namespace {

Shape gathered(const Shape& table, const Shape& indices, int axis) {
  auto sizes = table.vector();
  sizes.erase(sizes.begin() + axis);
  sizes.insert(sizes.begin() + axis, indices.begin(), indices.end());
  return Shape(sizes);
}

constexpr std::int64_t column_block = 64;

}  // namespace

Type Gather::infer(Types in) const {
  check_index_type(in[1], "indices");
  return {in[0].dtype, gathered(in[0].shape, in[1].shape, in[0].shape.axis_of(axis))};
}

Work Gather::work(Types in) const { return moving(infer(in).bytes()); }

void Gather::run(const Run& r) const {
  const Type& table = r.in_type(0);
  const Type& indices = r.in_type(1);
  const AroundAxis a(table.shape, table.shape.axis_of(axis));
  const std::int64_t row = a.inner * size_of(table.dtype), count = indices.count();
  const auto [begin, end] = r.share(a.outer * count);
  dispatch<IndexTypes>(indices.dtype, [&]<class I>(std::type_identity<I>) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t at = i % count, index = r.in<I>(1)[at];
      if (index < 0 || index >= a.size) out_of_range("index", index, indices, at, a.size);
      copy_bytes(r.outputs[0].bytes + i * row, r.inputs[0].bytes + (i / count * a.size + index) * row, row);
    }
  });
}

Grads Gather::gradient(const Node& n, Values dy) const {
  return {scatter_add(n.input(0), n.input(1), dy[0], axis), Value()};
}

namespace {

// Of rows of updates added at `indices` to a table, the first input, which messages call `name`.
Type added_type(Types in, std::int64_t axis, const std::string& name) {
  check_index_type(in[1], "indices");
  check_dtype(dtypes::Numbers{}, in[2], "updates");
  const Shape wanted = gathered(in[0].shape, in[1].shape, in[0].shape.axis_of(axis));
  if (in[2].shape != wanted)
    throw OpError("updates have the shape " + to_string(in[2].shape) + ", but gathering from " + name + " gives " +
                      to_string(wanted),
                  "Give one row of updates for each index");
  return {in[2].dtype, in[0].shape};
}

}  // namespace

Type ScatterAdd::infer(Types in) const { return added_type(in, axis, "like"); }

Value ScatterAdd::add_to(Values in, Value sum, Value flows) const {
  return apply(GatherAdd{.axis = axis}, {sum, in[1], or_nothing({in[2], flows})}, {});
}

Type GatherAdd::infer(Types in) const {
  const Type y = added_type(in, axis, "x");
  if (in[0].dtype != y.dtype)
    throw OpError("x is " + to_string(in[0]) + ", but the updates are " + to_string(in[2]), "Cast one of them");
  return y;
}

namespace {

// A part owns columns of the output where rows are long, and rows where they are short: either way it walks all indices
// in order, and nobody else adds to what it owns. Rows cost a walk each part, so there are few of those.
Work adding_work(const AroundAxis& a, double bytes) {
  const std::int64_t blocks = (a.inner + column_block - 1) / column_block,
                     most = static_cast<std::int64_t>(bytes) >> 16;
  const std::int64_t slices =
      a.inner >= 2 * column_block ? a.outer * blocks : a.outer * std::min<std::int64_t>(a.size, 8);
  return {.parts = std::clamp<std::int64_t>(std::min(slices, most), 1, 256), .bytes = bytes};
}

// A part's share of some rows and columns of one outer slice.
struct Owned {
  std::int64_t outer, first, rows, column, columns;
};

// Adds the updates to what is owned of y, which begins as it is in `x`, or as zeros where that is null.
template <class T, class I>
void add_rows(const Run& r, const AroundAxis& a, const Owned& own, const T* x) {
  const Type& indices = r.in_type(1);
  const std::int64_t count = indices.count(), from = own.outer * a.size * a.inner + own.column;
  T* y = r.out<T>() + from;
  const T* updates = r.in<T>(2) + own.outer * count * a.inner + own.column;
  if (x != r.out<T>())
    for (std::int64_t i = own.first; i < own.first + own.rows; ++i) {
      T* row = y + i * a.inner;
      x ? std::copy_n(x + from + i * a.inner, own.columns, row) : std::fill_n(row, own.columns, T(0));
    }
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t index = r.in<I>(1)[i];
    if (index < 0 || index >= a.size) out_of_range("index", index, indices, i, a.size);
    if (index < own.first || index >= own.first + own.rows) continue;
    T* to = y + index * a.inner;
    const T* update = updates + i * a.inner;
    for (std::int64_t k = 0; k < own.columns; ++k) to[k] = wrapping_sum(to[k], update[k]);
  }
}

// As much as part r.part owns.
template <class T, class I>
void add_rows(const Run& r, const AroundAxis& a, const T* x) {
  const bool by_columns = a.inner >= 2 * column_block;
  const std::int64_t blocks = by_columns ? (a.inner + column_block - 1) / column_block : a.size;
  const auto [begin, end] = r.share(a.outer * blocks);
  // Rows that are not there are no part's; an index that asks for one is wrong all the same.
  if (a.size == 0 && a.outer > 0 && r.in_type(1).count() > 0)
    out_of_range("index", r.in<I>(1)[0], r.in_type(1), 0, a.size);
  for (std::int64_t at = begin; at < end;) {  // an outer slice at a time
    const std::int64_t o = at / blocks, first = at % blocks, owned = std::min(blocks - first, end - at);
    const std::int64_t column = first * column_block;
    if (by_columns)
      add_rows<T, I>(r, a, {o, 0, a.size, column, std::min(owned * column_block, a.inner - column)}, x);
    else
      add_rows<T, I>(r, a, {o, first, owned, 0, a.inner}, x);
    at += owned;
  }
}

void add_rows(const Run& r, std::int64_t axis, bool to_zeros) {
  const AroundAxis a(r.in_type(0).shape, r.in_type(0).shape.axis_of(axis));
  dispatch<dtypes::Numbers>(r.out_type().dtype, [&]<class T>(std::type_identity<T>) {
    dispatch<IndexTypes>(r.in_type(1).dtype, [&]<class I>(std::type_identity<I>) {
      add_rows<T, I>(r, a, to_zeros ? nullptr : r.in<T>(0));
    });
  });
}

}  // namespace

Work ScatterAdd::work(Types in) const {
  const AroundAxis a(in[0].shape, in[0].shape.axis_of(axis));
  return adding_work(a, static_cast<double>(2 * in[2].bytes() + in[0].count() * size_of(in[2].dtype)));
}

// As much as it takes in place.
Work GatherAdd::work(Types in) const {
  const AroundAxis a(in[0].shape, in[0].shape.axis_of(axis));
  return adding_work(a, static_cast<double>(3 * in[2].bytes()));
}

void ScatterAdd::run(const Run& r) const { add_rows(r, axis, true); }
void GatherAdd::run(const Run& r) const { add_rows(r, axis, false); }

Grads ScatterAdd::gradient(const Node& n, Values dy) const {
  return {Value(), Value(), gather(dy[0], n.input(1), axis)};
}

Grads GatherAdd::gradient(const Node& n, Values dy) const { return {dy[0], Value(), gather(dy[0], n.input(1), axis)}; }

}  // namespace oxbow::ops

namespace oxbow {

Value gather(Value table, Value indices, std::int64_t axis, At at) {
  return apply(ops::Gather{.axis = axis}, {table, indices}, at);
}

Value scatter_add(Value like, Value indices, Value updates, std::int64_t axis, At at) {
  return apply(ops::ScatterAdd{.axis = axis}, {like, indices, updates}, at);
}

}  // namespace oxbow
