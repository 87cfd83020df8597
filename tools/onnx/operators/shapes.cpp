#include "onnx/operators/shapes.h"

#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include <algorithm>
#include <numeric>

namespace oxbow::onnx {

std::int64_t from_first(std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank)
    throw Error("there is no axis " + std::to_string(axis) + " of " + std::to_string(rank));
  return axis < 0 ? axis + rank : axis;
}

Value numbers(Graph& g, const std::vector<std::int64_t>& values) {
  return constant(g, Tensor::of({static_cast<std::int64_t>(values.size())}, values));
}

Value with_axes(Value x, std::vector<std::int64_t> axes) {
  Graph& g = x.graph();
  const int rank = x.rank() + static_cast<int>(axes.size());
  for (std::int64_t& axis : axes) axis = from_first(axis, rank);
  std::sort(axes.begin(), axes.end());
  for (std::size_t i = 0; i < axes.size(); ++i)
    if (i > 0 && axes[i] == axes[i - 1]) throw Error("axis " + std::to_string(axes[i]) + " is put in twice");
  if (axes.empty()) return x;
  const Value sizes = shape_of(x), one = numbers(g, {1});
  std::vector<Value> parts;
  std::int64_t taken = 0;
  std::size_t next = 0;
  for (int axis = 0; axis < rank; ++axis) {
    if (next < axes.size() && axes[next] == axis) {
      parts.push_back(one);
      ++next;
    } else {
      parts.push_back(slice(sizes, 0, taken, taken + 1));
      ++taken;
    }
  }
  return reshape(x, concat(parts));
}

std::vector<std::int64_t> other_axes(int rank, const std::vector<std::int64_t>& axes) {
  std::vector<std::int64_t> others;
  for (int i = 0; i < rank; ++i)
    if (std::none_of(axes.begin(), axes.end(), [&](std::int64_t a) { return from_first(a, rank) == i; }))
      others.push_back(i);
  return others;
}

namespace {
std::vector<std::int64_t> all_axes(Value x) {
  if (x.rank() < 2) throw Error("it needs samples and channels, not " + to_string(x.type()));
  std::vector<std::int64_t> axes(static_cast<std::size_t>(x.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}
}  // namespace

Value channels_last(Value x) {
  std::vector<std::int64_t> axes = all_axes(x);
  std::rotate(axes.begin() + 1, axes.begin() + 2, axes.end());
  return transpose(x, axes);
}

Value channels_first(Value x) {
  std::vector<std::int64_t> axes = all_axes(x);
  std::rotate(axes.begin() + 1, axes.end() - 1, axes.end());
  return transpose(x, axes);
}

Value along_channels(Value v, Value x) {
  std::vector<std::int64_t> axes;
  for (int i = 2; i < x.rank(); ++i) axes.push_back(i - 1);
  return with_axes(v, axes);
}

}  // namespace oxbow::onnx
