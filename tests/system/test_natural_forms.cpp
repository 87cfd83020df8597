// What a newcomer writes first, each in its natural form.
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

BOOST_AUTO_TEST_SUITE_END()
