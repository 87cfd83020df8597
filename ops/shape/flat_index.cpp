#include <oxbow/ops/shape/flat_index.h>
#include <oxbow/ops/shape/moving.h>

namespace oxbow::ops {

void check_along(const Type& x, const Type& indices, std::int64_t axis) {
  check_index_type(indices, "indices");
  const int a = x.shape.axis_of(axis);
  bool fits = indices.shape.rank() == x.shape.rank();
  for (int i = 0; fits && i < x.shape.rank(); ++i) fits = i == a || indices.shape[i] <= x.shape[i];
  if (!fits)
    throw OpError("indices have the shape " + to_string(indices.shape) + ", but x has " + to_string(x.shape),
                  "Give as many axes as x has, none but axis " + std::to_string(a) + " longer than x's");
}

void check_nd(const Type& x, const Type& indices, std::int64_t batch) {
  check_index_type(indices, "indices");
  const Shape &s = x.shape, &i = indices.shape;
  if (i.rank() == 0) throw OpError("indices are a scalar", "Give them a last axis, whose elements number axes of x");
  bool fits = batch >= 0 && batch < i.rank() && batch <= s.rank() && i[-1] >= 0 && batch + i[-1] <= s.rank();
  for (int b = 0; fits && b < static_cast<int>(batch); ++b) fits = i[b] == s[b];
  if (!fits)
    throw OpError("indices have the shape " + to_string(i) + " with " + std::to_string(batch) +
                      " batch axes, but x has " + to_string(s),
                  "The batch axes are x's first ones, and the last axis of the indices has at most a number for each "
                  "of x's other axes");
}

Shape row_of(const Shape& x, const Shape& indices, std::int64_t batch) {
  const std::vector<std::int64_t> sizes = x.vector();
  return Shape(std::vector<std::int64_t>(sizes.begin() + batch + indices[-1], sizes.end()));
}

Type FlatIndexAlong::infer(Types in) const {
  check_along(in[1], in[0], axis);
  return {i64, in[0].shape};
}

Work FlatIndexAlong::work(Types in) const { return moving(infer(in).bytes()); }

void FlatIndexAlong::run(const Run& r) const {
  const Type& indices = r.in_type(0);
  const Shape &s = indices.shape, &x = r.in_type(1).shape;
  const int a = x.axis_of(axis), rank = x.rank();
  const std::int64_t row = s[-1], size = x[a];
  const auto [begin, end] = r.share(s.count());
  dispatch<IndexTypes>(indices.dtype, [&]<class I>(std::type_identity<I>) {
    for (std::int64_t i = begin; i < end;) {  // along the last axis
      const std::int64_t column = i % row, last = std::min(end, i - column + row);
      std::int64_t base = 0, step = 1, rest = i / row;
      for (int k = rank - 2; k >= 0; --k) {
        step *= x[k + 1];
        if (k != a) base += rest % s[k] * step;
        rest /= s[k];
      }
      const std::int64_t stride = x.count(a + 1, rank);
      const std::int64_t start = a == rank - 1 ? base : base + column - i;
      for (; i < last; ++i)
        r.out<std::int64_t>()[i] =
            (a == rank - 1 ? start : start + i) + place_of(r.in<I>(0)[i], size, indices, i) * stride;
    }
  });
}

Type FlatIndexNd::infer(Types in) const {
  check_nd(in[1], in[0], batch);
  return {i64, in[0].shape.without(in[0].shape.rank() - 1)};
}

Work FlatIndexNd::work(Types in) const { return moving(in[0].count() * size_of(i64)); }

void FlatIndexNd::run(const Run& r) const {
  const Type& indices = r.in_type(0);
  const Shape &s = indices.shape, &x = r.in_type(1).shape;
  const auto lead = static_cast<int>(batch), numbered = static_cast<int>(s[-1]);
  const std::int64_t each = s.count(lead, s.rank() - 1);  // tuples of a place in the batch
  const auto [begin, end] = r.share(r.out_type().count());
  dispatch<IndexTypes>(indices.dtype, [&]<class I>(std::type_identity<I>) {
    for (std::int64_t i = begin; i < end; ++i) {
      std::int64_t place = i / each;
      for (int k = 0; k < numbered; ++k) {
        const std::int64_t size = x[lead + k], at = i * numbered + k;
        place = place * size + place_of(r.in<I>(0)[at], size, indices, at);
      }
      r.out<std::int64_t>()[i] = place;
    }
  });
}

}  // namespace oxbow::ops
