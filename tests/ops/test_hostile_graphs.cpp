// Graphs that ask for more than any machine has: they are refused, or left as they are, before memory is asked for, and
// nothing goes through them by recursion or again and again.
// Labels: memory.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/ops/ops.h>
#include <oxbow/ops/pointwise/unary.h>
#include <oxbow/runtime/program.h>

#include <array>
#include <boost/test/unit_test.hpp>

#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_hostile_graphs)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;

namespace {

// As much scratch memory as it is told to ask for.
struct Greedy {
  static constexpr OpInfo info{.name = "test_greedy", .inputs = {"x"}};
  std::int64_t scratch = 0;
  bool operator==(const Greedy&) const = default;
  Type infer(Types in) const { return in[0]; }
  Work work(Types) const { return {.scratch = scratch}; }
  void run(const Run&) const {}
};

}  // namespace

// Sums of sizes that are beyond 63 bits came out small or negative, and kernels wrote where nothing had been allocated.
BOOST_AUTO_TEST_CASE(values_that_have_more_bytes_than_a_plan_may_have) {
  const std::int64_t most = limits::plan_bytes / 4;  // elements of f32
  const std::pair<int, std::int64_t> cases[] = {
      {2, most}, {2, Shape::max_count}, {4, Shape::max_count}, {8, Shape::max_count}, {64, most / 32}};
  for (const auto& [count, size] : cases) {
    Graph g;
    const Value x = input(g, "x", f32, {1});
    std::vector<Value> all;
    for (int i = 0; i < count; ++i) all.push_back(broadcast_to(exp(x + static_cast<double>(i)), Shape{size}));
    const std::string text = message([&] { compile(all); });
    BOOST_TEST(has(text, "have more than 72057594037927936 bytes together\n  built at "), text);
    BOOST_TEST(has(text, "\n  Compute on fewer samples at a time, or on smaller ones"), text);
  }
  Graph g;
  const Value x = input(g, "x", f32, {1});
  for (const std::int64_t scratch : {limits::plan_bytes + 1, std::int64_t{-64}, Shape::max_count * 15})
    BOOST_TEST(has(message([&] { compile({apply(Greedy{scratch}, {x}, At::current())}); }),
                   "the op \"test_greedy\" asks for scratch memory of " + std::to_string(scratch) + " bytes"));
  // What a plan may have, and no memory has.
  for (const Value& y : {broadcast_to(exp(x), Shape{most / 2}), apply(Greedy{limits::plan_bytes}, {x}, At::current())}) {
    const Program program = compile({y}, {.pool = Pool(4)});
    Store store(g);
    BOOST_TEST(has(message([&] { program.run(store, {{"x", Tensor({f32, {1}})}}); }), "out of memory: cannot allocate "));
  }
}

BOOST_AUTO_TEST_SUITE_END()
