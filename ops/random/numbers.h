// Random numbers of a fixed shape: what the ops whose shape is a value become when a graph is specialised.
// Regular value types, safe from any thread.
#pragma once

#include <oxbow/graph/attribute.h>
#include <oxbow/graph/op.h>
#include <oxbow/graph/support/draws.h>

namespace oxbow::internal {
AttrValue to_attr(Distribution d);
void from_attr(const AttrValue& a, Distribution& d);
}  // namespace oxbow::internal

namespace oxbow::ops {

using internal::Distribution;

/// The key of the numbers that the state {seed, step} and a stream give.
internal::DrawKey draw_key(const std::int64_t* state, std::int64_t stream);
/// Throws `OpError` unless `t` is that of `random_state`.
void check_state(const Type& t);

/// Element i of the sequence, in double and then rounded: uniform in [a, b), or a + b times a normal number. So f32
/// numbers are the f64 ones of the same key, rounded; a uniform one that rounding would make b is the one before b.
struct RandomNumbers {
  static constexpr OpInfo info{.name = "random_numbers", .inputs = {"state"}};
  Distribution distribution = Distribution::uniform;
  double a = 0, b = 1;
  DType dtype = f32;
  Shape shape = {};
  std::int64_t stream = 0;
  static void attributes(auto&& visit) {
    visit("distribution", &RandomNumbers::distribution);
    visit("a", &RandomNumbers::a);
    visit("b", &RandomNumbers::b);
    visit("dtype", &RandomNumbers::dtype);
    visit("shape", &RandomNumbers::shape);
    visit("stream", &RandomNumbers::stream);
  }
  bool operator==(const RandomNumbers&) const = default;
  Type infer(Types in) const;
  Work work(Types in) const;
  void run(const Run& r) const;
};

}  // namespace oxbow::ops
