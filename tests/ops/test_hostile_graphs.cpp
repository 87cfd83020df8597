// Graphs that ask for more than any machine has: they are refused, or left as they are, before memory is asked for, and
// nothing goes through them by recursion or again and again.
// Labels: memory.
#include <oxbow/graph/known.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/fold.h>
#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/graph/support/limits.h>
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/ops.h>
#include <oxbow/ops/pointwise/unary.h>
#include <oxbow/runtime/ledger.h>
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

std::unique_ptr<Graph> read(const std::string& lines) {
  return parse("oxbow graph 1 seed 0 next_stream 1\nforward:\n" + lines + "end", catalog(), "t.graph");
}

std::string loop(std::string_view numbers) {
  return "{" + std::string(numbers) +
         ", body: graph {forward: %x0 = input {name: \"x0\", type: f32[2]} : f32[2] outputs: \"y0\" = %x0}}";
}

std::int64_t bytes_of_constants(const Graph& g) {
  std::int64_t sum = 0;
  for (NodeId i = 0; i < g.size(); ++i)
    if (const auto* c = g.node(i).op().as<ops::Constant>()) sum += c->value.type().bytes();
  return sum;
}

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
  for (const Value& y :
       {broadcast_to(exp(x), Shape{most / 2}), apply(Greedy{limits::plan_bytes}, {x}, At::current())}) {
    const Program program = compile({y}, {.pool = Pool(4)});
    Store store(g);
    BOOST_TEST(has(message([&] {
                     program.run(store, {{"x", Tensor({f32, {1}})}});
                   }),
                   "out of memory: cannot allocate "));
  }
}

BOOST_AUTO_TEST_CASE(numbers_that_do_not_fit) {
  const std::string x = "%x = input {name: \"x\", type: f32[2]} : f32[2]\n";
  const std::string wide = "%x = input {name: \"x\", type: f32[576460752303423488, 0]} : f32[576460752303423488, 0]\n";
  std::string sixteen = "%x";
  for (int i = 1; i < 16; ++i) sixteen += ", %x";
  const std::pair<std::string, std::string_view> cases[] = {
      {"%1 = repeat {steps: 1, carried: 0, sliced: 0, body: graph {forward: %0 = constant {value: tensor f32[2] "
       "[1.0, 2.0]} : f32[2] outputs: \"y0\" = %0}} : f32[1, 2]",
       "it carries nothing and reads no slices"},
      {x + "%1 = repeat(%x) " + loop("steps: 1, carried: 1, sliced: 9223372036854775807") + " : f32[2]",
       "1 steps, 1 carried and 9223372036854775807 stacked values of 1"},
      {x + "%1 = repeat(%x) " + loop("steps: 1, carried: 9223372036854775807, sliced: 1") + " : f32[2]",
       "1 steps, 9223372036854775807 carried and 1 stacked values of 1"},
      {wide + "%1 = concat(" + sixteen + ") {axis: 0} : f32[2]", "has more elements than memory can address"},
  };
  for (const auto& [lines, wrong] : cases) {
    const std::string text = message([&] { read(lines); });
    BOOST_TEST((text.starts_with("t.graph:") && has(text, wrong)), text);
  }
}

// A loop of a few lines is a graph of as many nodes as it has steps.
BOOST_AUTO_TEST_CASE(loops_that_make_too_many_nodes) {
  Graph g;
  const Value x = input(g, "x", f32, {2});
  const std::string too_many = " make a graph of more than 4000000 nodes\n";
  const auto wrong = [&](const Value& y) { return message([&] { compile({y}); }); };
  BOOST_TEST(has(wrong(repeat(2'000'000'000, x, [](Value h) { return h * 0.5; })), too_many));
  BOOST_TEST(has(wrong(repeat(std::int64_t{1} << 57, x, [](Value h) { return h * 0.5; })), too_many));
  const auto nested = [](auto&& self, Value h, int depth) -> Value {
    if (depth == 0) return h * 0.5;
    return repeat(100, h, [&](Value inner) { return self(self, inner, depth - 1); });
  };
  const std::string text = wrong(nested(nested, x, 20));
  BOOST_TEST(has(text, too_many), text);
  BOOST_TEST(has(text, "\n  Take fewer steps and run the program several times, or compute more in each"), text);
}

// Tables that ops make of shapes while a graph is compiled: a line may ask for ones of gigabytes.
BOOST_AUTO_TEST_CASE(tables_that_are_too_large) {
  Graph g;
  const Value row = input(g, "row", f32, {2, 3}), image = input(g, "image", f32, {1, 1, 4, 1});
  const auto padded_by = [&](PadMode mode, std::int64_t n) { return pad(row, {{0, 0}, {0, n}}, {.mode = mode}); };
  const auto resized_to = [&](Interpolation mode, std::int64_t n) {
    return resize(image, {.sizes = {1, 1, n, 1}, .mode = mode});
  };
  const auto dft_of = [&](std::int64_t n) {
    return dft(broadcast_to(reshape(slice(row, 1, 0, 2), {2, 1, 2}), {2, n, 2}));
  };
  const auto one_row = [](std::int64_t n) { return Padding(0, 0, n - 1, n - 1); };
  const std::int64_t n = 20'000'000;
  const std::pair<std::string, Value> cases[] = {
      {"pad: edge", padded_by(PadMode::edge, n)},
      {"pad: reflect", padded_by(PadMode::reflect, n)},
      {"pad: wrap", padded_by(PadMode::wrap, n)},
      {"pad: far", padded_by(PadMode::edge, std::int64_t{1} << 31)},
      {"pad: gradient", gradients(sum(padded_by(PadMode::edge, n)), {row})[0]},
      {"average_pool", average_pool(image, {.size = {1, n / 10}, .stride = 1, .padding = one_row(n / 10)})},
      {"average_pool: places", average_pool(image, {.size = {1, 2}, .stride = 1, .padding = one_row(4 * n)})},
      {"lp_pool", lp_pool(image, {.size = {1, n / 10}, .stride = 1, .padding = one_row(n / 10)})},
      {"resize: nearest", resized_to(Interpolation::nearest, n)},
      {"resize: linear", resized_to(Interpolation::linear, n)},
      {"resize: cubic", resized_to(Interpolation::cubic, n)},
      {"resize: down", resize(broadcast_to(image, {1, 1, 4, n}),
                              {.sizes = {1, 1, 4, 2}, .mode = Interpolation::linear, .antialias = true})},
      {"dft", dft_of(n)},
      {"dft: prime", dft_of(4'999'999)},
      {"dft: far", dft_of(std::int64_t{1} << 40)},
      {"conv2d_transpose", conv2d_transpose(image, input(g, "w", f32, {3, 3, 1, 1}), {.stride = {1, n}})},
      {"matmul", matmul(broadcast_to(row, {6000, 1, 2, 3}), broadcast_to(reshape(row, {3, 2}), {6000, 3, 2}))},
  };
  for (const auto& [what, y] : cases) {
    const std::string text = message([&] { compile({y}); });
    BOOST_TEST(has(text, ": the tables that it makes of its shapes before it runs"), what << ": " << text);
    BOOST_TEST(has(text, " have more than 134217728 bytes\n"), what << ": " << text);
    BOOST_TEST(has(text, "\n  Use smaller sizes, pads, windows or strides"), what << ": " << text);
  }
  // Of several nodes they count together.
  std::vector<Value> several;
  for (std::int64_t i = 0; i < 8; ++i) several.push_back(padded_by(PadMode::edge, 1'500'000 + i));
  compile({several[0], several[1]});
  const std::string text = message([&] { compile(several); });
  BOOST_TEST(has(text, ", with those made before them, have more than 134217728 bytes\n"), text);
}

// What users do on large images and long signals stays within.
BOOST_AUTO_TEST_CASE(tables_of_ordinary_large_uses) {
  Graph g;
  const Value video = input(g, "video", f32, {1, 1080, 1920, 3}), sound = input(g, "sound", f32, {1, 1'000'000, 2});
  const Value noise = input(g, "noise", f32, {1, 1'000'003, 2}), long_one = input(g, "long", f32, {1, 1, 1'000'000, 1});
  const Value dots = input(g, "dots", f32, {3'000'000, 1, 2});
  const Value images[] = {
      resize(video, {.sizes = {1, 2160, 3840, 3}, .mode = Interpolation::cubic, .antialias = true}),
      resize(video, {.sizes = {1, 100, 100, 3}, .mode = Interpolation::linear, .antialias = true}),
      dft(sound),
      dft(noise),
      average_pool(long_one, {.size = {1, 9}, .stride = 1, .padding = Padding::same}),
      pad(video, {{0, 0}, {100, 100}, {100, 100}, {0, 0}}, {.mode = PadMode::reflect}),
      matmul(dots, reshape(dots, {3'000'000, 2, 1})),
  };
  for (const Value& y : images) BOOST_TEST(message([&] { compile({y}); }) == "no error");
  // However far a window's padding reaches, its table has an entry for each of its taps.
  const Value image = input(g, "image", f32, {1, 6, 6, 2}), w = input(g, "w", f32, {3, 3, 2, 1});
  BOOST_TEST(message([&] { compile({depthwise_conv2d(image, w, {.padding = Padding(1, 1, 1, 1 << 29)})}); }) ==
             "no error");
}

// Known tables are folded; what a few lines make of them is not.
BOOST_AUTO_TEST_CASE(constants_that_double_are_not_folded_without_end) {
  std::string twice = "%0 = constant {value: tensor f32[8192] splat 1.0} : f32[8192]\n", pairs = twice;
  std::int64_t size = 8192;
  for (int i = 1; i <= 12; ++i, size *= 2)
    twice += "%" + std::to_string(i) + " = concat(%" + std::to_string(i - 1) + ", %" + std::to_string(i - 1) +
             ") {axis: 0} : f32[" + std::to_string(2 * size) + "]\n";
  // As Fibonacci's numbers: no node reads a constant twice.
  std::int64_t before = 8192, now = 8192;
  pairs += "%1 = constant {value: tensor f32[8192] splat 2.0} : f32[8192]\n";
  for (int i = 2; i <= 18; ++i) {
    now += std::exchange(before, now);
    pairs += "%" + std::to_string(i) + " = concat(%" + std::to_string(i - 1) + ", %" + std::to_string(i - 2) +
             ") {axis: 0} : f32[" + std::to_string(now) + "]\n";
  }
  // Each small by itself.
  std::string many = "%0 = constant {value: tensor f32[1] splat 1.0} : f32[1]\n";
  for (int i = 1; i <= 3000; ++i)
    many += "%" + std::to_string(i) + " = broadcast_to(%0) {shape: [16384]} : f32[16384]\n";
  for (const std::string& lines : {twice, pairs, many}) {
    const auto graph = read(lines);
    const auto folded = fold(*graph);
    BOOST_REQUIRE(folded.has_value());
    BOOST_TEST(bytes_of_constants(*folded->graph) <= limits::folded_bytes + 3 * bytes_of_constants(*graph));
  }
}

BOOST_AUTO_TEST_CASE(known_values_are_kept_up_to_a_limit) {
  Graph g;
  Value v = constant(g, Tensor({i64, {8192}}));
  const Value x = input(g, "x", f32, {0});
  const auto shape_of_it = [&] { return slice(v, 0, 0, 1); };
  BOOST_TEST(reshape(x, shape_of_it()).shape()[0] == 0);
  for (int i = 0; i < 2000; ++i) v = v + v;
  const std::string text = message([&] { reshape(x, shape_of_it()); });
  BOOST_TEST(has(text, "the value of shape must be known before the graph runs, but depends on "), text);
  BOOST_TEST(has(text, ", which is beyond the 67108864 bytes of such values that a graph keeps"), text);
}

// Values that look at another's bytes, one behind another.
BOOST_AUTO_TEST_CASE(long_chains_of_views) {
  Graph g;
  const int length = 100'000;
  Value v = exp(input(g, "x", f32, {length + 1}));
  for (int i = 0; i < length; ++i) v = slice(v, 0, 0, length - i);
  const std::string text = message([&] { compile({sum(v)}, {.memory_budget = 1000}); });
  BOOST_TEST(has(text, "the memory budget of 1000 bytes cannot be kept"), text);
}

BOOST_AUTO_TEST_CASE(readers_of_a_chain_of_views_are_listed_once) {
  Graph g;
  const int length = 1000;
  Value v = exp(input(g, "x", f32, {length + 1}));
  std::vector<Value> read;
  for (int i = 0; i < length; ++i) {
    v = slice(v, 0, 0, length - i);
    if (i % 2 == 0) read.push_back(sum(square(v)));
  }
  const Ledger plan = ledger(compile(read));
  std::size_t readers = 0, inputs = 0;
  for (const Ledger::Value& each : plan.values) readers += each.readers.size();
  for (NodeId i = 0; i < plan.graph->size(); ++i) inputs += static_cast<std::size_t>(plan.graph->node(i).input_count());
  BOOST_TEST(readers <= 2 * inputs);
  // The bytes are alive until the last of all of them.
  for (const Ledger::Value& each : plan.values)
    if (each.fate == Ledger::Fate::alias)
      BOOST_TEST(each.last <= plan.values[static_cast<std::size_t>(each.alias_of)].last);
}

BOOST_AUTO_TEST_CASE(tapes_have_a_limit) {
  Fused f = Fused::of(ops::Square{}, 1);
  for (std::int32_t s = 1; s < static_cast<std::int32_t>(limits::tape_steps); ++s)
    f.tape.add(ops::Square{}, std::array{s});
  const std::vector<Type> in{{f32, {2}}};
  BOOST_TEST(f.infer(in).size() == 1u);
  f.tape.add(ops::Square{}, std::array{1});
  BOOST_TEST(has(message([&] { f.infer(in); }), "the tape has 1025 steps, more than 1024"));
}

BOOST_AUTO_TEST_SUITE_END()
