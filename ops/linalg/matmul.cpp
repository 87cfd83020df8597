#include <oxbow/ops/linalg.h>
#include <oxbow/ops/linalg/matmul.h>
#include <oxbow/ops/linalg/pack.h>
#include <oxbow/ops/linalg/product.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/taken_rows.h>
#include <oxbow/ops/shared/gemm.h>

namespace oxbow::ops {
namespace {

void check_dtypes(Types in) {
  if (in[0].dtype != in[1].dtype)
    throw OpError("the dtypes differ: " + std::string(name(in[0].dtype)) + " and " + std::string(name(in[1].dtype)),
                  "Cast one of them: cast(b, " + std::string(name(in[0].dtype)) + ")");
  if (is_integer(in[0].dtype) && is_narrow(in[0].dtype))
    throw OpError("there is no product of " + std::string(name(in[0].dtype)) + ": its sums would wrap around at " +
                      std::to_string(8 * size_of(in[0].dtype)) + " bits",
                  "Cast both to " + std::string(name(compute_type(in[0].dtype))) + ", or to f32");
  check_dtype(dtypes::Numbers{}, in[0], "a");
}

void check_matrix(const char* which, const Shape& s) {
  if (s.rank() >= 2) return;
  if (s.rank() == 0)
    throw OpError(std::string(which) + " has no axes where a matrix has two", "To multiply by a number, write a * b");
  const std::string size = std::to_string(s[0]);
  throw OpError(std::string(which) + " has one axis where a matrix has two",
                "Make it a row or a column: reshape(" + std::string(which) + ", {1, " + size + "}) or reshape(" +
                    which + ", {" + size + ", 1})");
}

// A product is a matter of flops; what it reads comes once from memory.
Work product_work(Types in, const Type& out, std::int64_t k) {
  return {.flops = 2.0 * static_cast<double>(out.count()) * static_cast<double>(k),
          .bytes = static_cast<double>(in[0].bytes() + in[1].bytes() + out.bytes())};
}

// Rows a multiple of 4 KiB apart meet in one set of the first cache.
bool rows_collide(const Type& b) { return b.shape[-1] > 0 && b.shape[-1] % 1024 == 0; }

}  // namespace

// Their rows are far apart in memory. Where they collide, fewer do: with AVX2, whole steps of a 1024-wide net with 128
// rows take 27.5 ms unpacked and 22.7 packed. With AVX-512 only the widest do that collide: 512 x 768 x 3072 takes 35
// ms unpacked and 17 packed, where 1024 columns gain as little as they cost memory. (Eigen's blocks are packed as they
// are computed.)
bool pays_to_pack(std::int64_t rows, const Type& b) {
  if (!gemm::sums_in_one_chain(b.dtype) || !gemm::has_jit()) return false;
  if (gemm::reads_whole_panels()) return rows >= 256 && b.shape[-1] >= 2048 && rows_collide(b);
  return rows >= (rows_collide(b) ? 128 : 256) && b.shape[-1] >= 512;
}

bool pays_to_pack_gradient(std::int64_t rows, const Type& b) {
  return pays_to_pack(rows, b) && (rows_collide(b) || b.shape.count() > stays_in_cache);
}

Type MatMul::infer(Types in) const {
  check_dtypes(in);
  const Shape &a = in[0].shape, &b = in[1].shape;
  if (b.rank() > 0) check_matrix("a", a);  // beside a number it may be a vector, and is not what is wrong
  check_matrix("b", b);
  const std::int64_t m = a[transpose_a ? -1 : -2], k = a[transpose_a ? -2 : -1];
  const std::int64_t k_of_b = b[transpose_b ? -1 : -2], n = b[transpose_b ? -2 : -1];
  if (k != k_of_b) {
    const std::string rows = transpose_a ? " rows" : " columns", rows_of_b = transpose_b ? " columns" : " rows";
    std::string remedy = "They must be equal: [..., n, k] times [..., k, m]";
    if (k == n) remedy = std::string("Did you mean {.transpose_b = ") + (transpose_b ? "false" : "true") + "}?";
    if (m == k_of_b) remedy = std::string("Did you mean {.transpose_a = ") + (transpose_a ? "false" : "true") + "}?";
    throw OpError(
        "the inner sizes differ: a has " + std::to_string(k) + rows + ", b has " + std::to_string(k_of_b) + rows_of_b,
        remedy);
  }
  const auto leading = [](const Shape& s) { return Shape(std::span(s.begin(), s.end() - 2)); };
  const Shape batch = broadcast(leading(a), leading(b));
  return {in[0].dtype, batch.inserted(batch.rank(), m).inserted(batch.rank() + 1, n)};
}

Work MatMul::work(Types in) const { return product_work(in, infer(in), in[0].shape[transpose_a ? -2 : -1]); }

std::vector<Value> MatMul::lower(Values in) const {
  const Value a = in[0], b = in[1];
  const std::int64_t rows =
      b.rank() == 2 && !transpose_a ? a.shape().count(0, a.rank() - 1) : a.shape()[transpose_a ? -1 : -2];
  const bool packed = transpose_b || pays_to_pack(rows, b.type());
  return {apply(Product{.transpose_a = transpose_a}, {a, packed ? pack(b, transpose_b) : b}, Location{})};
}

// With A = op(a), B = op(b): dA = dy B^T and dB = A^T dy, each transposed where the operand was.
Grads MatMul::gradient(const Node& n, Values dy) const {
  const Value a = n.input(0), b = n.input(1), d = dy[0];
  const Value da = transpose_a ? matmul(b, d, {.transpose_a = transpose_b, .transpose_b = true})
                               : matmul(d, b, {.transpose_b = !transpose_b});
  if (b.rank() == 2 && !transpose_a) {
    const TakenRows few = TakenRows::of(a);
    const Value rows = few ? few.taken(few.table) : a;
    const Value to_rows = few ? few.sums(matmul(few.table, b, {.transpose_b = transpose_b}), d) : d;
    return {da, transpose_b ? contract(to_rows, rows) : contract(rows, to_rows)};
  }
  const Value db = transpose_b ? matmul(d, a, {.transpose_a = true, .transpose_b = transpose_a})
                               : matmul(a, d, {.transpose_a = !transpose_a});
  if (a.rank() == 2 && b.rank() == 2) return {da, db};
  return {sum_to(da, a), sum_to(db, b)};
}

Type Contract::infer(Types in) const {
  check_dtypes(in);
  const Shape &a = in[0].shape, &b = in[1].shape;
  check_matrix("a", a);
  check_matrix("b", b);
  if (a.without(-1) != b.without(-1))
    throw OpError("the leading axes differ: " + to_string(a.without(-1)) + " and " + to_string(b.without(-1)),
                  "Give both the same axes but the last");
  return {in[0].dtype, {a[-1], b[-1]}};
}

Work Contract::work(Types in) const {
  return product_work(in, infer(in), in[0].shape.count(0, in[0].shape.rank() - 1));
}

std::vector<Value> Contract::lower(Values in) const {
  Value a = in[0], b = in[1];
  if (pays_to_pack_gradient(a.shape()[-1], b.type())) {
    // Leading axes are summed like one: panels are of the whole.
    const std::int64_t k = b.shape().count(0, b.rank() - 1);
    a = reshape(a, {k, a.shape()[-1]});
    b = pack(reshape(b, {k, b.shape()[-1]}));
  }
  return {apply(Product{.transpose_a = true, .sum_leading = true}, {a, b}, Location{})};
}

// y = sum a^T b, so da = b dy^T and db = a dy.
Grads Contract::gradient(const Node& n, Values dy) const {
  return {matmul(n.input(1), dy[0], {.transpose_b = true}), matmul(n.input(0), dy[0])};
}

}  // namespace oxbow::ops

namespace oxbow {

Value matmul(Value a, Value b, MatMulOptions options, At at) {
  const ops::MatMul op{.transpose_a = options.transpose_a, .transpose_b = options.transpose_b};
  const bool row = a && b && a.rank() == 1 && b.rank() > 0 && !options.transpose_a;
  const bool column = a && b && b.rank() == 1 && a.rank() > 0 && !options.transpose_b;
  if (!row && !column) return apply(op, {a, b}, at);
  return as_called("matmul", [&] {
    const Value left = row ? reshape(a, {1, -1}, at) : a, right = column ? reshape(b, {-1, 1}, at) : b;
    const Value y = apply(op, {left, right}, at);
    std::vector<std::int64_t> alone;
    if (row) alone.push_back(y.rank() - 2);
    if (column) alone.push_back(y.rank() - 1);
    return squeeze(y, alone, at);
  });
}

Value contract(Value a, Value b, At at) { return apply(ops::Contract{}, {a, b}, at); }

}  // namespace oxbow
