// Reverse accumulation: derivatives known by hand and of second order; what is not reached; what is refused; how long
// it takes. Values that are read in parts and layers have files of their own.
#include <oxbow/graph/op.h>
#include <oxbow/graph/order/order.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cmath>

#include "support/evaluate_at.h"

BOOST_AUTO_TEST_SUITE(test_gradients)

using namespace oxbow;
using namespace oxbow::test;

namespace {

auto says(std::string text) {
  return [text](const Error& e) {
    BOOST_TEST_MESSAGE(e.what());
    return std::string(e.what()).find(text) != std::string::npos;
  };
}

std::string here(int line) { return "tests/ops/test_gradients.cpp:" + std::to_string(line); }

double scalar(Value v, double x) { return evaluate_at(Tensor::scalar(x), {v})[0].item<double>(); }

// y = x / 2, without a gradient rule.
struct Halve {
  static constexpr OpInfo info{.name = "halve", .inputs = {"x"}};
  Type infer(Types in) const { return in[0]; }
  void run(const Run& r) const { *r.out<double>() = *r.in<double>(0) / 2; }
  bool operator==(const Halve&) const = default;
};

// Its gradient has the wrong type, or is missing.
struct Wrong {
  static constexpr OpInfo info{.name = "wrong", .inputs = {"x"}};
  bool missing = false;
  static void attributes(auto&& visit) { visit("missing", &Wrong::missing); }
  Type infer(Types in) const { return in[0]; }
  void run(const Run& r) const { *r.out<double>() = *r.in<double>(0); }
  Grads gradient(const Node&, Values dy) const {
    if (missing) return std::vector<Value>{};
    return {cast(dy[0], f32)};
  }
  bool operator==(const Wrong&) const = default;
};

struct Scalar {
  Graph g;
  Value x = input(g, "x", f64, std::initializer_list<Dim>{});
};

}  // namespace

BOOST_AUTO_TEST_CASE(derivatives_known_by_hand) {
  Scalar s;
  const Value y = exp(s.x) * s.x + 3 * s.x * s.x;  // y' = e^x (x + 1) + 6 x
  BOOST_TEST(scalar(gradients(y, {s.x})[0], 1.5) == std::exp(1.5) * 2.5 + 9, boost::test_tools::tolerance(1e-14));
  const Value t = tanh(s.x);
  BOOST_TEST(scalar(gradients(t, {s.x})[0], 0.5) == 1 - std::pow(std::tanh(0.5), 2),
             boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(gradients_of_gradients) {
  Scalar s;
  Value d = s.x * s.x * s.x * s.x;
  const double wanted[] = {4 * 27, 12 * 9, 24 * 3, 24, 0};  // of x^4 at 3
  for (double w : wanted) {
    d = gradients(d, {s.x})[0];
    BOOST_TEST(scalar(d, 3) == w, boost::test_tools::tolerance(1e-13));
  }
}

BOOST_AUTO_TEST_CASE(shared_values_collect_all_contributions) {
  Scalar s;
  Value y = s.x;
  for (int i = 0; i < 60; ++i) y = y + y;  // 2^60 paths
  const NodeId before = s.g.size();
  BOOST_TEST(scalar(gradients(y, {s.x})[0], 1) == 0x1p60);
  BOOST_TEST(s.g.size() - before < 200);
}

BOOST_AUTO_TEST_CASE(intermediates_and_y_itself_may_be_asked_for) {
  Scalar s;
  const Value h = s.x * 2.0, y = h * h;
  const std::vector<Value> d = gradients(y, {s.x, h, y});
  BOOST_TEST(scalar(d[0], 3) == 24);
  BOOST_TEST(scalar(d[1], 3) == 12);
  BOOST_TEST(scalar(d[2], 3) == 1);
}

BOOST_AUTO_TEST_CASE(what_y_does_not_depend_on_has_gradient_zero) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 3}), v = variable(g, "v", {f64, {2}});
  const Value later = sum(x) * 2.0;
  const std::vector<Value> d = gradients(sum(square(x)), {v, later, x});
  BOOST_TEST((d[0].type() == v.type()));
  const std::vector<Tensor> t = evaluate_at(draw({5, 3}, 1, 2, 1), d);
  BOOST_TEST(t[0].data<double>()[1] == 0);
  BOOST_TEST(t[1].item<double>() == 0);
  BOOST_TEST(t[2].shape()[0] == 5);
}

BOOST_AUTO_TEST_CASE(integers_and_stop_gradient_end_the_flow) {
  Scalar s;
  const Value y = s.x * stop_gradient(s.x * s.x);
  BOOST_TEST(scalar(y, 3) == 27);
  BOOST_TEST(scalar(gradients(y, {s.x})[0], 3) == 9);
  const Value z = cast(cast(s.x, i64), f64) * s.x;
  BOOST_TEST(scalar(gradients(z, {s.x})[0], 3.5) == 3);
}

BOOST_AUTO_TEST_CASE(a_seed_makes_the_product_with_the_jacobian) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 3});
  const Value y = square(x), dy = input(g, "dy", f64, {any(2), 3});
  const Value dx = gradients(y, dy, {x})[0];
  Store store;
  const Tensor x0 = draw({2, 3}, -1, 1, 1), seed = draw({2, 3}, -1, 1, 2);
  const Tensor t = compile({dx}).run(store, {{"x", x0}, {"dy", seed}})[0];
  for (int i = 0; i < 6; ++i)
    BOOST_TEST(t.data<double>()[i] == 2 * x0.data<double>()[i] * seed.data<double>()[i],
               boost::test_tools::tolerance(1e-15));
  BOOST_CHECK_EXCEPTION(gradients(y, sum(dy), {x}), Error, says("the seed dy is sum_"));
}

BOOST_AUTO_TEST_CASE(backward_nodes_know_where_they_belong) {
  Graph g;
  const Value x = input(g, "x", f64, {3});
  Value h;
  int line = 0;
  {
    Scope scope(g, "encoder");
    line = __LINE__ + 1;
    h = exp(x);
  }
  const NodeId before = g.size();
  gradients(sum(h), {x});
  int found = 0;
  for (NodeId id = before; id < g.size(); ++id) {
    const Origin& origin = g.node(id).origin();
    if (id > before) BOOST_TEST((origin.phase == Phase::backward));  // the first is `sum`
    if (origin.forward != h.node_id()) continue;
    ++found;
    BOOST_TEST(origin.scope.str() == "encoder");
    BOOST_TEST(origin.at.line == static_cast<std::uint32_t>(line));
  }
  BOOST_TEST(found >= 1);
  BOOST_TEST((g.origin().phase == Phase::forward));
}

BOOST_AUTO_TEST_CASE(nothing_stays_that_no_gradient_needs) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), w = variable(g, "w", {f32, {3, 2}});
  const Value loss = mean(square(matmul(x, w)));
  const NodeId before = g.size();
  const Value dw = gradients(loss, {w})[0];
  const std::vector<bool> live = internal::ancestors(g, {dw});
  for (NodeId i = before; i < g.size(); ++i) BOOST_TEST(live[static_cast<std::size_t>(i)], g.node(i).full_name());
}

BOOST_AUTO_TEST_CASE(a_missing_gradient_names_op_node_reason_and_lines) {
  Scalar s;
  const int built = __LINE__ + 1;
  const Value h = apply(Halve{}, {s.x * 3.0}, At::current()).named("half");
  const Value y = h * h;
  BOOST_CHECK_EXCEPTION(gradients(y, {s.x}), Error,
                        says("gradients: halve has no gradient: it has no gradient rule\n  node half\n  at "));
  BOOST_CHECK_EXCEPTION(gradients(y, {s.x}), Error, says(here(built)));
  BOOST_CHECK_EXCEPTION(gradients(y, {s.x}), Error, says("while differentiating multiply_"));
  BOOST_CHECK_EXCEPTION(gradients(y, {s.x}), Error, says(here(__LINE__)));
  BOOST_CHECK_EXCEPTION(gradients(y, {s.x}), Error, says("or wrap what it reads in stop_gradient"));
  BOOST_TEST(scalar(gradients(y, {h})[0], 2) == 6);  // nothing asks `halve` here
}

BOOST_AUTO_TEST_CASE(wrong_gradients_of_an_op_are_told) {
  Scalar s;
  BOOST_CHECK_EXCEPTION(gradients(apply(Wrong{}, {s.x}, At::current()), {s.x}), Error,
                        says("the gradient of wrong is f32[] for input 0, which is f64[]"));
  BOOST_CHECK_EXCEPTION(gradients(apply(Wrong{.missing = true}, {s.x}, At::current()), {s.x}), Error,
                        says("the gradient of wrong gives 0 gradients for 1 inputs"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_differentiated_is_refused) {
  Graph g, other;
  const Value x = input(g, "x", f64, {any(2), 3}), n = input(g, "n", i64, {any(2)});
  BOOST_CHECK_EXCEPTION(gradients(x, {x}), Error, says("y has 6 elements (x, f64[2, 3]), not one"));
  BOOST_CHECK_EXCEPTION(gradients(x, {x}), Error, says(here(__LINE__)));
  BOOST_CHECK_EXCEPTION(gradients(sum(n), {x}), Error, says("y is not floating point (sum_"));
  BOOST_CHECK_EXCEPTION(gradients(sum(x), {x, n}), Error, says("x[1] (n, i64[2]) is not floating point"));
  BOOST_CHECK_EXCEPTION(gradients(sum(x), {Value()}), Error, says("x[0] is an empty Value"));
  BOOST_CHECK_EXCEPTION(gradients(sum(x), {input(other, "z", f64, {1})}), Error,
                        says("x[0] (z, f64[1]) belongs to another graph than y"));
}

BOOST_AUTO_TEST_CASE(long_chains_take_linear_time_and_no_stack) {
  const auto seconds = [](int length) {
    Scalar s;
    Value y = s.x;
    for (int i = 0; i < length; ++i) y = y + s.x;
    const auto start = std::chrono::steady_clock::now();
    gradients(y, {s.x});
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const double few = std::min({seconds(10000), seconds(10000), seconds(10000)}), many = seconds(100000);
  BOOST_TEST_MESSAGE("10,000 nodes: " << few * 1e3 << " ms, 100,000 nodes: " << many * 1e3 << " ms");
  BOOST_TEST(many < 40 * few);  // ten times the nodes; quadratic would be a hundred
  BOOST_TEST(many < 2);
}

BOOST_AUTO_TEST_SUITE_END()
