// The place of the largest or the smallest element along an axis. Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// Of equal elements the first, or the last; NaN wins over any number. The result is i64, without the axis unless it is
/// kept.
template <bool largest>
struct ArgExtreme {
  static constexpr OpInfo info{.name = largest ? "argmax" : "argmin", .inputs = {"x"}};
  std::int64_t axis = -1;
  bool keep = false;  ///< the axis stays, with size 1
  bool last = false;
  static void attributes(auto&& visit) {
    visit("axis", &ArgExtreme::axis);
    visit("keep", &ArgExtreme::keep);
    visit("last", &ArgExtreme::last);
  }
  bool operator==(const ArgExtreme&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node&, Values) const { return NotDifferentiable{"integer result"}; }
};
using ArgMax = ArgExtreme<true>;
using ArgMin = ArgExtreme<false>;

}  // namespace oxbow::ops
