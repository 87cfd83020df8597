// Packing into panels (see `Layout`), as a product reads a transposed or a wide right operand quickest. An ordinary
// node that lowering puts in, so that equal ones are shared and `simplify` can drop it. Columns of padding are zeros.
// Regular value type, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

namespace oxbow::ops {

/// x in panels, with its last two axes swapped where `transpose`.
struct Pack {
  static constexpr OpInfo info{.name = "pack", .inputs = {"x"}};
  std::int64_t panel = 64;
  bool transpose = false;
  static void attributes(auto&& visit) {
    visit("panel", &Pack::panel);
    visit("transpose", &Pack::transpose);
  }
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  bool operator==(const Pack&) const = default;
};

/// x in panels 64 columns wide; fewer columns than 64 make one panel, rounded up to a multiple of 16, and so do all
/// columns of other dtypes than f32, whose blocks are packed again as they are computed.
/// Throws `Error` for fewer than two axes.
Value pack(Value x, bool transpose = false, At at = At::current());

}  // namespace oxbow::ops
