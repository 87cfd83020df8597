// What `cond` lowers to: the nodes of both branches, each under a guard, and the choice between their results. The
// branch that is not taken computes nothing. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/catalog.h>
#include <oxbow/graph/graph.h>

namespace oxbow::ops {

/// An op that runs only where the predicate is `when`; its outputs are undefined otherwise. The op has `run`.
struct Guarded {
  static constexpr OpInfo info{
      .name = "guarded", .inputs = {"predicate", "x?..."}, .outputs = {"y..."}, .can_fail = true, .any_layout = true};
  struct Inner {
    std::optional<Op> op;
    bool operator==(const Inner&) const = default;
  };
  Inner inner;
  bool when = true;
  static void attributes(auto&& visit) {
    visit("op", &Guarded::inner);
    visit("when", &Guarded::when);
  }
  bool operator==(const Guarded&) const = default;

  struct Plan {
    Work work;
    std::shared_ptr<const void> inner;
  };
  std::vector<Type> infer(Types in) const;
  Plan prepare(Types in) const;
  void run(const Run& r, const Plan& p) const;
  std::vector<InputSet> overwrites(Types in) const;
  std::vector<Value> simplify(Values in) const;
};
AttrValue to_attr(const Guarded::Inner& inner);
void from_attr(const AttrValue& a, Guarded::Inner& inner, const Catalog& catalog);

/// The value of the branch that was taken, in the bytes of one of both where it may lie there.
struct Merge {
  static constexpr OpInfo info{
      .name = "merge", .inputs = {"predicate", "then", "otherwise"}, .may_overwrite = {1, 2}, .any_layout = true};
  bool operator==(const Merge&) const = default;
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  Value simplify(Values in) const;
};

}  // namespace oxbow::ops
