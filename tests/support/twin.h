// Two graphs that compute the same in two ways: checks that their values and gradients have the same bits.
#pragma once

#include <oxbow/graph/leaves.h>
#include <oxbow/graph/verify.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>

#include "support/interpreter.h"

namespace oxbow::test {

inline Tensor floats(const Shape& shape, std::uint64_t seed, double low = -1, double high = 1) {
  Tensor t({f32, shape});
  const Tensor drawn = draw(shape, low, high, seed);
  for (std::int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = static_cast<float>(drawn.data<double>()[i]);
  return t;
}

/// One of two graphs that shall be the same, with their results in the same order.
struct Twin {
  Graph g;
  std::vector<Value> x;  // the inputs
  std::vector<Value> y;
};

/// Builds both by `build(twin, second)` on these inputs, and compares the values, and the gradients of the sum of their
/// squares: as the interpreter computes them, and the second one's on 1, 2 and 8 threads.
template <class Build>
void check_same_bits(const std::vector<Tensor>& inputs, Build&& build) {
  Twin twins[2];
  std::map<std::string, Tensor> feeds;
  for (int owns = 0; owns < 2; ++owns) {
    Twin& t = twins[owns];
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const std::string name = "x" + std::to_string(i);
      const Shape& shape = inputs[i].shape();
      t.x.push_back(input(t.g, name, inputs[i].dtype(), std::vector<Dim>(shape.begin(), shape.end())));
      feeds.insert_or_assign(name, inputs[i]);
    }
    t.y = build(t, owns == 1);
    verify(t.g);
    Value loss;
    for (const Value& v : t.y) loss = loss ? loss + sum(v * v) : sum(v * v);
    std::vector<Value> floats;
    for (const Value& v : t.x)
      if (is_float(v.dtype())) floats.push_back(v);
    for (const Value& v : gradients(loss, floats)) t.y.push_back(v);
    verify(t.g);
  }
  const std::vector<Tensor> plain = interpret(twins[0].y, feeds), owned = interpret(twins[1].y, feeds);
  for (std::size_t i = 0; i < plain.size(); ++i) BOOST_TEST(same_bits(plain[i], owned[i]), "value " << i);
  for (const int threads : {1, 2, 8}) {
    Store store(twins[1].g);
    const std::vector<Tensor> got = compile(twins[1].y, {.pool = Pool(threads)}).run(store, feeds);
    for (std::size_t i = 0; i < plain.size(); ++i)
      BOOST_TEST(same_bits(got[i], plain[i]), "value " << i << " on " << threads << " threads");
  }
}

}  // namespace oxbow::test
