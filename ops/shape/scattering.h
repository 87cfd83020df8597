// How rows of updates are put into a table at the places that indices name, so that a table has the same bits for any
// number of parts: each part owns some of the table and walks all indices in order. Safe from any thread.
#pragma once

#include <oxbow/ops/shape/moving.h>

namespace oxbow::ops {

/// Columns that a part owns at least, where it owns columns.
inline constexpr std::int64_t column_block = 64;

/// A part owns columns of the output where rows are long, and rows where they are short: either way nobody else writes
/// to what it owns. Rows cost a walk each part, so there are few of those, and long rows are read in pieces of four
/// blocks where that leaves four parts. Indices in groups need one walk in all.
inline Work scattering_work(const AroundAxis& a, double bytes, std::int64_t groups = 1) {
  const std::int64_t blocks = (a.inner + column_block - 1) / column_block,
                     most = static_cast<std::int64_t>(bytes) >> 16;
  const std::int64_t slices = groups > 1 ? groups
                              : a.inner >= 2 * column_block
                                  ? a.outer * std::max(blocks / 4, std::min<std::int64_t>(blocks, 4))
                                  : a.outer * std::min<std::int64_t>(a.size, 4);
  return {.parts = std::clamp<std::int64_t>(std::min(slices, most), 1, 256), .bytes = bytes};
}

/// A part's share of some rows and columns of one outer slice, and the indices that may name them.
struct Owned {
  std::int64_t outer, first, rows, column, columns, begin, end;
};

/// Puts the updates (input 2) into what is owned of y by fold(what is there, update), at the indices (input 1). y
/// begins as it is in `x`, or as zeros where that is null.
template <class T, class I, class Fold>
void scatter_owned(const Run& r, const AroundAxis& a, const Owned& own, const T* x, Fold fold) {
  const Type& indices = r.in_type(1);
  const I* index = r.in<I>(1);
  const std::int64_t count = indices.count(), from = own.outer * a.size * a.inner + own.column;
  T* y = r.out<T>() + from;
  const T* updates = r.in<T>(2) + own.outer * count * a.inner + own.column;
  if (x != r.out<T>())
    for (std::int64_t i = own.first; i < own.first + own.rows; ++i) {
      T* row = y + i * a.inner;
      x ? std::copy_n(x + from + i * a.inner, own.columns, row) : std::fill_n(row, own.columns, T(0));
    }
  const auto owns = [&](std::int64_t place) { return place >= own.first && place < own.first + own.rows; };
  if (a.inner == 1) {
    for (std::int64_t i = own.begin; i < own.end; ++i)
      if (const std::int64_t place = place_of(index[i], a.size, indices, i); owns(place))
        y[place] = fold(y[place], updates[i]);
    return;
  }
  for (std::int64_t i = own.begin; i < own.end; ++i) {
    const std::int64_t place = place_of(index[i], a.size, indices, i);
    if (!owns(place)) continue;
    T* to = y + place * a.inner;
    const T* update = updates + i * a.inner;
    for (std::int64_t k = 0; k < own.columns; ++k) to[k] = fold(to[k], update[k]);
  }
}

/// As much of it as part r.part owns. `a` is the table around the axis whose rows the indices number. With `groups`, of
/// one outer slice, equally many indices each name rows of equally many each, one group after the other.
template <class T, class I, class Fold>
void scatter_rows(const Run& r, const AroundAxis& a, const T* x, Fold fold, std::int64_t groups = 1) {
  const std::int64_t count = r.in_type(1).count();
  // Rows that are not there are no part's; an index that asks for one is wrong all the same.
  if (a.size == 0 && a.outer > 0 && count > 0) place_of(r.in<I>(1)[0], 0, r.in_type(1), 0);
  if (groups > 1) {
    const auto [begin, end] = r.share(groups);
    for (std::int64_t g = begin; g < end; ++g) {
      const std::int64_t rows = a.size / groups, each = count / groups;
      scatter_owned<T, I>(r, a, {0, g * rows, rows, 0, a.inner, g * each, (g + 1) * each}, x, fold);
    }
    return;
  }
  const bool by_columns = a.inner >= 2 * column_block;
  const std::int64_t blocks = by_columns ? (a.inner + column_block - 1) / column_block : a.size;
  const auto [begin, end] = r.share(a.outer * blocks);
  for (std::int64_t at = begin; at < end;) {  // an outer slice at a time
    const std::int64_t o = at / blocks, first = at % blocks, owned = std::min(blocks - first, end - at);
    const std::int64_t column = first * column_block;
    if (by_columns)
      scatter_owned<T, I>(r, a, {o, 0, a.size, column, std::min(owned * column_block, a.inner - column), 0, count}, x,
                          fold);
    else
      scatter_owned<T, I>(r, a, {o, first, owned, 0, a.inner, 0, count}, x, fold);
    at += owned;
  }
}

}  // namespace oxbow::ops
