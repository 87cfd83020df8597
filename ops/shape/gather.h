// Rows of a table by their numbers, and the gradient, which adds rows into a table. Tables of any dtype (sums: all
// but bool); indices of any integer dtype but u64, of which negative ones count from the end of the axis. An index out
// of range fails the run, with its place and the range. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// y[o, i..., k] = table[o, indices[i...], k]: the axis is replaced by the axes of `indices`.
struct Gather {
  static constexpr OpInfo info{.name = "gather", .inputs = {"table", "indices"}, .any_dtype = {0}, .can_fail = true};
  std::int64_t axis = 0;
  static void attributes(auto&& visit) { visit("axis", &Gather::axis); }
  bool operator==(const Gather&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
};

/// y = 0, then y[o, indices[i], k] += updates[o, i, k], i rising. The sums' order is that of the indices.
struct ScatterAdd {
  static constexpr OpInfo info{.name = "scatter_add",
                               .inputs = {"like", "indices", "updates"},
                               .shape_only = {0},
                               .any_dtype = {0},
                               .can_fail = true};
  std::int64_t axis = 0;
  static void attributes(auto&& visit) { visit("axis", &ScatterAdd::axis); }
  bool operator==(const ScatterAdd&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Value add_to(Values in, Value sum, Value flows) const;
  Grads gradient(const Node& n, Values dy) const;
};

/// y = x, then y[o, indices[i], k] += updates[o, i, k], i rising. In place where nobody else reads x.
struct GatherAdd {
  static constexpr OpInfo info{
      .name = "gather_add", .inputs = {"x", "indices", "updates"}, .may_overwrite = {0}, .can_fail = true};
  std::int64_t axis = 0;
  static void attributes(auto&& visit) { visit("axis", &GatherAdd::axis); }
  bool operator==(const GatherAdd&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
