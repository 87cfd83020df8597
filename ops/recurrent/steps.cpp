#include <oxbow/ops/linalg/product.h>
#include <oxbow/ops/recurrent/steps.h>

namespace oxbow::ops::recurrent {
namespace {

constexpr std::int64_t sum_chunk = 256;     // of k at once, as in products
constexpr std::int64_t fewest = 4;          // rows, of weights that stay in the second-level cache
constexpr std::int64_t fewest_if_far = 16;  // rows, of others: each weight read serves as many
constexpr std::int64_t good = 8;            // rows that keep kernels of all instruction sets busy
constexpr std::int64_t some_parts = 4, most_parts = 16;
constexpr double part_flops = 1e6;  // some 10 us: far above the cost of handing a part over

std::int64_t ceiling(std::int64_t n, std::int64_t of) { return (n + of - 1) / of; }

}  // namespace

Sizes::Sizes(const Shape& states, std::int64_t width) : time(states[0]), batch(states[1]), units(states[2]) {
  const std::int64_t least = units * width <= 2 * stays_in_cache ? fewest : fewest_if_far;
  rows = std::max({ceiling(batch, most_parts), std::min(good, ceiling(batch, some_parts)), least});
  const double row_flops = 2.0 * static_cast<double>(time) * static_cast<double>(units * width);
  while (rows < batch && static_cast<double>(rows) * row_flops < part_flops) rows *= 2;
  parts = std::max<std::int64_t>(ceiling(batch, rows), 1);
  rows = ceiling(batch, parts);
}

Work work_of(DType dtype, const Sizes& sizes, std::int64_t units, std::int64_t scratch, const Cell& cell) {
  const double cells = static_cast<double>(sizes.time * sizes.batch * units);
  Work work{
      .parts = sizes.parts, .scratch = scratch, .bytes = cells * static_cast<double>(cell.numbers * size_of(dtype))};
  work.add_flops(cells * static_cast<double>(cell.products), gemm::flops_per_ns(dtype, units));
  work.add_flops(cells * static_cast<double>(cell.others));
  return work;
}

StepProduct::StepProduct(DType dtype, const Sizes& sizes, const Factors& of, bool accumulate)
    : of_(of), rows_(sizes.rows), last_rows_(sizes.last_rows()), last_part_(sizes.parts - 1), accumulate_(accumulate) {
  const std::int64_t k = of.k, columns = of.columns;
  const std::int64_t chunks = gemm::sums_in_one_chain(dtype) ? ceiling(k, sum_chunk) : 1;
  chunk_ = k == 0 ? 0 : ceiling(k, chunks);
  if (k == 0 || columns == 0) return;
  for (const bool last : {false, true})
    for (const bool last_panel : {false, true}) {
      const std::int64_t rows_now = last ? last_rows_ : rows_, panels = ceiling(columns, panel_),
                         wide = last_panel ? columns - (panels - 1) * panel_ : panel_;
      if (rows_now == 0 || (!last && sizes.parts == 1) || (!last_panel && panels == 1)) continue;
      const double all = flops() * static_cast<double>(rows_now);
      if (product_path(dtype, rows_now, wide, k, all) != ProductPath::jit) continue;
      gemm::Shape s{.rows = rows_now,
                    .columns = wide,
                    .k = chunk_,
                    .lda = of.a_stride,
                    .ldb = of.b_stride,
                    .ldy = of.y_stride,
                    .accumulate = accumulate};
      auto& kernels = kernels_[last][last_panel];
      kernels[0] = gemm::kernel(s);
      s.accumulate = true;
      if (chunks > 2) kernels[1] = gemm::kernel(s);
      s.k = k - chunk_ * (chunks - 1);
      if (chunks > 1) kernels[2] = gemm::kernel(s);
      if ((chunks > 2 && !kernels[1]) || (chunks > 1 && !kernels[2])) kernels[0] = {};
    }
}

template <class T>
void StepProduct::multiply(std::int64_t part, const T* a, const T* b, T* y) const {
  const bool last = part == last_part_;
  const std::int64_t rows = last ? last_rows_ : rows_;
  std::int64_t p = 0;
  do {
    const std::int64_t deep = std::min(chunk_, of_.k - p);
    for (std::int64_t j = 0; j < of_.columns; j += panel_) {
      const T* const right = b + p * of_.b_stride + j;
      const auto& kernels = kernels_[last][j + panel_ >= of_.columns];
      if constexpr (std::is_same_v<T, float>)
        if (kernels[0]) {
          kernels[p == 0 ? 0 : p + chunk_ < of_.k ? 1 : 2](right, a + p, y + j);
          continue;
        }
      gemm::multiply<T>(rows, std::min(panel_, of_.columns - j), deep, {a + p, of_.a_stride, 1}, right, of_.b_stride,
                        y + j, of_.y_stride, accumulate_ || p > 0);
    }
    p += chunk_;
  } while (p < of_.k);
}

template void StepProduct::multiply(std::int64_t, const float*, const float*, float*) const;
template void StepProduct::multiply(std::int64_t, const double*, const double*, double*) const;

void check_is(const char* name, const Type& t, const Type& wanted) {
  if (t != wanted)
    throw OpError(std::string(name) + " is " + to_string(t) + ", not " + to_string(wanted), "Give that type");
}

void check_may_be(const char* name, const Type& t, const Type& wanted) {
  if (t.present) check_is(name, t, wanted);
}

}  // namespace oxbow::ops::recurrent
