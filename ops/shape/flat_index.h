// Places in a tensor as single numbers: what gathers and scatters by several axes are lowered to, which then move rows
// of a table. Negative indices count from the end of their axis; one out of range fails the run, with its place and the
// range. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// y[i...] is the place, in row-major order, of the element of `like` that has the index i... with indices[i...] along
/// `axis`. i64.
struct FlatIndexAlong {
  static constexpr OpInfo info{
      .name = "flat_index_along", .inputs = {"indices", "like"}, .shape_only = {1}, .any_dtype = {1}, .can_fail = true};
  std::int64_t axis = 0;
  static void attributes(auto&& visit) { visit("axis", &FlatIndexAlong::axis); }
  bool operator==(const FlatIndexAlong&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
};

/// `indices` are [b..., i..., k], with `batch` axes b... as `like` has first: y[b..., i...] is the place of the row of
/// `like` that has the index b..., indices[b..., i..., :] in its first axes, among all of its rows. i64.
struct FlatIndexNd {
  static constexpr OpInfo info{
      .name = "flat_index_nd", .inputs = {"indices", "like"}, .shape_only = {1}, .any_dtype = {1}, .can_fail = true};
  std::int64_t batch = 0;
  static void attributes(auto&& visit) { visit("batch", &FlatIndexNd::batch); }
  bool operator==(const FlatIndexNd&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
};

/// Throws `OpError` unless `indices` may go with x by these ops.
void check_along(const Type& x, const Type& indices, std::int64_t axis);
void check_nd(const Type& x, const Type& indices, std::int64_t batch);
/// x's axes behind those that such indices number.
Shape row_of(const Shape& x, const Shape& indices, std::int64_t batch);

}  // namespace oxbow::ops
