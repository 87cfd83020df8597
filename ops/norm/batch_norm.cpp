#include <oxbow/ops/norm.h>
#include <oxbow/ops/norm/batch_norm.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

namespace oxbow::ops {
namespace {

void check_rows(const Type& x) {
  if (x.shape.rank() < 2)
    throw OpError("x is " + to_string(x) + ", without an axis to average over", "Give [batch, ..., channels]");
}
std::int64_t channels(const Type& x) { return x.shape[-1]; }
std::int64_t rows(const Type& x) { return x.shape.count(0, x.shape.rank() - 1); }

// Chunks have some 16k elements, but are at most 256, and whole rows of images where these are not longer.
std::int64_t rows_a_chunk(const Type& x) {
  const std::int64_t of_size = 16384 / std::max<std::int64_t>(1, channels(x));
  const std::int64_t least = std::max({std::int64_t{1}, of_size, (rows(x) + 255) / 256});
  const std::int64_t across = x.shape.rank() > 2 ? std::max<std::int64_t>(1, x.shape[-2]) : 1;
  return across <= least ? (least + across - 1) / across * across : least;
}
std::int64_t chunks(const Type& x) { return (rows(x) + rows_a_chunk(x) - 1) / rows_a_chunk(x); }

// The consumer. Its state: of each channel the chunk's first element, then the sums of the differences to it, then
// those of their squares. A channel's sums run down the rows, however these come.
template <class T>
struct MomentsOf {
  typedef double Eight __attribute__((vector_size(64)));

  static Consumer of(const Type& x) {
    const std::int64_t c = std::max<std::int64_t>(1, channels(x));
    Consumer k{.chunk = rows_a_chunk(x) * c, .grain = c <= 512 ? c : 1, .state = 3 * c * 8, .sizes = {c}};
    k.begin = [](const Consumer&, void*) {};
    k.take = take;
    k.end = end;
    return k;
  }

  // `vectors` times eight channels, or as many single ones.
  template <class Lanes, std::int64_t vectors>
  static void add(const T* x, std::int64_t rows, std::int64_t stride, double* state) {
    constexpr std::int64_t lanes = sizeof(Lanes) / sizeof(double);
    Lanes shift[vectors], sum[vectors], squares[vectors];
    for (std::int64_t v = 0; v < vectors; ++v) {
      std::memcpy(&shift[v], state + v * lanes, sizeof(Lanes));
      std::memcpy(&sum[v], state + stride + v * lanes, sizeof(Lanes));
      std::memcpy(&squares[v], state + 2 * stride + v * lanes, sizeof(Lanes));
    }
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t v = 0; v < vectors; ++v) {
        Lanes d;
        read(x + r * stride + v * lanes, d);
        d -= shift[v];
        sum[v] += d;
        squares[v] += d * d;
      }
    for (std::int64_t v = 0; v < vectors; ++v) {
      std::memcpy(state + stride + v * lanes, &sum[v], sizeof(Lanes));
      std::memcpy(state + 2 * stride + v * lanes, &squares[v], sizeof(Lanes));
    }
  }
  // Lanes are not returned, since how depends on the instruction set.
  template <class Lanes>
  static void read(const T* x, Lanes& to) {
    if constexpr (sizeof(Lanes) == sizeof(double)) {
      to = static_cast<double>(*x);
    } else {
      typedef T From __attribute__((vector_size(8 * sizeof(T))));
      From from;
      std::memcpy(&from, x, sizeof from);
      to = __builtin_convertvector(from, Lanes);
    }
  }

  // Channels [begin, end) of rows that begin at x.
  static void add(const T* x, std::int64_t rows, std::int64_t c, std::int64_t begin, std::int64_t end, double* state) {
    std::int64_t j = begin;
    for (; j + 16 <= end; j += 16) add<Eight, 2>(x + j, rows, c, state + j);
    for (; j + 8 <= end; j += 8) add<Eight, 1>(x + j, rows, c, state + j);
    for (; j + 2 <= end; j += 2) add<double, 2>(x + j, rows, c, state + j);
    for (; j < end; ++j) add<double, 1>(x + j, rows, c, state + j);
  }

  static void take(const Consumer& k, void* memory, const void* in, std::int64_t first, std::int64_t count) {
    const T* x = static_cast<const T*>(in);
    double* state = static_cast<double*>(memory);
    const std::int64_t c = k.sizes[0];
    if (first < c) {
      const std::int64_t some = std::min(c - first, count);
      std::copy_n(x, some, state + first);
      std::fill_n(state + c + first, some, 0.0);
      std::fill_n(state + 2 * c + first, some, 0.0);
    }
    if (const std::int64_t channel = first % c; channel > 0) {  // the rest of a row
      const std::int64_t some = std::min(c - channel, count);
      add(x - channel, 1, c, channel, channel + some, state);
      x += some;
      count -= some;
    }
    add(x, count / c, c, 0, c, state);
    add(x + count / c * c, 1, c, 0, count % c, state);
  }

  static void end(const Consumer& k, void* memory, std::int64_t chunk, std::int64_t elements, void* out) {
    const double* state = static_cast<const double*>(memory);
    const std::int64_t c = k.sizes[0];
    const double count = static_cast<double>(elements / c);
    double* mean = static_cast<double*>(out) + chunk * 2 * c;
    if (elements == 0) return;  // of no channels, or no rows
    for (std::int64_t j = 0; j < c; ++j) {
      const double sum = state[c + j], squares = state[2 * c + j] - sum * (sum / count);
      mean[j] = state[j] + sum / count;
      mean[c + j] = squares < 0 ? 0 : squares;  // NaN stays
    }
  }
};

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

Consumer ChunkMoments::consume(Types in) const {
  return dispatch<dtypes::Floats>(in[0].dtype, [&]<class T>(std::type_identity<T>) { return MomentsOf<T>::of(in[0]); });
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
    constexpr std::int64_t some = 64;  // channels at once, so that a chunk's are read side by side
    for (std::int64_t first = 0; first < c; first += some) {
      const std::int64_t count = std::min(some, c - first);
      std::array<double, some> mean{}, m2{};
      for (std::int64_t chunk = 0; chunk * each < all; ++chunk) {
        const double before = static_cast<double>(chunk * each);
        const double here = static_cast<double>(std::min(each, all - chunk * each));
        const double share = here / (before + here);
        const double* of = r.in<double>(0) + chunk * 2 * c + first;
        for (std::int64_t k = 0; k < count; ++k) {
          const auto i = static_cast<std::size_t>(k);
          const double delta = of[k] - mean[i];
          mean[i] += delta * share;
          m2[i] += of[c + k] + delta * delta * before * share;
        }
      }
      const double none = all == 0 ? std::numeric_limits<double>::quiet_NaN() : 0;
      for (std::int64_t k = 0; k < count; ++k) {
        const auto i = static_cast<std::size_t>(k);
        if (r.wants(0)) r.out<T>(0)[first + k] = static_cast<T>(mean[i] + none);
        if (!r.wants(1)) continue;
        // Of finite numbers it is finite, so that one batch does not make a running variance infinite for ever.
        constexpr double largest = std::numeric_limits<T>::max();
        const double variance = m2[i] / static_cast<double>(all) + none;
        r.out<T>(1)[first + k] = static_cast<T>(std::isfinite(variance) ? std::min(variance, largest) : variance);
      }
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
