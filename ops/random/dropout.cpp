#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/graph/support/random_blocks.h>
#include <oxbow/ops/independent.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/random.h>
#include <oxbow/ops/random/dropout.h>
#include <oxbow/ops/random/numbers.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

// Elements are drawn for in chunks of 64 blocks of four words, all 64 at once: element i of a chunk takes word i / 64
// of block i mod 64, so neighbours are neighbours in a vector.
constexpr std::size_t blocks = 64;
constexpr std::int64_t chunk_elements = 4 * blocks;

// Kept are the words from here on.
std::uint32_t threshold(double rate) { return static_cast<std::uint32_t>(rate * 0x1p32); }

}  // namespace

Type Dropout::infer(Types in) const {
  check_dtype(dtypes::Floats{}, in[0], "x");
  if (!(rate >= 0 && rate < 1))
    throw OpError("the rate " + internal::short_number(rate) + " is not in [0, 1)",
                  "Give the fraction of elements to drop");
  check_state(in[1]);
  return in[0];
}

Work Dropout::work(Types in) const {
  const std::int64_t n = in[0].count();
  return {.parts = std::max<std::int64_t>(1, n / 16384),
          .flops = 20 * static_cast<double>(n),
          .bytes = 2 * static_cast<double>(in[0].bytes())};
}

void Dropout::run(const Run& r) const {
  const std::int64_t n = r.in_type(0).count();
  const auto [begin, end] = r.share((n + chunk_elements - 1) / chunk_elements);
  const auto* state = r.in<std::int64_t>(1);
  dispatch<dtypes::Floats>(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
    const T scale = static_cast<T>(1 / (1 - rate));
    const std::uint32_t least = threshold(rate);
    internal::RandomWords<blocks> words;
    for (std::int64_t chunk = begin; chunk < end; ++chunk) {
      internal::random_blocks<blocks>(static_cast<std::uint64_t>(state[0]), static_cast<std::uint32_t>(state[1]),
                                      static_cast<std::uint32_t>(stream), static_cast<std::uint64_t>(chunk) * blocks,
                                      words);
      const T* x = r.in<T>(0) + chunk * chunk_elements;
      T* y = r.out<T>() + chunk * chunk_elements;
      const std::uint32_t* word = words.data();
      independent(0, std::min(chunk_elements, n - chunk * chunk_elements),
                  [=](std::int64_t i) { y[i] = word[i] >= least ? x[i] * scale : T{0}; });
    }
  });
}

Grads Dropout::gradient(const Node& n, Values dy) const {
  return {apply(*this, {dy[0], n.input(1)}, At::current()), Value()};
}

}  // namespace oxbow::ops

namespace oxbow {

Value random_state(Graph& g, At at) {
  if (const auto found = g.find("random/state")) return found->output();
  const OriginGuard top(g, {});
  const Scope scope(g, "random");
  const Value state =
      variable(g, "state", {i64, {2}}, {.kind = Init::Kind::seed, .seed = g.seed()}, /*trainable=*/false, at);
  const OriginGuard update(g, {.at = {}, .phase = Phase::update, .scope = g.origin().scope});
  g.add_update(assign(state, add(state, constant(g, Tensor::of<std::int64_t>({2}, {0, 1}), at), at), at));
  return state;
}

Value random_update(Graph& g, At at) {
  const Value state = random_state(g, at);
  for (const Value& update : g.updates())
    if (update.node().input(0).same(state)) return update;
  throw InternalError("a graph with a random state does not count its steps");
}

Value dropout(Value x, double rate, At at) {
  if (!x) return apply(ops::Dropout{.rate = rate}, {x, x}, at);
  return apply(ops::Dropout{.rate = rate, .stream = x.graph().next_stream()}, {x, random_state(x.graph(), at)}, at);
}

}  // namespace oxbow
