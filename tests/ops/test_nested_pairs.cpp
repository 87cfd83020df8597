// Each pair of elementwise ops that becomes one routine: the bits of both, one after the other, special numbers too.
// Labels: levels.
#include <oxbow/graph/support/random.h>
#include <oxbow/ops/pointwise/nested.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

BOOST_AUTO_TEST_SUITE(test_nested_pairs)

using namespace oxbow;
using namespace oxbow::ops;

namespace {

// Numbers of all sizes and both signs, the first the special ones; or plain ones, above 0, which roots are quicker of.
template <Element T>
Tensor numbers(std::int64_t n, std::uint32_t stream, bool plain) {
  Tensor t({dtype_of<T>, {n}});
  constexpr double special[] = {0.0, -0.0, 1.0, -1.0, INFINITY, -INFINITY, NAN, 1e-42, 3e38};
  for (std::int64_t i = 0; i < n; ++i) {
    const auto at = (static_cast<std::size_t>(i) + stream) % 23;
    const internal::RandomBlock bits = internal::random_block(7, 0, stream, static_cast<std::uint64_t>(i));
    const double drawn =
        (static_cast<double>(bits[0]) / 0x1p31 - 1) * std::ldexp(1.0, static_cast<int>(bits[1] % 9) - 4);
    t.data<T>()[i] = static_cast<T>(plain ? std::abs(drawn) + 0x1p-40 : at < std::size(special) ? special[at] : drawn);
  }
  return t;
}

template <Element T>
Tensor computed(const Op& op, const std::vector<Tensor>& operands) {
  std::vector<Type> types;
  std::vector<const void*> in;
  for (const Tensor& t : operands) {
    types.push_back(t.type());
    in.push_back(t.bytes());
  }
  Tensor out(types[0]);
  op.tile(types)(op.self(), in.data(), out.bytes(), out.count());
  for (T& y : std::span(out.data<T>(), static_cast<std::size_t>(out.count())))
    if (y != y) y = std::numeric_limits<T>::quiet_NaN();  // which of two NaNs goes on is left open
  return out;
}

template <Element T>
void check(const Absorbed& p, bool plain) {
  std::vector<Tensor> operands;
  for (std::uint32_t i = 0; i + 1 < p.outer_operands + p.inner_operands; ++i)
    operands.push_back(numbers<T>(517, i, plain));
  const auto first = operands.begin() + p.operand, behind = first + static_cast<std::ptrdiff_t>(p.inner_operands);
  const Tensor between = computed<T>(p.inner, {first, behind});
  std::vector<Tensor> of_outer(operands.begin(), first);
  of_outer.push_back(between);
  of_outer.insert(of_outer.end(), behind, operands.end());
  const std::vector<Type> types(of_outer.size(), between.type());
  const std::optional<Op> both = p.outer.absorb(p.operand, p.inner, types);
  BOOST_REQUIRE(both);
  BOOST_TEST(same_bits(computed<T>(*both, operands), computed<T>(p.outer, of_outer)));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_pair_has_the_bits_of_both) {
  const std::vector<Absorbed> pairs = absorbed_pairs();
  BOOST_TEST(pairs.size() > 20u);
  for (const Absorbed& p : pairs) BOOST_TEST_CONTEXT(p.formula) {
      for (const bool plain : {false, true}) {
        check<float>(p, plain);
        check<double>(p, plain);
      }
    }
}

BOOST_AUTO_TEST_CASE(formulas_show_the_nesting) { BOOST_TEST(absorbed_pairs()[1].formula == "add(multiply(a, b), c)"); }

BOOST_AUTO_TEST_SUITE_END()
