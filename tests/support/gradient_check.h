// Gradients against central differences, in double, over every element.
#pragma once

#include <oxbow/graph/leaf_ops.h>
#include <oxbow/graph/op.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/interpreter.h"

namespace oxbow::test {

/// The gradients of y, weighted unevenly, with respect to each of `x`: inputs and variables.
inline void check_gradients(Value y, const std::vector<Value>& x, const Tensors& feeds, double tolerance = 1e-6) {
  Graph& g = y.graph();
  const Value loss = sum(y * constant(g, draw(y.shape(), -1, 1, 77)));
  const std::vector<Value> slopes = gradients(loss, x);
  Store store(g);
  const std::vector<Tensor> exact = compile(slopes).run(store, feeds);
  const Program program = compile({loss});
  constexpr double h = 1e-5;
  for (std::size_t k = 0; k < x.size(); ++k) {
    const auto* variable = x[k].node().op().as<ops::Variable>();
    const std::string name = variable ? variable->name : x[k].node().op().as<ops::Input>()->name;
    const Tensor at = variable ? store.get(name).clone() : feeds.at(name);
    double largest = 0;
    for (std::int64_t i = 0; i < at.count(); ++i) {
      double loss_at[2];
      for (const int side : {0, 1}) {
        Tensor moved = at.clone();
        moved.data<double>()[i] += side == 0 ? -h : h;
        Tensors fed = feeds;
        if (variable)
          store.set(name, moved);
        else
          fed.insert_or_assign(name, moved);
        loss_at[side] = program.run(store, fed)[0].item<double>();
      }
      const double numeric = (loss_at[1] - loss_at[0]) / (2 * h), slope = exact[k].data<double>()[i];
      largest = std::max(largest, std::abs(slope));
      BOOST_TEST(std::abs(numeric - slope) <= tolerance * std::max(1.0, std::abs(slope)),
                 name << "[" << i << "]: " << slope << " and " << numeric);
    }
    BOOST_TEST(largest > 0, name << " has no gradient at all");
    if (variable) store.set(name, at);
  }
}

/// What is fetched has the same bits on 1, 2 and 8 threads; what it is.
inline std::vector<Tensor> on_all_threads(const std::vector<Value>& fetches, const Tensors& feeds,
                                          Mode mode = Mode::training) {
  std::vector<Tensor> first;
  for (const int threads : {1, 2, 8}) {
    Store store(fetches[0].graph());
    const std::vector<Tensor> t = compile(fetches, {.mode = mode, .pool = Pool(threads)}).run(store, feeds);
    if (first.empty()) {
      first = t;
      continue;
    }
    for (std::size_t i = 0; i < t.size(); ++i)
      BOOST_TEST(same_bits(t[i], first[i]), "value " << i << " on " << threads << " threads");
  }
  return first;
}

}  // namespace oxbow::test
