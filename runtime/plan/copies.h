// The last pass before a plan: copies of values that need bytes of their own and have none. A fetched value does that
// is a leaf, a part of another value or fetched twice; and an assigned one that cannot be written straight into its
// variable (runtime/plan/dependences.h says when). Thread safety: a pure function of a graph that nobody appends to.
#pragma once

#include <oxbow/graph/passes/rewriter.h>
#include <oxbow/runtime/plan/dependences.h>

namespace oxbow::internal {

/// A value's bytes once more.
struct Copy {
  static constexpr OpInfo info{.name = "copy", .inputs = {"x"}, .any_layout = true};
  static constexpr std::int64_t bytes_per_part = 1 << 18;

  Type infer(Types in) const { return in[0]; }
  Work work(Types in) const;
  void run(const Run& r) const;
  bool operator==(const Copy&) const = default;
};

/// The graph with the copies that `make_plan` adds; nothing where none are needed, as nearly always.
std::optional<Rewritten> copies(const Graph& from);

/// One round of it: a copy may need one itself, as of a variable that is assigned to itself.
std::optional<Rewritten> add_copies(const Graph& from, const Storages& storages, const Dependences& waits);

}  // namespace oxbow::internal
