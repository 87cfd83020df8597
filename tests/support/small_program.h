// A graph of one input and one variable that it writes, for tests of what a session does with them.
#pragma once

#include <oxbow/graph/leaves.h>

#include <vector>

#include "runtime_ops.h"

namespace oxbow::test {

/// Seven numbers over and over: 1/4 apart.
inline std::vector<float> numbers(std::size_t n, float first = 0.5f) {
  std::vector<float> v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = first + static_cast<float>(i % 7) * 0.25f;
  return v;
}

/// x (any, 3), a variable w of 3 numbers, y = mix(x), and w := mix(w, check(x)).
struct Small {
  Graph g;
  Value x, w, y, next;
  Small() {
    x = input(g, "x", f32, {any(4), 3});
    w = variable(g, "w", {f32, {3}}, {.kind = Init::Kind::constant, .a = 1});
    y = apply(Mix{6, 2}, {x, w}, At::current()).named("y");
    next = assign(w, apply(Mix{3, 1}, {w, apply(Check{}, {x}, At::current()).named("checked")}, At::current()));
  }
};

}  // namespace oxbow::test
