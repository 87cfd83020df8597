#include <oxbow/ops/linalg.h>
#include <oxbow/ops/linalg/pack.h>
#include <oxbow/ops/shared/gemm.h>
#include <oxbow/ops/shared/transpose.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

constexpr std::int64_t rows_a_part = 256;  // of a panel: 64 kB of floats

// Work is cut into units: `rows_a_part` rows of one panel of one matrix.
struct Cut {
  std::int64_t matrices, rows, columns, panels, blocks;  // of the output; blocks of rows a panel
  std::int64_t units() const { return matrices * panels * blocks; }
};
Cut cut(const Type& out) {
  const Shape& s = out.shape;
  const std::int64_t p = out.layout.panel;
  return {s.count(0, s.rank() - 2), s[-2], s[-1], (s[-1] + p - 1) / p, (s[-2] + rows_a_part - 1) / rows_a_part};
}

constexpr std::int64_t widest = 1 << 20;

template <class T>
void pack_unit(const Pack& op, const Run& r, const Cut& cut, std::int64_t unit) {
  const std::int64_t block = unit % cut.blocks, j = unit / cut.blocks % cut.panels,
                     matrix = unit / cut.blocks / cut.panels;
  const std::int64_t first = block * rows_a_part, rows = std::min(rows_a_part, cut.rows - first);
  const std::int64_t columns = std::min(op.panel, cut.columns - j * op.panel);
  const T* from = reinterpret_cast<const T*>(r.inputs[0].bytes) + matrix * cut.rows * cut.columns;
  T* to = reinterpret_cast<T*>(r.outputs[0].bytes) + ((matrix * cut.panels + j) * cut.rows + first) * op.panel;
  if (op.transpose) {
    copy_transposed(from + j * op.panel * cut.rows + first, cut.rows, to, op.panel, rows, columns);
  } else {
    for (std::int64_t i = 0; i < rows; ++i)
      std::copy_n(from + (first + i) * cut.columns + j * op.panel, columns, to + i * op.panel);
  }
  for (std::int64_t i = 0; i < rows; ++i) std::fill_n(to + i * op.panel + columns, op.panel - columns, T(0));
}

}  // namespace

Type Pack::infer(Types in) const {
  const Type& x = in[0];
  if (x.shape.rank() < 2) throw OpError("x has fewer than two axes", "Only matrices are packed");
  if (panel < 1 || panel > widest)
    throw OpError("a panel cannot be " + std::to_string(panel) + " wide", "Use 64, or 16");
  const int rank = x.shape.rank();
  const Shape shape = transpose ? x.shape.with(rank - 2, x.shape[-1]).with(rank - 1, x.shape[-2]) : x.shape;
  return {x.dtype, shape, {.panel = static_cast<std::int32_t>(panel)}};
}

Work Pack::work(Types in) const {
  const Type out = infer(in);
  return {.parts = std::max<std::int64_t>(1, cut(out).units()),
          .bytes = static_cast<double>(in[0].bytes() + out.bytes())};
}

void Pack::run(const Run& r) const {
  const Cut c = cut(r.out_type());
  if (c.units() == 0) return;
  dispatch_width(r.out_type().dtype, [&]<class T>(std::type_identity<T>) { pack_unit<T>(*this, r, c, r.part); });
}

Value pack(Value x, bool transpose, At at) {
  const std::int64_t columns = x && x.rank() >= 2 ? x.shape()[transpose ? -2 : -1] : 1;
  const std::int64_t all = std::max<std::int64_t>((columns + 15) / 16 * 16, 16);
  const std::int64_t panel = x && gemm::has_kernels(x.dtype()) ? std::min<std::int64_t>(all, 64) : all;
  return apply(Pack{.panel = panel, .transpose = transpose}, {x}, at);
}

}  // namespace oxbow::ops
