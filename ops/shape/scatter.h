// Rows of updates put into a table: in the place of what is there, or folded into it. `indices`, i64, number rows along
// the first axis; where they repeat, updates go in one after the other in their order, so that the last one stays. What
// scatters by several axes are lowered to. In place where nobody else reads x. Regular value types, safe from any
// thread.
//
// Indices in `groups`, equally many in each, name rows of a group only, of which there are equally many in each: then a
// group is a part's work. An index that names a row of another group leaves it as it is.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/shape/indexing.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// y = x, then y[indices[i], k] = updates[i, k], i rising. All dtypes.
struct ScatterRows {
  static constexpr OpInfo info{
      .name = "scatter_rows", .inputs = {"x", "indices", "updates"}, .may_overwrite = {0}, .can_fail = true};
  std::int64_t groups = 1;
  static void attributes(auto&& visit) { visit("groups", &ScatterRows::groups); }
  bool operator==(const ScatterRows&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
};

/// y = x, then y[indices[i], k] = y[indices[i], k] and updates[i, k] added, multiplied, or the larger or smaller one, i
/// rising. Of numbers.
struct FoldRows {
  static constexpr OpInfo info{
      .name = "fold_rows", .inputs = {"x", "indices", "updates"}, .may_overwrite = {0}, .can_fail = true};
  ScatterReduction fold = ScatterReduction::mul;  ///< not none
  std::int64_t groups = 1;
  static void attributes(auto&& visit) {
    visit("fold", &FoldRows::fold);
    visit("groups", &FoldRows::groups);
  }
  bool operator==(const FoldRows&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
};

}  // namespace oxbow::ops
