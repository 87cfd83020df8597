#include <oxbow/ops/linalg.h>
#include <oxbow/ops/linalg/matmul.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/gather.h>
#include <oxbow/ops/shape/scattering.h>
#include <oxbow/ops/shape/taken_rows.h>
#include <oxbow/ops/shape/transpose.h>
#include <oxbow/ops/shared/flow.h>

namespace oxbow::ops {
namespace {

Shape gathered(const Shape& table, const Shape& indices, int axis) {
  auto sizes = table.vector();
  sizes.erase(sizes.begin() + axis);
  sizes.insert(sizes.begin() + axis, indices.begin(), indices.end());
  return Shape(sizes);
}

// Row by row, in words where they are as short as one: a call that copies takes longer than that.
template <class I, class CopyRow>
void gather_rows(const Run& r, const AroundAxis& a, CopyRow copy_row) {
  const Type& indices = r.in_type(1);
  const std::int64_t count = indices.count();
  const auto [begin, end] = r.share(a.outer * count);
  for (std::int64_t i = begin; i < end;) {  // an outer slice at a time
    const std::int64_t o = i / count, before = o * count, last = std::min(end, before + count);
    for (; i < last; ++i) copy_row(i, o * a.size + place_of(r.in<I>(1)[i - before], a.size, indices, i - before));
  }
}

}  // namespace

Type Gather::infer(Types in) const {
  check_index_type(in[1], "indices");
  return {in[0].dtype, gathered(in[0].shape, in[1].shape, in[0].shape.axis_of(axis))};
}

Work Gather::work(Types in) const { return moving(infer(in).bytes()); }

void Gather::run(const Run& r) const {
  const Type& table = r.in_type(0);
  const AroundAxis a(table.shape, table.shape.axis_of(axis));
  const std::int64_t row = a.inner * size_of(table.dtype);
  dispatch<IndexTypes>(r.in_type(1).dtype, [&]<class I>(std::type_identity<I>) {
    const auto by_word = [&]<class Word>(std::type_identity<Word>) {
      const auto* x = reinterpret_cast<const Word*>(r.inputs[0].bytes);
      auto* y = reinterpret_cast<Word*>(r.outputs[0].bytes);
      gather_rows<I>(r, a, [=](std::int64_t to, std::int64_t from) { y[to] = x[from]; });
    };
    if (a.inner == 1)
      dispatch_width(table.dtype, by_word);
    else
      gather_rows<I>(r, a, [&](std::int64_t to, std::int64_t from) {
        copy_bytes(r.outputs[0].bytes + to * row, r.inputs[0].bytes + from * row, row);
      });
  });
}

// What comes by a product is summed before it.
Grads Gather::gradient(const Node& n, Values dy) const {
  const Node last = dy[0].node(), by = last.op().is<Transpose>() ? last.input(0).node() : last;
  const auto* product = by.op().as<MatMul>();
  if (product && !product->transpose_a && by.input(1).rank() == 2)
    if (const TakenRows few = TakenRows::of_flow(n, dy[0])) {
      const Value w = by.input(1), to_rows = matmul(few.table, w, {.transpose_b = !product->transpose_b});
      return {few.taken(apply(*product, {few.sums(to_rows, by.input(0)), w}, At::current())), Value()};
    }
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

void add_rows(const Run& r, std::int64_t axis, bool to_zeros) {
  const AroundAxis a(r.in_type(0).shape, r.in_type(0).shape.axis_of(axis));
  dispatch<dtypes::Numbers>(r.out_type().dtype, [&]<class T>(std::type_identity<T>) {
    dispatch<IndexTypes>(r.in_type(1).dtype, [&]<class I>(std::type_identity<I>) {
      scatter_rows<T, I>(r, a, to_zeros ? nullptr : r.in<T>(0), [](T x, T update) { return wrapping_sum(x, update); });
    });
  });
}

}  // namespace

Work ScatterAdd::work(Types in) const {
  const AroundAxis a(in[0].shape, in[0].shape.axis_of(axis));
  return scattering_work(a, static_cast<double>(2 * in[2].bytes() + in[0].count() * size_of(in[2].dtype)));
}

// As much as it takes in place.
Work GatherAdd::work(Types in) const {
  const AroundAxis a(in[0].shape, in[0].shape.axis_of(axis));
  return scattering_work(a, static_cast<double>(3 * in[2].bytes()));
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
