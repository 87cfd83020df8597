// The built-in tanh once more, as a program outside Oxbow's tree would write it: what the contract costs or does not.
#pragma once

#include <oxbow/ops/elementwise.h>

namespace oxbow::tools {

struct OwnTanh : Unary<OwnTanh> {
  static constexpr OpInfo info{.name = "own_tanh", .inputs = {"x"}, .may_overwrite = {0}, .any_layout = true};
  template <std::floating_point T>
  T at(T x) const;
  bool operator==(const OwnTanh&) const = default;
};

}  // namespace oxbow::tools

extern template struct oxbow::Elementwise<oxbow::tools::OwnTanh, oxbow::Same>;
