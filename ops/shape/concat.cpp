#include <oxbow/graph/leaves.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/concat.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shape/rearranged.h>

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
    size += in[i].shape[a];
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

std::vector<Sample> Concat::samples() {
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

std::vector<Sample> ConcatGradient::samples() {
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

}  // namespace oxbow::ops

namespace oxbow {

Value concat(Values values, std::int64_t axis, At at) { return apply(ops::Concat{.axis = axis}, values, at); }

}  // namespace oxbow
