#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/places.h>
#include <oxbow/ops/shape/slice.h>
#include <oxbow/ops/shape/strided_slice.h>
#include <oxbow/ops/shape/transpose.h>

namespace oxbow::ops {
namespace {

// Calls f(a place in the slice, the place in the whole) for the slice's elements `from` to `to`, in units of what lies
// inside of the axis.
template <class F>
void each_place(const AroundAxis& whole, const Places& places, std::int64_t step, std::int64_t from, std::int64_t to,
                F&& f) {
  for (std::int64_t at = from; at < to; ++at)
    f(at, at / places.count * whole.size + places.first + at % places.count * step);
}

}  // namespace

Type StridedSlice::infer(Types in) const {
  const Places places = places_of(in[0].shape, axis, begin, end, step);
  return {in[0].dtype, in[0].shape.with(places.axis, places.count)};
}

Work StridedSlice::work(Types in) const { return moving(infer(in).bytes()); }

void StridedSlice::run(const Run& r) const {
  const Places places = places_of(r.in_type(0).shape, axis, begin, end, step);
  const AroundAxis whole(r.in_type(0).shape, places.axis);
  const std::int64_t unit = whole.inner * size_of(r.out_type().dtype);
  const auto [from, to] = r.share(whole.outer * places.count);
  each_place(whole, places, step, from, to, [&](std::int64_t at, std::int64_t place) {
    copy_bytes(r.outputs[0].bytes + at * unit, r.inputs[0].bytes + place * unit, unit);
  });
}

Value StridedSlice::simplify(Values in) const {
  return step == 1 ? apply(Slice{.axis = axis, .begin = begin, .end = end}, {in[0]}, {}) : Value();
}

std::vector<Value> StridedSlice::transposed(Values in, std::span<const int> axes) const {
  return {apply(StridedSlice{.axis = moved_axis(axis, axes), .begin = begin, .end = end, .step = step}, in, {})};
}

Grads StridedSlice::gradient(const Node& n, Values dy) const {
  return {apply(StridedSliceGradient{.axis = axis, .begin = begin, .end = end, .step = step}, {dy[0], n.input(0)}, {})};
}

Type StridedSliceGradient::infer(Types in) const {
  const Places places = places_of(in[1].shape, axis, begin, end, step);
  const Shape wanted = in[1].shape.with(places.axis, places.count);
  if (in[0].shape != wanted)
    throw OpError("dy has the shape " + to_string(in[0].shape) + ", but the slice has " + to_string(wanted),
                  "Pass the gradient of the slice");
  return {in[0].dtype, in[1].shape};
}

Work StridedSliceGradient::work(Types in) const { return moving(infer(in).bytes()); }

void StridedSliceGradient::run(const Run& r) const {
  const Places places = places_of(r.in_type(1).shape, axis, begin, end, step);
  const AroundAxis whole(r.in_type(1).shape, places.axis);
  const std::int64_t unit = whole.inner * size_of(r.out_type().dtype);
  const auto [first, last] = r.share(whole.outer);
  std::fill(r.outputs[0].bytes + first * whole.size * unit, r.outputs[0].bytes + last * whole.size * unit,
            std::byte{0});
  each_place(whole, places, step, first * places.count, last * places.count, [&](std::int64_t at, std::int64_t place) {
    copy_bytes(r.outputs[0].bytes + place * unit, r.inputs[0].bytes + at * unit, unit);
  });
}

std::vector<Value> StridedSliceGradient::transposed(Values in, std::span<const int> axes) const {
  return {
      apply(StridedSliceGradient{.axis = moved_axis(axis, axes), .begin = begin, .end = end, .step = step}, in, {})};
}

Grads StridedSliceGradient::gradient(const Node&, Values dy) const {
  return {apply(StridedSlice{.axis = axis, .begin = begin, .end = end, .step = step}, {dy[0]}, {}), Value()};
}

}  // namespace oxbow::ops

namespace oxbow {

Value slice(Value x, std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step, At at) {
  if (step == 1) return slice(x, axis, begin, end, at);
  return apply(ops::StridedSlice{.axis = axis, .begin = begin, .end = end, .step = step}, {x}, at);
}

}  // namespace oxbow
