#include <oxbow/graph/passes/fusion/epilogue.h>
#include <oxbow/graph/passes/fusion/tape_plan.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/cuts.h>
#include <oxbow/ops/conv/geometry.h>
#include <oxbow/ops/conv/nodes.h>
#include <oxbow/ops/shared/gemm.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

constexpr std::int64_t tile_bytes = 32 << 10;    // of strips: they are added up from the first cache
constexpr std::int64_t image_bytes = 256 << 10;  // of an image, which a part keeps in the second

}  // namespace

struct ConvStrips::Plan {
  ConvShape s;
  DType dtype = f32;
  std::int64_t weight_panel = 0;
  std::int64_t tile_rows = 1;       // of dy, whose strips make a tile
  gemm::Kernel kernels[2][2] = {};  // by [last rows][last panel]; empty: plain loops
  bool with_tape = false;
  internal::TapePlan tape;

  std::int64_t patch() const { return s.kh * s.kw * s.channels; }
  std::int64_t panels() const { return (patch() + panel - 1) / panel; }
  std::int64_t image() const { return s.height * s.width * s.channels; }
  std::int64_t tile_scratch() const { return aligned(tile_rows * s.columns * patch() * size_of(dtype)); }
  std::int64_t image_scratch() const { return with_tape ? aligned(image() * size_of(dtype)) : 0; }

  template <class T>
  void strips(const T* dy, const T* weights, std::int64_t rows, bool last_rows, T* tile) const;
  template <class T>
  void add(const T* tile, std::int64_t first, std::int64_t rows, T* dx) const;
};

namespace {

Work work_of(const ConvStrips::Plan& p, Types in) {
  Work w{.scratch = p.tile_scratch() + p.image_scratch() + p.tape.scratch(), .flops = p.s.flops()};
  w.bytes = static_cast<double>(in[0].bytes() + in[1].bytes() + p.s.images * p.image() * size_of(p.dtype));
  w.parts = std::clamp<std::int64_t>(static_cast<std::int64_t>(w.flops / part_flops), 1,
                                     std::max<std::int64_t>(1, p.s.images));
  w.add_flops(p.tape.flops() * static_cast<double>(p.s.images * p.image()));
  return w;
}

ConvShape shape_of(const ConvStrips& op, Types in) {
  const Shape &dy = in[0].shape, &w = in[1].shape;
  const std::int64_t channels = w[1] / (op.kh * op.kw);
  return conv_shape({dy[0], op.height, op.width, channels}, {op.kh, op.kw, channels, w[0]},
                    {.stride = op.stride, .padding = op.padding});
}

ConvStrips::Plan plan_of(const ConvStrips& op, Types in) {
  ConvStrips::Plan p;
  p.s = shape_of(op, in);
  p.dtype = in[0].dtype;
  p.weight_panel = in[1].layout.panel;
  const std::int64_t row_bytes = std::max<std::int64_t>(1, p.s.columns * p.patch() * size_of(p.dtype));
  p.tile_rows = std::clamp<std::int64_t>(tile_bytes / row_bytes, 1, std::max<std::int64_t>(1, p.s.rows));
  if (!op.epilogue.empty()) {
    std::vector<Type> types{{p.dtype, p.s.x()}};
    types.insert(types.end(), in.begin() + 2, in.end());
    p.with_tape = true;
    p.tape = internal::TapePlan(op.epilogue, types);
  }
  return p;
}

}  // namespace

bool ConvStrips::pays(const Shape& x, const Shape& weights) {
  return x[3] > 0 && x[3] < 16 && weights[0] * weights[1] > 1 && weights[3] > 0 && x.count(1, 4) * 4 <= image_bytes;
}

std::vector<Type> ConvStrips::infer(Types in) const {
  if (!(in[0].shape.rank() == 4 && in[1].shape.rank() == 2 && in[1].layout.panel > 0 && kh > 0 && kw > 0))
    throw OpError("strips take packed weights");
  if (!(in[1].layout.panel == panel || in[1].layout.panel >= in[1].shape[-1]))
    throw OpError("packed weights lie in panels of 64");
  const std::int64_t taps = in[1].shape[1];
  if (in[1].dtype != in[0].dtype || kh > taps || kw > taps / kh || taps % (kh * kw) != 0)
    throw OpError("strips of " + std::to_string(kh) + " by " + std::to_string(kw) + " do not fit weights of type " +
                  to_string(in[1]));
  check_computed<dtypes::Floats>(in[0], "dy");
  const ConvShape s = shape_of(*this, in);
  check_given("dy", in[0], {in[0].dtype, s.y()});
  const Type dx{in[0].dtype, s.x()};
  return epilogue.empty() ? std::vector{dx} : internal::epilogue_types(epilogue, dx, in.subspan(2));
}

Prepared<ConvStrips::Plan> ConvStrips::prepare(Types in) const {
  auto plan = std::make_shared<Plan>(plan_of(*this, in));
  const Prepared<Plan> prepared{work_of(*plan, in), plan};
  const ConvShape& s = plan->s;
  if (!gemm::sums_in_one_chain(plan->dtype) || !gemm::has_jit()) return prepared;
  if (s.flops() < jit_flops * static_cast<double>(std::max<std::int64_t>(s.images, 1))) return prepared;
  for (int last_rows = 0; last_rows < 2; ++last_rows)
    for (int last_panel = 0; last_panel < 2; ++last_panel) {
      const std::int64_t tiles = (s.rows + plan->tile_rows - 1) / plan->tile_rows;
      const std::int64_t rows = last_rows ? s.rows - plan->tile_rows * (tiles - 1) : plan->tile_rows;
      const std::int64_t columns = last_panel ? plan->patch() - panel * (plan->panels() - 1) : panel;
      if ((!last_rows && tiles == 1) || (!last_panel && plan->panels() == 1)) continue;
      plan->kernels[last_rows][last_panel] = gemm::kernel({.rows = rows * s.columns,
                                                           .columns = columns,
                                                           .k = s.kernels,
                                                           .lda = s.kernels,
                                                           .ldb = plan->weight_panel,
                                                           .ldy = plan->patch()});
    }
  return prepared;
}

// tile[pixel][kh][kw][c] = dy[pixel][k] weights[k][kh kw c] for some rows of dy.
template <class T>
void ConvStrips::Plan::strips(const T* dy, const T* weights, std::int64_t rows, bool last_rows, T* tile) const {
  for (std::int64_t j = 0; j < panels(); ++j) {
    const T* w = weights + j * (weight_panel > panel ? panel : s.kernels * weight_panel);
    if constexpr (std::is_same_v<T, float>)
      if (const auto& kernel = kernels[last_rows][j == panels() - 1]) {
        kernel(w, dy, tile + j * panel);
        continue;
      }
    gemm::multiply<T>(rows * s.columns, std::min(panel, patch() - j * panel), s.kernels, {dy, s.kernels, 1}, w,
                      weight_panel, tile + j * panel, patch(), false);
  }
}

// Adds the strips of dy's rows from `first` on to an image: a row of taps is one run of dx.
template <class T>
void ConvStrips::Plan::add(const T* tile, std::int64_t first, std::int64_t rows, T* dx) const {
  const std::int64_t strip = s.kw * s.channels, width = s.width * s.channels;
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t down = 0; down < s.kh; ++down) {
      const std::int64_t row = (first + i) * s.stride.down + down - s.top;
      if (row < 0 || row >= s.height) continue;
      for (std::int64_t j = 0; j < s.columns; ++j) {
        const std::int64_t at = (j * s.stride.across - s.left) * s.channels;
        const std::int64_t begin = std::max<std::int64_t>(0, -at), end = std::min(strip, width - at);
        const T* __restrict from = tile + (i * s.columns + j) * patch() + down * strip;
        T* __restrict to = dx + row * width + at;
        for (std::int64_t e = begin; e < end; ++e) to[e] += from[e];
      }
    }
}

void ConvStrips::run(const Run& r, const Plan& p) const {
  const ConvShape& s = p.s;
  const auto compute = [&]<class T>(std::type_identity<T>) {
    T* tile = reinterpret_cast<T*>(r.scratch);
    T* block = reinterpret_cast<T*>(r.scratch + p.tile_scratch());
    const auto [begin, end] = r.share(s.images);
    for (std::int64_t n = begin; n < end; ++n) {
      const T* dy = r.in<T>(0) + n * s.rows * s.columns * s.kernels;
      T* dx = p.with_tape ? block : r.out<T>() + n * p.image();
      std::fill_n(dx, p.image(), T(0));
      for (std::int64_t i = 0; i < s.rows; i += p.tile_rows) {
        const std::int64_t rows = std::min(p.tile_rows, s.rows - i);
        p.strips<T>(dy + i * s.columns * s.kernels, r.in<T>(1), rows, i + rows == s.rows, tile);
        p.add<T>(tile, i, rows, dx);
      }
      if (p.with_tape)
        p.tape.run(r.inputs.subspan(2), r.outputs,
                   {.first = n * p.image(),
                    .rows = s.height * s.width,
                    .columns = s.channels,
                    .stride = s.channels,
                    .result = block,
                    .result_stride = s.channels},
                   r.scratch + p.tile_scratch() + p.image_scratch());
    }
  };
  dispatch<dtypes::Floats>(p.dtype, compute);
}

std::vector<InputSet> ConvStrips::overwrites(Types in) const {
  return internal::epilogue_overwrites(epilogue, {in[0].dtype, shape_of(*this, in).x()}, in, 2);
}

std::optional<Op> ConvStrips::with_epilogue(int, const internal::Tape& tape, Types) const {
  return internal::extended(*this, tape);
}

}  // namespace oxbow::ops
