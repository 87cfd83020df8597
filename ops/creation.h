// Tensors that are made of numbers: of one value, of sequences, of patterns of ones, and the triangles of matrices.
//
//   Value mask = tri(g, 64, 64, 0, boolean);       // causal: true where a column is not behind its row
//   Value upper = triu(x, 1);                      // without the diagonal
//   Value grid = meshgrid({linspace(g, -1, 1, 9), linspace(g, 0, 1, 5)})[0];   // [9, 5]
//
// Sizes are numbers, or a value that is known while the graph is built (ops/shape.h), so that they follow a free axis.
// Thread safety: they append to a graph, which is for one thread.
#pragma once

#include <oxbow/graph/value.h>

#include <concepts>
#include <optional>

namespace oxbow {

/// A tensor of equal elements. Throws `Error` for a number that the dtype does not hold.
Value full(Graph& g, const Shape& shape, double value, DType dtype = f32, At at = At::current());
Value zeros(Graph& g, const Shape& shape, DType dtype = f32, At at = At::current());
Value ones(Graph& g, const Shape& shape, DType dtype = f32, At at = At::current());
/// `shape` is a known vector; `value` has one element, and its dtype.
Value full(Value shape, Value value, At at = At::current());
Value zeros(Value shape, DType dtype = f32, At at = At::current());
Value ones(Value shape, DType dtype = f32, At at = At::current());
/// Of x's shape and dtype.
Value full_like(Value x, double value, At at = At::current());
Value zeros_like(Value x, At at = At::current());
Value ones_like(Value x, At at = At::current());

/// [rows, columns] with ones on a diagonal: the k-th above the main one, below it where k is negative.
Value eye(Graph& g, std::int64_t rows, std::int64_t columns, std::int64_t k = 0, DType dtype = f32,
          At at = At::current());
Value eye(Graph& g, std::int64_t n, At at = At::current());
/// Of the shape of x, a matrix, and of its dtype if none is given.
Value eye_like(Value x, std::int64_t k = 0, std::optional<DType> dtype = {}, At at = At::current());

/// [rows, columns] with ones on and below such a diagonal.
Value tri(Graph& g, std::int64_t rows, std::int64_t columns, std::int64_t k = 0, DType dtype = f32,
          At at = At::current());

/// x [..., rows, columns] with zeros below, or above, its k-th diagonal; of any dtype.
Value triu(Value x, std::int64_t k = 0, At at = At::current());
Value tril(Value x, std::int64_t k = 0, At at = At::current());
/// `k` has one element, i64; it need not be known.
Value triu(Value x, Value k, At at = At::current());
Value tril(Value x, Value k, At at = At::current());

/// `count` numbers from `start` to `stop` at equal distances, both among them; `start` alone where it is one. Of
/// floating point.
Value linspace(Graph& g, double start, double stop, std::int64_t count, DType dtype = f32, At at = At::current());

/// Vectors along the axes of a grid: result i is values[i] along axis i, repeated along the others. With `xy` the first
/// two axes are the other way round, as for a picture's columns and rows.
std::vector<Value> meshgrid(Values values, bool xy = false, At at = At::current());

/// y[..., c, ...] = on where c = labels[...], else off, along a new axis of the result; `off` and `on` are scalars of
/// one dtype, `classes` is a known scalar. Labels are any numbers, whose fraction is dropped; negative ones count from
/// `classes`, and those beyond have `off` everywhere. ONNX's OneHot.
Value one_hot(Value labels, Value classes, Value off, Value on, std::int64_t axis = -1, At at = At::current());

}  // namespace oxbow
