// What each op is in ONNX.
#include <oxbow/graph/leaf_ops.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/indexing.h>
#include <oxbow/ops/shape/pad.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <numeric>

#include "onnx/export/exporter.h"
#include "onnx/read/model_file.h"

namespace oxbow::onnx {

namespace {

using Sizes = std::vector<std::int64_t>;

// A number in a type of its own, as a scalar.
std::string number(const Written& n, double value, DType dtype) {
  return n.to().constant(
      dispatch(dtype, [&]<class T>(std::type_identity<T>) { return Tensor::scalar<T>(static_cast<T>(value)); }));
}

Names same(const Written& n, std::string_view type) {
  Names inputs;
  for (int i = 0; i < n.node().input_count(); ++i) inputs.push_back(n.in(i));
  return {n.to().add(type, inputs)};
}

std::string as(const Written& n, const std::string& x, DType dtype) {
  return n.to().add("Cast", {x}, {{"to", std::int64_t{onnx_type(dtype)}}});
}

// The sizes of input `i`: numbers where they are the same for all that is fed.
std::string sizes(const Written& n, int i) {
  const Value v = n.node().input(i);
  bool fixed = true;
  for (int axis = 0; axis < v.rank(); ++axis) fixed = fixed && n.to().is_fixed(v, axis);
  return fixed ? n.to().numbers(v.shape().vector()) : n.to().add("Shape", {n.in(i)});
}

Sizes from_first(Sizes axes, int rank) {
  for (std::int64_t& a : axes) a = a < 0 ? a + rank : a;
  return axes;
}

// sum has its axes as an input in opset 17, all other reductions as an attribute.
Names reduction(const Written& n, std::string_view type) {
  const auto axes = n.get<Sizes>("axes");
  std::vector<Attribute> attributes{{"keepdims", std::int64_t{n.get<bool>("keep") ? 1 : 0}}};
  Names inputs{n.in(0)};
  if (!axes.empty() && type == "ReduceSum") inputs.push_back(n.to().numbers(axes));
  if (!axes.empty() && type != "ReduceSum") attributes.push_back({"axes", axes});
  return {n.to().add(type, inputs, attributes)};
}

Names inverse_rms(const Written& n) {
  std::vector<Attribute> attributes{{"keepdims", std::int64_t{1}}};
  if (const auto axes = n.get<Sizes>("axes"); !axes.empty()) attributes.push_back({"axes", axes});
  const std::string squares = n.to().add("ReduceMean", {n.to().add("Mul", {n.in(0), n.in(0)})}, attributes);
  const std::string sum = n.to().add("Add", {squares, number(n, n.get<double>("epsilon"), n.type(0).dtype)});
  return {n.to().add("Reciprocal", {n.to().add("Sqrt", {sum})})};
}

Names count_like(const Written& n) {
  const Value x = n.node().input(0);
  auto axes = from_first(n.get<Sizes>("axes"), x.rank());
  if (axes.empty()) {
    axes.resize(static_cast<std::size_t>(x.rank()));
    std::iota(axes.begin(), axes.end(), 0);
  }
  const DType dtype = n.node().output_types()[0].dtype;
  if (std::all_of(axes.begin(), axes.end(), [&](std::int64_t a) { return n.to().is_fixed(x, static_cast<int>(a)); })) {
    double count = 1;
    for (const std::int64_t a : axes) count *= static_cast<double>(x.shape()[static_cast<int>(a)]);
    return {number(n, count, dtype)};
  }
  const std::string shape = n.to().add("Shape", {n.in(0)});
  std::string count = number(n, 1, i64);
  for (const std::int64_t a : axes)
    count = n.to().add("Mul", {count, n.to().add("Gather", {shape, number(n, static_cast<double>(a), i64)})});
  return {as(n, count, dtype)};
}

// The sum of a product and a row is one node, where nobody else reads the product, and so is what ends a batch
// normalisation; the sum of elements by their number is a mean.
Names add(const Written& n) {
  if (auto whole = write_batch_normalisation(n)) return *whole;
  for (const int i : {0, 1}) {
    const Value product = n.node().input(i), row = n.node().input(1 - i);
    const std::string_view op = product.node().op().name();
    if (row.rank() != 1 || (op != "conv2d" && op != "matmul") || n.to().readers(product) != 1) continue;
    if (row.shape()[0] == product.shape()[-1] && n.to().add_row(n.in(i), n.in(1 - i))) return {n.in(i)};
  }
  return same(n, "Add");
}

Names divide(const Written& n) {
  const Node sum = n.node().input(0).node(), count = n.node().input(1).node();
  if (sum.op().name() == "sum" && count.op().name() == "count_like" && sum.input(0).node() == count.input(0).node() &&
      sum.input(0).output() == count.input(0).output()) {
    const Written w(n.to(), sum), by(n.to(), count);
    if (w.get<Sizes>("axes") == by.get<Sizes>("axes")) return reduction(w, "ReduceMean");
  }
  return same(n, "Div");
}

Names matmul(const Written& n) {
  const bool a = n.get<bool>("transpose_a"), b = n.get<bool>("transpose_b");
  if (n.type(0).shape.rank() == 2 && n.type(1).shape.rank() == 2 && is_float(n.type(0).dtype))
    return {n.to().add("Gemm", {n.in(0), n.in(1)}, {{"transA", std::int64_t{a}}, {"transB", std::int64_t{b}}})};
  const auto side = [&](int i, bool turned) {
    if (!turned) return n.in(i);
    Sizes order(static_cast<std::size_t>(n.type(i).shape.rank()));
    std::iota(order.begin(), order.end(), 0);
    std::swap(order[order.size() - 1], order[order.size() - 2]);
    return n.to().transposed(n.in(i), order);
  };
  return {n.to().add("MatMul", {side(0, a), side(1, b)})};
}

Names transpose(const Written& n) {
  auto order = n.get<Sizes>("permutation");
  if (order.empty()) {
    order.resize(static_cast<std::size_t>(n.type(0).shape.rank()));
    std::iota(order.rbegin(), order.rend(), 0);
  }
  return {n.to().transposed(n.in(0), from_first(order, n.type(0).shape.rank()))};
}

Names reshape(const Written& n) {
  auto shape = n.get<Sizes>("shape");
  const bool zero = std::find(shape.begin(), shape.end(), 0) != shape.end();
  const Shape& x = n.type(0).shape;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (shape[i] == -2) shape[i] = zero ? x[static_cast<int>(i)] : 0;
  return {n.to().add("Reshape", {n.in(0), n.to().numbers(shape)}, {{"allowzero", std::int64_t{zero}}})};
}

Names reshape_to(const Written& n) {
  return {n.to().add("Reshape", {n.in(0), as(n, n.in(1), i64)}, {{"allowzero", std::int64_t{1}}})};
}

Names slice(const Written& n, std::int64_t step) {
  auto end = n.get<std::int64_t>("end");
  if (step < 0 && end == to_end) end = std::numeric_limits<std::int64_t>::min();
  return {n.to().add("Slice", {n.in(0), n.to().numbers({n.get<std::int64_t>("begin")}), n.to().numbers({end}),
                               n.to().numbers({n.get<std::int64_t>("axis")}), n.to().numbers({step})})};
}

Names slice_by(const Written& n) {
  auto axes = n.get<Sizes>("axes");
  if (axes.empty()) {
    axes.resize(static_cast<std::size_t>(n.type(1).count()));
    std::iota(axes.begin(), axes.end(), 0);
  }
  Names inputs{n.in(0), as(n, n.in(1), i64), as(n, n.in(2), i64), n.to().numbers(axes)};
  if (n.node().input(3)) inputs.push_back(as(n, n.in(3), i64));
  return {n.to().add("Slice", inputs)};
}

Names broadcast_like(const Written& n) {
  const auto axes = n.get<Sizes>("axes");
  const std::string x =
      axes.empty() ? n.in(0)
                   : n.to().add("Unsqueeze", {n.in(0), n.to().numbers(from_first(axes, n.type(1).shape.rank()))});
  return {n.to().add("Expand", {x, sizes(n, 1)})};
}

Names one_hot(const Written& n, const std::string& classes) {
  const auto dtype = n.get<DType>("dtype");
  const std::string values = n.to().add("Concat",
                                        {n.to().add("Unsqueeze", {number(n, 0, dtype), n.to().numbers({0})}),
                                         n.to().add("Unsqueeze", {number(n, 1, dtype), n.to().numbers({0})})},
                                        {{"axis", std::int64_t{0}}});
  return {n.to().add("OneHot", {as(n, n.in(0), i64), classes, values})};
}

// pads is [axes, 2] here, and all begins before all ends of all axes there.
Names pad(const Written& n) {
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
Names split(const Written& n) {
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
Names roll(const Written& n) {
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

Names scatter_elements(const Written& n) {
  return {n.to().add("ScatterElements", {n.in(0), as(n, n.in(1), i64), n.in(2)},
                     {{"axis", n.get<std::int64_t>("axis")}, reduction_of(n)})};
}

Names scatter_nd(const Written& n) {
  if (n.get<std::int64_t>("batch") != 0) n.fail("ONNX scatters rows without batch axes");
  return {n.to().add("ScatterND", {n.in(0), as(n, n.in(1), i64), n.in(2)}, {reduction_of(n)})};
}

Names top_k(const Written& n, const std::string& k) {
  return n.to().add("TopK", {n.in(0), k}, {{"largest", std::int64_t{n.get<bool>("largest") ? 1 : 0}}}, 2);
}

Names gelu(const Written& n) {
  const DType d = n.type(0).dtype;
  const std::string e = n.to().add("Erf", {n.to().add("Mul", {n.in(0), number(n, std::sqrt(0.5), d)})});
  const std::string half = n.to().add("Mul", {n.in(0), number(n, 0.5, d)});
  return {n.to().add("Mul", {half, n.to().add("Add", {e, number(n, 1, d)})})};
}

Names place(const Written& n, std::string_view type) {
  return {n.to().add(type, {n.in(0)},
                     {{"axis", n.get<std::int64_t>("axis")},
                      {"keepdims", std::int64_t{n.get<bool>("keep")}},
                      {"select_last_index", std::int64_t{n.get<bool>("last")}}})};
}

Names cumsum(const Written& n) {
  return {n.to().add(
      "CumSum", {n.in(0), number(n, static_cast<double>(n.get<std::int64_t>("axis")), i64)},
      {{"exclusive", std::int64_t{n.get<bool>("exclusive")}}, {"reverse", std::int64_t{n.get<bool>("reverse")}}})};
}

// What division leaves, with the sign of a, and whether it has another one than b.
std::pair<std::string, std::string> rest_of(const Written& n) {
  const std::string rest = n.to().add("Mod", {n.in(0), n.in(1)}, {{"fmod", std::int64_t{1}}});
  const std::string zero = number(n, 0, n.type(0).dtype);
  const std::string differs =
      n.to().add("Xor", {n.to().add("Less", {rest, zero}), n.to().add("Less", {n.in(1), zero})});
  return {rest, n.to().add("And", {differs, n.to().add("Not", {n.to().add("Equal", {rest, zero})})})};
}

Names remainder(const Written& n) {
  const auto [rest, differs] = rest_of(n);
  return {n.to().add("Where", {differs, n.to().add("Add", {rest, n.in(1)}), rest})};
}

Names floor_divide(const Written& n) {
  const auto [rest, differs] = rest_of(n);
  const DType dtype = n.type(0).dtype;
  std::string whole = n.to().add("Div", {n.to().add("Sub", {n.in(0), rest}), n.in(1)});
  if (is_float(dtype)) whole = n.to().add("Round", {whole});
  return {n.to().add("Sub", {whole, as(n, differs, dtype)})};
}

Names masked_multiply(const Written& n) {
  const std::string zero = number(n, 0, n.type(0).dtype), product = n.to().add("Mul", {n.in(0), n.in(1)});
  const std::string masked = n.to().add("And", {n.to().add("Equal", {n.in(0), zero}), n.to().add("IsInf", {n.in(1)})});
  return {n.to().add("Where", {masked, zero, product})};
}

Names trunc(const Written& n) {
  return {n.to().add("Mul", {n.to().add("Sign", {n.in(0)}), n.to().add("Floor", {n.to().add("Abs", {n.in(0)})})})};
}

// Ops that ONNX has as they are.
constexpr std::pair<std::string_view, std::string_view> direct[] = {
    {"abs", "Abs"},
    {"acos", "Acos"},
    {"acosh", "Acosh"},
    {"arange", "Range"},
    {"asin", "Asin"},
    {"asinh", "Asinh"},
    {"atan", "Atan"},
    {"atanh", "Atanh"},
    {"ceil", "Ceil"},
    {"cos", "Cos"},
    {"cosh", "Cosh"},
    {"det", "Det"},
    {"equal", "Equal"},
    {"erf", "Erf"},
    {"exp", "Exp"},
    {"expand_to", "Expand"},
    {"floor", "Floor"},
    {"greater", "Greater"},
    {"less", "Less"},
    {"less_equal", "LessOrEqual"},
    {"log", "Log"},
    {"logical_and", "And"},
    {"logical_not", "Not"},
    {"logical_or", "Or"},
    {"maximum", "Max"},
    {"minimum", "Min"},
    {"multiply", "Mul"},
    {"negate", "Neg"},
    {"pow", "Pow"},
    {"reciprocal", "Reciprocal"},
    {"relu", "Relu"},
    {"round", "Round"},
    {"shape_of", "Shape"},
    {"sigmoid", "Sigmoid"},
    {"sign", "Sign"},
    {"sin", "Sin"},
    {"sinh", "Sinh"},
    {"softplus", "Softplus"},
    {"softsign", "Softsign"},
    {"sqrt", "Sqrt"},
    {"stop_gradient", "Identity"},
    {"subtract", "Sub"},
    {"tan", "Tan"},
    {"tanh", "Tanh"},
    {"tile", "Tile"},
    {"where", "Where"},
};

Names as_it_is(const Written& n) {
  for (const auto& [op, type] : direct)
    if (op == n.node().op().name()) return same(n, type);
  throw InternalError("an op that ONNX does not have as it is");
}

// Lambdas that are short enough to be read in the list.
struct Entry {
  std::string_view op;
  Write write;
};
const Entry others[] = {
    {"add", add},
    {"argmax", [](const Written& n) { return place(n, "ArgMax"); }},
    {"argmin", [](const Written& n) { return place(n, "ArgMin"); }},
    {"average_pool", write_average_pool},
    {"broadcast_like", broadcast_like},
    {"broadcast_to",
     [](const Written& n) -> Names {
       return {n.to().add("Expand", {n.in(0), n.to().numbers(n.get<Shape>("shape").vector())})};
     }},
    {"cast", [](const Written& n) -> Names { return {as(n, n.in(0), n.node().output_types()[0].dtype)}; }},
    {"concat",
     [](const Written& n) -> Names {
       Names inputs;
       for (int i = 0; i < n.node().input_count(); ++i) inputs.push_back(n.in(i));
       return {n.to().add("Concat", inputs, {{"axis", n.get<std::int64_t>("axis")}})};
     }},
    {"cond", write_cond},
    {"conv2d", write_conv2d},
    {"conv2d_transpose", write_conv2d_transpose},
    {"cospi",
     [](const Written& n) -> Names {
       return {n.to().add("Cos", {n.to().add("Mul", {n.in(0), number(n, std::numbers::pi, n.type(0).dtype)})})};
     }},
    {"count_like", count_like},
    {"cumsum", cumsum},
    {"divide", divide},
    {"expand_dims",
     [](const Written& n) -> Names {
       const auto axes = n.get<Sizes>("axes");
       const int rank = n.type(0).shape.rank() + static_cast<int>(axes.size());
       return {n.to().add("Unsqueeze", {n.in(0), n.to().numbers(from_first(axes, rank))})};
     }},
    {"expm1",
     [](const Written& n) -> Names {
       return {n.to().add("Sub", {n.to().add("Exp", {n.in(0)}), number(n, 1, n.type(0).dtype)})};
     }},
    {"floor_divide", floor_divide},
    {"fmod",
     [](const Written& n) -> Names {
       return {n.to().add("Mod", {n.in(0), n.in(1)}, {{"fmod", std::int64_t{1}}})};
     }},
    {"gather",
     [](const Written& n) -> Names {
       return {n.to().add("Gather", {n.in(0), as(n, n.in(1), i64)}, {{"axis", n.get<std::int64_t>("axis")}})};
     }},
    {"gather_nd",
     [](const Written& n) -> Names {
       return {n.to().add("GatherND", {n.in(0), as(n, n.in(1), i64)}, {{"batch_dims", n.get<std::int64_t>("batch")}})};
     }},
    {"gelu", gelu},
    {"gru", write_gru},
    {"inverse_rms", inverse_rms},
    {"log1p",
     [](const Written& n) -> Names {
       return {n.to().add("Log", {n.to().add("Add", {n.in(0), number(n, 1, n.type(0).dtype)})})};
     }},
    {"log_softmax",
     [](const Written& n) -> Names {
       return {n.to().add("LogSoftmax", {n.in(0)}, {{"axis", std::int64_t{-1}}})};
     }},
    {"lstm", write_lstm},
    {"masked_multiply", masked_multiply},
    {"matmul", matmul},
    {"max", [](const Written& n) { return reduction(n, "ReduceMax"); }},
    {"max_pool", write_max_pool},
    {"max_pool_places", write_max_pool_places},
    {"min", [](const Written& n) { return reduction(n, "ReduceMin"); }},
    {"norm", [](const Written& n) { return reduction(n, "ReduceL2"); }},
    {"not_equal",
     [](const Written& n) -> Names {
       return {n.to().add("Not", {n.to().add("Equal", {n.in(0), n.in(1)})})};
     }},
    {"one_hot",
     [](const Written& n) { return one_hot(n, number(n, static_cast<double>(n.get<std::int64_t>("classes")), i64)); }},
    {"one_hot_of", [](const Written& n) { return one_hot(n, n.in(1)); }},
    {"pad", pad},
    {"repeat", write_repeat},
    {"prod", [](const Written& n) { return reduction(n, "ReduceProd"); }},
    {"remainder", remainder},
    {"reshape", reshape},
    {"reshape_like",
     [](const Written& n) -> Names {
       return {n.to().add("Reshape", {n.in(0), sizes(n, 1)}, {{"allowzero", std::int64_t{1}}})};
     }},
    {"reshape_to", reshape_to},
    {"roll", roll},
    {"rsqrt", [](const Written& n) -> Names { return {n.to().add("Reciprocal", {n.to().add("Sqrt", {n.in(0)})})}; }},
    {"scaled_dot_product_attention", write_attention},
    {"scatter_elements", scatter_elements},
    {"scatter_nd", scatter_nd},
    {"silu",
     [](const Written& n) -> Names {
       return {n.to().add("Mul", {n.in(0), n.to().add("Sigmoid", {n.in(0)})})};
     }},
    {"simple_rnn", write_simple_rnn},
    {"sinpi",
     [](const Written& n) -> Names {
       return {n.to().add("Sin", {n.to().add("Mul", {n.in(0), number(n, std::numbers::pi, n.type(0).dtype)})})};
     }},
    {"slice", [](const Written& n) { return slice(n, 1); }},
    {"slice_by", slice_by},
    {"softmax",
     [](const Written& n) -> Names {
       return {n.to().add("Softmax", {n.in(0)}, {{"axis", std::int64_t{-1}}})};
     }},
    {"split", split},
    {"square",
     [](const Written& n) -> Names {
       return {n.to().add("Mul", {n.in(0), n.in(0)})};
     }},
    {"squeeze",
     [](const Written& n) -> Names {
       return {
           n.to().add("Squeeze", {n.in(0), n.to().numbers(from_first(n.get<Sizes>("axes"), n.type(0).shape.rank()))})};
     }},
    {"strided_slice", [](const Written& n) { return slice(n, n.get<std::int64_t>("step")); }},
    {"sum", [](const Written& n) { return reduction(n, "ReduceSum"); }},
    {"take_along_axis",
     [](const Written& n) -> Names {
       return {n.to().add("GatherElements", {n.in(0), as(n, n.in(1), i64)}, {{"axis", n.get<std::int64_t>("axis")}})};
     }},
    {"top_k", [](const Written& n) { return top_k(n, n.to().numbers({n.get<std::int64_t>("k")})); }},
    {"top_k_of",
     [](const Written& n) {
       return top_k(n, n.to().add("Reshape", {as(n, n.in(1), i64), n.to().numbers({1})}));
     }},
    {"transpose", transpose},
    {"trunc", trunc},
};

}  // namespace

Write writer_of(std::string_view op) {
  for (const auto& [name, type] : direct)
    if (name == op) return as_it_is;
  for (const Entry& e : others)
    if (e.op == op) return e.write;
  return nullptr;
}

}  // namespace oxbow::onnx
