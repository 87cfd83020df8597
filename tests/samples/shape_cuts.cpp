// Samples of ops that cut axes into parts, turn them, and add to their ends.
#include <oxbow/ops/shape/pad.h>
#include <oxbow/ops/shape/rearrange.h>
#include <oxbow/ops/shape/slice_by.h>

#include <limits>

#include "samples/families.h"
#include "samples/rearranged.h"

namespace oxbow::test {

using namespace ops;

namespace {

std::size_t at(int axis) { return static_cast<std::size_t>(axis); }

// Ranges of axes, and the places that they take of every axis, as NumPy does.
struct Cut {
  Shape x;
  Numbers axes, begins, ends, steps;
  std::vector<Numbers> places;
  Shape y() const {
    Numbers sizes;
    for (const Numbers& p : places) sizes.push_back(std::ssize(p));
    return Shape(sizes);
  }
  std::vector<Tensor> numbers() const {
    std::vector<Tensor> all{whole(begins), whole(ends)};
    if (!steps.empty()) all.push_back(whole(steps));
    return all;
  }
};
std::vector<Cut> cuts() {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max(),
                         least = std::numeric_limits<std::int64_t>::min();
  return {{{5}, {}, {1}, {4}, {}, {{1, 2, 3}}},
          {{4, 6}, {}, {1, -5}, {100, -1}, {}, {{1, 2, 3}, {1, 2, 3, 4}}},
          {{4, 6, 2}, {-2}, {2}, {5}, {}, {{0, 1, 2, 3}, {2, 3, 4}, {0, 1}}},
          {{3, 4}, {1, 0}, {3, 2}, {1, 3}, {}, {{2}, {}}},
          {{3, 4}, {}, {}, {}, {}, {{0, 1, 2}, {0, 1, 2, 3}}},
          {{7}, {}, {0}, {most}, {2}, {{0, 2, 4, 6}}},
          {{7}, {}, {-1}, {least}, {-1}, {{6, 5, 4, 3, 2, 1, 0}}},
          {{7}, {}, {most}, {1}, {-2}, {{6, 4, 2}}},
          {{4, 5}, {1, 0}, {-1, 3}, {least, 0}, {-2, -1}, {{3, 2, 1}, {4, 2, 0}}},
          {{4, 5}, {1}, {1}, {-1}, {3}, {{0, 1, 2, 3}, {1}}},
          {{4}, {}, {0}, {3}, {-1}, {{}}},
          {{4}, {}, {0}, {4}, {most}, {{0}}},
          {{0, 2}, {}, {-1}, {least}, {-1}, {{}, {0, 1}}}};
}

std::vector<Sample> slice_by_samples() {
  std::vector<Sample> samples;
  for (const Cut& c : cuts()) {
    std::vector<Tensor> in{draw(c.x, -1, 1, 1)};
    for (const Tensor& t : c.numbers()) in.push_back(t);
    samples.push_back({"of " + to_string(c.x) + " to " + to_string(c.y()), SliceBy{.axes = c.axes}, in,
                       [c](const std::vector<Tensor>& given) {
                         return std::vector<Tensor>{rearranged(given[0], c.y(), [&](Index i) {
                           for (std::size_t k = 0; k < i.size(); ++k) i[k] = c.places[k][at(static_cast<int>(i[k]))];
                           return i;
                         })};
                       }});
  }
  return samples;
}

std::vector<Sample> slice_by_gradient_samples() {
  std::vector<Sample> samples;
  for (const Cut& c : cuts()) {
    std::vector<Tensor> in{draw(c.y(), -1, 1, 1), draw(c.x, -1, 1, 2)};
    for (const Tensor& t : c.numbers()) in.push_back(t);
    samples.push_back({"into " + to_string(c.x) + " from " + to_string(c.y()), SliceByGradient{.axes = c.axes}, in,
                       [c](const std::vector<Tensor>& given) {
                         return std::vector<Tensor>{rearranged(given[0], c.x, [&](Index i) {
                           for (std::size_t k = 0; k < i.size(); ++k) {
                             const auto taken = std::find(c.places[k].begin(), c.places[k].end(), i[k]);
                             if (taken == c.places[k].end()) return Index(i.size() + 1);
                             i[k] = taken - c.places[k].begin();
                           }
                           return i;
                         })};
                       }});
  }
  return samples;
}

std::vector<Sample> split_samples() {
  const auto of = [](const Shape& x, std::int64_t axis, const Numbers& sizes, bool given, DType dtype = f64) {
    std::vector<Tensor> in{draw(x, -9, 9, 1, dtype)};
    if (given) in.push_back(whole(sizes));
    return Sample{to_string(x) + " along axis " + std::to_string(axis), Split{axis, std::ssize(sizes)}, in,
                  [axis, sizes](const std::vector<Tensor>& values) {
                    std::vector<Tensor> parts;
                    const int a = values[0].shape().axis_of(axis);
                    std::int64_t begin = 0;
                    for (const std::int64_t size : sizes) {
                      parts.push_back(rearranged(values[0], values[0].shape().with(a, size), [&](Index i) {
                        i[at(a)] += begin;
                        return i;
                      }));
                      begin += size;
                    }
                    return parts;
                  }};
  };
  return {of({6, 2}, 0, {2, 2, 2}, false), of({2, 7}, -1, {3, 3, 1}, false), of({4}, 0, {2, 2, 0}, false),
          of({5, 2}, 0, {1, 0, 4}, true),  of({0, 2}, 0, {0, 0}, false),     of({3, 2}, 1, {2}, false),
          of({2, 3}, 1, {1, 2}, true, i32)};
}

std::vector<Sample> roll_samples() {
  const auto of = [](const Shape& x, std::int64_t shift, std::int64_t axis, DType dtype = f64) {
    return Sample{to_string(x) + " by " + std::to_string(shift) + " along axis " + std::to_string(axis),
                  Roll{shift, axis},
                  {draw(x, 0, 2, 1, dtype)},
                  [shift, axis](const std::vector<Tensor>& in) {
                    const int a = in[0].shape().axis_of(axis);
                    const std::int64_t n = in[0].shape()[a];
                    return std::vector<Tensor>{rearranged(in[0], in[0].shape(), [&](Index i) {
                      i[at(a)] = ((i[at(a)] - shift) % n + n) % n;
                      return i;
                    })};
                  }};
  };
  return {of({5}, 2, 0),    of({2, 5}, -1, 1), of({3, 4}, 7, 0),      of({3, 4}, -8, -1),
          of({0, 2}, 1, 0), of({3}, 0, 0),     of({4}, 1, 0, boolean)};
}

// Where element i of what is padded comes from along an axis of this size; -1 for the fill.
std::int64_t source(PadMode mode, std::int64_t i, std::int64_t size) {
  if (i >= 0 && i < size) return i;
  switch (mode) {
    case PadMode::constant:
      return -1;
    case PadMode::edge:
      return i < 0 ? 0 : size - 1;
    case PadMode::wrap:
      return ((i % size) + size) % size;
    case PadMode::reflect:
      break;
  }
  while (size > 1 && (i < 0 || i >= size)) i = i < 0 ? -i : 2 * (size - 1) - i;
  return size > 1 ? i : 0;
}

struct Padding {
  Shape x;
  Numbers pads;  // of `axes`, or of all where there are none
  PadMode mode = PadMode::constant;
  Numbers axes = {};
  std::vector<std::pair<std::int64_t, std::int64_t>> sides() const {
    std::vector<std::pair<std::int64_t, std::int64_t>> all(at(x.rank()));
    for (std::size_t k = 0; k < pads.size() / 2; ++k)
      all[axes.empty() ? k : at(x.axis_of(axes[k]))] = {pads[2 * k], pads[2 * k + 1]};
    return all;
  }
  Shape y() const {
    Numbers sizes;
    for (int axis = 0; axis < x.rank(); ++axis)
      sizes.push_back(sides()[at(axis)].first + x[axis] + sides()[at(axis)].second);
    return Shape(sizes);
  }
  Tensor given() const { return whole({std::ssize(pads) / 2, 2}, pads); }
  // Of element i of y, in x; of another length for the fill.
  Index from(Index i) const {
    for (int axis = 0; axis < x.rank(); ++axis) {
      i[at(axis)] = source(mode, i[at(axis)] - sides()[at(axis)].first, x[axis]);
      if (i[at(axis)] < 0) return Index(i.size() + 1);
    }
    return i;
  }
};

std::vector<Padding> own_paddings() {
  std::vector<Padding> all;
  for (const PadMode mode : {PadMode::reflect, PadMode::edge, PadMode::wrap}) {
    all.push_back({{4}, {2, 3}, mode});
    all.push_back({{3, 4}, {1, 2, 2, 1}, mode});
    all.push_back({{2, 3, 2}, {5, 7}, mode, {1}});
    all.push_back({{1, 2}, {2, 1, 0, 0}, mode});
    all.push_back({{5, 2}, {-1, 2, 1, -1}, mode});
    all.push_back({{2, 0}, {1, 1, 0, 0}, mode});
  }
  return all;
}

std::vector<Sample> pad_samples() {
  const auto of = [](const Padding& p, double value, DType dtype = f64, bool by_value = false) {
    std::vector<Tensor> in{draw(p.x, -3, 3, 1, dtype), p.given()};
    if (by_value) in.push_back(Tensor::scalar(value));
    return Sample{to_string(p.x) + " to " + to_string(p.y()) + ", " + std::get<std::string>(to_attr(p.mode)),
                  Pad{by_value ? 0 : value, p.mode, p.axes}, in, [p, value](const std::vector<Tensor>& values) {
                    Tensor y = rearranged(values[0], p.y(), [&](const Index& i) { return p.from(i); });
                    for (std::int64_t k = 0; k < y.count(); ++k)
                      if (p.from(index_of(y.shape(), k)).size() != at(p.x.rank()))
                        dispatch(y.dtype(), [&]<class T>(std::type_identity<T>) {
                          y.data<T>()[k] = values.size() > 2 ? values[2].data<T>()[0] : static_cast<T>(value);
                        });
                    return std::vector<Tensor>{y};
                  }};
  };
  std::vector<Sample> samples{of({{3}, {1, 2}}, 0),
                              of({{2, 3}, {0, 0, 1, 1}}, -1.5),
                              of({{2, 3}, {1, 0, 0, 0}}, 0),
                              of({{2, 0}, {0, 1, 2, 0}}, 7),
                              of({{2, 2}, {0, 0, 0, 0}}, 1),
                              of({{2}, {1, 1}}, 5, i32),
                              of({{2, 3}, {1, 1}, PadMode::constant, {-1}}, 2),
                              of({{4, 3}, {-1, 2, 1, -2}}, 3),
                              of({{3}, {-3, 2}}, 3),
                              of({{3}, {-1, -2}}, 3),
                              of({{2, 2}, {1, 0, 0, 1}}, 2.5, f64, true),
                              of({{2}, {1, 0}}, 1, boolean)};
  for (const Padding& p : own_paddings()) samples.push_back(of(p, 0));
  samples.push_back(of({{3}, {2, 1}, PadMode::reflect}, 0, u8));
  return samples;
}

std::vector<Sample> pad_gradient_samples() {
  std::vector<Sample> samples;
  for (const Padding& p : own_paddings())
    samples.push_back({to_string(p.y()) + " to " + to_string(p.x) + ", " + std::get<std::string>(to_attr(p.mode)),
                       PadGradient{p.mode, p.axes},
                       {draw(p.y(), -1, 1, 1), draw(p.x, -1, 1, 2), p.given()},
                       [p](const std::vector<Tensor>& in) {
                         Tensor dx(in[1].type());
                         for (std::int64_t k = 0; k < in[0].count(); ++k)
                           dx.data<double>()[flat_of(p.x, p.from(index_of(in[0].shape(), k)))] +=
                               in[0].data<double>()[k];
                         return std::vector<Tensor>{dx};
                       }});
  return samples;
}

}  // namespace

void add_shape_cuts(Samples& s) {
  s.add<SliceBy>(slice_by_samples());
  s.add<SliceByGradient>(slice_by_gradient_samples());
  s.add<Split>(split_samples());
  s.add<Roll>(roll_samples());
  s.add<Pad>(pad_samples());
  s.add<PadGradient>(pad_gradient_samples());
}

}  // namespace oxbow::test
