// Small trainings whose steps follow by hand. For tests of what surrounds an optimizer.
#pragma once

#include <oxbow/ops/ops.h>
#include <oxbow/optim/model.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

namespace oxbow::test {

// loss = sum(slope a) + sum(slope b): the gradient of both is what is fed.
struct Slopes {
  Graph g;
  Value a, b, slope, loss;
  Slopes() {
    slope = input(g, "slope", f64, {2, 3});
    {
      const Scope scope(g, "first");
      a = variable(g, "weight", {f64, {2, 3}}, {.kind = Init::Kind::constant, .a = 1});
    }
    const Scope scope(g, "second");
    b = variable(g, "bias", {f64, {2, 3}}, {.kind = Init::Kind::constant, .a = 2});
    loss = sum(slope * a) + sum(slope * b);
  }
};

// One graph with its step, run on slopes.
struct Run1 {
  Slopes net;
  optim::Minimized step;
  Store store;
  Session session;
  Run1(const optim::Optimizer& optimizer, optim::MinimizeOptions options)
      : step(optim::minimize(net.loss, optimizer, std::move(options))),
        store(net.g),
        session(oxbow::compile(step.fetches()), store) {}
  void run(std::initializer_list<double> slopes) {
    session.feed("slope", Tensor::of<double>({2, 3}, slopes));
    session.run();
  }
  std::vector<double> values(const std::string& name) const {
    const Tensor t = store.get(name);
    return {t.data<double>(), t.data<double>() + t.count()};
  }
  double value(const std::string& name) const { return store.get(name).item<double>(); }
};

inline Dataset numbers(std::int64_t n) { return {{"x", draw({n}, -1, 3, 1, f64)}}; }

inline void close(const std::vector<double>& got, const std::vector<double>& want, double tolerance = 1e-14) {
  BOOST_REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    BOOST_TEST(std::abs(got[i] - want[i]) <= tolerance, i << ": " << got[i] << ", not " << want[i]);
}

}  // namespace oxbow::test
