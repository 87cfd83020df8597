// The hunt for NaN and Inf: whoever makes one is named, forward or backward, whatever rewrites do, and the variables
// are as before that run.
// Labels: memory.
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/numerics/finite.h>
#include <oxbow/runtime/safetensors.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "support/message.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_numerics)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity(), quiet = std::numeric_limits<float>::quiet_NaN();
constexpr auto results = CheckNumerics::results, all = CheckNumerics::all;

using Tensors = std::map<std::string, Tensor>;

// One run of what `build` makes of x, which is fed these numbers, and of its gradient by x and a variable w of ones.
NumericsError::Found found_in(const std::vector<float>& x, const std::function<Value(Value x, Value w)>& build,
                              const std::vector<float>& w = {1, 1, 1}, CheckNumerics check = results) {
  Graph g;
  const Value in = input(g, "x", f32, {3}), variable = oxbow::variable(g, "w", {f32, {3}});
  const Value loss = sum(build(in, variable)).named("loss");
  Store store(g);
  store.set("w", Tensor::of<float>({3}, std::span(w)));
  std::vector<Value> fetches = gradients(loss, {variable});
  fetches.push_back(loss);
  Session session(compile(fetches, {.numerics = {.check = check}}), store);
  session.feed<float>("x", x);
  try {
    session.run();
  } catch (const NumericsError& e) {
    BOOST_TEST_MESSAGE(e.what());
    return e.found();
  }
  return {};
}

}  // namespace

BOOST_AUTO_TEST_CASE(data_that_make_one) {
  using V = Value;
  struct Case {
    std::string what;
    std::vector<float> x;
    std::function<Value(Value x, Value w)> build;
    std::string node, element;
    std::vector<float> w = {1, 1, 1};
  };
  const std::vector<Case> cases{
      {"log of a negative", {1, -2, 3}, [](V x, V w) { return log(x * w).named("n") * 2.0; }, "n", "[1]"},
      {"log of 0", {1, 2, 0}, [](V x, V w) { return log(x * w).named("n"); }, "n", "[2]"},
      {"0/0", {0, 1, 2}, [](V x, V w) { return ((x * w) / (x * w)).named("n") + 1.0; }, "n", "[0]"},
      {"1/0", {1, 0, 2}, [](V x, V w) { return (w / x).named("n"); }, "n", "[1]"},
      {"exp overflows", {1, 2, 90}, [](V x, V w) { return log(exp(x * w).named("n")); }, "n", "[2]"},
      {"a product overflows", {1, 3e38f, 2}, [](V x, V w) { return (x * (w * 2.0)).named("n"); }, "n", "[1]"},
      {"root of a negative", {-1, 2, 3}, [](V x, V w) { return sqrt(x * w).named("n"); }, "n", "[0]"},
      {"a NaN is fed", {1, 2, quiet}, [](V x, V w) { return relu(x + w) + x; }, "x", "[2]"},
      {"an Inf is fed", {1, infinite, 3}, [](V x, V w) { return x * w; }, "x", "[1]"},
      {"an Inf weight", {1, 2, 3}, [](V x, V w) { return tanh(x * w) * w; }, "w", "[1]", {1, -infinite, 1}},
      {"a NaN weight", {1, 2, 3}, [](V x, V w) { return x * w; }, "w", "[0]", {quiet, 1, 1}},
      {"a value by itself",
       {0, 1, 2},
       [](V x, V w) {
         const V y = x * w;
         return (y / y).named("n");
       },
       "n",
       "[0]"},
      {"an Inf beside one that is meant",
       {1, 0, 2},
       [](V x, V w) {
         return (w / x).named("n") + constant(x.graph(), Tensor::of<float>({3}, {0, 0, infinite}));
       },
       "n",
       "[1]"},
      {"a sum overflows that has the shape of a NaN",
       {quiet, 1, 2},
       [](V x, V w) {
         const V places = constant(x.graph(), Tensor::of<std::int64_t>({3}, {1, 1, 0}));
         return scatter_add(x, places, w * 3e38).named("n");
       },
       "n",
       "[1]"}};
  for (const Case& c : cases) {
    const auto found = found_in(c.x, c.build, c.w);
    BOOST_TEST(found.node == c.node, c.what << ": " << found.node);
    BOOST_TEST(found.element == c.element, c.what);
    BOOST_TEST((found.phase == Phase::forward), c.what);
    BOOST_TEST(found.run == 1, c.what);
  }
}

BOOST_AUTO_TEST_CASE(data_that_make_one_in_backward_only) {
  using V = Value;
  // The root of 0 is well, and its slope is not.
  const auto root = found_in({1, 0, 3}, [](V x, V w) { return sqrt(x * w).named("root"); });
  BOOST_TEST((root.phase == Phase::backward));
  BOOST_TEST(root.op != "sqrt");
  const auto power = found_in({1, 0, 3}, [](V x, V w) { return pow(x * w, 0.5).named("power"); });
  BOOST_TEST((power.phase == Phase::backward));
  // A branch that is not taken makes no NaN in backward: 0 times its infinite slope is 0.
  const auto trap = found_in({0, 1, 2}, [](V x, V w) { return where(greater(x, 0.0), sqrt(x * w), 0.0); });
  BOOST_TEST(trap.node.empty(), trap.node);
}

BOOST_AUTO_TEST_CASE(what_is_masked_is_found_where_every_node_is_looked_at) {
  const auto build = [](Value x, Value w) { return where(greater(x, 0.0), stop_gradient(log(x).named("n")), w); };
  BOOST_TEST(found_in({1, -2, 3}, build).node == "");
  BOOST_TEST(found_in({1, -2, 3}, build, {1, 1, 1}, all).node == "n");
  BOOST_TEST(found_in({1, 2, 3}, build, {1, 1, 1}, all).node == "");
  // Nor does it count against an infinity that is meant, which it merely asked for.
  const auto masked = [](Value x, Value w) {
    return where(greater(stop_gradient(log(x)), -9.0), x, constant(x.graph(), -infinite)) + w;
  };
  BOOST_TEST(found_in({1, -2, 3}, masked).node == "");
}

BOOST_AUTO_TEST_CASE(infinities_that_are_meant_are_no_fault) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 3});
  const Value scores = where(greater(x, 0.0), x, constant(g, -infinite));
  const Value attention = softmax(scores).named("attention");
  const Value seen = variable(g, "seen", {f32, {}}, {.kind = Init::Kind::constant, .a = -infinite}, false);
  const Value untouched = variable(g, "untouched", {f32, {}}, {.kind = Init::Kind::constant, .a = infinite}, false);
  const std::vector<Value> fetches{attention, scores, assign(untouched, minimum(untouched, constant(g, infinite))),
                                   assign(seen, maximum(seen, max(x)))};
  for (const auto check : {results, all}) {
    Store store(g);
    Session session(compile(fetches, {.numerics = {.check = check}}), store);
    session.feed("x", Tensor::of<float>({2, 3}, {1, -1, 2, 3, -2, -3}));
    for (int run = 0; run < 70; ++run) session.run();
    BOOST_TEST(session.fetch<float>(1)[1] == -infinite);
    BOOST_TEST(store.get("seen").item<float>() == 3);
    // A row that is masked all over is a fault, of softmax.
    session.feed("x", Tensor::of<float>({2, 3}, {1, -1, 2, -3, -2, -3}));
    try {
      session.run();
      BOOST_TEST(false, "no error");
    } catch (const NumericsError& e) {
      BOOST_TEST(e.found().node == "attention");
      BOOST_TEST(e.found().run == 71);
      BOOST_TEST(e.found().element == "[1, 0]");
    }
  }
}

BOOST_AUTO_TEST_CASE(what_is_usual_is_passed_over) {
  Graph g;
  const Value x = input(g, "x", f32, {3}), mask = input(g, "mask", f32, {3});
  const Value w = variable(g, "w", {f32, {3}}, {.kind = Init::Kind::constant, .a = 1});
  const Value open = log(mask).named("open");  // -Inf where the mask is 0
  const Value y = (exp(x + open) + log(x).named("fault")).named("y");
  Session session(compile({y, assign(w, w + y)}, {.numerics = {.check = results}}), Store(g));
  session.feed("mask", Tensor::of<float>({3}, {1, 0, 1}));
  for (int run = 0; run < 3; ++run) {
    session.feed("x", Tensor::of<float>({3}, {1, 2, run < 2 ? 3.0f : -3.0f}));
    if (run < 2) {
      session.run();
      continue;
    }
    const auto named = [](const NumericsError& e) { return e.found().node == "fault" && e.found().run == 3; };
    BOOST_CHECK_EXCEPTION(session.run(), NumericsError, named);
  }
}

BOOST_AUTO_TEST_CASE(the_report_reads_well_and_repeats) {
  const TemporaryFolder folder;
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3});
  const Value w = variable(g, "w", {f32, {3}}, {.kind = Init::Kind::constant, .a = 2});
  Value y;
  {
    Scope scope(g, "head");
    y = log(x * w);
  }
  const Value loss = mean(y);
  g.add_output("loss", loss);
  const int line = __LINE__ - 4;
  Session session(compile({loss}, {.numerics = {results, folder / "nan"}}), Store(g));
  session.feed("x", Tensor::of<float>({2, 3}, {1, 2, 3, 1, 1, -0.5f}));
  try {
    session.run();
    BOOST_TEST(false, "no error");
  } catch (const NumericsError& e) {
    const std::string what = e.what();
    BOOST_TEST(what.starts_with("head/log_3 made a NaN at [1, 2], in run 1\n"), what);
    for (const std::string& part :
         {std::string("it is f32[2, 3], 0.693147 to 1.79176, and 1 NaN"), "test_numerics.cpp:" + std::to_string(line),
          std::string("input x: head/multiply_2, f32[2, 3], -1 to 6, there -1"),
          std::string("it reached result \"loss\""), "oxbow run " + folder / "nan"})
      BOOST_TEST(what.find(part) != std::string::npos, part << " is not in\n" << what);
    BOOST_TEST(e.found().repro == folder / "nan");
  }
  // The slice is a graph like any other.
  const auto slice = parse(folder.read("nan/graph.txt"), catalog());
  const Safetensors inputs = load_safetensors(folder / "nan/inputs.safetensors");
  Tensors feeds(inputs.tensors.begin(), inputs.tensors.end());
  Store none;
  std::vector<Value> fetches;
  for (const auto& [name, value] : slice->outputs()) fetches.push_back(value);
  const Tensor again = compile(fetches).run(none, feeds)[0];
  BOOST_TEST(census(again).nans == 1);
  BOOST_TEST(census(again).first_bad == 5);
}

BOOST_AUTO_TEST_CASE(fit_ends_where_a_step_went_wrong) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 2}), y = input(g, "y", f32, {any(4), 1});
  const Value loss = mean_squared_error(dense(x, 1), y);
  std::vector<float> numbers(64, 1e12f), targets(32, 0);
  Model model = compile(loss, optim::SGD{.learning_rate = 10.0}, {.numerics = {.check = results}});
  const Dataset data{{"x", Tensor::of<float>({32, 2}, std::span<const float>(numbers))},
                     {"y", Tensor::of<float>({32, 1}, std::span<const float>(targets))}};
  const auto named = [&](const NumericsError& e) {
    BOOST_TEST_MESSAGE(e.what());
    return e.found().run == model.steps() + 1;
  };
  BOOST_CHECK_EXCEPTION(model.fit(data, {.epochs = 5, .batch_size = 4}), NumericsError, named);
  for (const std::string& name : model.store().names())
    BOOST_TEST(all_finite(model.store().get(name).type(), model.store().get(name).bytes()));
}

BOOST_AUTO_TEST_CASE(what_finite_means) {
  for (const std::int64_t size : {1, 3, 8, 1000, 9000})
    for (std::int64_t at : {std::int64_t{0}, size / 2, size - 1})
      for (const double bad : {double{quiet}, double{infinite}, -double{infinite}, 3e38, -0.0}) {
        Tensor f({f32, {size}}), d({f64, {size}});
        f.data<float>()[at] = static_cast<float>(bad);
        d.data<double>()[at] = bad;
        BOOST_TEST(all_finite(f.type(), f.bytes()) == std::isfinite(bad));
        BOOST_TEST(all_finite(d.type(), d.bytes()) == std::isfinite(bad));
        BOOST_TEST(no_nan(f.type(), f.bytes()) == !std::isnan(bad));
        BOOST_TEST(no_nan(d.type(), d.bytes()) == !std::isnan(bad));
      }
  BOOST_TEST(position({4, 5, 6}, 37) == "[1, 1, 1]");
  BOOST_TEST(position({}, 0) == "");
  BOOST_TEST(to_string(census(Tensor::of<float>({4}, {1, quiet, -2, infinite}))) == "-2 to 1, and 1 NaN, 1 Inf");
  BOOST_TEST(to_string(census(Tensor({f32, {0}}))) == "empty");
}

BOOST_AUTO_TEST_SUITE_END()
