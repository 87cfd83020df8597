// x[i] and x[{...}]: elements as NumPy's indexing takes them, any batch size, gradients, lines, and what is refused.
#include <oxbow/ops/gradients.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <numeric>

#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_subscripts)

using namespace oxbow;
using oxbow::test::message;

namespace {

// 0, 1, 2, ... in that shape.
Tensor counting(const Shape& shape) {
  Tensor t({f32, shape});
  std::iota(t.data<float>(), t.data<float>() + t.count(), 0.f);
  return t;
}

std::vector<float> numbers(const Tensor& t) { return {t.data<float>(), t.data<float>() + t.count()}; }

}  // namespace

// Element [i, j, k] of x is 12 i + 4 j + k.
BOOST_AUTO_TEST_CASE(places_and_ranges_are_those_of_numpy) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3, 4});
  const std::uint8_t one = 1;
  const struct {
    Value y;
    Shape shape;
    std::vector<float> elements;
  } cases[] = {{x[0][1], {4}, {4, 5, 6, 7}},
               {x[-1][2], {4}, {20, 21, 22, 23}},
               {x[{1, 2, 3}], {}, {23}},
               {x[{-2, -3, -4}], {}, {0}},
               {x[{one, 0}], {4}, {12, 13, 14, 15}},
               {x[{0, range(1, 3)}], {2, 4}, {4, 5, 6, 7, 8, 9, 10, 11}},
               {x[{range(), -1, range(1, -1)}], {2, 2}, {9, 10, 21, 22}},
               {x[{range(), range(), 0}], {2, 3}, {0, 4, 8, 12, 16, 20}},
               {x[{range(-1, to_end), 0}], {1, 4}, {12, 13, 14, 15}},
               {x[range(1, to_end)][{0, 0}], {4}, {12, 13, 14, 15}},
               {x[{0, range(2, 2)}], {0, 4}, {}},
               {x[{0, 0, range(0, 4, 3)}], {2}, {0, 3}},
               {x[{0, 0, range(1, to_end, 2)}], {2}, {1, 3}},
               {x[range(-1, to_end, -1)][{range(), 0, 0}], {2}, {12, 0}},
               {x[{1, 2, range(3, 0, -2)}], {2}, {23, 21}},
               {x[{1, range(-1, -3, -1), 0}], {2}, {20, 16}},
               {slice(x, 2, 0, to_end, 3)[{0, 0}], {2}, {0, 3}}};
  std::vector<Value> fetches;
  for (const auto& c : cases) fetches.push_back(c.y);
  Store store(g);
  const auto out = compile(fetches).run(store, {{"x", counting({2, 3, 4})}});
  for (std::size_t i = 0; i < fetches.size(); ++i) BOOST_TEST_CONTEXT("case " << i) {
      BOOST_TEST(to_string(out[i].shape()) == to_string(cases[i].shape));
      BOOST_TEST(numbers(out[i]) == cases[i].elements);
    }
  BOOST_TEST(x[range()].same(x));
}

BOOST_AUTO_TEST_CASE(a_free_axis_may_have_any_size) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3});
  const Program program = compile({x[-1], x[{range(), 1}], x[{range(-1, to_end, -2), 0}], shape_of(x)[range(1, 2, 2)]});
  Store store(g);
  const auto out = program.run(store, {{"x", counting({4, 3})}});
  BOOST_TEST(numbers(out[2]) == (std::vector<float>{9, 3}));
  BOOST_TEST(out[3].item<std::int64_t>() == 3);
  BOOST_TEST(numbers(out[0]) == (std::vector<float>{9, 10, 11}));
  BOOST_TEST(numbers(out[1]) == (std::vector<float>{1, 4, 7, 10}));
}

BOOST_AUTO_TEST_CASE(a_size_of_a_shape_is_known) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3}), label = input(g, "label", i64, {2});
  const Value sizes = shape_of(x)[range(-1, to_end, -1)];
  const Program program = compile({one_hot(label, sizes[1]), one_hot(label, sizes[0])});
  Store store(g);
  const auto out = program.run(store, {{"x", counting({4, 3})}, {"label", Tensor::of<std::int64_t>({2}, {0, 2})}});
  BOOST_TEST(numbers(out[0]) == (std::vector<float>{1, 0, 0, 0, 0, 0, 1, 0}));
  BOOST_TEST(numbers(out[1]) == (std::vector<float>{1, 0, 0, 0, 0, 1}));
}

// d/dx of sum(weights * x[places]) is the weights at those places, 0 elsewhere.
BOOST_AUTO_TEST_CASE(the_gradient_is_zero_where_nothing_was_taken) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3});
  const Value y = sum(x[{range(), 1}] * constant(g, Tensor::of<float>({2}, {5, 7}))) + x[{1, 1}] * 2.0;
  Store store(g);
  const auto out = compile(gradients(y, {x})).run(store, {{"x", counting({2, 3})}});
  BOOST_TEST(numbers(out[0]) == (std::vector<float>{0, 5, 0, 0, 9, 0}));
}

BOOST_AUTO_TEST_CASE(nodes_have_the_line_of_the_brackets) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 3});
  // clang-format off
  const Value y = x[{0, range(1, 3)}]; const At here = At::current();
  const Value z = x[1]; const At there = At::current();
  // clang-format on
  BOOST_TEST(y.node().origin().at.line == here.line());
  BOOST_TEST(z.node().origin().at.line == there.line());
}

BOOST_AUTO_TEST_CASE(what_does_not_lie_within_x_is_refused) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 4});
  const Value none = input(g, "none", f32, {0, 4});
  const std::string of_x = "\n  x: f32[2, 4] from x\n  at HERE\n  ";
  // A call stays on the line that `message` knows.
  // clang-format off
  const std::pair<std::string, std::string> cases[] = {
      {message([&] { x[2]; }),
       "x[2]: there is no place 2 in axis 0, whose size is 2" + of_x + "Use -2 to 1"},
      {message([&] { x[{range(), -5}]; }),
       "x[range(), -5]: there is no place -5 in axis 1, whose size is 4" + of_x + "Use -4 to 3"},
      {message([&] { x[{0, 1, 2}]; }),
       "x[0, 1, 2]: 3 subscripts, but x has 2 axes" + of_x + "Give at most one an axis"},
      {message([&] { x[range(1, 9)]; }),
       "x[range(1, 9)]: the range 1 to 9 does not lie within axis 0 of [2, 4]" + of_x +
           "Use 0 <= begin <= end <= 2, or negative numbers to count from the end"},
      {message([&] { x[{range(), range(0, 5, 2)}]; }),
       "x[range(), range(0, 5, 2)]: the range 0 to 5 by 2 does not lie within axis 1 of [2, 4]" + of_x +
           "Use 0 <= begin <= end <= 4, or negative numbers to count from the end"},
      {message([&] { x[range(2, to_end, -1)]; }),
       "x[range(2, to_end, -1)]: the range 2 to the first by -1 does not lie within axis 0 of [2, 4]" + of_x +
           "Use 0 <= end <= begin < 2, or negative numbers to count from the end"},
      {message([&] { slice(x, 0, 0, 2, 0); }),
       "strided_slice: the step of a range is 0" + of_x + "Use 1 for each element, -1 for each of them backwards"},
      {message([&] { none[0]; }),
       "x[0]: there is no place 0 in axis 0, whose size is 0\n  x: f32[0, 4] from none\n  at HERE\n"
       "  Take a range of it"},
      {message([&] { Value()[0]; }),
       "x[0]: x is an empty Value\n  at HERE\n  Build it first"},
      {message([&] { squeeze(x, {1}); }),
       "squeeze: axis 1 of [2, 4] does not have size 1" + of_x + "Take one place of it: slice(x, 1, 0, 1)"}};
  // clang-format on
  for (const auto& [said, expected] : cases) BOOST_TEST(said == expected);
}

BOOST_AUTO_TEST_SUITE_END()
