// Stops a run on a NaN or Inf; a regular value type, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// x, a scalar. A run fails where it is a NaN or Inf, and so leaves all variables as they were; the message says
/// `what`.
struct RequireFinite {
  static constexpr OpInfo info{.name = "require_finite", .inputs = {"x"}, .can_fail = true, .effect = true};
  std::string what;    ///< "the gradient of dense/weight"
  std::string remedy;  ///< what to do about it
  static void attributes(auto&& visit) {
    visit("what", &RequireFinite::what);
    visit("remedy", &RequireFinite::remedy);
  }
  bool operator==(const RequireFinite&) const = default;

  Type infer(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node&, Values dy) const { return {dy[0]}; }
};

}  // namespace oxbow::ops
