#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/places.h>
#include <oxbow/ops/shape/slice.h>
#include <oxbow/ops/shape/strided_slice.h>
#include <oxbow/ops/shape/transpose.h>
#include <oxbow/ops/shared/flow.h>

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
  const auto [first, last] = r.share(whole.outer);
  dispatch_width(r.out_type().dtype, [&]<class Word>(std::type_identity<Word>) {
    // -0.0, which becomes 0.0 when it is added to zero.
    const Word minus_zero = is_float(r.out_type().dtype) ? Word(Word(1) << (8 * sizeof(Word) - 1)) : Word(0);
    const Word* dy = reinterpret_cast<const Word*>(r.inputs[0].bytes);
    Word* y = reinterpret_cast<Word*>(r.outputs[0].bytes);
    std::fill(y + first * whole.size * whole.inner, y + last * whole.size * whole.inner, Word(0));
    each_place(whole, places, step, first * places.count, last * places.count,
               [&](std::int64_t at, std::int64_t place) {
                 std::transform(dy + at * whole.inner, dy + (at + 1) * whole.inner, y + place * whole.inner,
                                [minus_zero](Word w) { return w == minus_zero ? Word(0) : w; });
               });
  });
}

std::vector<Value> StridedSliceGradient::transposed(Values in, std::span<const int> axes) const {
  return {
      apply(StridedSliceGradient{.axis = moved_axis(axis, axes), .begin = begin, .end = end, .step = step}, in, {})};
}

Value StridedSliceGradient::add_to(Values in, Value sum, Value flows) const {
  return apply(StridedSliceAdd{.axis = axis, .begin = begin, .end = end, .step = step},
               {sum, or_nothing({in[0], flows})}, {});
}

Grads StridedSliceGradient::gradient(const Node&, Values dy) const {
  return {apply(StridedSlice{.axis = axis, .begin = begin, .end = end, .step = step}, {dy[0]}, {}), Value()};
}

Type StridedSliceAdd::infer(Types in) const {
  const Places places = places_of(in[0].shape, axis, begin, end, step);
  const Type wanted{in[0].dtype, in[0].shape.with(places.axis, places.count)};
  check_dtype(dtypes::Numbers{}, in[0], "x");
  if (in[1] != wanted)
    throw OpError("the part is " + to_string(in[1]) + ", but the slice is " + to_string(wanted),
                  "Give a part of the slice's type");
  return in[0];
}

// As much as it takes in place.
Work StridedSliceAdd::work(Types in) const {
  Work w = moving(in[1].bytes());
  w.bytes *= 1.5;  // two are read for one that is written
  return w;
}

void StridedSliceAdd::run(const Run& r) const {
  const Places places = places_of(r.in_type(0).shape, axis, begin, end, step);
  const AroundAxis whole(r.in_type(0).shape, places.axis);
  dispatch<dtypes::Numbers>(r.out_type().dtype, [&]<class T>(std::type_identity<T>) {
    const T* x = r.in<T>(0);
    const T* part = r.in<T>(1);
    T* y = r.out<T>();
    const auto [from, to] = r.share(whole.outer * places.count);
    each_place(whole, places, step, from, to, [&](std::int64_t at, std::int64_t place) {
      for (std::int64_t i = 0; i < whole.inner; ++i)
        y[place * whole.inner + i] = wrapping_sum(x[place * whole.inner + i], part[at * whole.inner + i]);
    });
    if (x == y) return;
    const auto [first, last] = r.share(whole.outer * whole.size);  // of which the slice's were added to
    for (std::int64_t at = first; at < last; ++at) {
      const std::int64_t away = at % whole.size - places.first;
      const bool taken = away % step == 0 && away / step >= 0 && away / step < places.count;
      if (!taken) std::copy(x + at * whole.inner, x + (at + 1) * whole.inner, y + at * whole.inner);
    }
  });
}

Value StridedSliceAdd::simplify(Values in) const { return in[1].type().count() == 0 ? in[0] : Value(); }

std::vector<Value> StridedSliceAdd::transposed(Values in, std::span<const int> axes) const {
  return {apply(StridedSliceAdd{.axis = moved_axis(axis, axes), .begin = begin, .end = end, .step = step}, in, {})};
}

Grads StridedSliceAdd::gradient(const Node&, Values dy) const {
  return {dy[0], apply(StridedSlice{.axis = axis, .begin = begin, .end = end, .step = step}, {dy[0]}, {})};
}

}  // namespace oxbow::ops

namespace oxbow {

Value slice(Value x, std::int64_t axis, std::int64_t begin, std::int64_t end, std::int64_t step, At at) {
  if (step == 1) return slice(x, axis, begin, end, at);
  return apply(ops::StridedSlice{.axis = axis, .begin = begin, .end = end, .step = step}, {x}, at);
}

}  // namespace oxbow
