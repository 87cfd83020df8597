#include <oxbow/ops/shape/gather.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/rearranged.h>

namespace oxbow {
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

Type ScatterAdd::infer(Types in) const {
  check_index_type(in[1], "indices");
  check_dtype(dtypes::Numbers{}, in[2], "updates");
  const Shape wanted = gathered(in[0].shape, in[1].shape, in[0].shape.axis_of(axis));
  if (in[2].shape != wanted)
    throw OpError(
        "updates have the shape " + to_string(in[2].shape) + ", but gathering from like gives " + to_string(wanted),
        "Give one row of updates for each index");
  return {in[2].dtype, in[0].shape};
}

// A part owns columns of the output where rows are long, and rows where they are short: either way it walks all indices
// in order, and nobody else adds to what it owns. Rows cost a walk each part, so there are few of those.
Work ScatterAdd::work(Types in) const {
  const AroundAxis a(in[0].shape, in[0].shape.axis_of(axis));
  const double bytes = static_cast<double>(2 * in[2].bytes() + in[0].count() * size_of(in[2].dtype));
  const std::int64_t blocks = (a.inner + column_block - 1) / column_block,
                     most = static_cast<std::int64_t>(bytes) >> 16;
  const std::int64_t slices =
      a.inner >= 2 * column_block ? a.outer * blocks : a.outer * std::min<std::int64_t>(a.size, 8);
  return {.parts = std::clamp<std::int64_t>(std::min(slices, most), 1, 256), .bytes = bytes};
}

namespace {

// Adds to the rows [first, first + rows) and columns [column, column + columns) of one outer slice.
template <class T, class I>
void add_rows(const Run& r, const AroundAxis& a, std::int64_t o, std::int64_t first, std::int64_t rows,
              std::int64_t column, std::int64_t columns) {
  using Sum = typename std::conditional_t<std::is_integral_v<T>, std::make_unsigned<T>,  // so that it wraps around
                                          std::type_identity<T>>::type;
  const Type& indices = r.in_type(1);
  const std::int64_t count = indices.count();
  Sum* y = reinterpret_cast<Sum*>(r.out<T>()) + o * a.size * a.inner + column;
  const Sum* updates = reinterpret_cast<const Sum*>(r.in<T>(2)) + o * count * a.inner + column;
  for (std::int64_t i = first; i < first + rows; ++i) std::fill(y + i * a.inner, y + i * a.inner + columns, Sum(0));
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t index = r.in<I>(1)[i];
    if (index < 0 || index >= a.size) out_of_range("index", index, indices, i, a.size);
    if (index < first || index >= first + rows) continue;
    Sum* to = y + index * a.inner;
    const Sum* from = updates + i * a.inner;
    for (std::int64_t k = 0; k < columns; ++k) to[k] = static_cast<Sum>(to[k] + from[k]);
  }
}

}  // namespace

void ScatterAdd::run(const Run& r) const {
  const AroundAxis a(r.in_type(0).shape, r.in_type(0).shape.axis_of(axis));
  const bool by_columns = a.inner >= 2 * column_block;
  const std::int64_t blocks = by_columns ? (a.inner + column_block - 1) / column_block : a.size;
  const auto [begin, end] = r.share(a.outer * blocks);
  dispatch<dtypes::Numbers>(r.out_type().dtype, [&]<class T>(std::type_identity<T>) {
    dispatch<IndexTypes>(r.in_type(1).dtype, [&]<class I>(std::type_identity<I>) {
      for (std::int64_t at = begin; at < end;) {  // as much of one outer slice as this part owns
        const std::int64_t o = at / blocks, first = at % blocks, owned = std::min(blocks - first, end - at);
        if (by_columns)
          add_rows<T, I>(r, a, o, 0, a.size, first * column_block,
                         std::min(owned * column_block, a.inner - first * column_block));
        else
          add_rows<T, I>(r, a, o, first, owned, 0, a.inner);
        at += owned;
      }
    });
  });
}

Grads ScatterAdd::gradient(const Node& n, Values dy) const {
  return {Value(), Value(), gather(dy[0], n.input(1), axis)};
}

Value gather(Value table, Value indices, std::int64_t axis, At at) {
  return apply(Gather{.axis = axis}, {table, indices}, at);
}

Value scatter_add(Value like, Value indices, Value updates, std::int64_t axis, At at) {
  return apply(ScatterAdd{.axis = axis}, {like, indices, updates}, at);
}

namespace {

// Where y[i] of a gather comes from.
Index source_of(const Index& i, const Tensor& indices, std::int64_t axis) {
  const auto first = i.begin() + axis, last = first + indices.shape().rank();
  Index from(i.begin(), first);
  from.push_back(static_cast<std::int64_t>(number(indices, flat_of(indices.shape(), Index(first, last)))));
  from.insert(from.end(), last, i.end());
  return from;
}

}  // namespace

std::vector<Sample> Gather::samples() {
  const auto sample = [](const Shape& table, Tensor indices, std::int64_t along, DType dtype = f64) {
    return Sample{.what = to_string(indices.type()) + " into axis " + std::to_string(along) + " of " + to_string(table),
                  .op = Gather{.axis = along},
                  .inputs = {draw(table, -9, 9, 1, dtype), indices},
                  .reference = [along](const std::vector<Tensor>& in) {
                    const int a = in[0].shape().axis_of(along);
                    return std::vector<Tensor>{rearranged(in[0], gathered(in[0].shape(), in[1].shape(), a),
                                                          [&](const Index& i) { return source_of(i, in[1], a); })};
                  }};
  };
  return {sample({5, 3}, Tensor::of<std::int32_t>({4}, {4, 0, 0, 2}), 0),
          sample({5, 3}, draw({2, 3}, 0, 5, 2, i64), 0),
          sample({2, 5, 3}, draw({4}, 0, 5, 3, u8), 1),
          sample({2, 5}, draw({3, 2}, 0, 5, 4, i32), -1),
          sample({5}, Tensor::scalar<std::int64_t>(3), 0),
          sample({5, 2}, Tensor({i32, {0}}), 0),
          sample({0, 2}, Tensor({i32, {0}}), 0),
          sample({5, 2}, draw({3}, 0, 5, 5, i32), 0, i64)};
}

std::vector<Sample> ScatterAdd::samples() {
  const auto sample = [](const Shape& table, Tensor indices, std::int64_t along) {
    const Shape updates = gathered(table, indices.shape(), table.axis_of(along));
    return Sample{.what = to_string(indices.type()) + " into axis " + std::to_string(along) + " of " + to_string(table),
                  .op = ScatterAdd{.axis = along},
                  .inputs = {draw(table, -1, 1, 1), indices, draw(updates, -1, 1, 2)},
                  .reference = [along](const std::vector<Tensor>& in) {
                    Tensor y({in[2].dtype(), in[0].shape()});
                    for (std::int64_t i = 0; i < in[2].count(); ++i)
                      y.data<double>()[flat_of(
                          y.shape(), source_of(index_of(in[2].shape(), i), in[1], y.shape().axis_of(along)))] +=
                          in[2].data<double>()[i];
                    return std::vector<Tensor>{y};
                  }};
  };
  return {sample({5, 3}, Tensor::of<std::int32_t>({4}, {4, 0, 0, 2}), 0),
          sample({5, 3}, draw({2, 3}, 0, 5, 3, i64), 0),
          sample({2, 5, 3}, draw({4}, 0, 5, 4, u8), 1),
          sample({3, 130}, draw({6}, 0, 3, 5, i32), 0),
          sample({5}, Tensor::scalar<std::int64_t>(3), 0),
          sample({5, 2}, Tensor({i32, {0}}), 0)};
}

}  // namespace oxbow
