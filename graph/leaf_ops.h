// The four ops that every part of Oxbow knows; graph/leaves.h has their builders.
// Thread safety: values.
#pragma once

#include <oxbow/graph/op_info.h>
#include <oxbow/graph/tensor.h>
#include <oxbow/graph/value.h>

namespace oxbow {

struct AttrValue;
struct Run;
struct Work;

/// How a variable's first value is drawn; a closed recipe, so that it prints, parses and gives the same bits anywhere.
/// Random recipes draw from the counter-based generator of graph/support/random.h, keyed by (seed, stream), element by
/// element.
struct Init {
  enum class Kind : std::uint8_t {
    zeros,
    constant,          ///< a
    uniform,           ///< from a up to b
    normal,            ///< mean a, deviation b
    seed,              ///< a generator's state: the seed, then zeros
    truncated_normal,  ///< the same as normal, without what is beyond two deviations
    orthogonal         ///< a times a matrix [all axes but the last, last axis] whose shorter side is orthonormal
  };
  /// Part number `which` of `of` equal parts of the elements; none where `of` is 0.
  struct Part {
    std::int64_t which = 0, of = 0;
    double value = 0;
    bool operator==(const Part&) const = default;
  };
  Kind kind = Kind::zeros;
  double a = 0, b = 0;
  std::uint64_t seed = 0;
  std::int64_t stream = 0;
  Part part = {};  ///< whose elements start at its value instead
  bool operator==(const Init&) const = default;
};
AttrValue to_attr(const Init& v);
/// Throws `Error` for a kind that there is not, with those that there are.
void from_attr(const AttrValue& a, Init& v);

namespace ops {

/// A value that is fed at each run. `free_axes` may be fed in any size; the type holds their example sizes.
struct Input {
  static constexpr OpInfo info{.name = "input", .effect = true};
  std::string name;
  Type type;
  std::vector<std::int64_t> free_axes;
  static void attributes(auto&& visit) {
    visit("name", &Input::name);
    visit("type", &Input::type);
    visit("free_axes", &Input::free_axes);
  }
  Type infer(Types) const { return type; }
  Work work(Types in) const;
  bool operator==(const Input&) const = default;

  bool is_free(int axis) const;
  /// Whether a value of this shape may be fed.
  bool accepts(const Shape& fed) const;
};
/// The shape as it was declared, with free axes shown as such: "[any(64), 784]".
std::string declared_shape(const Input& in);

/// A fixed tensor, shared and not copied.
struct Constant {
  static constexpr OpInfo info{.name = "constant"};
  Tensor value;
  static void attributes(auto&& visit) { visit("value", &Constant::value); }
  Type infer(Types) const { return value.type(); }
  Work work(Types in) const;
  void run(const Run& r) const;
  bool operator==(const Constant& o) const { return same_bits(value, o.value); }
};

/// A value kept in a `Store` under its name. A run sees it as at the run's start; `Assign` writes it at the end.
struct Variable {
  static constexpr OpInfo info{.name = "variable", .effect = true};
  std::string name;  ///< full, with scopes: the key in a Store and in saved files
  Type type;
  Init init;
  bool trainable = true;
  static void attributes(auto&& visit) {
    visit("name", &Variable::name);
    visit("type", &Variable::type);
    visit("init", &Variable::init);
    visit("trainable", &Variable::trainable);
  }
  Type infer(Types) const { return type; }
  Work work(Types in) const;
  bool operator==(const Variable&) const = default;
};

/// Writes `value` to `variable` at the end of the run; its output is the value written. A variable is written by at
/// most one node of a run. A plan has no step for it: what computes `value` writes the variable's bytes where no reader
/// is left (runtime/plan/dependences.h), or a copy does. `run` is for callers without a plan.
struct Assign {
  static constexpr OpInfo info{
      .name = "assign", .inputs = {"variable", "value"}, .shape_only = {0}, .any_layout = true, .effect = true};
  Type infer(Types in) const;
  void run(const Run& r) const;
  bool operator==(const Assign&) const = default;
};

}  // namespace ops
}  // namespace oxbow
