// scan and while_loop: against the same written out by hand, with gradients.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/interpreter.h"
#include "support/says.h"

BOOST_AUTO_TEST_SUITE(test_loops)

using namespace oxbow;
using namespace oxbow::test;

namespace {

void check_near(const Tensor& got, const Tensor& want, double bound) {
  BOOST_REQUIRE((got.type() == want.type()));
  for (std::int64_t i = 0; i < got.count(); ++i)
    BOOST_TEST(std::abs(got.data<double>()[i] - want.data<double>()[i]) <= bound, "element " << i);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_scan_goes_along_axes_either_way) {
  Graph g;
  const Value x = input(g, "x", f64, {3, 4}), z = input(g, "z", f64, {4, 3}), h = input(g, "h", f64, {3});
  // x by columns, z by rows from the last on.
  const RepeatResult got =
      scan({h}, {x, z},
           [](const RepeatStep& s) {
             const Value next = s.carried[0] * s.slices[0] + s.slices[1];
             return RepeatNext{.carried = {next}, .stacked = {next, next * 2.0}};
           },
           {.inputs = {{.axis = 1}, {.axis = 0, .reverse = true}}, .outputs = {{.axis = -1, .reverse = true}, {}}});
  Value state = h;
  std::vector<Value> states;
  for (std::int64_t i = 0; i < 4; ++i) {
    state = state * x[{range(), i}] + z[3 - i];
    states.push_back(state);
  }
  const Value stacked = stack(states);
  const std::vector<Value> want{state, transpose(flip(stacked, {0})), stacked * 2.0};
  const std::vector<Value> given{got.carried[0], got.stacked[0], got.stacked[1]};
  const Tensors feeds{{"x", draw({3, 4}, -1, 1, 1)}, {"z", draw({4, 3}, -1, 1, 2)}, {"h", draw({3}, -1, 1, 3)}};
  std::vector<Value> fetches = given;
  fetches.insert(fetches.end(), want.begin(), want.end());
  for (const auto& values : {given, want}) {
    Value loss;
    for (const Value& v : values) loss = loss ? loss + sum(square(v)) : sum(square(v));
    const std::vector<Value> slopes = gradients(loss, {x, z, h});
    fetches.insert(fetches.end(), slopes.begin(), slopes.end());
  }
  Store store(g);
  const std::vector<Tensor> t = compile(fetches).run(store, feeds);
  for (std::size_t i = 0; i < 3; ++i) {
    check_near(t[i], t[i + 3], 1e-15);
    check_near(t[i + 6], t[i + 9], 1e-14);
  }
}

BOOST_AUTO_TEST_CASE(a_while_loop_ends_where_its_condition_does) {
  Graph g;
  const Value x = input(g, "x", f64, Shape{});
  const auto step = [&](const WhileStep& s) {
    const Value next = 0.5 * (s.carried[0] + x / s.carried[0]);
    return RepeatNext{.carried = {next}, .stacked = {next, s.trip}};
  };
  const WhileResult root = while_loop(
      12, {x}, [&](const std::vector<Value>& c) { return abs(square(c[0]) - x) > 1e-9; }, step);
  const Value slope = gradients(root.carried[0], {x})[0];
  const Program program = compile({root.carried[0], root.trips, slope, root.stacked[0], root.stacked[1]});
  Store store(g);
  for (const double at : {1.0, 2.0, 100.0}) {
    const std::vector<Tensor> t = program.run(store, {{"x", Tensor::scalar(at)}});
    // The same in C++.
    double y = at;
    std::int64_t trips = 0;
    std::vector<double> all(12);
    while (std::abs(y * y - at) > 1e-9) {
      y = 0.5 * (y + at / y);
      all[static_cast<std::size_t>(trips++)] = y;
    }
    BOOST_TEST(t[0].item<double>() == y);
    BOOST_TEST(t[1].item<std::int64_t>() == trips);
    BOOST_TEST((trips == 0) == (at == 1.0));
    BOOST_TEST(std::abs(t[2].item<double>() - (trips == 0 ? 1 : 0.5 / std::sqrt(at))) < 1e-6);
    for (std::int64_t i = 0; i < 12; ++i) {
      BOOST_TEST(t[3].data<double>()[i] == all[static_cast<std::size_t>(i)]);
      BOOST_TEST(t[4].data<std::int64_t>()[i] == (i < trips ? i : 0));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_while_loop_stops_at_its_bound) {
  Graph g;
  const Value x = input(g, "x", f64, {2});
  const WhileResult done = while_loop(
      3, {x}, [](const std::vector<Value>& c) { return sum(c[0]) < 1e9; },
      [](const WhileStep& s) { return RepeatNext{.carried = {s.carried[0] * 2.0}}; });
  Store store(g);
  const std::vector<Tensor> t =
      compile({done.carried[0], done.trips}).run(store, {{"x", Tensor::of<double>({2}, {1, 2})}});
  BOOST_TEST(t[0].data<double>()[1] == 16);
  BOOST_TEST(t[1].item<std::int64_t>() == 3);
}

BOOST_AUTO_TEST_CASE(refusals_of_loops_say_what_to_do) {
  Graph g;
  const Value x = input(g, "x", f64, {3, 4}), z = input(g, "z", f64, {5});
  const auto same = [](const RepeatStep& s) { return RepeatNext{.carried = s.carried, .stacked = {}}; };
  says([&] { scan({z}, {}, same); }, "scan: no sequence is given");
  says([&] { scan({z}, {x, z}, same); }, "sequence 1 has 5 steps beside 3");
  says([&] { scan({z}, {x}, same, {.inputs = {{.axis = 2}}}); }, "Give a value with the axis 2");
  says(
      [&] {
        while_loop(
            2, {z}, [](const std::vector<Value>& c) { return sum(c[0]) < 1.0; },
            [](const WhileStep&) { return RepeatNext{}; });
      },
      "while_loop: the body gives 0 carried values, but takes 1");
}

BOOST_AUTO_TEST_SUITE_END()
