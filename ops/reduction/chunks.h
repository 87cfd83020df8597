// The kernels that reductions lower to. x is seen as [outer, reduced, inner]; the reduced axes are neighbours.
//
// The order of additions follows from the shape alone. A slice [reduced, inner] is read front to back in rows of lanes:
// `inner` times a power of two, at least 64 where there are as many. Each lane adds up its elements in a cascade: 16 in
// turn, then 16 such sums, and so on; at the end the lanes of each column are added pairwise. So no element goes
// through more than 16 ceil(log16(n / 64)) + 8 additions (24 up to n = 1024), and the error of a sum of n elements is
// at most that many half units in the last place of the sum of their absolute values (Higham, "The accuracy of floating
// point summation", SIAM J. Sci. Comput. 14, 1993).
//
// Which op serves a shape:
//   ReduceChunks   inner <= 4096. A `Consumer`: it can stand at the end of a chain of elementwise ops. A chunk is a
//                  number of whole slices, or, where there is one long slice only, a part of it; then the result is
//                  partial, and the lowering reduces the partial results once more.
//   ReduceColumns  longer rows: parts are blocks of columns, each read from the first row to the last.
// Regular value types, safe from any thread.
#pragma once

#include <oxbow/ops/reduction/reduce.h>

namespace oxbow::ops {

/// Reduces axes [first, last) of x, which has elements. The result lacks them, or has one axis of partial results
/// there.
template <Fold F>
struct ReduceChunks {
  static constexpr OpInfo info{.name = F == Fold::sum    ? "sum_chunks"
                                       : F == Fold::prod ? "prod_chunks"
                                       : F == Fold::max  ? "max_chunks"
                                                         : "min_chunks",
                               .inputs = {"x"}};
  std::int64_t first = 0, last = 0;
  static void attributes(auto&& visit) {
    visit("first", &ReduceChunks::first);
    visit("last", &ReduceChunks::last);
  }
  bool operator==(const ReduceChunks&) const = default;

  Type infer(Types in) const;
  Consumer consume(Types in) const;
};

/// The same result in one go, for long rows.
template <Fold F>
struct ReduceColumns {
  static constexpr OpInfo info{.name = F == Fold::sum    ? "sum_columns"
                                       : F == Fold::prod ? "prod_columns"
                                       : F == Fold::max  ? "max_columns"
                                                         : "min_columns",
                               .inputs = {"x"}};
  std::int64_t first = 0, last = 0;
  static void attributes(auto&& visit) {
    visit("first", &ReduceColumns::first);
    visit("last", &ReduceColumns::last);
  }
  bool operator==(const ReduceColumns&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
};

/// x reduced over its axes [first, last): one of the two above, again and again until nothing is partial. x has
/// elements.
template <Fold F>
Value reduce_neighbours(Value x, int first, int last);

}  // namespace oxbow::ops
