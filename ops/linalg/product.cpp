#include <oxbow/graph/passes/fusion/epilogue.h>
#include <oxbow/graph/passes/fusion/tape_plan.h>
#include <oxbow/graph/support/tables.h>
#include <oxbow/ops/linalg.h>
#include <oxbow/ops/linalg/product.h>
#include <oxbow/ops/shared/gemm.h>
#include <oxbow/ops/shared/gemm_narrow.h>
#include <oxbow/ops/widen.h>

#include <algorithm>
#include <array>

namespace oxbow::ops {
namespace {

constexpr std::int64_t panel = 64;          // columns of a tile: four 16-lane registers, a panel's width
constexpr std::int64_t wide = 96;           // the same where `gemm::multiply` computes all: a block of Eigen's
constexpr std::int64_t tallest = 128;       // rows of a tile: with 64 columns 32 kB
constexpr std::int64_t shortest = 32;       // rows of a tile that is cut for having more tiles
constexpr std::int64_t tower = 256;         // rows of a tile for which b is packed: a copy serves as many
constexpr std::int64_t band = 16384;        // elements of a tile of whole rows, at most: 64 kB of floats
constexpr std::int64_t area = 65536;        // elements of a wide tile: 256 kB
constexpr std::int64_t enough_chunks = 32;  // of reductions: so many parts may be fewer than without them
constexpr std::int64_t far = 1 << 20;       // elements of b, of which the second-level cache holds less than half
constexpr std::int64_t sum_chunk = 256;     // of k at once: 64 columns of b for it stay in the second-level cache
constexpr std::int64_t few_pages = 128;  // the same where k goes over rows of a or b, and each is in a page of its own
constexpr double part_flops = 1e6;       // some 10 us: far above the cost of handing a part over
constexpr double long_flops = 5e7;       // some 0.4 ms: of such tiles there are 16, where they can be cut
constexpr double jit_flops = 2 * 4096;   // below, plain loops take less than 2 us

// The product as matrices, and its tiles. Unit u of the work is a tile: batch major, then columns, then blocks of rows,
// or rows before columns. A tile is a panel wide, or, where that pays, several or all of n: a tape wants long rows, and
// a chunk of a serves all panels.
struct Tiling {
  std::int64_t batches = 1, m = 0, n = 0, k = 0;
  std::int64_t rows = 1, row_tiles = 0, panels = 0;  // `rows` of each tile but the last
  std::int64_t step = panel;                         // columns computed at once
  std::int64_t width = panel, column_tiles = 0;      // `width` of each tile but the last: one or all steps
  std::int64_t units = 0, units_a_part = 1;
  bool rows_first = false;  // units go over the columns of a block of rows, then on to the next block
  bool packs = false;       // what a kernel reads of b is copied to where its rows lie side by side
  double flops() const { return 2.0 * static_cast<double>(batches * m) * static_cast<double>(n * k); }
  std::int64_t parts() const { return (units + units_a_part - 1) / units_a_part; }
};

std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

// Whether a's leading axes only add rows: b is the same matrix for all of them.
bool merges_rows(const Product& op, const Shape& a, const Shape& b) {
  return !op.transpose_a && b.count(0, b.rank() - 2) == 1 && a.rank() >= b.rank();
}

Tiling tiling(const Product& op, Types in, const Type& result) {
  const Shape &a = in[0].shape, &b = in[1].shape;
  Tiling t{.n = b[-1]};
  const std::int64_t step = gemm::sums_in_one_chain(result.dtype) || in[1].layout.panel == panel ? panel : wide;
  if (op.sum_leading) {
    t.m = a[-1];
    t.k = a.count(0, a.rank() - 1);
  } else if (merges_rows(op, a, b)) {
    t.m = a.count(0, a.rank() - 1);
    t.k = a[-1];
  } else {
    t.batches = result.shape.count(0, result.shape.rank() - 2);
    t.m = a[op.transpose_a ? -1 : -2];
    t.k = a[op.transpose_a ? -2 : -1];
  }
  if (result.count() == 0) return t;
  t.step = step;
  t.panels = (t.n + step - 1) / step;
  std::int64_t limit = tallest;
  const auto tiles = [&] { return t.batches * t.column_tiles * ((t.m + limit - 1) / limit); };
  const auto too_few = [&] {
    const double each = t.flops() / static_cast<double>(tiles());
    return tiles() < (each > long_flops ? 16 : 8) && each > 2 * part_flops;
  };
  const auto cut = [&](std::int64_t width, std::int64_t tall, std::int64_t least = shortest) {
    t.width = width;
    t.column_tiles = (t.n + width - 1) / width;
    limit = tall;
    while (limit > least && t.m > limit / 2 && too_few()) limit /= 2;  // so that there is something to share out
  };
  // Kernels of AVX-512 serve rows of b as well as panels, several side by side. Those of AVX2 go over rows in strips:
  // there only a tape's longer runs repay a wide tile, and only where b lies in panels.
  const bool in_rows = in[1].layout.plain(), with_tape = !op.epilogue.empty();
  const bool wide_tile = gemm::sums_in_one_chain(result.dtype) && t.k * t.n > stays_in_cache &&
                         (gemm::reads_whole_panels() ? in_rows || with_tape : !in_rows && with_tape);
  // 256 kB. Whole tiles of 1024 x 1024 x 1024, GF/s: 64 rows by 16 panels 145 (145 of a^T b), 128 by 8 156 (148).
  // With a tape a^T b does better in long rows.
  const std::int64_t flat = op.transpose_a ? 64 : 128, abreast = op.transpose_a ? 16 : 8;
  for (std::int64_t across = wide_tile ? abreast : 1;; across /= 2) {
    const std::int64_t groups = (t.panels + across - 1) / across;
    const std::int64_t width = std::min((t.panels + groups - 1) / groups * step, t.n);
    cut(width, width > step ? flat : tallest, across > abreast / 4 ? flat : shortest);
    if (across == 1 || !too_few()) break;
  }
  // Where only tiles of a few panels are left over a long sum, each would fetch b from memory for 64 rows alone, in
  // pieces a page apart. For 3200 x 256 against 3200 x 1024, GF/s: 64 by 128 of rows 114, of copies 119; 256 by 64 of
  // rows 124, of copies 137.
  const std::int64_t towers = t.batches * t.panels * (t.m / tower);
  if (wide_tile && op.transpose_a && in_rows && towers >= 8 && t.k * t.n > far && t.width < abreast / 2 * step) {
    cut(step, tower, tower);
    t.packs = true;
  }
  if (!op.epilogue.reductions.empty()) {  // whole rows, in whole chunks
    const std::int64_t chunk = internal::reduction_chunk(op.epilogue, result, in.subspan(2)) / t.n;
    cut(t.n, chunk, chunk);
    if (t.k * t.n > stays_in_cache) limit *= std::max<std::int64_t>(1, flat / chunk);
  } else if (!op.epilogue.empty() && t.n * shortest / 2 <= band && t.k * t.n <= stays_in_cache) {
    const Tiling before = t;
    const std::int64_t limit_before = limit;
    cut(t.n, std::clamp(band / t.n / 4 * 4, shortest / 2, tallest));
    if (too_few()) {
      t = before;
      limit = limit_before;
    }
  }
  t.row_tiles = (t.m + limit - 1) / limit;
  t.rows =
      op.epilogue.reductions.empty() ? std::min(limit, ((t.m + t.row_tiles - 1) / t.row_tiles + 3) / 4 * 4) : limit;
  t.row_tiles = (t.m + t.rows - 1) / t.rows;
  t.units = t.batches * t.column_tiles * t.row_tiles;
  // All of b stays in cache: a part is better some rows, which are what the parts of other ops are, than some columns.
  t.rows_first = !op.transpose_a && t.k * t.n <= stays_in_cache;
  const double unit_flops = t.flops() / static_cast<double>(t.units);
  t.units_a_part = std::clamp(static_cast<std::int64_t>(part_flops / (unit_flops + 1)), std::int64_t{1}, t.units);
  return t;
}

// Where the operand's matrices of so many elements begin, for each matrix of the output.
struct Matrices {
  std::vector<std::int64_t> table = {};  // empty: so many elements apart
  std::int64_t apart = 0;
  std::int64_t operator[](std::int64_t i) const {
    return table.empty() ? i * apart : table[static_cast<std::size_t>(i)];
  }
};

Matrices matrices(const Shape& operand, const Shape& result, std::int64_t elements) {
  const std::int64_t count = result.count(0, result.rank() - 2), own = operand.count(0, operand.rank() - 2);
  if (own == 1) return {};
  if (own == count) return {.apart = elements};
  Matrices m;
  internal::claim_table(count, sizeof(std::int64_t));
  m.table.reserve(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t rest = i, number = 0, stride = 1;
    for (int axis = -3; axis >= -operand.rank(); --axis) {
      number += operand[axis] == 1 ? 0 : rest % result[axis] * stride;
      stride *= operand[axis];
      rest /= result[axis];
    }
    m.table.push_back(number * elements);
  }
  return m;
}

}  // namespace

// libxsmm's kernels fuse each multiplication with its addition. Where this library cannot, they are not used, or an
// element's bits would depend on the path.
ProductPath product_path(DType dtype, std::int64_t rows, std::int64_t columns, std::int64_t k, double flops) {
  if (gemm::sums_in_one_chain(dtype) && flops >= jit_flops && gemm::is_one_chain(rows, columns) && gemm::has_jit())
    return ProductPath::jit;
  const bool eigen = gemm::path(dtype, rows, columns, k) == gemm::Path::eigen;
  return eigen ? ProductPath::eigen : ProductPath::loops;
}

struct Product::Plan {
  Tiling tiles;
  std::int64_t a_row = 0, a_step = 0;      // between a's elements along the product's rows and along k
  std::int64_t ldb = 0, panel_stride = 0;  // between b's rows, and between its panels
  Matrices a_matrix, b_matrix;             // where each batch's operands begin
  // Kernels by [last rows][last panel][first, middle, last chunk of k]; empty: plain loops.
  gemm::Kernel kernels[2][2][3] = {};
  std::int64_t chunk = 0;  // of k
  bool narrow = false;     // `gemm::narrow` computes it all
  bool with_tape = false;
  internal::TapePlan tape;
  int stored = -1;                // the output of the tape that is the product itself: tiles lie there
  std::int64_t tape_scratch = 0;  // where the tape's scratch begins, behind the tile
  std::int64_t copy_scratch = 0;  // where b is copied to, behind that
  bool in_place() const { return !with_tape || stored >= 0; }
};

Type Product::result(Types in) const {
  if (in.size() < 2) throw OpError("a product has two operands");
  const Shape &a = in[0].shape, &b = in[1].shape;
  if (!(a.rank() >= 2 && b.rank() >= 2 && in[0].layout.plain() && in[0].dtype == in[1].dtype))
    throw OpError("a product's operands are matrices of one dtype, the left one row-major");
  check_computed<dtypes::Numbers>(in[0], "a");
  if (!(in[1].layout.plain() || in[1].layout.panel == panel || in[1].layout.panel >= b[-1]))
    throw OpError("a product's right operand lies in panels of 64");
  if (sum_leading) {
    if (!(transpose_a && a.without(-1) == b.without(-1))) throw OpError("a product's leading axes are equal");
    return {in[0].dtype, {a[-1], b[-1]}};
  }
  if (!(a[transpose_a ? -2 : -1] == b[-2])) throw OpError("a product's inner sizes are equal");
  const auto leading = [](const Shape& s) { return Shape(std::span(s.begin(), s.end() - 2)); };
  const Shape batch = broadcast(leading(a), leading(b));
  return {in[0].dtype, batch.inserted(batch.rank(), a[transpose_a ? -1 : -2]).inserted(batch.rank() + 1, b[-1])};
}

std::vector<Type> Product::infer(Types in) const {
  const Type type = result(in);
  if (epilogue.empty()) return {type};
  return internal::epilogue_types(epilogue, type, in.subspan(2));
}

Prepared<Product::Plan> Product::prepare(Types in) const {
  const Type type = result(in);
  const Shape &a = in[0].shape, &b = in[1].shape;
  auto plan = std::make_shared<Plan>();
  Plan& p = *plan;
  const Tiling& t = p.tiles = tiling(*this, in, type);
  Work work{.parts = std::max<std::int64_t>(t.parts(), 1), .bytes = static_cast<double>(type.bytes())};
  work.add_flops(t.flops(), gemm::flops_per_ns(type.dtype, t.n));
  for (const Type& i : in) work.bytes += static_cast<double>(i.bytes());
  p.a_row = transpose_a ? 1 : t.k;
  p.a_step = transpose_a ? t.m : 1;
  const std::int64_t b_panel = in[1].layout.panel;
  p.ldb = b_panel ? b_panel : t.n;
  p.panel_stride = b_panel == panel ? panel * b[-2] : t.step;
  if (t.batches > 1) {
    const std::int64_t b_size = b_panel ? round_up(t.n, b_panel) * b[-2] : t.k * t.n;
    p.a_matrix = matrices(a, type.shape, t.m * t.k);
    p.b_matrix = matrices(b, type.shape, b_size);
  }
  // What sums in one chain may be summed in chunks, by whatever kernel.
  const bool paged = gemm::reads_whole_panels() && (transpose_a || (t.width > t.step && in[1].layout.plain()));
  const std::int64_t longest = paged ? few_pages : sum_chunk;
  const std::int64_t chunks = gemm::sums_in_one_chain(type.dtype) ? (t.k + longest - 1) / longest : 1;
  p.chunk = t.k == 0 ? 0 : (t.k + chunks - 1) / chunks;
  if (!epilogue.empty()) {
    std::vector<Type> types{type};
    types.insert(types.end(), in.begin() + 2, in.end());
    p.with_tape = true;
    p.tape = internal::TapePlan(epilogue, types);
    const auto stored = std::find(epilogue.outputs.begin(), epilogue.outputs.end(), 0);
    if (stored != epilogue.outputs.end()) p.stored = static_cast<int>(stored - epilogue.outputs.begin());
    if (p.stored < 0) p.tape_scratch = round_up(t.rows * t.width * size_of(type.dtype), 64);
    work.scratch = p.tape_scratch + p.tape.scratch();
    work.add_flops(p.tape.flops() * static_cast<double>(type.count()));
  }
  if (t.packs) {
    p.copy_scratch = round_up(work.scratch, 64);
    work.scratch = p.copy_scratch + p.chunk * panel * size_of(type.dtype);
  }
  // Kernels of AVX-512 for few columns take many rows of a at once, which is bad where these collide in the first
  // cache.
  const bool collide = t.k % 512 == 0;
  const bool widens = p.ldb < gemm::narrow_width(t.n);  // from rows of n
  p.narrow = gemm::is_narrow(type.dtype, t.n) && t.flops() >= jit_flops && (!widens || p.ldb == t.n) &&
             (!gemm::reads_whole_panels() || (!transpose_a && (t.n <= 8 || collide)));
  if (t.units == 0 || t.k == 0 || p.narrow) return {work, plan};

  for (int last_rows = 0; last_rows < 2; ++last_rows) {
    const std::int64_t rows = last_rows ? t.m - t.rows * (t.row_tiles - 1) : t.rows;
    if (!last_rows && t.row_tiles == 1) continue;
    for (int last_panel = 0; last_panel < 2; ++last_panel) {
      const std::int64_t columns = last_panel ? t.n - t.step * (t.panels - 1) : t.step;
      if (!last_panel && t.panels == 1) continue;
      if (product_path(type.dtype, rows, columns, t.k, t.flops()) != ProductPath::jit) continue;
      gemm::Shape s{.rows = rows,
                    .columns = columns,
                    .k = p.chunk,
                    .lda = transpose_a ? t.m : t.k,
                    .ldb = t.packs ? panel : p.ldb,
                    .ldy = p.in_place() ? t.n : t.width,
                    .transpose_a = transpose_a};
      auto& kernels = p.kernels[last_rows][last_panel];
      kernels[0] = gemm::kernel(s);
      s.accumulate = true;
      if (chunks > 2) kernels[1] = gemm::kernel(s);
      s.k = t.k - p.chunk * (chunks - 1);
      if (chunks > 1) kernels[2] = gemm::kernel(s);
      if ((chunks > 2 && !kernels[1]) || (chunks > 1 && !kernels[2])) kernels[0] = {};
    }
  }
  return {work, plan};
}

namespace {

// y (+)= a b for `rows` by all columns and `k` terms, a chunk at most.
void narrow(const Product::Plan& p, gemm::Strided<float> a, const float* b, std::int64_t rows, std::int64_t k, float* y,
            std::int64_t ldy, bool accumulate) {
  const std::int64_t columns = p.tiles.n, width = gemm::narrow_width(columns);
  std::array<float, sum_chunk * gemm::narrow_width(16)> wide_rows;
  std::int64_t ldb = p.ldb;
  if (ldb < width) {
    gemm::widen(k, columns, b, wide_rows.data());
    b = wide_rows.data();
    ldb = width;
  }
  gemm::narrow({.rows = rows, .columns = columns, .k = k, .ldb = ldb, .ldy = ldy, .accumulate = accumulate}, a, b, y);
}

// Rows of a panel of b, side by side.
const float* copied(const float* b, std::int64_t ldb, std::int64_t rows, std::int64_t columns, std::byte* scratch) {
  auto* const to = reinterpret_cast<float*>(scratch);
  for (std::int64_t i = 0; i < rows; ++i) std::copy_n(b + i * ldb, columns, to + i * panel);
  return to;
}

template <class T>
void compute(const Product::Plan& p, const Run& r, std::int64_t unit) {
  const Tiling& t = p.tiles;
  const std::int64_t row_tile = (t.rows_first ? unit / t.column_tiles : unit) % t.row_tiles,
                     column = (t.rows_first ? unit : unit / t.row_tiles) % t.column_tiles * t.width;
  const std::int64_t batch = unit / t.row_tiles / t.column_tiles, i = row_tile * t.rows;
  const std::int64_t rows = std::min(t.rows, t.m - i), columns = std::min(t.width, t.n - column);
  const T* a = r.in<T>(0) + p.a_matrix[batch] + i * p.a_row;
  const T* b_matrix = r.in<T>(1) + p.b_matrix[batch];

  const std::int64_t place = (batch * t.m + i) * t.n + column;
  T* tile = p.in_place() ? r.out<T>(std::max(p.stored, 0)) + place : reinterpret_cast<T*>(r.scratch);
  const std::int64_t ldy = p.in_place() ? t.n : t.width;
  std::int64_t k = 0;
  do {
    const std::int64_t deep = std::min(p.chunk, t.k - k);
    const T* left = a + k * p.a_step;
    for (std::int64_t j = 0; j < columns; j += t.step) {
      const T* b = b_matrix + (column + j) / t.step * p.panel_stride + k * p.ldb;
      T* y = tile + j;
      const auto& kernels = p.kernels[row_tile == t.row_tiles - 1][column + j + t.step >= t.n];
      if (p.narrow) {
        if constexpr (std::is_same_v<T, float>) narrow(p, {left, p.a_row, p.a_step}, b, rows, deep, y, ldy, k > 0);
      } else if (!kernels[0]) {
        gemm::multiply<T>(rows, std::min(t.step, columns - j), deep, {left, p.a_row, p.a_step}, b, p.ldb, y, ldy,
                          k > 0);
      } else if constexpr (std::is_same_v<T, float>) {
        if (t.packs) b = copied(b, p.ldb, deep, std::min(t.step, columns - j), r.scratch + p.copy_scratch);
        kernels[k == 0 ? 0 : k + p.chunk < t.k ? 1 : 2](b, left, y);
      }
    }
    k += p.chunk;
  } while (k < t.k);
  if (p.with_tape)
    p.tape.run(r.inputs.subspan(2), r.outputs,
               {.first = place, .rows = rows, .columns = columns, .stride = t.n, .result = tile, .result_stride = ldy},
               r.scratch + p.tape_scratch);
}

}  // namespace

void Product::run(const Run& r, const Plan& p) const {
  const Tiling& t = p.tiles;
  const std::int64_t first = r.part * t.units_a_part, last = std::min(first + t.units_a_part, t.units);
  dispatch<gemm::ElementTypes>(gemm::computed_as(r.in_type(0).dtype), [&]<class T>(std::type_identity<T>) {
    for (std::int64_t unit = first; unit < last; ++unit) compute<T>(p, r, unit);
  });
}

std::vector<InputSet> Product::overwrites(Types in) const {
  return internal::epilogue_overwrites(epilogue, result(in), in, 2);
}

// Where tiles are whole rows anyway, or as wide as without a tape, and chunks are no larger than tiles.
bool Product::takes_reductions(const internal::Tape& tape, Types in) const {
  if (tape.reductions.empty() || !epilogue.empty() || transpose_a) return false;
  const Types own = in.first(2), extra = in.subspan(2);
  const Type type = result(own);
  const Tiling t = tiling(*this, own, type);
  if (t.batches > 1 || (t.k * t.n > stays_in_cache && t.n > area / tallest)) return false;
  return internal::reduces_whole_rows(tape, type, extra, t.n, std::min(t.parts(), enough_chunks)) &&
         internal::reduction_chunk(tape, type, extra) <= area;
}

std::optional<Op> Product::with_epilogue(int, const internal::Tape& tape, Types in) const {
  return internal::extended(*this, tape, takes_reductions(tape, in));
}

}  // namespace oxbow::ops
