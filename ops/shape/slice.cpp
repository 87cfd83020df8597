#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/places.h>
#include <oxbow/ops/shape/slice.h>
#include <oxbow/ops/shape/transpose.h>
#include <oxbow/ops/shared/flow.h>

namespace oxbow::ops {

Type Slice::infer(Types in) const {
  const Places range = places_of(in[0].shape, axis, begin, end);
  return {in[0].dtype, in[0].shape.with(range.axis, range.count)};
}

Work Slice::work(Types in) const { return moving_runs(infer(in), axis); }

Alias Slice::alias(Types in) const {
  const Places range = places_of(in[0].shape, axis, begin, end);
  const AroundAxis a(in[0].shape, range.axis);
  if (a.outer != 1) return {};
  return {.input = 0, .offset = range.first * a.inner * size_of(in[0].dtype)};
}

void Slice::run(const Run& r) const {
  const Places range = places_of(r.in_type(0).shape, axis, begin, end);
  const AroundAxis a(r.in_type(0).shape, range.axis);
  const std::int64_t unit = a.inner * size_of(r.in_type(0).dtype), row = range.count * unit;
  if (row == 0) return;
  // Parts are ranges of the output's bytes; a row is what lies together in the input.
  const auto [first, last] = r.share(a.outer * row);
  for (std::int64_t at = first; at < last;) {
    const std::int64_t o = at / row, within = at % row, bytes = std::min(row - within, last - at);
    copy_bytes(r.outputs[0].bytes + at, r.inputs[0].bytes + (o * a.size + range.first) * unit + within, bytes);
    at += bytes;
  }
}

Value Slice::simplify(Values in) const {
  const Places range = places_of(in[0].shape(), axis, begin, end);
  return range.count == in[0].shape()[range.axis] ? in[0] : Value();
}

std::vector<Value> Slice::transposed(Values in, std::span<const int> axes) const {
  return {apply(Slice{.axis = moved_axis(axis, axes), .begin = begin, .end = end}, in, {})};
}

Grads Slice::gradient(const Node& n, Values dy) const {
  return {apply(SliceGradient{.axis = axis, .begin = begin, .end = end}, {dy[0], n.input(0)}, {})};
}

Type SliceGradient::infer(Types in) const {
  const Places range = places_of(in[1].shape, axis, begin, end);
  const Shape wanted = in[1].shape.with(range.axis, range.count);
  if (in[0].shape != wanted)
    throw OpError("dy has the shape " + to_string(in[0].shape) + ", but the slice has " + to_string(wanted),
                  "Pass the gradient of the slice");
  return {in[0].dtype, in[1].shape};
}

Work SliceGradient::work(Types in) const { return moving(infer(in).bytes()); }

void SliceGradient::run(const Run& r) const {
  const Places range = places_of(r.in_type(1).shape, axis, begin, end);
  const AroundAxis a(r.in_type(1).shape, range.axis);
  const std::int64_t row = range.count * a.inner, whole = a.size * a.inner, from = range.first * a.inner;
  const auto [first, last] = r.share(a.outer);
  dispatch_width(r.out_type().dtype, [&]<class Word>(std::type_identity<Word>) {
    // -0.0, which becomes 0.0 when it is added to zero.
    const Word minus_zero = is_float(r.out_type().dtype) ? Word(Word(1) << (8 * sizeof(Word) - 1)) : Word(0);
    for (std::int64_t o = first; o < last; ++o) {
      const Word* dy = reinterpret_cast<const Word*>(r.inputs[0].bytes) + o * row;
      Word* y = reinterpret_cast<Word*>(r.outputs[0].bytes) + o * whole;
      std::fill(y, y + from, Word(0));
      std::transform(dy, dy + row, y + from, [minus_zero](Word w) { return w == minus_zero ? Word(0) : w; });
      std::fill(y + from + row, y + whole, Word(0));
    }
  });
}

Value SliceGradient::add_to(Values in, Value sum, Value flows) const {
  return apply(SliceAdd{.axis = axis, .begin = begin, .end = end}, {sum, or_nothing({in[0], flows})}, {});
}

Value SliceGradient::simplify(Values in) const {
  if (in[0].shape() != in[1].shape()) return {};
  return is_float(in[0].dtype()) ? in[0] + 0.0 : in[0];
}

std::vector<Value> SliceGradient::transposed(Values in, std::span<const int> axes) const {
  return {apply(SliceGradient{.axis = moved_axis(axis, axes), .begin = begin, .end = end}, in, {})};
}

Grads SliceGradient::gradient(const Node&, Values dy) const {
  return {apply(Slice{.axis = axis, .begin = begin, .end = end}, {dy[0]}, {}), Value()};
}

Type SliceAdd::infer(Types in) const {
  const Places range = places_of(in[0].shape, axis, begin, end);
  const Type wanted{in[0].dtype, in[0].shape.with(range.axis, range.count)};
  check_dtype(dtypes::Numbers{}, in[0], "x");
  if (in[1] != wanted)
    throw OpError("the part is " + to_string(in[1]) + ", but the slice is " + to_string(wanted),
                  "Give a part of the slice's type");
  return in[0];
}

// As much as it takes in place.
Work SliceAdd::work(Types in) const {
  Work w = moving_runs(in[1], axis);
  w.bytes *= 1.5;  // two are read for one that is written
  return w;
}

namespace {

// Calls f(first, end) for the stretches of [begin, end) that lie within one row of so many items.
template <class F>
void each_row(std::int64_t begin, std::int64_t end, std::int64_t row, F&& f) {
  for (std::int64_t at = begin; at < end;) {
    const std::int64_t next = std::min(end, (at / row + 1) * row);
    f(at, next);
    at = next;
  }
}

}  // namespace

void SliceAdd::run(const Run& r) const {
  const Places range = places_of(r.in_type(0).shape, axis, begin, end);
  const AroundAxis a(r.in_type(0).shape, range.axis);
  const std::int64_t whole = a.size * a.inner, before = range.first * a.inner, row = range.count * a.inner;
  dispatch<dtypes::Numbers>(r.out_type().dtype, [&]<class T>(std::type_identity<T>) {
    const T* x = r.in<T>(0);
    const T* part = r.in<T>(1);
    T* y = r.out<T>();
    if (row > 0) {
      const auto [first, last] = r.share(a.outer * row);
      each_row(first, last, row, [&](std::int64_t from, std::int64_t to) {
        const std::int64_t place = from / row * whole + before + from % row;
        for (std::int64_t i = 0; i < to - from; ++i) y[place + i] = wrapping_sum(x[place + i], part[from + i]);
      });
    }
    const std::int64_t rest = whole - row;  // of a row of x, beside the slice
    if (x == y || rest == 0) return;
    const auto [first, last] = r.share(a.outer * rest);
    each_row(first, last, rest, [&](std::int64_t from, std::int64_t to) {
      const std::int64_t o = from / rest * whole, low = from % rest, high = low + to - from;
      if (low < before) std::copy(x + o + low, x + o + std::min(high, before), y + o + low);
      if (high > before)
        std::copy(x + o + row + std::max(low, before), x + o + row + high, y + o + row + std::max(low, before));
    });
  });
}

Value SliceAdd::simplify(Values in) const {
  if (in[1].type().count() == 0) return in[0];
  return in[0].shape() == in[1].shape() ? add(in[0], in[1]) : Value();
}

std::vector<Value> SliceAdd::transposed(Values in, std::span<const int> axes) const {
  return {apply(SliceAdd{.axis = moved_axis(axis, axes), .begin = begin, .end = end}, in, {})};
}

Grads SliceAdd::gradient(const Node&, Values dy) const {
  return {dy[0], apply(Slice{.axis = axis, .begin = begin, .end = end}, {dy[0]}, {})};
}

}  // namespace oxbow::ops

namespace oxbow {

Value slice(Value x, std::int64_t axis, std::int64_t begin, std::int64_t end, At at) {
  return apply(ops::Slice{.axis = axis, .begin = begin, .end = end}, {x}, at);
}

}  // namespace oxbow
