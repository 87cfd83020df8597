// Samples of reductions: one element of the input after the other.
#include <oxbow/ops/reduction/argmax.h>
#include <oxbow/ops/reduction/norm.h>
#include <oxbow/ops/reduction/reduce.h>
#include <oxbow/ops/reduction/top_k.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "samples/families.h"
#include "samples/rearranged.h"

namespace oxbow::test {

using namespace ops;

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

// What the reduction of two elements gives, and that of none.
template <Fold F>
double join(double a, double b) {
  return F == Fold::sum ? a + b : F == Fold::prod ? a * b : F == Fold::max ? std::max(a, b) : std::min(a, b);
}
template <Fold F>
constexpr double none = F == Fold::sum    ? 0
                        : F == Fold::prod ? 1
                        : F == Fold::max  ? -INFINITY
                                          : INFINITY;

template <Fold F>
std::vector<Sample> reduce_samples() {
  const auto drawn = [](const Shape& shape, DType dtype) {
    if (F == Fold::prod)
      return is_float(dtype) ? draw(shape, 0.7, 1.4, 1) : draw(shape, dtype == u8 ? 0 : -5, 5, 1, dtype);
    return draw(shape, dtype == u8 ? 0 : -9, 9, 1, dtype);
  };
  const auto sample = [drawn](const Shape& shape, Reduce<F> op, DType dtype = f64) {
    return Sample{
        .what = to_string(shape) + " over " + std::to_string(op.axes.size()) + " axes" + (op.keep ? ", kept" : ""),
        .op = op,
        .inputs = {drawn(shape, dtype)},
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
          return std::vector<Tensor>{folded(in[0], op.infer(types).shape, none<F>, join<F>, to)};
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
  samples.push_back(sample({0, 3}, {{0}}));
  samples.push_back(sample({3, 0}, {{}}));
  samples.end()[-1].alike_in_all_dtypes = samples.end()[-2].alike_in_all_dtypes = false;
  if (F == Fold::max || F == Fold::min) samples.push_back(sample({2, 4}, {{1}}, boolean));
  if (F == Fold::prod) {  // zeros: one, two, and alone
    Sample zeros = sample({3, 4}, {{1}});
    zeros.what = "zeros";
    zeros.inputs = {Tensor::of<double>({3, 4}, {2, 0, 3, -1, 0, 2, 0, 5, 1, 1, 2, 0})};
    samples.push_back(zeros);
    Sample all_zeros = sample({3, 4}, {});
    all_zeros.what = "a zero, over all axes";
    all_zeros.inputs = {Tensor::of<double>({3, 4}, {2, 1, 3, -1, 0.5, 2, 1, 0.25, 1, 1, 2, 0})};
    samples.push_back(all_zeros);
  }
  return samples;
}

std::vector<Sample> sum_to_samples() {
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

std::vector<Sample> count_like_samples() {
  const auto sample = [](const Shape& x, std::vector<std::int64_t> over, double count) {
    return Sample{
        .what = "of " + to_string(x),
        .op = CountLike{.axes = std::move(over)},
        .inputs = {draw(x, -1, 1, 1)},
        .reference = [count](const std::vector<Tensor>&) { return std::vector<Tensor>{Tensor::scalar(count)}; }};
  };
  return {sample({2, 3}, {}, 6), sample({2, 3}, {-1}, 3), sample({0, 3}, {0}, 0), sample({}, {}, 1)};
}

std::vector<Sample> norm_samples() {
  const auto sample = [](const Shape& shape, std::vector<std::int64_t> axes, bool keep) {
    const Norm op{.axes = axes, .keep = keep};
    return Sample{to_string(shape) + ", " + std::to_string(axes.size()) + " axes" + (keep ? ", kept" : ""),
                  op,
                  {draw(shape, 0.5, 2, 51)},
                  [op](const std::vector<Tensor>& in) {
                    const std::vector<Type> types{in[0].type()};
                    const Shape &from = in[0].shape(), kept = Norm{.axes = op.axes, .keep = true}.infer(types).shape;
                    Tensor y(op.infer(types));
                    for (std::int64_t i = 0; i < in[0].count(); ++i) {
                      Index at = index_of(from, i);
                      for (int axis = 0; axis < from.rank(); ++axis)
                        if (kept[axis] == 1) at[static_cast<std::size_t>(axis)] = 0;
                      const double v = in[0].data<double>()[i];
                      y.data<double>()[flat_of(kept, at)] += v * v;
                    }
                    for (double& v : y.span<double>()) v = std::sqrt(v);
                    return std::vector{y};
                  }};
  };
  return {sample({7}, {}, false),           sample({}, {}, false),
          sample({3, 5}, {1}, false),       sample({3, 5}, {0}, true),
          sample({2, 3, 4}, {0, 2}, false), sample({2, 3, 4}, {}, true),
          sample({0, 3}, {0}, false),       sample({3, 1}, {1}, true)};
}

template <bool largest>
std::vector<Sample> arg_samples() {
  const auto sample = [](const Tensor& x, ArgExtreme<largest> op) {
    return Sample{to_string(x.type()) + " along " + std::to_string(op.axis) + (op.keep ? ", kept" : "") +
                      (op.last ? ", the last" : ""),
                  op,
                  {x},
                  [op](const std::vector<Tensor>& in) {
                    const Shape& shape = in[0].shape();
                    const int a = shape.axis_of(op.axis);
                    Tensor y({i64, op.keep ? shape.with(a, 1) : shape.without(a)});
                    for (std::int64_t i = 0; i < y.count(); ++i) {
                      Index at = index_of(shape.without(a), i);
                      at.insert(at.begin() + a, 0);
                      std::vector<double> line;
                      for (std::int64_t k = 0; k < shape[a]; ++k) {
                        at[static_cast<std::size_t>(a)] = k;
                        line.push_back(number(in[0], flat_of(shape, at)));
                      }
                      const auto is_nan = [](double v) { return v != v; };
                      double best = largest ? *std::max_element(line.begin(), line.end())
                                            : *std::min_element(line.begin(), line.end());
                      const bool nan = std::any_of(line.begin(), line.end(), is_nan);
                      for (std::int64_t k = shape[a] - 1; k >= 0; --k) {
                        const std::int64_t from = op.last ? shape[a] - 1 - k : k;
                        const double v = line[static_cast<std::size_t>(from)];
                        if (nan ? is_nan(v) : v == best) y.data<std::int64_t>()[i] = from;
                      }
                    }
                    return std::vector<Tensor>{y};
                  }};
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor alike = Tensor::of<double>({6}, {1, 3, 0, 3, 3, 0});
  const Tensor nans = Tensor::of<double>({2, 4}, {1, nan, nan, 7, 5, 6, nan, 2});
  Tensor long_nans = draw({2, 100}, -1, 1, 9);  // rows long enough to be searched as columns
  for (const int i : {37, 90}) long_nans.data<double>()[i] = nan;
  const Tensor long_alike = draw({2, 150}, 0, 3, 10, i32);
  return {sample(draw({7}, -1, 1, 1), {.axis = 0}),
          sample(long_nans, {}),
          sample(long_nans, {.last = true}),
          sample(long_alike, {}),
          sample(long_alike, {.last = true}),
          sample(draw({130, 3}, -1, 1, 11), {}),
          sample(draw({3, 5}, -1, 1, 2), {}),
          sample(draw({3, 70}, -1, 1, 3), {.axis = 0}),
          sample(draw({2, 3, 4}, -1, 1, 4), {.axis = -2}),
          sample(draw({2, 3, 4}, -1, 1, 4), {.axis = 1, .keep = true}),
          sample(alike, {.axis = 0}),
          sample(alike, {.axis = 0, .keep = true, .last = true}),
          sample(nans, {}),
          sample(nans, {.last = true}),
          sample(draw({2, 0}, -1, 1, 5), {.axis = 0}),
          sample(draw({3, 4}, -9, 9, 6, i32), {}),
          sample(draw({9}, 0, 9, 7, u8), {.axis = 0}),
          sample(draw({9}, 0, 2, 8, boolean), {.axis = 0, .last = true})};
}

std::vector<Tensor> chosen(const Tensor& x, std::int64_t k, bool largest) {
  const std::int64_t n = x.shape()[-1], rows = x.count() / std::max<std::int64_t>(n, 1);
  Tensor values({x.dtype(), x.shape().with(-1, k)}), places({i64, values.shape()});
  for (std::int64_t row = 0; row < rows; ++row) {
    std::vector<bool> taken(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < k; ++i) {
      std::int64_t best = -1;
      for (std::int64_t j = 0; j < n; ++j) {
        if (taken[static_cast<std::size_t>(j)]) continue;
        const double v = number(x, row * n + j), b = best < 0 ? 0 : number(x, row * n + best);
        if (best < 0 || (largest ? b == b && (v != v || v > b) : v == v && (b != b || v < b))) best = j;
      }
      taken[static_cast<std::size_t>(best)] = true;
      places.data<std::int64_t>()[row * k + i] = best;
      dispatch(x.dtype(),
               [&]<class T>(std::type_identity<T>) { values.data<T>()[row * k + i] = x.data<T>()[row * n + best]; });
    }
  }
  return {values, places};
}

struct Case {
  Tensor x;
  std::int64_t k;
};

std::vector<Case> cases() {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  return {{draw({7}, -1, 1, 1), 3},
          {draw({3, 40}, -1, 1, 2), 3},
          {draw({2, 40}, -1, 1, 8), 9},
          {draw({2, 3, 4}, -1, 1, 3), 4},
          {Tensor::of<float>({2, 4}, {1, 3, 3, nan, nan, nan, 2, -1}), 3},
          {draw({2, 5}, -9, 9, 4, i32), 2},
          {draw({3, 4}, -1, 1, 5), 0},
          {draw({0, 4}, -1, 1, 6), 2}};
}

std::vector<Sample> top_k_samples() {
  std::vector<Sample> samples;
  for (const bool largest : {true, false})
    for (const auto& [x, k] : cases())
      samples.push_back({std::to_string(k) + " of " + to_string(x.type()) + (largest ? "" : ", the smallest"),
                         TopK{.k = k, .largest = largest},
                         {x},
                         [k, largest](const std::vector<Tensor>& in) { return chosen(in[0], k, largest); }});
  return samples;
}

std::vector<Sample> top_k_of_samples() {
  std::vector<Sample> samples;
  for (const bool largest : {true, false})
    for (const auto& [x, k] : cases())
      samples.push_back({std::to_string(k) + " of " + to_string(x.type()) + (largest ? "" : ", the smallest"),
                         TopKOf{.largest = largest},
                         {x, Tensor::scalar(k)},
                         [k, largest](const std::vector<Tensor>& in) { return chosen(in[0], k, largest); }});
  return samples;
}

}  // namespace

void add_reduction(Samples& s) {
  s.add<Sum>(reduce_samples<Fold::sum>());
  s.add<Prod>(reduce_samples<Fold::prod>());
  s.add<Max>(reduce_samples<Fold::max>());
  s.add<Min>(reduce_samples<Fold::min>());
  s.add<Norm>(norm_samples());
  s.add<SumTo>(sum_to_samples());
  s.add<CountLike>(count_like_samples());
  s.add<ArgMax>(arg_samples<true>());
  s.add<ArgMin>(arg_samples<false>());
  s.add<TopK>(top_k_samples());
  s.add<TopKOf>(top_k_of_samples());
}

}  // namespace oxbow::test
