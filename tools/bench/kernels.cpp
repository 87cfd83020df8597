// How near products and convolutions come to this machine's peak, on one thread: GF/s of each kernel at the shapes of
// the nets that Oxbow is measured by, against fused multiply-adds in registers, read in the same minute. Weight
// gradients are read as they are and with Adam's step as their epilogue, that step also by itself.
//   build/bin/bench_kernels [part of a name]
#include <immintrin.h>
#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/ops/conv.h>
#include <oxbow/ops/conv/depthwise.h>
#include <oxbow/ops/conv/nodes.h>
#include <oxbow/ops/conv/pool.h>
#include <oxbow/ops/linalg/matmul.h>
#include <oxbow/ops/linalg/pack.h>
#include <oxbow/ops/linalg/product.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/pointwise/nested.h>
#include <oxbow/ops/pointwise/unary.h>
#include <oxbow/ops/shared/gemm.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>

#include "plain_eigen.h"

using namespace oxbow;
using namespace oxbow::ops;

namespace {

// Of this thread on a processor, so that what else runs on the machine hardly counts.
double seconds() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// The quickest of several measurements, each of some 20 ms, or of fewer where one takes long.
double quickest(const std::function<void()>& f) {
  f();
  double start = seconds();
  f();
  const int times = std::max(1, static_cast<int>(0.02 / (seconds() - start + 1e-9)));
  double best = 1e9;
  const double end = seconds() + 1;
  for (int i = 0; i < 7 && (i < 2 || seconds() < end); ++i) {
    start = seconds();
    for (int k = 0; k < times; ++k) f();
    best = std::min(best, (seconds() - start) / times);
  }
  return best;
}

// Twelve chains in registers hide the latency of four cycles on two units.
__attribute__((target("avx512f"))) float chains_512(int steps) {
  __m512 s[12];
  for (int i = 0; i < 12; ++i) s[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.999f), b = _mm512_set1_ps(0.001f);
  for (int k = 0; k < steps; ++k) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) s[i] = _mm512_fmadd_ps(s[i], a, b);
  }
  float sum = 0;
  for (const __m512& v : s)
    for (int i = 0; i < 16; ++i) sum += v[i];
  return sum;
}
__attribute__((target("avx2,fma"))) float chains_256(int steps) {
  __m256 s[12];
  for (int i = 0; i < 12; ++i) s[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(0.001f);
  for (int k = 0; k < steps; ++k) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) s[i] = _mm256_fmadd_ps(s[i], a, b);
  }
  float sum = 0;
  for (const __m256& v : s)
    for (int i = 0; i < 8; ++i) sum += v[i];
  return sum;
}

double peak() {
  constexpr int steps = 100000;
  volatile float sink = 0;
  const bool wide = __builtin_cpu_supports("avx512f");
  const double time = quickest([&] { sink = wide ? chains_512(steps) : chains_256(steps); });
  return 2.0 * 12 * (wide ? 16 : 8) * steps / time / 1e9;
}

// A step of Adam on a gradient, the tape's input 0. The inputs 1, 2, 3 are the parameter and both moments, which the
// outputs replace; single numbers follow.
internal::Tape adam() {
  internal::Tape tape{.inputs = 10};
  const auto step = [&](Op op, std::initializer_list<std::int32_t> operands) {
    return tape.add(std::move(op), std::span(operands.begin(), operands.size()));
  };
  const auto scaled = [&](std::int32_t number, std::int32_t x) { return step(Multiply{}, {number, x}); };
  const std::int32_t m = step(Add{}, {scaled(4, 2), scaled(5, 0)});
  const std::int32_t v = step(Add{}, {scaled(6, 3), scaled(7, step(Square{}, {0}))});
  const std::int32_t below = step(Add{}, {step(Sqrt{}, {v}), 9});
  tape.outputs = {step(Subtract{}, {1, step(Divide{}, {scaled(8, m), below})}), m, v};
  return tape;
}
std::vector<Type> with_adam(std::vector<Type> types, const Type& weights) {
  types.insert(types.end(), 3, weights);
  types.insert(types.end(), 6, Type{weights.dtype, {}});
  return types;
}

struct Bench {
  double best = 0;  // GF/s
  std::string wanted;

  // Runs all parts of an op on inputs of these types, one after another. `replaced`: the first of the inputs that lie
  // where the outputs do.
  void operator()(const std::string& name, const Op& op, const std::vector<Type>& types, double flops,
                  std::size_t replaced = ~std::size_t{0}) {
    if (name.find(wanted) == std::string::npos) return;
    std::vector<Tensor> tensors;
    std::vector<ConstView> in;
    std::vector<View> out;
    const std::vector<Type> out_types = op.infer(types);
    tensors.reserve(types.size() + out_types.size());
    for (const Type& t : types) {
      Tensor& x = tensors.emplace_back(t);
      dispatch(t.dtype,
               [&]<class T>(std::type_identity<T>) { std::ranges::fill(x.span<T>(), static_cast<T>(T(1) / T(2))); });
      in.push_back({&t, tensors.back().bytes()});
    }
    for (const Type& t : out_types)
      out.push_back({&t, replaced < types.size() ? tensors[replaced++].bytes() : tensors.emplace_back(t).bytes()});
    const auto [work, prepared] = op.prepare(types);
    const auto scratch = allocate(work.scratch + 64);
    const double time = quickest([&] {
      for (std::int64_t part = 0; part < work.parts; ++part)
        op.run({in, out, part, work.parts, scratch.get(), prepared.get()});
    });
    if (flops > 0)
      std::printf("%-44s %4lld parts %9.1f us %7.1f GF/s %5.1f %%\n", name.c_str(), static_cast<long long>(work.parts),
                  time * 1e6, flops / time / 1e9, 100 * flops / time / 1e9 / best);
    else
      std::printf("%-44s %4lld parts %9.1f us %7.1f GB/s\n", name.c_str(), static_cast<long long>(work.parts),
                  time * 1e6, work.bytes / time / 1e9);
  }

  // Square products of another dtype than f32, or without libxsmm, beside Eigen alone.
  void square(DType dtype, std::int64_t n) {
    const double flops = 2.0 * static_cast<double>(n * n * n);
    const std::string what = std::string(oxbow::name(dtype)) + " " + std::to_string(n) + " x " + std::to_string(n);
    const Type t{dtype, {n, n}};
    (*this)(what, Product{}, {t, t}, flops);
    (*this)(what + " to weights", Product{.transpose_a = true}, {t, t}, flops);
    const std::string alone = what + ", Eigen alone";
    if (alone.find(wanted) == std::string::npos) return;
    Tensor a(t), b(t), y(t);
    const double time = quickest([&] { tools::plain_eigen(a, b, y); });
    std::printf("%-44s    1 parts %9.1f us %7.1f GF/s\n", alone.c_str(), time * 1e6, flops / time / 1e9);
  }

  // A layer x [m, k] by w [k, n]: forward, to the weights, to x.
  void dense(std::int64_t m, std::int64_t k, std::int64_t n) {
    const double flops = 2.0 * static_cast<double>(m * k * n);
    const std::string name = std::to_string(m) + " x " + std::to_string(k) + " x " + std::to_string(n);
    const Type x{f32, {m, k}}, w{f32, {k, n}}, y{f32, {m, n}};
    const Pack swap{.panel = std::clamp<std::int64_t>((k + 15) / 16 * 16, 16, 64), .transpose = true};
    // As products are lowered.
    const auto packed = [&](const Type& b, bool pays) {
      const Pack into{};
      if (pays) (*this)("dense " + name + ": packing " + to_string(b.shape), into, {b}, 0);
      return pays ? into.infer(std::span(&b, 1)) : b;
    };
    const Type right = packed(y, pays_to_pack_gradient(k, y));
    (*this)("dense " + name, Product{}, {x, packed(w, pays_to_pack(m, w))}, flops);
    (*this)("dense " + name + " to weights", Product{.transpose_a = true}, {x, right}, flops);
    Product updates{.transpose_a = true, .epilogue = adam()};
    (*this)("dense " + name + " to weights, Adam", updates, with_adam({x, right}, w), flops, 2);
    const internal::Fused alone{.tape = adam(), .reductions = {}};
    (*this)("dense " + name + " Adam alone", alone, with_adam({w}, w), 0, 1);
    (*this)("dense " + name + " to x", Product{}, {y, swap.infer(std::span(&w, 1))}, flops);
    (*this)("dense " + name + " transposing w", swap, {w}, 0);
  }

  void conv(const Shape& x, const Shape& w, std::int64_t stride, Padding padding) {
    const ConvAttributes options{.stride = stride, .padding = padding};
    const Type tx{f32, x}, tw{f32, w};
    const Type in[] = {tx, tw};
    const Type ty = ConvForward{options}.infer(in)[0];
    const double flops = 2.0 * static_cast<double>(ty.count() * w.count(0, 3));
    const std::string name = to_string(x) + " * " + to_string(w) + (stride > 1 ? " / " + std::to_string(stride) : "");
    const Pack swap{.panel = std::clamp<std::int64_t>((w[2] + 15) / 16 * 16, 16, 64), .transpose = true};
    (*this)("conv " + name, ConvForward{options}, {tx, tw}, flops);
    (*this)("conv " + name + " to weights", ConvWeightChunks{options}, {tx, ty, tw}, flops);
    if (ConvStrips::pays(x, w)) {
      const Type flat{f32, {w.count(0, 3), w[3]}};
      const ConvStrips strips{
          .height = x[1], .width = x[2], .kh = w[0], .kw = w[1], .stride = stride, .padding = padding};
      (*this)(
          "conv " + name + " to x, strips", strips,
          {ty, Pack{.panel = std::clamp<std::int64_t>((flat.shape[0] + 15) / 16 * 16, 16, 64), .transpose = true}.infer(
                   std::span(&flat, 1))},
          flops);
    }
    (*this)("conv " + name + " to x", ConvAdjoint{options, x[1], x[2]}, {ty, swap.infer(std::span(&tw, 1))}, flops);
  }

  void depthwise(const Shape& x, std::int64_t size, std::int64_t stride) {
    const ConvAttributes options{.stride = stride, .groups = x[3]};
    const Type tx{f32, x}, tw{f32, {size, size, 1, x[3]}};
    const Type in[] = {tx, tw};
    const Type ty = DepthwiseForward{options}.infer(in)[0];
    const double flops = 2.0 * static_cast<double>(ty.count() * size * size);
    const std::string name =
        "depthwise " + to_string(x) + " " + std::to_string(size) + (stride > 1 ? " / " + std::to_string(stride) : "");
    (*this)(name, DepthwiseForward{options}, {tx, tw}, flops);
    (*this)(name + " to weights", DepthwiseWeightChunks{options}, {tx, ty, tw}, flops);
    (*this)(name + " to x", DepthwiseAdjoint{options, x[1], x[2]}, {ty, tw}, flops);
  }

  // A pair of elementwise ops as one routine beside the two of them with a tile of 512 lanes between, in cache.
  void pair(const Absorbed& p) {
    const std::string name = "pair " + p.formula;
    if (name.find(wanted) == std::string::npos) return;
    constexpr std::int64_t lanes = 512;
    const Type type{f32, {lanes}};
    const std::vector<Type> types(p.outer_operands + p.inner_operands, type);
    const Types outer_types(types.data(), p.outer_operands);
    const Types inner_types(types.data(), p.inner_operands);
    const Op both = *p.outer.absorb(p.operand, p.inner, outer_types);
    std::vector<Tensor> tensors;
    for (std::size_t i = 0; i <= types.size(); ++i) std::fill_n(tensors.emplace_back(type).data<float>(), lanes, 1.25f);
    std::vector<const void*> of_inner, of_outer, of_both;
    for (std::size_t i = 0; i + 1 < types.size(); ++i) of_both.push_back(tensors[i].bytes());
    const auto place = of_both.begin() + p.operand;
    const auto behind = place + static_cast<std::ptrdiff_t>(p.inner_operands);
    void* between = tensors[types.size() - 1].bytes();
    void* out = tensors[types.size()].bytes();
    of_inner.assign(place, behind);
    of_outer.assign(of_both.begin(), place);
    of_outer.push_back(between);
    of_outer.insert(of_outer.end(), behind, of_both.end());
    const TileFn inner = p.inner.tile(inner_types), outer = p.outer.tile(outer_types);
    const TileFn one = both.tile(Types(types.data(), of_both.size()));
    const double apart = quickest([&] {
      inner(p.inner.self(), of_inner.data(), between, lanes);
      outer(p.outer.self(), of_outer.data(), out, lanes);
    });
    const double together = quickest([&] { one(both.self(), of_both.data(), out, lanes); });
    std::printf("%-64s %7.1f ns %7.1f ns %5.1f %%\n", name.c_str(), apart * 1e9, together * 1e9,
                100 * (1 - together / apart));
  }

  void pool(const Shape& x) {
    const Type tx{f32, x};
    (*this)("max pool " + to_string(x), MaxPool{}, {tx}, 0);
    (*this)("max pool " + to_string(x) + " gradient", MaxPoolGradient{}, {tx, MaxPool{}.infer(std::span(&tx, 1))}, 0);
  }
};

}  // namespace

int main(int argc, char** argv) {
  Bench bench{.best = peak(), .wanted = argc > 1 ? argv[1] : ""};
  std::printf("peak %.1f GF/s: fused multiply-adds in registers, one thread\n", bench.best);
  bench.dense(32, 784, 256);
  bench.dense(32, 256, 256);
  bench.dense(32, 256, 10);
  bench.dense(64, 784, 512);
  bench.dense(64, 400, 120);
  bench.dense(64, 120, 84);
  bench.dense(1, 32, 32);
  bench.dense(768, 128, 128);
  bench.dense(768, 128, 512);
  bench.dense(768, 512, 128);
  bench.dense(32, 320, 1024);
  bench.dense(512, 768, 768);
  bench.dense(512, 768, 3072);
  bench.dense(512, 3072, 768);
  bench.dense(1024, 784, 1024);
  bench.dense(1024, 1024, 1024);
  bench.dense(1024, 1024, 10);
  for (const std::int64_t rows : {1, 8}) bench.dense(rows, 1024, 1024);
  for (const std::int64_t n : {64, 128, 256, 512, 1024, 2048, 4096}) bench.dense(n, n, n);
  for (const DType dtype : {f64, i32, f32})
    for (const std::int64_t n : {4, 8, 16, 32, 64, 128, 256, 512, 1024}) bench.square(dtype, n);
  bench.conv({64, 28, 28, 1}, {5, 5, 1, 6}, 1, 2);
  bench.conv({64, 14, 14, 6}, {5, 5, 6, 16}, 1, Padding::valid);
  bench.conv({64, 28, 28, 1}, {3, 3, 1, 32}, 1, Padding::same);
  bench.conv({64, 14, 14, 32}, {3, 3, 32, 64}, 1, Padding::same);
  bench.conv({64, 32, 32, 16}, {3, 3, 16, 16}, 1, Padding::same);
  bench.conv({64, 16, 16, 32}, {3, 3, 32, 32}, 1, Padding::same);
  bench.conv({64, 8, 8, 64}, {3, 3, 64, 64}, 1, Padding::same);
  bench.conv({64, 32, 32, 16}, {3, 3, 16, 32}, 2, Padding::same);
  bench.depthwise({64, 32, 32, 32}, 3, 1);
  bench.depthwise({64, 32, 32, 64}, 3, 2);
  bench.depthwise({64, 16, 16, 128}, 3, 1);
  bench.depthwise({64, 8, 8, 256}, 3, 1);
  bench.depthwise({64, 4, 4, 512}, 3, 1);
  bench.depthwise({64, 16, 16, 64}, 5, 1);
  for (const Absorbed& p : absorbed_pairs()) bench.pair(p);
  bench.pool({64, 28, 28, 6});
  bench.pool({64, 10, 10, 16});
  bench.pool({64, 28, 28, 32});
  std::printf("peak %.1f GF/s\n", peak());
}
