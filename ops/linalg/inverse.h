// Determinants and inverses of square matrices, the last two axes, by Gaussian elimination with partial pivoting, in
// double. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// [..., n, n] to [...]. da = dy y inverse(a)^T.
struct Det {
  static constexpr OpInfo info{.name = "det", .inputs = {"a"}};
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Det&) const = default;
};

/// [..., n, n] to the same; NaN where there is none. da = -y^T dy y^T.
struct Inverse {
  static constexpr OpInfo info{.name = "inverse", .inputs = {"a"}, .may_overwrite = {0}};
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Inverse&) const = default;
};

}  // namespace oxbow::ops
