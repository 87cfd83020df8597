#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/sums.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/concat.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/transpose.h>

namespace oxbow::ops {

Type Concat::infer(Types in) const {
  if (in.empty()) throw OpError("there is nothing to put together", "Give at least one value");
  const int a = in[0].shape.axis_of(axis);
  std::int64_t size = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    if (in[i].dtype != in[0].dtype)
      throw OpError("value " + std::to_string(i) + " is " + to_string(in[i]) + " beside " + to_string(in[0]),
                    "Cast all values to one dtype");
    if (in[i].shape.rank() != in[0].shape.rank() || in[i].shape.with(a, 0) != in[0].shape.with(a, 0))
      throw OpError("value " + std::to_string(i) + " has the shape " + to_string(in[i].shape) + " beside " +
                        to_string(in[0].shape),
                    "All axes but axis " + std::to_string(a) + " must agree");
    size = internal::saturating_sum(size, in[i].shape[a]);
  }
  return {in[0].dtype, in[0].shape.with(a, size)};
}

Work Concat::work(Types in) const { return moving(infer(in).bytes()); }

void Concat::run(const Run& r) const {
  const Type& y = r.out_type();
  const AroundAxis a(y.shape, y.shape.axis_of(axis));
  const std::int64_t unit = a.inner * size_of(y.dtype), row = a.size * unit;
  if (row == 0) return;
  const auto [first, last] = r.share(a.outer * row);
  const int axis_here = y.shape.axis_of(axis);
  // Each input fills a column of every output row; a part is a range of the output's bytes.
  std::int64_t column = 0;
  for (const ConstView& x : r.inputs) {
    const std::int64_t width = x.type->shape[axis_here] * unit;
    for (std::int64_t o = first / row; o * row < last; ++o) {
      const std::int64_t begin = std::max(first, o * row + column), end = std::min(last, o * row + column + width);
      if (begin < end)
        copy_bytes(r.outputs[0].bytes + begin, x.bytes + o * width + (begin - o * row - column), end - begin);
    }
    column += width;
  }
}

Value Concat::simplify(Values in) const {
  const int a = in[0].shape().axis_of(axis);
  std::vector<Value> filled;
  for (const Value& v : in)
    if (v.shape()[a] > 0) filled.push_back(v);
  if (filled.empty()) return in[0];
  if (filled.size() == 1) return filled[0];
  return static_cast<int>(filled.size()) < in.size() ? apply(*this, filled, {}) : Value();
}

std::vector<Value> Concat::transposed(Values in, std::span<const int> axes) const {
  return {apply(Concat{.axis = moved_axis(axis, axes)}, in, {})};
}

Grads Concat::gradient(const Node& n, Values dy) const {
  std::vector<Value> inputs{dy[0]}, grads;
  for (const Value& v : n.inputs()) inputs.push_back(v);
  const Node parts = apply(ConcatGradient{.axis = axis}, inputs, {}).node();
  for (int i = 0; i < n.input_count(); ++i) grads.push_back(parts.output(i));
  return grads;
}

std::vector<Type> ConcatGradient::infer(Types in) const {
  if (in.size() < 2) throw OpError("there are no values", "Give dy and then all values that were put together");
  const Type whole = Concat{.axis = axis}.infer(in.subspan(1));
  if (in[0] != whole)
    throw OpError("dy is " + to_string(in[0]) + ", but the values together are " + to_string(whole),
                  "Give dy and then all values that were put together");
  return {in.begin() + 1, in.end()};
}

std::vector<Value> ConcatGradient::lower(Values in) const {
  const int a = in[0].shape().axis_of(axis);
  std::vector<Value> parts;
  std::int64_t begin = 0;
  for (int i = 1; i < in.size(); ++i) {
    const std::int64_t end = begin + in[i].shape()[a];
    parts.push_back(slice(in[0], a, begin, end));
    begin = end;
  }
  return parts;
}

std::vector<Value> ConcatGradient::transposed(Values in, std::span<const int> axes) const {
  const Node parts = apply(ConcatGradient{.axis = moved_axis(axis, axes)}, in, {}).node();
  std::vector<Value> all;
  for (int i = 0; i < parts.output_count(); ++i) all.push_back(parts.output(i));
  return all;
}

Grads ConcatGradient::gradient(const Node& n, Values dy) const {
  // Where nothing flows back, there are zeros.
  std::vector<Value> parts, grads(static_cast<std::size_t>(n.input_count()));
  for (int i = 1; i < n.input_count(); ++i) {
    const Value part = dy[i - 1];
    parts.push_back(part ? part : broadcast_like(constant(n.graph(), 0, n.input(0).dtype()), n.input(i)));
  }
  grads[0] = concat(parts, axis);
  return grads;
}

}  // namespace oxbow::ops

namespace oxbow {

Value concat(Values values, std::int64_t axis, At at) { return apply(ops::Concat{.axis = axis}, values, at); }

}  // namespace oxbow
