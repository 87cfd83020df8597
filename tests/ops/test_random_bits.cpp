// Random numbers follow from the seed, the step, the stream and the place alone, and are the same bits on any number of
// threads and any machine. Labels: levels.
#include <oxbow/graph/text.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "support/drawn.h"

BOOST_AUTO_TEST_SUITE(test_random_bits)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// FNV-1a over the bytes.
std::uint64_t checksum(const Tensor& t) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (std::int64_t i = 0; i < t.type().bytes(); ++i)
    h = (h ^ std::to_integer<std::uint64_t>(t.bytes()[i])) * 0x100000001b3u;
  return h;
}

const Build all_kinds[] = {
    [](Graph& g) { return random_uniform(g, {70000}, {.low = -1, .high = 2}); },
    [](Graph& g) { return random_normal(g, {70000}, {.mean = 3, .deviation = 2}); },
    [](Graph& g) { return random_normal(g, {70000}, {.dtype = f64}); },
    [](Graph& g) { return random_truncated_normal(g, {70000}); },
    [](Graph& g) { return random_normal(g, {70000}, {.dtype = bf16}); },
    [](Graph& g) { return random_bernoulli(g, {70000}, {.p = 0.3, .dtype = boolean}); },
    [](Graph& g) {
      return random_categorical(constant(g, draw({7000, 10}, -3, 3, 1, f32)));
    },
    [](Graph& g) {
      return random_categorical(constant(g, draw({7000, 10}, 0, 3, 1)), {.probabilities = true});
    },
};

}  // namespace

BOOST_AUTO_TEST_CASE(draws_are_the_same_bits_for_any_number_of_threads) {
  for (const Build& build : all_kinds) {
    const Tensor one = drawn(build, {.threads = 1});
    for (const int threads : {2, 8}) BOOST_TEST(same_bits(one, drawn(build, {.threads = threads})));
  }
}

BOOST_AUTO_TEST_CASE(draws_are_the_same_bits_on_every_machine) {
  const std::uint64_t wanted[] = {9759387253601020917u,  14316099792840994000u, 17922367114752381272u,
                                  16752543530506494586u, 3226197965805109421u,  17531774344995569831u,
                                  18069178185136644143u, 7456332674486134315u};
  int i = 0;
  for (const Build& build : all_kinds) {
    const std::uint64_t got = checksum(drawn(build));
    BOOST_TEST(got == wanted[i], "kind " << i << ": " << got);
    ++i;
  }
}

BOOST_AUTO_TEST_CASE(a_number_follows_from_seed_step_stream_and_place) {
  const auto numbers = [](const Shape& shape, DType dtype, const How& how) {
    return drawn([&](Graph& g) { return random_normal(g, shape, {.dtype = dtype}); }, how);
  };
  const Tensor t = numbers({1000}, f64, {.seed = 3, .step = 4});
  BOOST_TEST(same_bits(t, numbers({1000}, f64, {.seed = 3, .step = 4})));
  BOOST_TEST(!same_bits(t, numbers({1000}, f64, {.seed = 4, .step = 4})));
  BOOST_TEST(!same_bits(t, numbers({1000}, f64, {.seed = 3, .step = 5})));
  const Tensor more = numbers({40, 1000}, f64, {.seed = 3, .step = 4});
  BOOST_TEST(std::equal(t.data<double>(), t.data<double>() + 1000, more.data<double>()));
  const Tensor narrow = numbers({1000}, f32, {.seed = 3, .step = 4}),
               half = numbers({1000}, f16, {.seed = 3, .step = 4});
  for (std::int64_t i = 0; i < 1000; ++i) {
    BOOST_TEST(narrow.data<float>()[i] == static_cast<float>(t.data<double>()[i]));
    BOOST_TEST(half.data<float16>()[i].bits() == float16(t.data<double>()[i]).bits());
  }
}

BOOST_AUTO_TEST_CASE(each_call_has_a_stream_of_its_own_and_a_graph_the_same_ones_again) {
  const auto two = [](Graph& g) { return concat({random_normal(g, {50}), random_normal(g, {50})}); };
  const Tensor t = drawn(two);
  BOOST_TEST(!std::equal(t.data<float>(), t.data<float>() + 50, t.data<float>() + 50));
  BOOST_TEST(same_bits(t, drawn(two)));
  Graph a, b;
  two(a), two(b);
  BOOST_TEST(print(a, {.locations = false}) == print(b, {.locations = false}));
}

BOOST_AUTO_TEST_CASE(each_training_step_draws_anew_and_a_state_brings_it_back) {
  Graph g;
  const Value y = random_normal(g, {20});
  Store store(g);
  const Program step = compile({y, random_update(g)}), look = compile({y});
  const Tensor first = step.run(store, {})[0], state = store.get("random/state"), second = step.run(store, {})[0];
  BOOST_TEST(!same_bits(first, second));
  BOOST_TEST(!same_bits(second, look.run(store, {})[0]));
  BOOST_TEST(same_bits(look.run(store, {})[0], look.run(store, {})[0]));  // no step was counted
  store.set("random/state", state);
  BOOST_TEST(same_bits(step.run(store, {})[0], second));
}

BOOST_AUTO_TEST_SUITE_END()
