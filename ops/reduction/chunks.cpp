#include <oxbow/ops/reduction/cascade.h>

#include <algorithm>
#include <bit>
#include <numeric>

namespace oxbow::ops {
namespace {

constexpr std::int64_t long_row = 4096;  // `inner` from which on columns are cut into blocks
constexpr std::int64_t column_block = 1024;
constexpr std::int64_t chunk_elements = 16 * 1024;
constexpr std::int64_t chunk_rows = 32;  // at least, so that partial results are few beside what they come from

struct Slices {
  std::int64_t outer, reduced, inner;
  std::int64_t across;  // the last of several reduced axes: a row of an image's pixels
  Slices(const Shape& x, int first, int last)
      : outer(x.count(0, first)),
        reduced(x.count(first, last)),
        inner(x.count(last, x.rank())),
        across(last > first + 1 ? x[last - 1] : 1) {}
  std::int64_t size() const { return reduced * inner; }
};

// How a shape is cut: chunks of whole slices, or a single slice in chunks of whole rows.
struct Cut {
  std::int64_t slice, chunk, partials;  // of a slice: elements that a chunk adds up at once, and how many such
  explicit Cut(const Slices& s) : slice(s.size()), chunk(s.size()), partials(1) {
    const std::int64_t target = std::max(chunk_elements, chunk_rows * s.inner);
    if (s.outer > 1 || slice <= target) {
      slice = chunk = std::max<std::int64_t>(slice, 1);
      chunk *= std::max<std::int64_t>(1, std::min(s.outer, target / slice));
      return;
    }
    const std::int64_t chunks = (slice + target - 1) / target;
    std::int64_t whole = s.inner < cascade_block ? cascade_block : 1;  // rows that surely fill a number of lanes
    const std::int64_t least = (s.reduced + chunks - 1) / chunks;
    // And whole rows of pixels, as convolutions compute them, where chunks stay of much the same size.
    if (const std::int64_t both = std::lcm(whole, s.across); both <= least / 2) whole = both;
    const std::int64_t rows = (least + whole - 1) / whole * whole;
    slice = chunk = std::min(rows, s.reduced) * s.inner;
    partials = (s.size() + chunk - 1) / chunk;
  }
};

Type reduced_type(const Type& x, int first, int last, std::int64_t partials) {
  auto sizes = x.shape.vector();
  sizes.erase(sizes.begin() + first, sizes.begin() + last);
  if (partials > 1) sizes.insert(sizes.begin() + first, partials);
  return {x.dtype, Shape(sizes)};
}

void check_axes(const Type& x, std::int64_t first, std::int64_t last) {
  check_computed<dtypes::Computed>(x, "x");
  if (first < 0 || last > x.shape.rank() || first >= last)
    throw OpError("axes " + std::to_string(first) + " to " + std::to_string(last) + " are not axes of " + to_string(x),
                  "Use 0 <= first < last <= " + std::to_string(x.shape.rank()));
  if (x.count() == 0) throw OpError("there is nothing to reduce in " + to_string(x), "Use sum, which takes that too");
}

// The consumer. Consumer::sizes hold what `of` sets; the state is the cascade, then the results of the chunk's slices.
template <Fold F, class T>
struct Chunks {
  enum Size { slice, inner, lanes, levels };

  static Consumer of(const Slices& s) {
    const Cut cut(s);
    const std::int64_t rows = std::max<std::int64_t>(1, cut.slice / std::max<std::int64_t>(1, s.inner));
    std::int64_t width = std::max<std::int64_t>(1, s.inner);
    for (std::int64_t groups = 1; width < cascade_block && 2 * groups <= rows; groups *= 2) width *= 2;
    Consumer c;
    c.chunk = cut.chunk;
    c.sizes = {cut.slice, s.inner, width, Cascade<F, T>::levels_for((cut.slice + width - 1) / width)};
    c.state = (c.sizes[levels] * width + cut.chunk / cut.slice * s.inner) * static_cast<std::int64_t>(sizeof(T));
    c.begin = begin;
    c.take = take;
    c.end = end;
    return c;
  }

  static Cascade<F, T> cascade(const Consumer& c, void* state) {
    return {static_cast<T*>(state), c.sizes[lanes], c.sizes[levels]};
  }
  static T* results(const Consumer& c, void* state) {
    return static_cast<T*>(state) + c.sizes[lanes] * c.sizes[levels];
  }

  static void begin(const Consumer& c, void* state) { cascade(c, state).clear(); }

  static void take(const Consumer& c, void* state, const void* in, std::int64_t first, std::int64_t count) {
    const T* x = static_cast<const T*>(in);
    const std::int64_t size = c.sizes[slice];
    std::int64_t number = first / size, within = first % size;
    const bool short_slices = c.sizes[inner] == 1 && c.sizes[levels] == 1;
    while (count > 0) {
      if (short_slices && within == 0 && count >= size) {
        const std::int64_t rows = count / size;
        short_rows(c, x, results(c, state) + number, rows);
        number += rows;
        x += rows * size;
        count -= rows * size;
        continue;
      }
      const std::int64_t here = std::min(count, size - within);
      add(cascade(c, state), x, within, here);
      x += here;
      count -= here;
      within += here;
      if (within == size) {
        finish(c, state, number++);
        within = 0;
      }
    }
  }

  // Whole slices of one column and one level, to the bits of the general way: of integers any order gives them.
  static void short_rows(const Consumer& c, const T* x, T* y, std::int64_t rows) {
    if constexpr (std::is_integral_v<T>) {
      for (std::int64_t row = 0; row < rows; ++row, x += c.sizes[slice])
        y[row] = std::accumulate(x, x + c.sizes[slice], fold_neutral<F, T>(), fold_join<F, T>);
    } else {
      short_rows_in_lanes(c, x, y, rows);
    }
  }

  // With the lanes in registers; the same additions as the general way.
  static void short_rows_in_lanes(const Consumer& c, const T* x, T* y, std::int64_t rows) {
    const auto run = [&]<std::int64_t width>(std::integral_constant<std::int64_t, width>) {
      const std::int64_t size = c.sizes[slice];
      for (std::int64_t row = 0; row < rows; ++row, x += size) {
        T sums[width];
        for (std::int64_t j = 0; j < width; ++j) sums[j] = fold_join<F>(fold_neutral<F, T>(), x[j]);
        std::int64_t i = width;
        for (; i + width <= size; i += width)
          for (std::int64_t j = 0; j < width; ++j) sums[j] = fold_join<F>(sums[j], x[i + j]);
        for (std::int64_t j = 0; i + j < size; ++j) sums[j] = fold_join<F>(sums[j], x[i + j]);
        for (std::int64_t half = width / 2; half >= 1; half /= 2)
          for (std::int64_t j = 0; j < half; ++j) sums[j] = fold_join<F>(sums[j], sums[j + half]);
        y[row] = sums[0];
      }
    };
    switch (c.sizes[lanes]) {
      case 1:
        return run(std::integral_constant<std::int64_t, 1>{});
      case 2:
        return run(std::integral_constant<std::int64_t, 2>{});
      case 4:
        return run(std::integral_constant<std::int64_t, 4>{});
      case 8:
        return run(std::integral_constant<std::int64_t, 8>{});
      case 16:
        return run(std::integral_constant<std::int64_t, 16>{});
      case 32:
        return run(std::integral_constant<std::int64_t, 32>{});
      default:
        return run(std::integral_constant<std::int64_t, cascade_block>{});
    }
  }

  // Adds elements [within, within + count) of a slice.
  static void add(Cascade<F, T> sums, const T* x, std::int64_t within, std::int64_t count) {
    std::int64_t row = within / sums.width;
    if (const std::int64_t lane = within % sums.width; lane > 0) {
      const std::int64_t head = std::min(count, sums.width - lane);
      sums.add_some(x, lane, head);
      if (lane + head < sums.width) return;
      if (++row % cascade_fan == 0) sums.carry(row);
      x += head;
      count -= head;
    }
    const std::int64_t rows = count / sums.width;
    sums.add(x, row, rows, sums.width);
    sums.add_some(x + rows * sums.width, 0, count % sums.width);
  }

  // Adds up lanes of a column pairwise, keeps the result and starts afresh.
  static void finish(const Consumer& c, void* state, std::int64_t number) {
    Cascade<F, T> sums = cascade(c, state);
    sums.total();
    for (std::int64_t half = sums.width / 2; half >= c.sizes[inner]; half /= 2)
      sums.add_some(sums.lanes + half, 0, half);
    std::copy(sums.lanes, sums.lanes + c.sizes[inner], results(c, state) + number * c.sizes[inner]);
    sums.clear();
  }

  static void end(const Consumer& c, void* state, std::int64_t chunk, std::int64_t elements, void* out) {
    const std::int64_t size = c.sizes[slice], whole = elements / size;
    const bool cut_short = elements % size != 0;  // the last part of a long slice
    if (cut_short) finish(c, state, whole);
    T* y = static_cast<T*>(out) + chunk * (c.chunk / size) * c.sizes[inner];
    const T* from = results(c, state);
    std::copy(from, from + (whole + cut_short) * c.sizes[inner], y);
  }
};

}  // namespace

template <Fold F>
Type ReduceChunks<F>::infer(Types in) const {
  check_axes(in[0], first, last);
  const auto a = static_cast<int>(first), b = static_cast<int>(last);
  return reduced_type(in[0], a, b, Cut(Slices(in[0].shape, a, b)).partials);
}

template <Fold F>
Consumer ReduceChunks<F>::consume(Types in) const {
  const Slices slices(in[0].shape, static_cast<int>(first), static_cast<int>(last));
  return dispatch<FoldTypes<F>>(in[0].dtype,
                                [&]<class T>(std::type_identity<T>) { return Chunks<F, FoldLane<F, T>>::of(slices); });
}

template <Fold F>
Type ReduceColumns<F>::infer(Types in) const {
  check_axes(in[0], first, last);
  return reduced_type(in[0], static_cast<int>(first), static_cast<int>(last), 1);
}

template <Fold F>
Work ReduceColumns<F>::work(Types in) const {
  const Slices s(in[0].shape, static_cast<int>(first), static_cast<int>(last));
  const std::int64_t blocks = s.outer * ((s.inner + column_block - 1) / column_block);
  const std::int64_t levels = Cascade<F, float>::levels_for(s.reduced);
  return {.parts = std::max<std::int64_t>(1, std::min(blocks, in[0].count() / chunk_elements)),
          .scratch = levels * column_block * size_of(in[0].dtype),
          .flops = static_cast<double>(in[0].count()),
          .bytes = static_cast<double>(in[0].bytes() + in[0].bytes() / s.reduced)};
}

template <Fold F>
void ReduceColumns<F>::run(const Run& r) const {
  const Slices s(r.in_type(0).shape, static_cast<int>(first), static_cast<int>(last));
  const std::int64_t blocks = (s.inner + column_block - 1) / column_block;
  const auto [begin, end] = r.share(s.outer * blocks);
  dispatch<FoldTypes<F>>(r.in_type(0).dtype, [&]<class Element>(std::type_identity<Element>) {
    using T = FoldLane<F, Element>;
    for (std::int64_t unit = begin; unit < end; ++unit) {
      const std::int64_t o = unit / blocks, column = unit % blocks * column_block;
      Cascade<F, T> sums{reinterpret_cast<T*>(r.scratch), std::min(column_block, s.inner - column),
                         Cascade<F, T>::levels_for(s.reduced)};
      sums.clear();
      sums.add(reinterpret_cast<const T*>(r.inputs[0].bytes) + o * s.size() + column, 0, s.reduced, s.inner);
      sums.total();
      std::copy(sums.lanes, sums.lanes + sums.width, reinterpret_cast<T*>(r.outputs[0].bytes) + o * s.inner + column);
    }
  });
}

template <Fold F>
Value reduce_neighbours(Value x, int first, int last) {
  while (last > first) {
    const int rank = x.rank();
    if (x.shape().count(last, rank) > long_row) return apply(ReduceColumns<F>{.first = first, .last = last}, {x}, {});
    x = apply(ReduceChunks<F>{.first = first, .last = last}, {x}, {});
    last -= rank - x.rank();  // an axis stays where results are partial
  }
  return x;
}

template struct ReduceChunks<Fold::sum>;
template struct ReduceChunks<Fold::prod>;
template struct ReduceChunks<Fold::max>;
template struct ReduceChunks<Fold::min>;
template struct ReduceColumns<Fold::sum>;
template struct ReduceColumns<Fold::prod>;
template struct ReduceColumns<Fold::max>;
template struct ReduceColumns<Fold::min>;
template Value reduce_neighbours<Fold::sum>(Value, int, int);
template Value reduce_neighbours<Fold::prod>(Value, int, int);
template Value reduce_neighbours<Fold::max>(Value, int, int);
template Value reduce_neighbours<Fold::min>(Value, int, int);

}  // namespace oxbow::ops
