#include <oxbow/ops/moving.h>
#include <oxbow/ops/slice.h>

namespace oxbow {
namespace {

struct Range {
  int axis;
  std::int64_t begin, end;
};

// The range in numbers that count from the front.
Range range_of(const Shape& x, std::int64_t axis, std::int64_t begin, std::int64_t end) {
  const int a = x.axis_of(axis);
  const std::int64_t size = x[a];
  const std::int64_t b = begin < 0 ? begin + size : begin;
  const std::int64_t e = end == to_end ? size : end < 0 ? end + size : end;
  if (b < 0 || e > size || b > e)
    throw OpError("the range " + std::to_string(begin) + " to " + (end == to_end ? "the end" : std::to_string(end)) +
                      " does not lie within axis " + std::to_string(axis) + " of " + to_string(x),
                  "Use 0 <= begin <= end <= " + std::to_string(size) + ", or negative numbers to count from the end");
  return {a, b, e};
}

}  // namespace

Type Slice::infer(Types in) const {
  const Range range = range_of(in[0].shape, axis, begin, end);
  return {in[0].dtype, in[0].shape.with(range.axis, range.end - range.begin)};
}

Work Slice::work(Types in) const { return moving(infer(in).bytes()); }

std::int64_t Slice::alias(Types in) const {
  const Range range = range_of(in[0].shape, axis, begin, end);
  const AroundAxis a(in[0].shape, range.axis);
  return a.outer == 1 ? range.begin * a.inner * size_of(in[0].dtype) : -1;
}

void Slice::run(const Run& r) const {
  const Range range = range_of(r.in_type(0).shape, axis, begin, end);
  const AroundAxis a(r.in_type(0).shape, range.axis);
  const std::int64_t unit = a.inner * size_of(r.in_type(0).dtype), row = (range.end - range.begin) * unit;
  if (row == 0) return;
  // Parts are ranges of the output's bytes; a row is what lies together in the input.
  const auto [first, last] = r.share(a.outer * row);
  for (std::int64_t at = first; at < last;) {
    const std::int64_t o = at / row, within = at % row, bytes = std::min(row - within, last - at);
    copy_bytes(r.outputs[0].bytes + at, r.inputs[0].bytes + (o * a.size + range.begin) * unit + within, bytes);
    at += bytes;
  }
}

Value Slice::simplify(Values in) const {
  const Range range = range_of(in[0].shape(), axis, begin, end);
  return range.begin == 0 && range.end == in[0].shape()[range.axis] ? in[0] : Value();
}

Grads Slice::gradient(const Node& n, Values dy) const {
  return {apply(SliceGradient{.axis = axis, .begin = begin, .end = end}, {dy[0], n.input(0)}, {})};
}

Type SliceGradient::infer(Types in) const {
  const Range range = range_of(in[1].shape, axis, begin, end);
  const Shape wanted = in[1].shape.with(range.axis, range.end - range.begin);
  if (in[0].shape != wanted)
    throw OpError("dy has the shape " + to_string(in[0].shape) + ", but the slice has " + to_string(wanted),
                  "Pass the gradient of the slice");
  return {in[0].dtype, in[1].shape};
}

Work SliceGradient::work(Types in) const { return moving(infer(in).bytes()); }

void SliceGradient::run(const Run& r) const {
  const Range range = range_of(r.in_type(1).shape, axis, begin, end);
  const AroundAxis a(r.in_type(1).shape, range.axis);
  const std::int64_t unit = a.inner * size_of(r.in_type(0).dtype), row = (range.end - range.begin) * unit;
  const auto [first, last] = r.share(a.outer);
  for (std::int64_t o = first; o < last; ++o) {
    std::byte* y = r.outputs[0].bytes + o * a.size * unit;
    std::fill(y, y + range.begin * unit, std::byte{0});
    copy_bytes(y + range.begin * unit, r.inputs[0].bytes + o * row, row);
    std::fill(y + range.end * unit, y + a.size * unit, std::byte{0});
  }
}

Value SliceGradient::simplify(Values in) const { return in[0].shape() == in[1].shape() ? in[0] : Value(); }

Grads SliceGradient::gradient(const Node&, Values dy) const {
  return {apply(Slice{.axis = axis, .begin = begin, .end = end}, {dy[0]}, {}), Value()};
}

Value slice(Value x, std::int64_t axis, std::int64_t begin, std::int64_t end, At at) {
  return apply(Slice{.axis = axis, .begin = begin, .end = end}, {x}, at);
}

}  // namespace oxbow
