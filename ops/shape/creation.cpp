#include <oxbow/graph/leaves.h>
#include <oxbow/ops/creation.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/numbers.h>
#include <oxbow/ops/shared/flow.h>

#include <numeric>

namespace oxbow {

using namespace ops;

namespace {

Value number(Graph& g, std::int64_t n, At at) { return constant(g, Tensor::scalar(n), at); }

// 0, 1, ... below `limit`, a known i64 scalar.
Value places(Value limit, At at) {
  const Value zero = number(limit.graph(), 0, at), one = number(limit.graph(), 1, at);
  return arange(zero, limit, one, at);
}

// [rows, columns]: how far an element lies above the main diagonal.
Value diagonals(Value rows, Value columns, At at) {
  const Value row = expand_dims(places(rows, at), 1, at), column = places(columns, at);
  return subtract(column, row, at);
}
Value diagonals(const char* builder, Graph& g, std::int64_t rows, std::int64_t columns, At at) {
  if (rows < 0 || columns < 0)
    throw BuildError(builder, std::to_string(rows) + " rows and " + std::to_string(columns) + " columns" + at_line(at) +
                                  "\n  Give at least 0 of each");
  const Value r = number(g, rows, at), c = number(g, columns, at);
  return diagonals(r, c, at);
}

// Of the last two axes.
Value diagonals(const char* builder, Value x, At at) {
  check_built(builder, x, at);
  if (x.rank() < 2)
    throw BuildError(builder, "x is " + to_string(x.type()) + at_line(at) + "\n  Give a matrix, or several");
  const Value rows = size_of_axis(x, -2, at), columns = size_of_axis(x, -1, at);
  return diagonals(rows, columns, at);
}

Value scalar_k(const char* builder, Value k, At at) {
  check_built(builder, k, at);
  if (k.type().count() != 1 || !is_integer(k.dtype()))
    throw BuildError(builder, "k is " + to_string(k.type()) + at_line(at) + "\n  Give one whole number");
  return cast(reshape(k, std::vector<std::int64_t>(), at), i64, at);
}

}  // namespace

Value full(Graph& g, const Shape& shape, double value, DType dtype, At at) {
  return as_called("full", [&] {
    const Value one = constant(g, value, dtype, at);
    return shape.rank() == 0 ? one : broadcast_to(one, shape, at);
  });
}
Value zeros(Graph& g, const Shape& shape, DType dtype, At at) { return full(g, shape, 0, dtype, at); }
Value ones(Graph& g, const Shape& shape, DType dtype, At at) { return full(g, shape, 1, dtype, at); }

Value full(Value shape, Value value, At at) {
  return as_called("full", [&] {
    check_built("full", value, at);
    return broadcast_to(value.rank() == 0 ? value : reshape(value, std::vector<std::int64_t>(), at), shape, at);
  });
}
Value zeros(Value shape, DType dtype, At at) {
  check_built("zeros", shape, at);
  return as_called("zeros", [&] { return full(shape, constant(shape.graph(), 0, dtype, at), at); });
}
Value ones(Value shape, DType dtype, At at) {
  check_built("ones", shape, at);
  return as_called("ones", [&] { return full(shape, constant(shape.graph(), 1, dtype, at), at); });
}

Value full_like(Value x, double value, At at) {
  check_built("full_like", x, at);
  return as_called("full_like", [&] { return filled(value, x, at); });
}
Value zeros_like(Value x, At at) {
  check_built("zeros_like", x, at);
  return filled(0, x, at);
}
Value ones_like(Value x, At at) {
  check_built("ones_like", x, at);
  return filled(1, x, at);
}

Value eye(Graph& g, std::int64_t rows, std::int64_t columns, std::int64_t k, DType dtype, At at) {
  return as_called("eye", [&] {
    const Value above = diagonals("eye", g, rows, columns, at);
    return cast(oxbow::equal(above, number(g, k, at), at), dtype, at);
  });
}
Value eye(Graph& g, std::int64_t n, At at) { return eye(g, n, n, 0, f32, at); }

Value eye_like(Value x, std::int64_t k, std::optional<DType> dtype, At at) {
  return as_called("eye_like", [&] {
    const Value above = diagonals("eye_like", x, at);
    if (x.rank() != 2) throw BuildError("eye_like", "x is " + to_string(x.type()) + at_line(at) + "\n  Give a matrix");
    return cast(oxbow::equal(above, number(x.graph(), k, at), at), dtype.value_or(x.dtype()), at);
  });
}

Value tri(Graph& g, std::int64_t rows, std::int64_t columns, std::int64_t k, DType dtype, At at) {
  return as_called("tri", [&] {
    const Value above = diagonals("tri", g, rows, columns, at);
    return cast(less_equal(above, number(g, k, at), at), dtype, at);
  });
}

Value triu(Value x, Value k, At at) {
  return as_called("triu", [&] {
    const Value above = diagonals("triu", x, at);
    return where(greater_equal(above, scalar_k("triu", k, at), at), x, 0, at);
  });
}
Value tril(Value x, Value k, At at) {
  return as_called("tril", [&] {
    const Value above = diagonals("tril", x, at);
    return where(less_equal(above, scalar_k("tril", k, at), at), x, 0, at);
  });
}
Value triu(Value x, std::int64_t k, At at) {
  check_built("triu", x, at);
  return triu(x, number(x.graph(), k, at), at);
}
Value tril(Value x, std::int64_t k, At at) {
  check_built("tril", x, at);
  return tril(x, number(x.graph(), k, at), at);
}

Value linspace(Graph& g, double start, double stop, std::int64_t count, DType dtype, At at) {
  if (!is_float(dtype) || count < 0)
    throw BuildError("linspace", std::to_string(count) + " numbers as " + std::string(name(dtype)) + at_line(at) +
                                     "\n  Give at least 0, of floating point");
  return as_called("linspace", [&] {
    // In double, so that all but the last rounding is away from what is asked for by much less than it.
    const Value i = arange(g, count, at);
    const Value there = add(
        start,
        multiply((stop - start) / static_cast<double>(std::max<std::int64_t>(1, count - 1)), cast(i, f64, at), at), at);
    return cast(count < 2 ? there : where(oxbow::equal(i, number(g, count - 1, at), at), stop, there, at), dtype, at);
  });
}

std::vector<Value> meshgrid(Values values, bool xy, At at) {
  return as_called("meshgrid", [&] {
    std::vector<std::size_t> axis_of(static_cast<std::size_t>(values.size()));
    std::iota(axis_of.begin(), axis_of.end(), std::size_t{0});
    if (xy && values.size() > 1) std::swap(axis_of[0], axis_of[1]);
    std::vector<Value> sizes(axis_of.size()), grids;
    for (int i = 0; i < values.size(); ++i) {
      check_built("meshgrid", values[i], at);
      if (values[i].rank() != 1)
        throw BuildError("meshgrid", "value " + std::to_string(i) + " is " + to_string(values[i].type()) + at_line(at) +
                                         "\n  Give vectors");
      sizes[axis_of[static_cast<std::size_t>(i)]] = shape_of(values[i], at);
    }
    if (sizes.empty()) return grids;
    const Value shape = concat(sizes, 0, at);
    for (int i = 0; i < values.size(); ++i) {
      std::vector<std::int64_t> others;
      for (std::size_t a = 0; a < sizes.size(); ++a)
        if (a != axis_of[static_cast<std::size_t>(i)]) others.push_back(static_cast<std::int64_t>(a));
      grids.push_back(broadcast_to(expand_dims(values[i], others, at), shape, at));
    }
    return grids;
  });
}

Value one_hot(Value labels, Value classes, Value off, Value on, std::int64_t axis, At at) {
  return as_called("one_hot", [&] {
    for (const Value& v : {labels, classes, off, on}) check_built("one_hot", v, at);
    const auto scalar = [&](Value v) { return v.rank() == 0 ? v : reshape(v, std::vector<std::int64_t>(), at); };
    const Value count = cast(scalar(classes), i64, at), label = cast(labels, i64, at);
    const Value place = where(less(label, 0, at), add(label, count, at), label, at);
    // The numbers of the classes along the new axis, which has all later ones behind it.
    if (axis < -labels.rank() - 1 || axis > labels.rank())
      throw BuildError("one_hot", "labels are " + to_string(labels.type()) + ", so there is no axis " +
                                      std::to_string(axis) + " to put in" + at_line(at) + "\n  Give one from " +
                                      std::to_string(-labels.rank() - 1) + " to " + std::to_string(labels.rank()));
    const std::int64_t a = axis < 0 ? axis + labels.rank() + 1 : axis;
    std::vector<std::int64_t> later;
    for (std::int64_t i = 1; i <= labels.rank() - a; ++i) later.push_back(i);
    const Value along = expand_dims(places(count, at), later, at), each = expand_dims(place, axis, at);
    return where(oxbow::equal(each, along, at), scalar(on), scalar(off), at);
  });
}

}  // namespace oxbow
