// What a newcomer writes first, each in its natural form.
#include <oxbow/graph/op.h>
#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>
#include <type_traits>

BOOST_AUTO_TEST_SUITE(test_natural_forms)

using namespace oxbow;

namespace {

template <class T>
std::vector<T> elements(const Tensor& t) {
  return std::vector<T>(t.data<T>(), t.data<T>() + t.count());
}

Value doubled(Value v) { return 2.0 * v; }

}  // namespace

BOOST_AUTO_TEST_CASE(values_are_compared_by_operators) {
  Graph g;
  const Value x = input(g, "x", f32, {4}), y = input(g, "y", f32, {4});
  Store store(g);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto out =
      compile({x > y, x >= y, x > 1.0, 1 <= x, x <= y, x < y, where(x > y, x, y)})
          .run(store, {{"x", Tensor::of<float>({4}, {0, 1, 2, nan})}, {"y", Tensor::of<float>({4}, {1, 1, 1, 1})}});
  const std::vector<bool> expected[] = {{false, false, true, false}, {false, true, true, false},
                                        {false, false, true, false}, {false, true, true, false},
                                        {true, true, false, false},  {true, false, false, false}};
  for (int i = 0; i < 6; ++i) BOOST_TEST(elements<bool>(out[i]) == expected[i], "comparison " << i);
  BOOST_TEST(elements<float>(out[6]) == (std::vector<float>{1, 1, 2, 1}));
}

// An `if` would ask whether there is a Value, not what it holds.
static_assert(!std::is_constructible_v<bool, Condition>);
static_assert(std::is_constructible_v<bool, Value>);
static_assert(std::is_convertible_v<Condition, Value>);

BOOST_AUTO_TEST_CASE(an_activation_is_anything_that_takes_a_value) {
  Graph g;
  const Value x = input(g, "x", f32, {1, 1});
  const auto layer = [&](Activation activation) {
    return dense(x, 1, {.activation = std::move(activation), .kernel_init = init::ones()});
  };
  const std::vector<Value> fetches{layer([](Value v) { return v * 3.0; }), layer(doubled), layer(relu),
                                   layer([](auto v) { return v + 1.0; }), layer({})};
  Store store(g);
  const auto out = compile(fetches).run(store, {{"x", Tensor::of<float>({1, 1}, {-5})}});
  const float expected[] = {-15, -10, 0, -4, -5};
  for (int i = 0; i < 5; ++i) BOOST_TEST(out[i].item<float>() == expected[i]);
}

BOOST_AUTO_TEST_CASE(a_variable_takes_what_a_parameter_takes) {
  Graph g;
  const Value a = variable(g, "a", {f32, {2, 3}}, init::constant(7), /*trainable=*/false);
  variable(g, "b", {f32, {2, 3}}, init::he_normal());
  parameter(g, "c", {f32, {2, 3}}, init::he_normal());
  const auto of = [&](const char* name) { return *g.find(name)->op().as<ops::Variable>(); };
  BOOST_TEST(!of("a").trainable);
  BOOST_TEST((of("b").trainable && of("b").init.kind == Init::Kind::normal));
  BOOST_TEST(of("b").init.stream != of("c").init.stream);
  BOOST_TEST(of("b").init.b == of("c").init.b);
  Store store(g);
  BOOST_TEST(elements<float>(store.get("a")) == std::vector<float>(6, 7.f));
  BOOST_TEST(variables(g).size() == 2u);
  BOOST_TEST(a.node().origin().at.line + 1 == g.find("b")->origin().at.line);
}

BOOST_AUTO_TEST_CASE(an_input_takes_a_shape) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3});
  const Value y = input(g, "y", i64, x.shape()), scalar = input(g, "scalar", f32, {});
  BOOST_TEST((y.shape() == Shape{2, 3}));
  BOOST_TEST(y.node().op().as<ops::Input>()->free_axes.empty());
  BOOST_TEST(!x.node().op().as<ops::Input>()->free_axes.empty());
  BOOST_TEST(scalar.rank() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
