// Packing between row-major and panels (see `Layout`): how a product's right operand is read quickest. Ordinary nodes
// that lowering puts in, so common subexpressions share them and `simplify` cancels pairs. Padding columns are zeros.
// Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/sample.h>

namespace oxbow {

/// The panels in which a right operand with n columns is kept: 64 wide, or the only one n rounded up to 16 wide.
std::int64_t panel_width(std::int64_t n);

/// x in panels; its last two axes swapped where `transpose`. x may lie in panels itself.
struct Pack {
  static constexpr OpInfo info{.name = "pack", .inputs = {"x"}, .any_layout = true};
  std::int64_t panel = 64;
  bool transpose = false;
  static constexpr auto attributes =
      std::tuple{Attribute{"panel", &Pack::panel}, Attribute{"transpose", &Pack::transpose}};
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  Value simplify(Values in) const;
  bool operator==(const Pack&) const = default;
  static std::vector<Sample> samples();
};

/// x row-major again.
struct Unpack {
  static constexpr OpInfo info{.name = "unpack", .inputs = {"x"}, .any_layout = true};
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
  Value simplify(Values in) const;
  bool operator==(const Unpack&) const = default;
};

/// x in panels of `panel_width`, of its columns or (`transpose`) its rows. Throws `Error` for fewer than two axes.
Value pack(Value x, bool transpose = false, At at = At::current());
Value unpack(Value x, At at = At::current());

}  // namespace oxbow
