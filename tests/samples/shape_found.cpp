// Samples of ops that find elements in a tensor which is known.
#include <oxbow/ops/shape/found.h>

#include <algorithm>
#include <limits>

#include "samples/families.h"
#include "samples/rearranged.h"

namespace oxbow::test {

using namespace ops;

namespace {

std::vector<Sample> nonzero_samples() {
  const auto of = [](Tensor x) {
    return Sample{"of " + to_string(x.type()), NonZero{}, {x}, [](const std::vector<Tensor>& in) {
                    std::vector<Index> found;
                    for (std::int64_t i = 0; i < in[0].count(); ++i)
                      if (number(in[0], i) != 0) found.push_back(index_of(in[0].shape(), i));
                    Tensor y({i64, {in[0].shape().rank(), static_cast<std::int64_t>(found.size())}});
                    for (std::size_t i = 0; i < found.size(); ++i)
                      for (std::size_t k = 0; k < found[i].size(); ++k)
                        y.data<std::int64_t>()[k * found.size() + i] = found[i][k];
                    return std::vector<Tensor>{y};
                  }};
  };
  return {of(Tensor::of<double>({2, 3}, {0, 1, -0.0, 2, 0, 3})), of(draw({7}, 0, 2, 1, boolean)),
          of(Tensor::scalar<std::int64_t>(4)), of(Tensor({i32, {0, 3}})), of(Tensor({f64, {2, 2}}))};
}

// By comparing each slice with those that were found before.
std::vector<Tensor> unique_of(const Unique& op, const Tensor& x) {
  const Shape shape = op.by_axis ? x.shape() : Shape{x.count()};
  const int axis = op.by_axis ? shape.axis_of(op.axis) : 0;
  const std::int64_t inner = shape.count(axis + 1, shape.rank()), n = shape[axis];
  std::vector<std::vector<double>> slices(static_cast<std::size_t>(n)), found;
  for (std::int64_t i = 0; i < x.count(); ++i) slices[static_cast<std::size_t>(i / inner % n)].push_back(number(x, i));
  // NaN is the largest number, and equals itself.
  const auto less = [](double a, double b) { return a < b || (a == a && b != b); };
  const auto before = [&](const auto& a, const auto& b) {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), less);
  };
  const auto place = [&](const auto& slice) {
    return std::find_if(found.begin(), found.end(),
                        [&](const auto& other) { return !before(slice, other) && !before(other, slice); });
  };
  for (const auto& slice : slices)
    if (place(slice) == found.end()) found.push_back(slice);
  if (op.sorted) std::sort(found.begin(), found.end(), before);
  const auto count = static_cast<std::int64_t>(found.size());
  Tensor first({i64, {count}}), inverse({i64, {n}}), counts({i64, {count}});
  for (std::int64_t i = n; i-- > 0;) {
    const auto at = place(slices[static_cast<std::size_t>(i)]) - found.begin();
    inverse.data<std::int64_t>()[i] = at;
    first.data<std::int64_t>()[at] = i;
    ++counts.data<std::int64_t>()[at];
  }
  const Tensor values = rearranged(x, shape.with(axis, count), [&](Index i) {
    i[static_cast<std::size_t>(axis)] = first.data<std::int64_t>()[i[static_cast<std::size_t>(axis)]];
    return op.by_axis ? i : index_of(x.shape(), i[0]);
  });
  return {values, first, inverse, counts};
}

std::vector<Sample> unique_samples() {
  const auto of = [](Tensor x, Unique op) {
    return Sample{"of " + to_string(x.type()), op, {x}, [op](const auto& in) { return unique_of(op, in[0]); }};
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {of(whole({6}, {2, 1, 1, 3, 4, 3}), {}),
          of(whole({6}, {2, 1, 1, 3, 4, 3}), {.sorted = false}),
          of(whole({3, 2}, {1, 0, 1, 0, 2, 3}), {.by_axis = true}),
          of(whole({2, 3}, {1, 0, 1, 2, 5, 2}), {.by_axis = true, .axis = -1}),
          of(draw({2, 3, 4}, 0, 2, 3, i32), {.by_axis = true, .axis = 1}),
          of(Tensor::of<double>({4}, {nan, 1, nan, 0}), {}),
          of(Tensor({i64, {0}}), {})};
}

}  // namespace

void add_shape_found(Samples& s) {
  s.add<NonZero>(nonzero_samples());
  s.add<Unique>(unique_samples());
}

}  // namespace oxbow::test
