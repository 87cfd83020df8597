// The discrete Fourier transform along rows. Regular value type, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/widen.h>

namespace oxbow::ops {

/// x [..., n, 2] are n complex numbers a row: y[k] = sum over j of x[j] e^(-2 pi i j k / n), with + where `inverse`.
/// Computed in double.
struct Dft {
  static constexpr OpInfo info{.name = "dft", .inputs = {"x"}};
  bool inverse = false;
  static void attributes(auto&& visit) { visit("inverse", &Dft::inverse); }
  bool operator==(const Dft&) const = default;

  struct Plan;
  Type infer(Types in) const;
  Prepared<Plan> prepare(Types in) const;
  void run(const Run& r, const Plan& plan) const;
  std::vector<Value> widen(Values in) const { return widened(*this, in); }
  Grads gradient(const Node& n, Values dy) const;
};

}  // namespace oxbow::ops
