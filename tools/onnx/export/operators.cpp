// What each op is in ONNX.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "onnx/export/exporter.h"

namespace oxbow::onnx {

namespace {

using Sizes = std::vector<std::int64_t>;

Names same(const Written& n, std::string_view type) {
  Names inputs;
  for (int i = 0; i < n.node().input_count(); ++i) inputs.push_back(n.in(i));
  return {n.to().add(type, inputs)};
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
    {"broadcast_like", write_broadcast_like},
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
     [](const Written& n) {
       return write_one_hot(n, number(n, static_cast<double>(n.get<std::int64_t>("classes")), i64));
     }},
    {"one_hot_of", [](const Written& n) { return write_one_hot(n, n.in(1)); }},
    {"pad", write_pad},
    {"repeat", write_repeat},
    {"prod", [](const Written& n) { return reduction(n, "ReduceProd"); }},
    {"remainder", remainder},
    {"reshape", write_reshape},
    {"reshape_like",
     [](const Written& n) -> Names {
       return {n.to().add("Reshape", {n.in(0), sizes(n, 1)}, {{"allowzero", std::int64_t{1}}})};
     }},
    {"reshape_to", write_reshape_to},
    {"roll", write_roll},
    {"rsqrt", [](const Written& n) -> Names { return {n.to().add("Reciprocal", {n.to().add("Sqrt", {n.in(0)})})}; }},
    {"scaled_dot_product_attention", write_attention},
    {"scatter_elements", write_scatter_elements},
    {"scatter_nd", write_scatter_nd},
    {"silu",
     [](const Written& n) -> Names {
       return {n.to().add("Mul", {n.in(0), n.to().add("Sigmoid", {n.in(0)})})};
     }},
    {"simple_rnn", write_simple_rnn},
    {"sinpi",
     [](const Written& n) -> Names {
       return {n.to().add("Sin", {n.to().add("Mul", {n.in(0), number(n, std::numbers::pi, n.type(0).dtype)})})};
     }},
    {"slice", [](const Written& n) { return write_slice(n, 1); }},
    {"slice_by", write_slice_by},
    {"softmax",
     [](const Written& n) -> Names {
       return {n.to().add("Softmax", {n.in(0)}, {{"axis", std::int64_t{-1}}})};
     }},
    {"split", write_split},
    {"square",
     [](const Written& n) -> Names {
       return {n.to().add("Mul", {n.in(0), n.in(0)})};
     }},
    {"squeeze",
     [](const Written& n) -> Names {
       return {
           n.to().add("Squeeze", {n.in(0), n.to().numbers(from_first(n.get<Sizes>("axes"), n.type(0).shape.rank()))})};
     }},
    {"strided_slice", [](const Written& n) { return write_slice(n, n.get<std::int64_t>("step")); }},
    {"sum", [](const Written& n) { return reduction(n, "ReduceSum"); }},
    {"take_along_axis",
     [](const Written& n) -> Names {
       return {n.to().add("GatherElements", {n.in(0), as(n, n.in(1), i64)}, {{"axis", n.get<std::int64_t>("axis")}})};
     }},
    {"top_k", [](const Written& n) { return write_top_k(n, n.to().numbers({n.get<std::int64_t>("k")})); }},
    {"top_k_of",
     [](const Written& n) {
       return write_top_k(n, n.to().add("Reshape", {as(n, n.in(1), i64), n.to().numbers({1})}));
     }},
    {"transpose", write_transpose},
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
