// Samples of ops whose output's shape follows from a value.
#include <oxbow/ops/shape/by_value.h>

#include <limits>

#include "samples/families.h"
#include "samples/rearranged.h"

namespace oxbow::test {

using namespace ops;

namespace {

Sample sample(const std::string& what, Op op, std::vector<Tensor> inputs,
              std::function<Tensor(const std::vector<Tensor>&)> reference) {
  return {what, std::move(op), std::move(inputs),
          [reference](const std::vector<Tensor>& in) { return std::vector<Tensor>{reference(in)}; }};
}

std::vector<Sample> shape_of_samples() {
  const auto of = [](const Shape& shape, DType dtype = f64) {
    return sample(to_string(shape), ShapeOf{}, {draw(shape, 0, 2, 1, dtype)},
                  [](const std::vector<Tensor>& in) { return whole(in[0].shape().vector()); });
  };
  return {of({2, 3}), of({}), of({0, 4}), of({5}, u8)};
}

std::vector<Sample> reshape_to_samples() {
  const auto of = [](const Shape& x, const Numbers& to, const Shape& shape) {
    return sample(to_string(x) + " to " + to_string(shape), ReshapeTo{}, {draw(x, -1, 1, 1), whole(to)},
                  [shape](const std::vector<Tensor>& in) {
                    return rearranged(in[0], shape,
                                      [&](const Index& i) { return index_of(in[0].shape(), flat_of(shape, i)); });
                  });
  };
  return {of({2, 3}, {3, 2}, {3, 2}), of({2, 3}, {-1}, {6}), of({2, 3, 2}, {2, -1}, {2, 6}), of({1}, {}, {}),
          of({0, 3}, {3, 0}, {3, 0})};
}

std::vector<Sample> expand_to_samples() {
  const auto of = [](const Shape& x, const Shape& to) {
    return sample(to_string(x) + " to " + to_string(to), ExpandTo{}, {draw(x, -1, 1, 1), whole(to.vector())},
                  [to](const std::vector<Tensor>& in) {
                    const Shape& own = in[0].shape();
                    return rearranged(in[0], to, [&](const Index& i) {
                      Index from(i.end() - own.rank(), i.end());
                      for (int axis = 0; axis < own.rank(); ++axis)
                        if (own[axis] == 1) from[static_cast<std::size_t>(axis)] = 0;
                      return from;
                    });
                  });
  };
  return {of({3}, {2, 3}), of({2, 1}, {2, 4}), of({}, {2, 2}), of({2, 3}, {2, 3}), of({1}, {0})};
}

std::vector<Sample> tile_samples() {
  const auto of = [](const Shape& x, const Numbers& times, const Shape& y) {
    return sample(to_string(x) + " to " + to_string(y), Tile{}, {draw(x, -1, 1, 1), whole(times)},
                  [y](const std::vector<Tensor>& in) {
                    return rearranged(in[0], y, [&](Index i) {
                      for (int axis = 0; axis < y.rank(); ++axis)
                        i[static_cast<std::size_t>(axis)] %= in[0].shape()[axis];
                      return i;
                    });
                  });
  };
  return {of({2}, {3}, {6}), of({2, 3}, {2, 2}, {4, 6}), of({2, 1, 2}, {1, 4, 1}, {2, 4, 2}),
          of({2, 3}, {0, 1}, {0, 3}), of({}, {}, {})};
}

std::vector<Sample> tile_gradient_samples() {
  const auto of = [](const Shape& x, const Numbers& times) {
    Numbers sizes;
    for (int axis = 0; axis < x.rank(); ++axis) sizes.push_back(x[axis] * times[static_cast<std::size_t>(axis)]);
    return sample("to " + to_string(x), TileGradient{}, {draw(Shape(sizes), -1, 1, 1), draw(x, -1, 1, 2), whole(times)},
                  [](const std::vector<Tensor>& in) {
                    Tensor dx(in[1].type());
                    for (std::int64_t k = 0; k < in[0].count(); ++k) {
                      Index i = index_of(in[0].shape(), k);
                      for (int axis = 0; axis < dx.shape().rank(); ++axis)
                        i[static_cast<std::size_t>(axis)] %= dx.shape()[axis];
                      dx.data<double>()[flat_of(dx.shape(), i)] += in[0].data<double>()[k];
                    }
                    return dx;
                  });
  };
  return {of({2}, {3}), of({2, 3}, {2, 2}), of({2, 1, 2}, {1, 4, 1}), of({2, 3}, {1, 1})};
}

std::vector<Sample> arange_samples() {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  const auto of = [](auto start, auto limit, auto step, const Numbers& want) {
    return sample(std::to_string(want.size()) + " numbers", Arange{},
                  {Tensor::scalar(start), Tensor::scalar(limit), Tensor::scalar(step)},
                  [want](const std::vector<Tensor>& in) {
                    Tensor y({in[0].dtype(), {static_cast<std::int64_t>(want.size())}});
                    dispatch(y.dtype(), [&]<class T>(std::type_identity<T>) {
                      for (std::size_t i = 0; i < want.size(); ++i) y.data<T>()[i] = static_cast<T>(want[i]);
                    });
                    return y;
                  });
  };
  return {of(std::int64_t{0}, std::int64_t{4}, std::int64_t{1}, {0, 1, 2, 3}),
          of(std::int64_t{5}, std::int64_t{-2}, std::int64_t{-3}, {5, 2, -1}),
          of(std::int32_t{3}, std::int32_t{3}, std::int32_t{1}, {}), of(1.0, 6.5, 2.0, {1, 3, 5}),
          // What is added is beyond what the dtype holds, and doubles do not tell these apart.
          of(-2'000'000'000, 2'000'000'000, 1'500'000'000, {-2'000'000'000, -500'000'000, 1'000'000'000}),
          of(most - 3, most, std::int64_t{2}, {most - 3, most - 1})};
}

std::vector<Sample> one_hot_of_samples() {
  const auto of = [](Tensor labels, std::int64_t classes) {
    return sample(to_string(labels.type()), OneHotOf{.dtype = f64}, {labels, Tensor::scalar(classes)},
                  [classes](const std::vector<Tensor>& in) {
                    Tensor y({f64, in[0].shape().inserted(in[0].shape().rank(), classes)});
                    for (std::int64_t i = 0; i < y.count(); ++i)
                      y.data<double>()[i] = number(in[0], i / classes) == static_cast<double>(i % classes);
                    return y;
                  });
  };
  return {of(draw({4}, 0, 3, 1, i32), 3), of(draw({2, 2}, 0, 5, 2, u8), 5)};
}

}  // namespace

void add_shape_by_value(Samples& s) {
  s.add<ShapeOf>(shape_of_samples());
  s.add<ReshapeTo>(reshape_to_samples());
  s.add<ExpandTo>(expand_to_samples());
  s.add<Tile>(tile_samples());
  s.add<TileGradient>(tile_gradient_samples());
  s.add<Arange>(arange_samples());
  s.add<OneHotOf>(one_hot_of_samples());
}

}  // namespace oxbow::test
