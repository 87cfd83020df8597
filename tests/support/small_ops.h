// Ops of the tests' own, written as a user would write them: elementwise ones, a reduction, and one that stands
// between.
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/graph/op.h>

#include <algorithm>

namespace oxbow::test {

// x * scale + y, broadcast: an op of the test's own, as a user would write one.
struct Scaled {
  static constexpr OpInfo info{.name = "scaled", .inputs = {"x", "y"}};
  double scale = 1;
  static void attributes(auto&& visit) { visit("scale", &Scaled::scale); }
  bool operator==(const Scaled&) const = default;
  Type infer(Types in) const { return {in[0].dtype, broadcast(in[0].shape, in[1].shape)}; }
  TileFn tile(Types) const {
    return [](const void* op, const void* const* in, void* out, std::int64_t n) {
      const auto by = static_cast<float>(static_cast<const Scaled*>(op)->scale);
      const auto *x = static_cast<const float*>(in[0]), *y = static_cast<const float*>(in[1]);
      for (std::int64_t i = 0; i < n; ++i) static_cast<float*>(out)[i] = x[i] * by + y[i];
    };
  }
};

// Wider elements on the same tape.
struct ToDouble {
  static constexpr OpInfo info{.name = "to_double", .inputs = {"x"}};
  bool operator==(const ToDouble&) const = default;
  Type infer(Types in) const { return {f64, in[0].shape}; }
  TileFn tile(Types) const {
    return [](const void*, const void* const* in, void* out, std::int64_t n) {
      for (std::int64_t i = 0; i < n; ++i) static_cast<double*>(out)[i] = static_cast<const float*>(in[0])[i];
    };
  }
};

// The largest element of each chunk of 96, as [chunks]: order does not matter, so any caller must get the same.
struct ChunkMax {
  static constexpr OpInfo info{.name = "chunk_max", .inputs = {"x"}};
  std::int64_t chunk = 96;
  static void attributes(auto&& visit) { visit("chunk", &ChunkMax::chunk); }
  bool operator==(const ChunkMax&) const = default;
  Type infer(Types in) const { return {f32, {std::max<std::int64_t>(1, (in[0].count() + chunk - 1) / chunk)}}; }
  Consumer consume(Types) const {
    return {.chunk = chunk,
            .grain = 12,
            .state = 4,
            .begin = [](const Consumer&, void* state) { *static_cast<float*>(state) = -1e30f; },
            .take =
                [](const Consumer&, void* state, const void* in, std::int64_t, std::int64_t lanes) {
                  for (std::int64_t i = 0; i < lanes; ++i)
                    *static_cast<float*>(state) =
                        std::max(*static_cast<float*>(state), static_cast<const float*>(in)[i]);
                },
            .end = [](const Consumer&, void* state, std::int64_t c, std::int64_t,
                      void* out) { static_cast<float*>(out)[c] = *static_cast<float*>(state); }};
  }
};

// A copy with a kernel of its own: what is before it and what is after it cannot be fused.
struct Wall {
  static constexpr OpInfo info{.name = "wall", .inputs = {"x"}};
  bool operator==(const Wall&) const = default;
  Type infer(Types in) const { return in[0]; }
  void run(const Run& r) const { std::copy_n(r.inputs[0].bytes, r.in_type(0).bytes(), r.outputs[0].bytes); }
};

}  // namespace oxbow::test
