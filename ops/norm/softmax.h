// Softmax and its logarithm along the last axis; the builders take any axis. Rows are independent: a NaN or +inf makes
// its own row NaN, a -inf has probability 0, and a row of nothing but -inf is NaN (0 / 0).
// Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// y = exp(x - max x) / sum exp(x - max x). dx = y (dy - sum y dy).
struct Softmax {
  static constexpr OpInfo info{.name = "softmax", .inputs = {"x"}, .may_overwrite = {0}};
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const Softmax&) const = default;
};

/// y = x - max x - log sum exp(x - max x). dx = dy - exp(y) sum dy.
struct LogSoftmax {
  static constexpr OpInfo info{.name = "log_softmax", .inputs = {"x"}, .may_overwrite = {0}};
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
  bool operator==(const LogSoftmax&) const = default;
};

}  // namespace oxbow::ops
