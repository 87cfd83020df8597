// Samples of ops that take parts of values, put them together, or add to them.
#include <oxbow/ops/shape/concat.h>
#include <oxbow/ops/shape/gather.h>
#include <oxbow/ops/shape/slice.h>
#include <oxbow/ops/shape/strided_slice.h>

#include <algorithm>
#include <cstring>

#include "samples/families.h"
#include "samples/rearranged.h"

namespace oxbow::test {

using namespace ops;

namespace {

struct Range {
  int axis;
  std::int64_t begin, end;
};

// Of a slice of x, in numbers that count from the front.
template <class SliceOp>
Range range_of(const SliceOp& op, const Shape& x) {
  const int axis = x.axis_of(op.axis);
  const std::int64_t end = op.end == to_end ? x[axis] : op.end;
  return {axis, op.begin < 0 ? op.begin + x[axis] : op.begin, end < 0 ? end + x[axis] : end};
}

std::vector<Sample> slice_samples() {
  const auto sample = [](const Shape& shape, Slice op, DType dtype = f64) {
    return Sample{.what = "of " + to_string(shape) + " along axis " + std::to_string(op.axis),
                  .op = op,
                  .inputs = {draw(shape, -9, 9, 1, dtype)},
                  .reference = [op](const std::vector<Tensor>& in) {
                    const Range range = range_of(op, in[0].shape());
                    const Shape to = in[0].shape().with(range.axis, range.end - range.begin);
                    return std::vector<Tensor>{rearranged(in[0], to, [&](Index i) {
                      i[static_cast<std::size_t>(range.axis)] += range.begin;
                      return i;
                    })};
                  }};
  };
  return {sample({5}, {.axis = 0, .begin = 1, .end = 4}),
          sample({4, 3}, {.axis = 0, .begin = 2}),
          sample({4, 5}, {.axis = -1, .begin = -3, .end = -1}),
          sample({2, 3, 4}, {.axis = 1, .begin = 1, .end = 2}),
          sample({1, 3, 2}, {.axis = 1, .begin = 1}),
          sample({2, 3}, {.axis = 1}),
          sample({2, 3}, {.axis = 1, .begin = 2, .end = 2}),
          sample({0, 3}, {.axis = 1, .begin = 1}),
          sample({3, 4}, {.axis = 1, .begin = 1, .end = 3}, i32)};
}

std::vector<Sample> slice_gradient_samples() {
  const auto sample = [](const Shape& dy, const Shape& like, SliceGradient op) {
    return Sample{.what = "into " + to_string(like) + " along axis " + std::to_string(op.axis),
                  .op = op,
                  .inputs = {draw(dy, -1, 1, 1), draw(like, -1, 1, 2)},
                  .reference = [op](const std::vector<Tensor>& in) {
                    const Range range = range_of(op, in[1].shape());
                    return std::vector<Tensor>{rearranged(in[0], in[1].shape(), [&](Index i) {
                      std::int64_t& place = i[static_cast<std::size_t>(range.axis)];
                      if (place < range.begin || place >= range.end) return Index();
                      place -= range.begin;
                      return i;
                    })};
                  }};
  };
  return {sample({3}, {5}, {.axis = 0, .begin = 1, .end = 4}), sample({2, 2}, {2, 4}, {.axis = 1, .begin = -2}),
          sample({2, 1, 2}, {2, 3, 2}, {.axis = 1, .begin = 1, .end = 2}), sample({2, 3}, {2, 3}, {.axis = 0}),
          sample({0, 3}, {4, 3}, {.axis = 0, .begin = 2, .end = 2})};
}

// Ranges by steps, and the places that they take, as Python's slices of such a list do.
struct Strides {
  Shape x;
  StridedSlice op;
  std::vector<std::int64_t> places;
};
std::vector<Strides> strides() {
  return {{{7}, {.axis = 0, .begin = 0, .end = to_end, .step = 2}, {0, 2, 4, 6}},
          {{7}, {.axis = 0, .begin = 1, .end = 6, .step = 3}, {1, 4}},
          {{7}, {.axis = 0, .begin = -1, .end = to_end, .step = -1}, {6, 5, 4, 3, 2, 1, 0}},
          {{7}, {.axis = -1, .begin = 5, .end = -6, .step = -2}, {5, 3}},
          {{2, 5}, {.axis = 1, .begin = 0, .end = to_end, .step = 3}, {0, 3}},
          {{4, 3}, {.axis = 0, .begin = -2, .end = to_end, .step = -2}, {2, 0}},
          {{2, 5, 3}, {.axis = 1, .begin = 4, .end = 0, .step = -3}, {4, 1}},
          {{5, 2}, {.axis = 0, .begin = 0, .end = to_end, .step = std::int64_t{1} << 62}, {0}},
          {{5, 2}, {.axis = 0, .begin = 2, .end = 2, .step = 2}, {}},
          {{0, 3}, {.axis = 0, .begin = -1, .end = to_end, .step = -1}, {}},
          {{6, 2}, {.axis = 0, .begin = 1, .end = 5, .step = 1}, {1, 2, 3, 4}}};
}

std::vector<Sample> strided_slice_samples() {
  std::vector<Sample> samples;
  for (const DType dtype : {f64, i32, boolean})
    for (const Strides& s : strides()) {
      if (dtype != f64 && s.x.rank() != 3) continue;
      const int axis = s.x.axis_of(s.op.axis);
      const auto reference = [s, axis](const std::vector<Tensor>& in) {
        const Shape to = s.x.with(axis, static_cast<std::int64_t>(s.places.size()));
        return std::vector<Tensor>{rearranged(in[0], to, [&](Index i) {
          std::int64_t& place = i[static_cast<std::size_t>(axis)];
          place = s.places[static_cast<std::size_t>(place)];
          return i;
        })};
      };
      samples.push_back(
          {"of " + to_string(s.x) + " by " + std::to_string(s.op.step), s.op, {draw(s.x, 0, 2, 1, dtype)}, reference});
    }
  return samples;
}

std::vector<Sample> strided_slice_gradient_samples() {
  std::vector<Sample> samples;
  for (const Strides& s : strides()) {
    const int axis = s.x.axis_of(s.op.axis);
    const auto reference = [s, axis](const std::vector<Tensor>& in) {
      return std::vector<Tensor>{rearranged(in[0], s.x, [&](Index i) {
        std::int64_t& place = i[static_cast<std::size_t>(axis)];
        const auto taken = std::find(s.places.begin(), s.places.end(), place);
        if (taken == s.places.end()) return Index();
        place = taken - s.places.begin();
        return i;
      })};
    };
    const StridedSliceGradient op{.axis = s.op.axis, .begin = s.op.begin, .end = s.op.end, .step = s.op.step};
    const Shape dy = s.x.with(axis, static_cast<std::int64_t>(s.places.size()));
    samples.push_back({"into " + to_string(s.x) + " by " + std::to_string(s.op.step),
                       op,
                       {draw(dy, -1, 1, 1), draw(s.x, -1, 1, 2)},
                       reference});
  }
  return samples;
}

std::vector<Sample> strided_slice_add_samples() {
  std::vector<Sample> samples;
  for (const DType dtype : {f64, i32})
    for (const Strides& s : strides()) {
      if (dtype != f64 && s.x.rank() != 3) continue;
      const int axis = s.x.axis_of(s.op.axis);
      const auto reference = [s, axis](const std::vector<Tensor>& in) {
        Tensor y = in[0].clone();
        dispatch<dtypes::Numbers>(y.dtype(), [&]<class T>(std::type_identity<T>) {
          for (std::int64_t i = 0; i < in[1].count(); ++i) {
            Index at = index_of(in[1].shape(), i);
            std::int64_t& place = at[static_cast<std::size_t>(axis)];
            place = s.places[static_cast<std::size_t>(place)];
            y.data<T>()[flat_of(y.shape(), at)] += in[1].data<T>()[i];
          }
        });
        return std::vector<Tensor>{y};
      };
      const StridedSliceAdd op{.axis = s.op.axis, .begin = s.op.begin, .end = s.op.end, .step = s.op.step};
      const Shape part = s.x.with(axis, static_cast<std::int64_t>(s.places.size()));
      samples.push_back({"to " + to_string(s.x) + " by " + std::to_string(s.op.step),
                         op,
                         {draw(s.x, -9, 9, 1, dtype), draw(part, -9, 9, 2, dtype)},
                         reference});
    }
  return samples;
}

std::vector<Sample> slice_add_samples() {
  const auto sample = [](const Shape& x, const Shape& part, SliceAdd op, DType dtype = f64) {
    return Sample{.what = to_string(part) + " to axis " + std::to_string(op.axis) + " of " + to_string(x),
                  .op = op,
                  .inputs = {draw(x, -9, 9, 1, dtype), draw(part, -9, 9, 2, dtype)},
                  .reference = [op](const std::vector<Tensor>& in) {
                    const Range range = range_of(op, in[0].shape());
                    Tensor y = in[0].clone();
                    dispatch<dtypes::Numbers>(y.dtype(), [&]<class T>(std::type_identity<T>) {
                      for (std::int64_t i = 0; i < in[1].count(); ++i) {
                        Index at = index_of(in[1].shape(), i);
                        at[static_cast<std::size_t>(range.axis)] += range.begin;
                        y.data<T>()[flat_of(y.shape(), at)] += in[1].data<T>()[i];
                      }
                    });
                    return std::vector<Tensor>{y};
                  }};
  };
  return {sample({5}, {3}, {.axis = 0, .begin = 1, .end = 4}),
          sample({4, 3}, {2, 3}, {.axis = 0, .begin = 2}),
          sample({2, 4}, {2, 2}, {.axis = 1, .begin = -3, .end = -1}),
          sample({2, 3, 2}, {2, 1, 2}, {.axis = 1, .begin = 1, .end = 2}),
          sample({2, 3}, {2, 3}, {.axis = 0}),
          sample({2, 3}, {2, 0}, {.axis = 1, .begin = 2, .end = 2}),
          sample({0, 3}, {0, 2}, {.axis = 1, .begin = 1}),
          sample({3, 4}, {3, 2}, {.axis = 1, .begin = 1, .end = 3}, i32)};
}

std::vector<Sample> concat_samples() {
  const auto sample = [](std::int64_t along, std::vector<Tensor> values) {
    return Sample{.what = std::to_string(values.size()) + " values along axis " + std::to_string(along),
                  .op = Concat{.axis = along},
                  .inputs = std::move(values),
                  .reference = [along](const std::vector<Tensor>& in) {
                    std::vector<Type> types;
                    for (const Tensor& t : in) types.push_back(t.type());
                    Tensor y(Concat{.axis = along}.infer(types));
                    const int a = y.shape().axis_of(along);
                    std::int64_t begin = 0;
                    for (const Tensor& t : in) {
                      for (std::int64_t i = 0; i < t.count(); ++i) {
                        Index at = index_of(t.shape(), i);
                        at[static_cast<std::size_t>(a)] += begin;
                        std::memcpy(y.bytes() + flat_of(y.shape(), at) * size_of(t.dtype()),
                                    t.bytes() + i * size_of(t.dtype()), static_cast<std::size_t>(size_of(t.dtype())));
                      }
                      begin += t.shape()[a];
                    }
                    return std::vector<Tensor>{y};
                  }};
  };
  return {sample(0, {draw({2}, -1, 1, 1), draw({3}, -1, 1, 2)}),
          sample(-1, {draw({2, 1}, -1, 1, 3), draw({2, 3}, -1, 1, 4), draw({2, 2}, -1, 1, 5)}),
          sample(1, {draw({2, 1, 3}, -1, 1, 6), draw({2, 0, 3}, -1, 1, 7), draw({2, 2, 3}, -1, 1, 8)}),
          sample(0, {draw({2, 2}, -1, 1, 9)}),
          sample(0, {draw({0, 2}, -1, 1, 10), draw({0, 2}, -1, 1, 11)}),
          sample(1, {draw({2, 3}, -9, 9, 12, i32), draw({2, 2}, -9, 9, 13, i32)})};
}

std::vector<Sample> concat_gradient_samples() {
  const auto sample = [](std::int64_t along, std::vector<Tensor> inputs) {
    return Sample{.what = std::to_string(inputs.size() - 1) + " values along axis " + std::to_string(along),
                  .op = ConcatGradient{.axis = along},
                  .inputs = std::move(inputs),
                  .reference = [along](const std::vector<Tensor>& in) {
                    const int a = in[0].shape().axis_of(along);
                    std::int64_t begin = 0;
                    std::vector<Tensor> parts;
                    for (std::size_t v = 1; v < in.size(); ++v) {
                      parts.push_back(rearranged(in[0], in[v].shape(), [&](Index i) {
                        i[static_cast<std::size_t>(a)] += begin;
                        return i;
                      }));
                      begin += in[v].shape()[a];
                    }
                    return parts;
                  }};
  };
  return {sample(0, {draw({5}, -1, 1, 1), draw({2}, -1, 1, 2), draw({3}, -1, 1, 3)}),
          sample(-1, {draw({2, 3}, -1, 1, 4), draw({2, 1}, -1, 1, 5), draw({2, 2}, -1, 1, 6)}),
          sample(1, {draw({2, 2}, -1, 1, 7), draw({2, 2}, -1, 1, 8), draw({2, 0}, -1, 1, 9)}),
          sample(0, {draw({3, 2}, -1, 1, 10), draw({3, 2}, -1, 1, 11)})};
}

// The shape of what a gather gives.
Shape gathered(const Shape& table, const Shape& indices, int axis) {
  std::vector<std::int64_t> sizes(table.begin(), table.begin() + axis);
  sizes.insert(sizes.end(), indices.begin(), indices.end());
  sizes.insert(sizes.end(), table.begin() + axis + 1, table.end());
  return Shape(sizes);
}

// Where y[i] of a gather comes from.
Index source_of(const Index& i, const Tensor& indices, std::int64_t axis, std::int64_t size) {
  const auto first = i.begin() + axis, last = first + indices.shape().rank();
  Index from(i.begin(), first);
  from.push_back(static_cast<std::int64_t>(number(indices, flat_of(indices.shape(), Index(first, last)))));
  if (from.back() < 0) from.back() += size;
  from.insert(from.end(), last, i.end());
  return from;
}

std::vector<Sample> gather_samples() {
  const auto sample = [](const Shape& table, Tensor indices, std::int64_t along, DType dtype = f64) {
    return Sample{.what = to_string(indices.type()) + " into axis " + std::to_string(along) + " of " + to_string(table),
                  .op = Gather{.axis = along},
                  .inputs = {draw(table, -9, 9, 1, dtype), indices},
                  .reference = [along](const std::vector<Tensor>& in) {
                    const int a = in[0].shape().axis_of(along);
                    return std::vector<Tensor>{
                        rearranged(in[0], gathered(in[0].shape(), in[1].shape(), a),
                                   [&](const Index& i) { return source_of(i, in[1], a, in[0].shape()[a]); })};
                  }};
  };
  return {sample({5, 3}, Tensor::of<std::int32_t>({4}, {4, 0, 0, 2}), 0),
          sample({5, 3}, Tensor::of<std::int64_t>({4}, {-1, 0, -5, 2}), 0),
          sample({3, 4}, Tensor::of<std::int8_t>({3}, {-1, 3, -4}), 1),
          sample({5, 3}, draw({2, 3}, 0, 5, 2, i64), 0),
          sample({2, 5, 3}, draw({4}, 0, 5, 3, u8), 1),
          sample({2, 5}, draw({3, 2}, 0, 5, 4, i32), -1),
          sample({5}, Tensor::scalar<std::int64_t>(3), 0),
          sample({5, 2}, Tensor({i32, {0}}), 0),
          sample({0, 2}, Tensor({i32, {0}}), 0),
          sample({5, 2}, draw({3}, 0, 5, 5, i32), 0, i64)};
}

// Adding to zeros of the first input's shape, or to its elements.
template <class Adder>
Sample adding_sample(const Shape& table, Tensor indices, std::int64_t along) {
  const Shape updates = gathered(table, indices.shape(), table.axis_of(along));
  return {.what = to_string(indices.type()) + " into axis " + std::to_string(along) + " of " + to_string(table),
          .op = Adder{.axis = along},
          .inputs = {draw(table, -1, 1, 1), indices, draw(updates, -1, 1, 2)},
          .reference = [along](const std::vector<Tensor>& in) {
            Tensor y = std::is_same_v<Adder, GatherAdd> ? in[0].clone() : Tensor({in[2].dtype(), in[0].shape()});
            const int a = y.shape().axis_of(along);
            for (std::int64_t i = 0; i < in[2].count(); ++i) {
              const Index to = source_of(index_of(in[2].shape(), i), in[1], a, y.shape()[a]);
              y.data<double>()[flat_of(y.shape(), to)] += in[2].data<double>()[i];
            }
            return std::vector<Tensor>{y};
          }};
}

template <class Adder>
std::vector<Sample> adding_samples() {
  return {adding_sample<Adder>({5, 3}, Tensor::of<std::int32_t>({4}, {4, 0, 0, 2}), 0),
          adding_sample<Adder>({5, 3}, Tensor::of<std::int32_t>({4}, {4, -1, -5, 0}), 0),
          adding_sample<Adder>({5, 3}, draw({2, 3}, 0, 5, 3, i64), 0),
          adding_sample<Adder>({2, 5, 3}, draw({4}, 0, 5, 4, u8), 1),
          adding_sample<Adder>({3, 130}, draw({6}, 0, 3, 5, i32), 0),
          adding_sample<Adder>({5}, Tensor::scalar<std::int64_t>(3), 0),
          adding_sample<Adder>({5, 2}, Tensor({i32, {0}}), 0)};
}

}  // namespace

void add_shape_parts(Samples& s) {
  s.add<Slice>(slice_samples());
  s.add<SliceGradient>(slice_gradient_samples());
  s.add<SliceAdd>(slice_add_samples());
  s.add<StridedSlice>(strided_slice_samples());
  s.add<StridedSliceGradient>(strided_slice_gradient_samples());
  s.add<StridedSliceAdd>(strided_slice_add_samples());
  s.add<Concat>(concat_samples());
  s.add<ConcatGradient>(concat_gradient_samples());
  s.add<Gather>(gather_samples());
  s.add<ScatterAdd>(adding_samples<ScatterAdd>());
  s.add<GatherAdd>(adding_samples<GatherAdd>());
}

}  // namespace oxbow::test
