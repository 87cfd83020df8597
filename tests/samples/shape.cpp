// Samples of ops that give elements another shape or order, or repeat them.
#include <oxbow/ops/shape/broadcast.h>
#include <oxbow/ops/shape/one_hot.h>
#include <oxbow/ops/shape/reshape.h>
#include <oxbow/ops/shape/transpose.h>

#include "samples/families.h"
#include "samples/rearranged.h"

namespace oxbow::test {

using namespace ops;

namespace {

// All samples of reshaping: the elements stay where they are.
Sample reshaped(std::string what, Op op, std::vector<Tensor> inputs, const Shape& to) {
  return {.what = std::move(what), .op = std::move(op), .inputs = std::move(inputs), .reference = [to](const auto& in) {
            return std::vector<Tensor>{
                rearranged(in[0], to, [&](const Index& i) { return index_of(in[0].shape(), flat_of(to, i)); })};
          }};
}

std::vector<Sample> reshape_samples() {
  return {
      reshaped("[2, 6] to [3, 4]", Reshape{{3, 4}}, {draw({2, 6}, -1, 1, 1)}, {3, 4}),
      reshaped("a size that is left", Reshape{{Reshape::same, Reshape::rest}}, {draw({2, 3, 5}, -1, 1, 2)}, {2, 15}),
      reshaped("empty, a size that is left", Reshape{{Reshape::same, Reshape::rest}}, {draw({0, 3, 5}, -1, 1, 3)},
               {0, 15}),
      reshaped("a scalar to [1, 1]", Reshape{{1, 1}}, {draw({}, -1, 1, 4)}, {1, 1}),
      reshaped("[1] to a scalar", Reshape{}, {draw({1}, -1, 1, 5)}, {}),
      reshaped("integers", Reshape{{Reshape::rest}}, {draw({3, 2}, -9, 9, 6, i32)}, {6})};
}

std::vector<Sample> reshape_like_samples() {
  return {reshaped("[6] like [2, 3]", ReshapeLike{}, {draw({6}, -1, 1, 1), draw({2, 3}, -1, 1, 2)}, {2, 3}),
          reshaped("same shape", ReshapeLike{}, {draw({2, 3}, -1, 1, 3), draw({2, 3}, -1, 1, 4)}, {2, 3}),
          reshaped("empty", ReshapeLike{}, {draw({0, 3}, -1, 1, 5), draw({2, 0}, -1, 1, 6)}, {2, 0})};
}

std::vector<Sample> squeeze_samples() {
  return {reshaped("[2, 1, 3] along 1", Squeeze{{1}}, {draw({2, 1, 3}, -1, 1, 1)}, {2, 3}),
          reshaped("[1, 2, 1] along -1 and 0", Squeeze{{-1, 0}}, {draw({1, 2, 1}, -1, 1, 2)}, {2}),
          reshaped("[1] to a scalar", Squeeze{{0}}, {draw({1}, -1, 1, 3)}, {}),
          reshaped("empty", Squeeze{{0}}, {draw({1, 0}, -1, 1, 4)}, {0}),
          reshaped("integers", Squeeze{{0}}, {draw({1, 3}, -9, 9, 5, i32)}, {3})};
}

std::vector<Sample> expand_dims_samples() {
  return {reshaped("[2, 3] at 1", ExpandDims{{1}}, {draw({2, 3}, -1, 1, 1)}, {2, 1, 3}),
          reshaped("[2] at -1 and 0", ExpandDims{{-1, 0}}, {draw({2}, -1, 1, 2)}, {1, 2, 1}),
          reshaped("a scalar", ExpandDims{{0}}, {draw({}, -1, 1, 3)}, {1}),
          reshaped("empty", ExpandDims{{2}}, {draw({0, 3}, -1, 1, 4)}, {0, 3, 1}),
          reshaped("no axis", ExpandDims{}, {draw({2}, -1, 1, 5)}, {2}),
          reshaped("integers", ExpandDims{{0}}, {draw({3}, -9, 9, 6, i32)}, {1, 3})};
}

// The axes that a permutation names, counted from the front: reversed where it is empty.
std::vector<int> order_of(const std::vector<std::int64_t>& permutation, int rank) {
  std::vector<int> axes;
  for (int k = 0; k < rank; ++k) {
    const std::int64_t axis = permutation.empty() ? rank - 1 - k : permutation[static_cast<std::size_t>(k)];
    axes.push_back(static_cast<int>(axis < 0 ? axis + rank : axis));
  }
  return axes;
}

std::vector<Sample> transpose_samples() {
  const auto sample = [](const Shape& shape, std::vector<std::int64_t> order, DType dtype = f64) {
    const Transpose op{.permutation = std::move(order)};
    return Sample{.what = "of " + to_string(shape),
                  .op = op,
                  .inputs = {draw(shape, -9, 9, 1, dtype)},
                  .reference = [op](const std::vector<Tensor>& in) {
                    const std::vector<Type> types{in[0].type()};
                    const std::vector<int> axes = order_of(op.permutation, in[0].shape().rank());
                    return std::vector<Tensor>{rearranged(in[0], op.infer(types).shape, [&](const Index& i) {
                      Index from(i.size());
                      for (std::size_t k = 0; k < i.size(); ++k) from[static_cast<std::size_t>(axes[k])] = i[k];
                      return from;
                    })};
                  }};
  };
  return {sample({3, 5}, {}),
          sample({33, 5}, {1, 0}),
          sample({2, 3, 4}, {0, 2, 1}),
          sample({2, 3, 4}, {-1, 0, 1}),
          sample({2, 3, 4, 2}, {0, 2, 1, 3}),
          sample({2, 3, 2, 3}, {2, 3, 0, 1}),
          sample({2, 3, 4}, {0, 1, 2}),
          sample({1, 4, 1}, {2, 1, 0}),
          sample({0, 4}, {}),
          sample({}, {}),
          sample({1}, {0}),
          sample({3, 4}, {1, 0}, u8),
          sample({3, 4}, {1, 0}, i64)};
}

// x, seen in `shape` with as many elements, with axes of size 1 repeated.
Tensor repeated(const Tensor& x, const Shape& shape, const Shape& to) {
  return rearranged(x, to, [&](const Index& i) {
    Index from(i.end() - shape.rank(), i.end());
    for (int k = 0; k < shape.rank(); ++k)
      if (shape[k] == 1) from[static_cast<std::size_t>(k)] = 0;
    return index_of(x.shape(), flat_of(shape, from));
  });
}

std::vector<Sample> broadcast_to_samples() {
  const auto sample = [](const Shape& x, const Shape& to, DType dtype = f64) {
    return Sample{.what = to_string(x) + " to " + to_string(to),
                  .op = BroadcastTo{.shape = to},
                  .inputs = {draw(x, -9, 9, 1, dtype)},
                  .reference = [to](const std::vector<Tensor>& in) {
                    return std::vector<Tensor>{repeated(in[0], in[0].shape(), to)};
                  }};
  };
  return {sample({}, {2, 3}),       sample({3}, {2, 3}),
          sample({2, 1}, {2, 3}),   sample({2, 1, 3}, {4, 2, 5, 3}),
          sample({2, 3}, {2, 3}),   sample({1, 3}, {0, 3}),
          sample({1}, {1, 1}),      sample({2, 1}, {2, 600}),
          sample({3}, {2, 3}, i32), sample({3, 1}, {3, 2}, boolean)};
}

std::vector<Sample> broadcast_like_samples() {
  const auto sample = [](const Shape& x, const Shape& like, std::vector<std::int64_t> at = {}) {
    return Sample{.what = to_string(x) + " like " + to_string(like),
                  .op = BroadcastLike{.axes = at},
                  .inputs = {draw(x, -1, 1, 1), draw(like, -1, 1, 2)},
                  .reference = [at](const std::vector<Tensor>& in) {
                    Shape full = at.empty() ? in[0].shape() : in[1].shape();
                    for (const std::int64_t axis : at) full = full.with(axis, 1);  // which x lacks
                    return std::vector<Tensor>{repeated(in[0], full, in[1].shape())};
                  }};
  };
  return {sample({}, {2, 3}),
          sample({3}, {2, 3}),
          sample({2}, {2, 3}, {1}),
          sample({2, 4}, {2, 3, 4}, {-2}),
          sample({4}, {2, 3, 4}, {1, 0}),
          sample({2, 3}, {2, 3}),
          sample({}, {0}),
          sample({0}, {0, 3}, {1}),
          sample({1, 1}, {1, 5, 1}, {1})};
}

std::vector<Sample> one_hot_samples() {
  const auto sample = [](Tensor labels, OneHot op) {
    return Sample{.what = to_string(labels.type()) + " to " + std::string(name(op.dtype)),
                  .op = op,
                  .inputs = {labels},
                  .reference = [op](const std::vector<Tensor>& in) {
                    const std::vector<Type> types{in[0].type()};
                    Tensor y(op.infer(types));
                    dispatch(op.dtype, [&]<class T>(std::type_identity<T>) {
                      for (std::int64_t i = 0; i < y.count(); ++i)
                        y.data<T>()[i] =
                            number(in[0], i / op.classes) == static_cast<double>(i % op.classes) ? T(1) : T(0);
                    });
                    return std::vector<Tensor>{y};
                  }};
  };
  return {
      sample(draw({4}, 0, 3, 1, i32), {.classes = 3}), sample(draw({2, 3}, 0, 5, 2, u8), {.classes = 5, .dtype = f64}),
      sample(Tensor::scalar<std::int64_t>(1), {.classes = 2, .dtype = i32}), sample(Tensor({i64, {0}}), {.classes = 3}),
      sample(draw({3}, 0, 2, 3, i64), {.classes = 2, .dtype = boolean})};
}

}  // namespace

void add_shape(Samples& s) {
  s.add<Reshape>(reshape_samples());
  s.add<ReshapeLike>(reshape_like_samples());
  s.add<Squeeze>(squeeze_samples());
  s.add<ExpandDims>(expand_dims_samples());
  s.add<Transpose>(transpose_samples());
  s.add<BroadcastTo>(broadcast_to_samples());
  s.add<BroadcastLike>(broadcast_like_samples());
  s.add<OneHot>(one_hot_samples());
}

}  // namespace oxbow::test
