#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/slice.h>
#include <oxbow/ops/shape/strided_slice.h>

namespace oxbow::ops {
namespace {

// Of an axis: the element `first`, and `count` of them, each `step` behind the one before.
struct Places {
  int axis;
  std::int64_t first, count;
};

Places places_of(const Shape& x, std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step) {
  if (step == 0) throw OpError("the step of a range is 0", "Use 1 for each element, -1 for each of them backwards");
  const int a = x.axis_of(axis);
  const std::int64_t size = x[a];
  const std::int64_t first = begin < 0 ? begin + size : begin;
  const std::int64_t stop = end == to_end ? (step > 0 ? size : -1) : end < 0 ? end + size : end;
  const bool within = step > 0 ? 0 <= first && first <= stop && stop <= size
                               : stop >= -1 && stop <= first && (first < size && (first >= 0 || size == 0));
  if (!within) {
    const std::string to = end != to_end ? std::to_string(end) : step > 0 ? "the end" : "the first";
    throw OpError("the range " + std::to_string(begin) + " to " + to + " by " + std::to_string(step) +
                      " does not lie within axis " + std::to_string(axis) + " of " + to_string(x),
                  (step > 0 ? "Use 0 <= begin <= end <= " : "Use 0 <= end <= begin < ") + std::to_string(size) +
                      ", or negative numbers to count from the end");
  }
  // Divided as they stand, since -step may overflow.
  const std::int64_t length = step > 0 ? stop - first : first - stop;
  return {a, first, length == 0 ? 0 : 1 + std::abs((length - 1) / step)};
}

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
