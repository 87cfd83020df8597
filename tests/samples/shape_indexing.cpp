// Samples of ops that read or write elements by their places.
#include <oxbow/ops/shape/flat_index.h>
#include <oxbow/ops/shape/indexing.h>
#include <oxbow/ops/shape/scatter.h>

#include <array>

#include "samples/families.h"
#include "samples/rearranged.h"

namespace oxbow::test {

using namespace ops;

namespace {

std::int64_t place(double index, std::int64_t size) {
  return static_cast<std::int64_t>(index) + (index < 0 ? size : 0);
}

// Where element i of what is read along an axis is in x.
Index along(const Shape& x, const Tensor& indices, std::int64_t axis, Index i) {
  const int a = x.axis_of(axis);
  const double index = number(indices, flat_of(indices.shape(), i));
  i[static_cast<std::size_t>(a)] = place(index, x[a]);
  return i;
}

// The same of rows by their first axes.
Index by_rows(const Shape& x, const Tensor& indices, std::int64_t batch, const Index& i) {
  const int numbers = static_cast<int>(indices.shape()[-1]), lead = indices.shape().rank() - 1;
  Index row(i.begin(), i.begin() + lead), from(i.begin(), i.begin() + batch);
  row.push_back(0);
  for (int k = 0; k < numbers; ++k) {
    row.back() = k;
    from.push_back(place(number(indices, flat_of(indices.shape(), row)), x[static_cast<int>(batch) + k]));
  }
  from.insert(from.end(), i.begin() + lead, i.end());
  return from;
}

struct Along {
  Shape x;
  Tensor indices;
  std::int64_t axis;
};
std::vector<Along> alongs() {
  return {{{4, 3}, whole({2, 3}, {3, 0, -1, 1, 0, -4}), 0},
          {{2, 5}, whole({2, 3}, {4, 4, 0, -5, 1, 1}), -1},
          {{2, 4, 3}, draw({2, 6, 2}, 0, 4, 1, i32), 1},
          {{3, 4}, draw({2, 1}, 0, 4, 2, u8), 1},
          {{5}, Tensor({i64, {0}}), 0},
          {{0, 3}, Tensor({i64, {0, 3}}), 0},
          {{3, 0}, Tensor({i64, {2, 0}}), 0}};
}

struct Rows {
  Shape x;
  Tensor indices;
  std::int64_t batch;
  Shape read;
};
std::vector<Rows> rows() {
  return {{{4, 3}, whole({3, 1}, {0, -1, 0}), 0, {3, 3}},
          {{4, 3}, whole({2, 2}, {1, 2, -4, 0}), 0, {2}},
          {{2, 3, 2}, whole({2, 1}, {1, -3}), 1, {2, 2}},
          {{2, 3, 2}, whole({2, 2, 2}, {0, 1, 2, 0, 0, 1, 1, 1}), 1, {2, 2}},
          {{2, 3, 4}, whole({2, 1, 1}, {1, 0}), 0, {2, 1, 3, 4}},
          {{3, 2}, whole({2}, {2, 1}), 0, {}},
          {{3, 2}, Tensor({i64, {2, 0}}), 0, {2, 3, 2}},
          {{3, 2}, Tensor({i64, {0, 1}}), 0, {0, 2}},
          {{3, 0}, whole({2, 1}, {0, 1}), 0, {2, 0}}};
}

// What `from` says of each element of a tensor of this shape.
using From = std::function<Index(const Index&)>;

std::vector<Sample> take_along_axis_samples() {
  std::vector<Sample> samples;
  for (const DType dtype : {f64, i32, boolean})
    for (const Along& c : alongs()) {
      if (dtype != f64 && c.x != Shape{4, 3}) continue;
      samples.push_back({"along axis " + std::to_string(c.axis) + " of " + to_string(c.x),
                         TakeAlongAxis{c.axis},
                         {draw(c.x, 0, 2, 3, dtype), c.indices},
                         [axis = c.axis](const std::vector<Tensor>& in) {
                           return std::vector<Tensor>{rearranged(in[0], in[1].shape(), [&](const Index& i) {
                             return along(in[0].shape(), in[1], axis, i);
                           })};
                         }});
    }
  return samples;
}

std::vector<Sample> gather_nd_samples() {
  std::vector<Sample> samples;
  for (const Rows& c : rows())
    samples.push_back({"of " + to_string(c.x) + " by " + to_string(c.indices.shape()),
                       GatherNd{c.batch},
                       {draw(c.x, -1, 1, 3), c.indices},
                       [c](const std::vector<Tensor>& in) {
                         return std::vector<Tensor>{rearranged(
                             in[0], c.read, [&](const Index& i) { return by_rows(in[0].shape(), in[1], c.batch, i); })};
                       }});
  return samples;
}

double folded(ScatterReduction reduction, double a, double b) {
  switch (reduction) {
    case ScatterReduction::none:
      return b;
    case ScatterReduction::add:
      return a + b;
    case ScatterReduction::mul:
      return a * b;
    case ScatterReduction::max:
      return a != a || a > b ? a : b;
    default:
      return a != a || a < b ? a : b;
  }
}

// x (input 0) with updates (the last one) put in.
Tensor scattered(const std::vector<Tensor>& in, ScatterReduction reduction, const From& to) {
  Tensor y = in[0].clone();
  dispatch(y.dtype(), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < in[2].count(); ++i) {
      T& at = y.data<T>()[flat_of(y.shape(), to(index_of(in[2].shape(), i)))];
      at = static_cast<T>(folded(reduction, static_cast<double>(at), number(in[2], i)));
    }
  });
  return y;
}

constexpr std::array reductions{ScatterReduction::none, ScatterReduction::add, ScatterReduction::mul,
                                ScatterReduction::max, ScatterReduction::min};

std::string named(ScatterReduction r) { return std::get<std::string>(to_attr(r)); }

std::vector<Sample> scatter_elements_samples() {
  std::vector<Sample> samples;
  const auto add = [&](const Along& c, ScatterReduction r, Tensor x, Tensor updates) {
    samples.push_back({named(r) + ", " + to_string(c.indices.shape()) + " into axis " + std::to_string(c.axis) +
                           " of " + to_string(x.type()),
                       ScatterElements{c.axis, r},
                       {x, c.indices, updates},
                       [c, r](const std::vector<Tensor>& in) {
                         return std::vector<Tensor>{
                             scattered(in, r, [&](const Index& i) { return along(in[0].shape(), in[1], c.axis, i); })};
                       }});
  };
  for (const ScatterReduction r : reductions) {
    for (const Along& c : alongs()) add(c, r, draw(c.x, 0.5, 1.5, 4), draw(c.indices.shape(), 0.5, 1.5, 5));
    const Along c = alongs()[1];
    add(c, r, draw(c.x, -9, 9, 6, i64), draw(c.indices.shape(), -9, 9, 7, i64));
    add(c, r, draw(c.x, 0, 9, 6, u8), draw(c.indices.shape(), 0, 5, 7, u8));
  }
  const Along c = alongs()[1];
  add(c, ScatterReduction::none, draw(c.x, 0, 2, 6, boolean), draw(c.indices.shape(), 0, 2, 7, boolean));
  // Factors of 0: once and twice among those of an element.
  const Along zeros{{4}, whole({5}, {0, 0, 1, 1, 2}), 0};
  add(zeros, ScatterReduction::mul, Tensor::of<double>({4}, {2, 3, 0, 0}), Tensor::of<double>({5}, {0, 5, 0, 0, 7}));
  samples.back().smooth = false;
  return samples;
}

std::vector<Sample> scatter_nd_samples() {
  std::vector<Sample> samples;
  for (const ScatterReduction r : reductions)
    for (const Rows& c : rows())
      samples.push_back({named(r) + ", " + to_string(c.indices.shape()) + " into " + to_string(c.x),
                         ScatterNd{r, c.batch},
                         {draw(c.x, 0.5, 1.5, 4), c.indices, draw(c.read, 0.5, 1.5, 5)},
                         [c, r](const std::vector<Tensor>& in) {
                           return std::vector<Tensor>{scattered(
                               in, r, [&](const Index& i) { return by_rows(in[0].shape(), in[1], c.batch, i); })};
                         }});
  return samples;
}

std::vector<Sample> flat_index_along_samples() {
  std::vector<Sample> samples;
  for (const Along& c : alongs())
    samples.push_back({"along axis " + std::to_string(c.axis) + " of " + to_string(c.x),
                       FlatIndexAlong{c.axis},
                       {c.indices, draw(c.x, -1, 1, 3)},
                       [axis = c.axis](const std::vector<Tensor>& in) {
                         Tensor y({i64, in[0].shape()});
                         for (std::int64_t i = 0; i < y.count(); ++i)
                           y.data<std::int64_t>()[i] =
                               flat_of(in[1].shape(), along(in[1].shape(), in[0], axis, index_of(in[0].shape(), i)));
                         return std::vector<Tensor>{y};
                       }});
  return samples;
}

std::vector<Sample> flat_index_nd_samples() {
  std::vector<Sample> samples;
  for (const Rows& c : rows())
    samples.push_back({"of " + to_string(c.x) + " by " + to_string(c.indices.shape()),
                       FlatIndexNd{c.batch},
                       {c.indices, draw(c.x, -1, 1, 3)},
                       [batch = c.batch](const std::vector<Tensor>& in) {
                         const Shape& x = in[1].shape();
                         const Shape s = in[0].shape().without(in[0].shape().rank() - 1);
                         Tensor y({i64, s});
                         for (std::int64_t i = 0; i < y.count(); ++i) {
                           const Index from = by_rows(x, in[0], batch, index_of(s, i));
                           std::int64_t row = 0;
                           for (std::size_t k = 0; k < from.size(); ++k) row = row * x[static_cast<int>(k)] + from[k];
                           y.data<std::int64_t>()[i] = row;
                         }
                         return std::vector<Tensor>{y};
                       }});
  return samples;
}

// Rows of x by the numbers in `indices`.
Sample put_sample(const Op& op, ScatterReduction r, const Shape& x, Tensor indices, DType dtype = f64) {
  std::vector<std::int64_t> updates = indices.shape().vector();
  updates.insert(updates.end(), x.begin() + 1, x.end());
  return {
      named(r) + ", " + to_string(indices.shape()) + " rows into " + to_string(x),
      op,
      {draw(x, 0, 2, 1, dtype), indices, draw(Shape(updates), 0, 2, 2, dtype)},
      [r](const std::vector<Tensor>& in) {
        return std::vector<Tensor>{scattered(in, r, [&](const Index& i) {
          const int lead = in[1].shape().rank();
          Index to{place(number(in[1], flat_of(in[1].shape(), Index(i.begin(), i.begin() + lead))), in[0].shape()[0])};
          to.insert(to.end(), i.begin() + lead, i.end());
          return to;
        })};
      }};
}

std::vector<Sample> put_samples(const Op& op, ScatterReduction r, bool of_bool) {
  std::vector<Sample> samples{
      put_sample(op, r, {5, 3}, whole({4}, {4, 0, 0, -3})), put_sample(op, r, {3, 130}, draw({6}, 0, 3, 5, i64)),
      put_sample(op, r, {5}, whole({2, 2}, {1, 1, 2, 1})),  put_sample(op, r, {5}, whole({}, {3})),
      put_sample(op, r, {0, 3}, Tensor({i64, {0}})),        put_sample(op, r, {5, 2}, whole({3}, {1, 1, 4}), i32)};
  if (of_bool) samples.push_back(put_sample(op, r, {4}, whole({3}, {1, 1, 3}), boolean));
  return samples;
}

std::vector<Sample> scatter_rows_samples() {
  std::vector<Sample> samples = put_samples(ScatterRows{}, ScatterReduction::none, true);
  samples.push_back(put_sample(ScatterRows{2}, ScatterReduction::none, {4, 3}, whole({4}, {1, 1, 2, 3})));
  return samples;
}

std::vector<Sample> fold_rows_samples() {
  std::vector<Sample> samples;
  for (const ScatterReduction r :
       {ScatterReduction::add, ScatterReduction::mul, ScatterReduction::max, ScatterReduction::min}) {
    for (Sample& s : put_samples(FoldRows{r}, r, false)) samples.push_back(std::move(s));
    samples.push_back(put_sample(FoldRows{r, 3}, r, {6}, whole({3, 2}, {1, 0, 2, 2, -1, 4})));
  }
  return samples;
}

}  // namespace

void add_shape_indexing(Samples& s) {
  s.add<TakeAlongAxis>(take_along_axis_samples());
  s.add<GatherNd>(gather_nd_samples());
  s.add<ScatterElements>(scatter_elements_samples());
  s.add<ScatterNd>(scatter_nd_samples());
  s.add<FlatIndexAlong>(flat_index_along_samples());
  s.add<FlatIndexNd>(flat_index_nd_samples());
  s.add<ScatterRows>(scatter_rows_samples());
  s.add<FoldRows>(fold_rows_samples());
}

}  // namespace oxbow::test
