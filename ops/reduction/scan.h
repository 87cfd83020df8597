// Sums and products along an axis, of all elements so far. Each line is added up from its first element to its last (or
// back), so the order of operations follows from the shape; f32 in f64, so that each element is rounded once. Regular
// value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// What the ops below have in common.
struct ScanAlong {
  std::int64_t axis = 0;
  bool exclusive = false;  ///< each place has what is before it, and not its own
  bool reverse = false;    ///< from the last element to the first
  bool operator==(const ScanAlong&) const = default;

  template <class Self>
  static void visit_all(auto&& visit) {
    visit("axis", &Self::axis);
    visit("exclusive", &Self::exclusive);
    visit("reverse", &Self::reverse);
  }
  Work work(Types in) const;
};

/// y[i] = x[0] + ... + x[i]
struct CumSum : ScanAlong {
  static constexpr OpInfo info{.name = "cumsum", .inputs = {"x"}, .may_overwrite = {0}};
  static void attributes(auto&& visit) { visit_all<CumSum>(visit); }
  bool operator==(const CumSum&) const = default;

  Type infer(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
};

/// y[i] = x[0] ... x[i]
struct CumProd : ScanAlong {
  static constexpr OpInfo info{.name = "cumprod", .inputs = {"x"}, .may_overwrite = {0}};
  static void attributes(auto&& visit) { visit_all<CumProd>(visit); }
  bool operator==(const CumProd&) const = default;

  Type infer(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
};

/// y[i] = a[i] y[i - 1] + b[i], where y[-1] = 0; exclusive: y[i - 1] in the place of y[i].
struct LinearScan : ScanAlong {
  static constexpr OpInfo info{.name = "linear_scan", .inputs = {"a", "b"}, .may_overwrite = {0, 1}};
  static void attributes(auto&& visit) { visit_all<LinearScan>(visit); }
  bool operator==(const LinearScan&) const = default;

  Type infer(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
