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

/// A graph that needs no more copies.
struct WithCopies {
  std::optional<Rewritten> made;  ///< from the one that was given; nothing where none are needed, as nearly always
  Storages storages;
  Dependences waits;
};
/// Adds copies until none is needed: one may need one itself, as of a variable that is assigned to itself.
WithCopies add_copies(const Graph& from);

}  // namespace oxbow::internal
