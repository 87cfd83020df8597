// Shapes, and what moves elements.
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/indexing.h>
#include <oxbow/ops/shape/pad.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "onnx/export/exporter.h"

namespace oxbow::onnx {

namespace {

using Sizes = std::vector<std::int64_t>;

Attribute reduction_of(const Written& n) {
  switch (n.get<ScatterReduction>("reduction")) {
    case ScatterReduction::none:
      return {"reduction", std::string("none")};
    case ScatterReduction::add:
      return {"reduction", std::string("add")};
    case ScatterReduction::mul:
      return {"reduction", std::string("mul")};
    default:
      n.fail("ONNX's opset 17 scatters without the larger or smaller one");
  }
}

}  // namespace

Names write_transpose(const Written& n) {
  auto order = n.get<Sizes>("permutation");
  if (order.empty()) {
    order.resize(static_cast<std::size_t>(n.type(0).shape.rank()));
    std::iota(order.rbegin(), order.rend(), 0);
  }
  return {n.to().transposed(n.in(0), from_first(order, n.type(0).shape.rank()))};
}

Names write_reshape(const Written& n) {
  auto shape = n.get<Sizes>("shape");
  const bool zero = std::find(shape.begin(), shape.end(), 0) != shape.end();
  const Shape& x = n.type(0).shape;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == -2) shape[i] = zero ? x[static_cast<int>(i)] : 0;
  return {n.to().add("Reshape", {n.in(0), n.to().numbers(shape)}, {{"allowzero", std::int64_t{zero}}})};
}

Names write_reshape_to(const Written& n) {
  return {n.to().add("Reshape", {n.in(0), as(n, n.in(1), i64)}, {{"allowzero", std::int64_t{1}}})};
}

Names write_slice(const Written& n, std::int64_t step) {
  auto end = n.get<std::int64_t>("end");
  if (step < 0 && end == to_end) end = std::numeric_limits<std::int64_t>::min();
  return {n.to().add("Slice", {n.in(0), n.to().numbers({n.get<std::int64_t>("begin")}), n.to().numbers({end}),
                               n.to().numbers({n.get<std::int64_t>("axis")}), n.to().numbers({step})})};
}

Names write_slice_by(const Written& n) {
  auto axes = n.get<Sizes>("axes");
  if (axes.empty()) {
    axes.resize(static_cast<std::size_t>(n.type(1).count()));
    std::iota(axes.begin(), axes.end(), 0);
  }
  Names inputs{n.in(0), as(n, n.in(1), i64), as(n, n.in(2), i64), n.to().numbers(axes)};
  if (n.node().input(3)) inputs.push_back(as(n, n.in(3), i64));
  return {n.to().add("Slice", inputs)};
}

Names write_broadcast_like(const Written& n) {
  const auto axes = n.get<Sizes>("axes");
  const std::string x =
      axes.empty() ? n.in(0)
                   : n.to().add("Unsqueeze", {n.in(0), n.to().numbers(from_first(axes, n.type(1).shape.rank()))});
  return {n.to().add("Expand", {x, sizes(n, 1)})};
}

Names write_one_hot(const Written& n, const std::string& classes) {
  const auto dtype = n.get<DType>("dtype");
  const std::string values = n.to().add("Concat",
                                        {n.to().add("Unsqueeze", {number(n, 0, dtype), n.to().numbers({0})}),
                                         n.to().add("Unsqueeze", {number(n, 1, dtype), n.to().numbers({0})})},
                                        {{"axis", std::int64_t{0}}});
  return {n.to().add("OneHot", {as(n, n.in(0), i64), classes, values})};
}

// pads is [axes, 2] here, and all begins before all ends of all axes there.
Names write_pad(const Written& n) {
  const auto mode = n.get<PadMode>("mode");
  if (mode == PadMode::wrap) n.fail("ONNX's opset 17 has no padding that goes round");
  std::string pads = as(n, n.in(1), i64);
  if (const auto axes = from_first(n.get<Sizes>("axes"), n.type(0).shape.rank()); !axes.empty()) {
    const std::string none = n.to().constant(Tensor({i64, {n.type(0).shape.rank(), 2}}));
    const std::string places = n.to().add("Unsqueeze", {n.to().numbers(axes), n.to().numbers({-1})});
    pads = n.to().add("ScatterND", {none, places, pads});
  }
  pads = n.to().add("Reshape", {n.to().transposed(pads, {1, 0}), n.to().numbers({-1})});
  Names inputs{n.in(0), pads};
  if (mode == PadMode::constant)
    inputs.push_back(n.node().input(2) ? n.to().add("Reshape", {n.in(2), n.to().numbers({})})
                                       : number(n, n.get<double>("value"), n.type(0).dtype));
  const std::string words[] = {"constant", "reflect", "edge"};
  return {n.to().add("Pad", inputs, {{"mode", words[static_cast<std::size_t>(mode)]}})};
}

// The sizes of the parts, which ONNX wants where they are not equal.
Names write_split(const Written& n) {
  const auto axis = n.get<std::int64_t>("axis");
  Names inputs{n.in(0)};
  const Types parts = n.node().output_types();
  if (n.node().input(1)) {
    inputs.push_back(as(n, n.in(1), i64));
  } else {
    const int a = n.type(0).shape.axis_of(axis);
    if (!n.to().is_fixed(n.node().input(0), a)) n.fail("the axis that is split has another size for each that is fed");
    Sizes sizes;
    for (const Type& t : parts) sizes.push_back(t.shape[a]);
    inputs.push_back(n.to().numbers(sizes));
  }
  return n.to().add("Split", inputs, {{"axis", axis}}, static_cast<int>(parts.size()));
}

// What is beyond the end comes first: the last `shift` elements, and those before them. A size that is open says only
// when it is fed how often they go round.
Names write_roll(const Written& n) {
  const int axis = n.type(0).shape.axis_of(n.get<std::int64_t>("axis"));
  const auto shift = n.get<std::int64_t>("shift");
  const std::string zero = n.to().numbers({0}), along = n.to().numbers({axis});
  std::string begin;
  if (n.to().is_fixed(n.node().input(0), axis)) {
    const std::int64_t size = n.type(0).shape[axis], by = size == 0 ? 0 : shift % size;
    if (by == 0) return {n.to().add("Identity", {n.in(0)})};
    begin = n.to().numbers({-by});
  } else {
    const std::string size =
        n.to().add("Shape", {n.in(0)}, {{"start", std::int64_t{axis}}, {"end", std::int64_t{axis} + 1}});
    const std::string divisor = n.to().add("Max", {size, n.to().numbers({1})});
    begin = n.to().add("Neg", {n.to().add("Mod", {n.to().numbers({shift}), divisor})});
  }
  const std::string last = n.to().numbers({std::numeric_limits<std::int64_t>::max()});
  const std::string behind = n.to().add("Slice", {n.in(0), begin, last, along}),
                    before = n.to().add("Slice", {n.in(0), zero, begin, along});
  return {n.to().add("Concat", {behind, before}, {{"axis", std::int64_t{axis}}})};
}

Names write_scatter_elements(const Written& n) {
  return {n.to().add("ScatterElements", {n.in(0), as(n, n.in(1), i64), n.in(2)},
                     {{"axis", n.get<std::int64_t>("axis")}, reduction_of(n)})};
}

Names write_scatter_nd(const Written& n) {
  if (n.get<std::int64_t>("batch") != 0) n.fail("ONNX scatters rows without batch axes");
  return {n.to().add("ScatterND", {n.in(0), as(n, n.in(1), i64), n.in(2)}, {reduction_of(n)})};
}

Names write_top_k(const Written& n, const std::string& k) {
  return n.to().add("TopK", {n.in(0), k}, {{"largest", std::int64_t{n.get<bool>("largest") ? 1 : 0}}}, 2);
}

}  // namespace oxbow::onnx
