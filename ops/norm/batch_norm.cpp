#include <oxbow/ops/norm.h>
#include <oxbow/ops/norm/batch_norm.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace oxbow::ops {
namespace {

void check_rows(const Type& x) {
  if (x.shape.rank() < 2)
    throw OpError("x is " + to_string(x) + ", without an axis to average over", "Give [batch, ..., channels]");
}
std::int64_t channels(const Type& x) { return x.shape[-1]; }
std::int64_t rows(const Type& x) { return x.shape.count(0, x.shape.rank() - 1); }

// Chunks have some 16k elements (64 KB of f32, so the second pass reads from cache) but are at most 256.
std::int64_t rows_a_chunk(const Type& x) {
  const std::int64_t of_size = 16384 / std::max<std::int64_t>(1, channels(x));
  return std::max({std::int64_t{1}, of_size, (rows(x) + 255) / 256});
}
std::int64_t chunks(const Type& x) { return (rows(x) + rows_a_chunk(x) - 1) / rows_a_chunk(x); }

// Mean and sum of squared deviations of `width` neighbouring channels over rows that lie `stride` elements apart.
// The sums stay in registers; each channel's sum runs down the rows, whatever the width.
template <int width, class T>
void moments(const T* x, std::int64_t count, std::int64_t stride, double* mean, double* m2) {
  double sum[width] = {}, squares[width] = {};
  for (std::int64_t r = 0; r < count; ++r)
    for (int c = 0; c < width; ++c) sum[c] += static_cast<double>(x[r * stride + c]);
  for (int c = 0; c < width; ++c) mean[c] = sum[c] / static_cast<double>(count);
  for (std::int64_t r = 0; r < count; ++r) {
    for (int c = 0; c < width; ++c) {
      const double d = static_cast<double>(x[r * stride + c]) - mean[c];
      squares[c] += d * d;
    }
  }
  for (int c = 0; c < width; ++c) m2[c] = squares[c];
}

}  // namespace

std::vector<Type> BatchMoments::infer(Types in) const {
  const Type& x = in[0];
  check_dtype(dtypes::Floats{}, x, "x");
  check_rows(x);
  const Type each{x.dtype, {channels(x)}};
  if (in[1] != each || in[2] != each)
    throw OpError(
        "running statistics are " + to_string(in[1]) + " and " + to_string(in[2]) + ", but x is " + to_string(x),
        "Both must be " + to_string(each));
  return {each, each};
}

std::vector<Value> BatchMoments::lower(Values in) const {
  if (rows(in[0].type()) == 0) return {in[1], in[2]};
  const Value partial = apply(ChunkMoments{}, {in[0]}, At::current());
  const Value mean = apply(MergeMoments{}, {partial, in[0]}, At::current());
  return {mean, mean.node().output(1)};
}

// In the compute type throughout: the count of elements may be beyond f16.
Grads BatchMoments::gradient(const Node& n, Values d) const {
  const DType own = n.input(0).dtype();
  const auto wide = [&](Value v) { return v ? cast(v, compute_type(own)) : v; };
  const Value x = wide(n.input(0)), dy[] = {wide(d[0]), wide(d[1])};
  std::vector<std::int64_t> axes;
  for (int i = 0; i + 1 < x.rank(); ++i) axes.push_back(i);
  const Value count = count_like(x, axes);
  Value dx;
  if (dy[0]) dx = dy[0] / count;
  if (dy[1]) {
    const Value spread = (x - wide(n.output(0))) * (dy[1] * 2.0 / count);
    dx = dx ? spread + dx : spread;
  }
  return {cast(dy[1] ? dx : broadcast_like(dx, x), own), Value(), Value()};
}

Type ChunkMoments::infer(Types in) const {
  check_computed<dtypes::Floats>(in[0], "x");
  check_rows(in[0]);
  return {f64, {chunks(in[0]), 2, channels(in[0])}};
}

Work ChunkMoments::work(Types in) const {
  const auto elements = static_cast<double>(in[0].count());
  return {.parts = std::max<std::int64_t>(1, chunks(in[0])),
          .flops = 4 * elements,
          .bytes = elements * static_cast<double>(size_of(in[0].dtype))};
}

void ChunkMoments::run(const Run& r) const {
  const Type& type = r.in_type(0);
  const std::int64_t c = channels(type), each = rows_a_chunk(type);
  const auto [begin, end] = r.share(chunks(type));
  dispatch<dtypes::Floats>(type.dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t chunk = begin; chunk < end; ++chunk) {
      const T* x = r.in<T>(0) + chunk * each * c;
      const std::int64_t count = std::min(each, rows(type) - chunk * each);
      double* mean = r.out<double>() + chunk * 2 * c;
      double* m2 = mean + c;
      std::int64_t k = 0;
      for (; k + 16 <= c; k += 16) moments<16>(x + k, count, c, mean + k, m2 + k);
      for (; k + 4 <= c; k += 4) moments<4>(x + k, count, c, mean + k, m2 + k);
      for (; k < c; ++k) moments<1>(x + k, count, c, mean + k, m2 + k);
    }
  });
}

std::vector<Type> MergeMoments::infer(Types in) const {
  check_rows(in[1]);
  if (in[0] != Type{f64, {chunks(in[1]), 2, channels(in[1])}})
    throw OpError("the chunks are not those of " + to_string(in[1]), "They come from chunk_moments of the same x");
  check_computed<dtypes::Floats>(in[1], "x");
  const Type each{in[1].dtype, {channels(in[1])}};
  return {each, each};
}

void MergeMoments::run(const Run& r) const {
  const Type& type = r.in_type(1);
  const std::int64_t c = channels(type), each = rows_a_chunk(type), all = rows(type);
  dispatch<dtypes::Floats>(type.dtype, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t k = 0; k < c; ++k) {
      double mean = 0, m2 = 0;
      for (std::int64_t chunk = 0; chunk < chunks(type); ++chunk) {
        const double before = static_cast<double>(chunk * each);
        const double here = static_cast<double>(std::min(each, all - chunk * each));
        const double* of = r.in<double>(0) + chunk * 2 * c + k;
        const double delta = of[0] - mean, share = here / (before + here);
        mean += delta * share;
        m2 += of[c] + delta * delta * before * share;
      }
      const double none = all == 0 ? std::numeric_limits<double>::quiet_NaN() : 0;
      if (r.wants(0)) r.out<T>(0)[k] = static_cast<T>(mean + none);
      if (!r.wants(1)) continue;
      // Of finite numbers it is finite, so that one batch does not make a running variance infinite for ever.
      constexpr double largest = std::numeric_limits<T>::max();
      const double variance = m2 / static_cast<double>(all) + none;
      r.out<T>(1)[k] = static_cast<T>(std::isfinite(variance) ? std::min(variance, largest) : variance);
    }
  });
}

}  // namespace oxbow::ops

namespace oxbow {

Moments batch_moments(Value x, Value running_mean, Value running_variance, At at) {
  const Value mean = apply(ops::BatchMoments{}, {x, running_mean, running_variance}, at);
  return {mean, mean.node().output(1)};
}

}  // namespace oxbow
