// Stops a run on a whole number that is out of its range; a regular value type, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow::ops {

/// x, i64. A run fails where an element is below 0 or not below `size`, an i64 scalar, and so leaves all variables as
/// they were; the message says `what` it is and where. For indices that are made one number with others before they are
/// looked up, where one out of range would find what is its neighbours'.
struct RequireWithin {
  static constexpr OpInfo info{
      .name = "require_within", .inputs = {"x", "size"}, .may_overwrite = {0}, .can_fail = true};
  std::string what;  ///< "label"
  static void attributes(auto&& visit) { visit("what", &RequireWithin::what); }
  bool operator==(const RequireWithin&) const = default;

  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
};

/// The builder of it, of any integers. `size`, a scalar, may be computed.
Value require_within(Value x, Value size, std::string what, At at);

}  // namespace oxbow::ops
