// An op with an optional input in the middle and one at the end, and one that prepares its kernel, for tests of the
// contract.
#pragma once

#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/ops/ops.h>

namespace oxbow::test {

/// x * scale + offset, all of one type; without a scale x + offset, without an offset x * scale.
struct Affine {
  static constexpr OpInfo info{.name = "test_affine", .inputs = {"x", "scale?", "offset?"}};
  bool operator==(const Affine&) const = default;
  Type infer(Types in) const {
    for (const Type& t : in.subspan(1))
      if (t && t != in[0]) throw OpError("scale and offset have the type of x");
    return in[0];
  }
  void run(const Run& r) const {
    for (std::int64_t i = 0; i < r.out_type().count(); ++i) {
      float y = r.in<float>(0)[i];
      if (r.has(1)) y *= r.in<float>(1)[i];
      if (r.has(2)) y += r.in<float>(2)[i];
      r.out<float>()[i] = y;
    }
  }
  Grads gradient(const Node& n, Values dy) const {
    const Value x = n.input(0), scale = n.input(1);
    return {scale ? dy[0] * scale : dy[0], scale ? dy[0] * x : Value(), n.input(2) ? dy[0] : Value()};
  }
};
inline Value affine(Value x, Value scale = {}, Value offset = {}) {
  return apply(Affine{}, {x, scale, offset}, At::current());
}

/// y = x times the number of elements, which `prepare` counts; `made` counts how often it does.
struct Counting {
  static constexpr OpInfo info{.name = "test_counting", .inputs = {"x"}};
  static inline int made = 0;
  struct Count {
    Work work;
    float elements = 0;
  };
  bool operator==(const Counting&) const = default;
  Type infer(Types in) const { return in[0]; }
  Count prepare(Types in) const {
    ++made;
    return {{.parts = 3, .flops = 1e6}, static_cast<float>(in[0].count())};
  }
  void run(const Run& r, const Count& c) const {
    const auto [begin, end] = r.share(r.out_type().count());
    for (std::int64_t i = begin; i < end; ++i) r.out<float>()[i] = r.in<float>(0)[i] * c.elements;
  }
};

}  // namespace oxbow::test
