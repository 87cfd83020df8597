#include <oxbow/ops/reduction.h>
#include <oxbow/ops/reduction/reduce.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/rearranged.h>

#include <algorithm>
#include <cmath>

namespace oxbow::ops {
namespace {

// y over all elements of x that belong to it, in double; `start` stands for none of them.
template <class Join>
Tensor folded(const Tensor& x, const Shape& shape, double start, Join join, const std::function<Index(Index)>& to) {
  std::vector<double> y(static_cast<std::size_t>(shape.count()), start);
  for (std::int64_t i = 0; i < x.count(); ++i) {
    double& sum = y[static_cast<std::size_t>(flat_of(shape, to(index_of(x.shape(), i))))];
    sum = join(sum, number(x, i));
  }
  Tensor out({x.dtype(), shape});
  dispatch(x.dtype(), [&]<class T>(std::type_identity<T>) {
    std::transform(y.begin(), y.end(), out.data<T>(), [](double v) { return static_cast<T>(v); });
  });
  return out;
}

double added(double a, double b) { return a + b; }

}  // namespace

template <Fold F>
std::vector<Sample> Reduce<F>::samples() {
  const auto sample = [](const Shape& shape, Reduce op, DType dtype = f64) {
    return Sample{
        .what = to_string(shape) + " over " + std::to_string(op.axes.size()) + " axes" + (op.keep ? ", kept" : ""),
        .op = op,
        .inputs = {draw(shape, dtype == u8 ? 0 : -9, 9, 1, dtype)},
        .reference = [op](const std::vector<Tensor>& in) {
          const std::vector<Type> types{in[0].type()};
          const std::vector<int> over = normal_axes(in[0].shape(), op.axes);
          const auto to = [&](Index i) {
            for (auto axis = over.rbegin(); axis != over.rend(); ++axis)
              if (op.keep)
                i[static_cast<std::size_t>(*axis)] = 0;
              else
                i.erase(i.begin() + *axis);
            return i;
          };
          const double start = F == Fold::sum ? 0 : F == Fold::max ? -INFINITY : INFINITY;
          const auto join = [](double a, double b) {
            return F == Fold::sum ? a + b : F == Fold::max ? std::max(a, b) : std::min(a, b);
          };
          return std::vector<Tensor>{folded(in[0], op.infer(types).shape, start, join, to)};
        }};
  };
  std::vector<Sample> samples{sample({5}, {}),
                              sample({3, 4}, {{0}}),
                              sample({3, 4}, {{1}, true}),
                              sample({2, 3, 4}, {{0, 2}}),
                              sample({2, 3, 4}, {{-2}, true}),
                              sample({2, 3, 4}, {{-1, 0, 1}}),
                              sample({2, 1, 3, 1, 2}, {{0, 2, 4}}),
                              sample({}, {}),
                              sample({1}, {}),
                              sample({1, 1}, {{0}, true}),
                              sample({2, 1, 3}, {{1}}),
                              sample({3, 5, 2}, {{}, true}),
                              sample({0, 3}, {{1}}),
                              sample({100}, {}),
                              sample({17, 33}, {{0}}),
                              sample({3, 20}, {{1}}),
                              sample({3, 4}, {{1}}, i32),
                              sample({3, 4}, {{0}}, u8)};
  if (F == Fold::sum) {
    samples.push_back(sample({0, 3}, {{0}}));
    samples.push_back(sample({3, 0}, {{}}));
  } else {
    samples.push_back(sample({2, 4}, {{1}}, boolean));
  }
  return samples;
}
template std::vector<Sample> Reduce<Fold::sum>::samples();
template std::vector<Sample> Reduce<Fold::max>::samples();
template std::vector<Sample> Reduce<Fold::min>::samples();

std::vector<Sample> SumTo::samples() {
  const auto sample = [](const Shape& x, const Shape& like) {
    return Sample{.what = to_string(x) + " to " + to_string(like),
                  .op = SumTo{},
                  .inputs = {draw(x, -1, 1, 1), draw(like, -1, 1, 2)},
                  .reference = [](const std::vector<Tensor>& in) {
                    const Shape& to = in[1].shape();
                    return std::vector<Tensor>{folded(in[0], to, 0, added, [&](const Index& i) {
                      Index at(i.end() - to.rank(), i.end());
                      for (int k = 0; k < to.rank(); ++k)
                        if (to[k] == 1) at[static_cast<std::size_t>(k)] = 0;
                      return at;
                    })};
                  }};
  };
  return {sample({3, 4}, {4}),       sample({3, 4}, {3, 1}), sample({3, 4}, {}),    sample({2, 3, 4}, {1, 3, 1}),
          sample({2, 3, 4}, {3, 1}), sample({3, 4}, {3, 4}), sample({1, 4}, {4}),   sample({0, 4}, {4}),
          sample({3, 0}, {3, 1}),    sample({1, 1}, {1}),    sample({33, 10}, {10})};
}

std::vector<Sample> CountLike::samples() {
  const auto sample = [](const Shape& x, std::vector<std::int64_t> over, double count) {
    return Sample{
        .what = "of " + to_string(x),
        .op = CountLike{.axes = std::move(over)},
        .inputs = {draw(x, -1, 1, 1)},
        .reference = [count](const std::vector<Tensor>&) { return std::vector<Tensor>{Tensor::scalar(count)}; }};
  };
  return {sample({2, 3}, {}, 6), sample({2, 3}, {-1}, 3), sample({0, 3}, {0}, 0), sample({}, {}, 1)};
}

}  // namespace oxbow::ops
