// The hunt for NaN and Inf: whoever makes one is named, forward or backward, whatever rewrites do, and the variables
// are as before that run.
#include <oxbow/graph/text.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/finite.h>
#include <oxbow/runtime/safetensors.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "support/message.h"
#include "support/temporary_folder.h"

using namespace oxbow;
using namespace oxbow::test;

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity(), quiet = std::numeric_limits<float>::quiet_NaN();
constexpr auto results = CheckNumerics::results, all = CheckNumerics::all;

// x, but with a number of its own at one element where `trigger` is not 0.
struct Poison {
  static constexpr OpInfo info{.name = "poison", .inputs = {"x", "trigger"}};
  double with = 0;
  std::int64_t at = 0;
  static constexpr auto attributes = std::tuple{Attribute{"with", &Poison::with}, Attribute{"at", &Poison::at}};
  bool operator==(const Poison& o) const { return at == o.at && std::isnan(with) == std::isnan(o.with); }
  Type infer(Types in) const { return in[0]; }
  void run(const Run& r) const {
    dispatch(r.in_type(0).dtype, [&]<class T>(std::type_identity<T>) {
      std::copy_n(r.in<T>(0), r.in_type(0).count(), r.out<T>());
      if (r.in<float>(1)[0] != 0) r.out<T>()[at] = static_cast<T>(with);
    });
  }
};

// A graph with one value of another poisoned: whoever read that value reads the poisoned one.
struct Poisoned {
  std::shared_ptr<Graph> graph;
  std::vector<Value> fetches;
};
Poisoned poison(const Graph& from, const std::vector<Value>& fetches, Value target, double with) {
  Rewriter r(from);
  const Value trigger = input(r.to(), "trigger", f32, {});
  std::map<NodeId, Value> raw;  // variables: what assigns write
  for (NodeId id = 0; id < from.size(); ++id) {
    const Node node = from.node(id);
    if (node.op().is<Assign>()) {
      const Value written = raw.at(node.input(0).node_id());
      r.replace(node, node.op(), {written, r(node.input(1))});
      continue;
    }
    r.copy(node);
    if (node.op().is<Variable>()) raw[id] = r(node.output());
    if (id != target.node_id()) continue;
    const Value now = r(target);
    r.map(target, apply(Poison{with, now.shape().count() / 2}, {now, trigger}, At::current()).named("the_poison"));
  }
  Poisoned out;
  for (const Value& f : fetches) out.fetches.push_back(r(f));
  out.graph = r.finish().graph;
  return out;
}

using Tensors = std::map<std::string, Tensor>;

void feed(Session& session, const Program& program, const Tensors& tensors) {
  for (const Input& in : program.inputs()) session.feed(in.name, tensors.at(in.name));
}

// Whether a run leaves a NaN or Inf in a result or a variable.
bool goes_wrong(const Poisoned& p, const Tensors& tensors) {
  const Program program = compile(p.fetches);
  Store store(*p.graph);
  Session session(program, store);
  feed(session, program, tensors);
  session.run();
  bool bad = false;
  for (int i = 0; i < static_cast<int>(program.outputs().size()); ++i) {
    const Tensor t = session.fetch_tensor(i);
    bad = bad || !all_finite(t.type(), t.bytes());
  }
  return bad;
}

std::string named_by(CheckNumerics check, const Poisoned& p, const Tensors& tensors) {
  const Program program = compile(p.fetches, {.numerics = {.check = check}});
  Session session(program, Store(*p.graph));
  feed(session, program, tensors);
  try {
    session.run();
    session.check_numerics();
  } catch (const NumericsError& e) {
    return e.found().node;
  }
  return "";
}

struct Net {
  std::string what;
  std::function<optim::Minimized(Graph&)> build;
  Tensors feeds;
};

std::vector<Net> nets() {
  const auto labels = Tensor::of<std::int64_t>({4}, {0, 2, 1, 2});
  std::vector<float> numbers(4 * 6 * 6 * 2);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i % 13) * 0.1f - 0.5f;
  const auto image = Tensor::of<float>({4, 6, 6, 2}, std::span<const float>(numbers));
  const auto rows = Tensor::of<float>({4, 6}, std::span<const float>(numbers).subspan(0, 24));
  return {{"mlp, adam",
           [](Graph& g) {
             const Value h = dense(input(g, "x", f32, {any(4), 6}), 5, {.activation = gelu});
             return optim::minimize(cross_entropy(dense(h, 3), input(g, "label", i64, {any(4)})), "adam");
           },
           {{"x", rows}, {"label", labels}}},
          {"cnn, rmsprop",
           [](Graph& g) {
             Value h = relu(batch_norm(conv(input(g, "x", f32, {any(4), 6, 6, 2}), 4)));
             h = dense(flatten(max_pool(h)), 3);
             return optim::minimize(cross_entropy(h, input(g, "label", i64, {any(4)})), "rmsprop");
           },
           {{"x", image}, {"label", labels}}},
          {"mixture, sgd",
           [](Graph& g) {
             const Value x = input(g, "x", f32, {any(4), 6});
             const Value gate = softmax(dense(x, 6));
             const Value h = tanh(dense(x, 6)) * gate + sigmoid(dense(x, 6)) * (1.0 - gate);
             return optim::minimize(mean(sqrt(square(h) + 1.0) + exp(negate(h))), "sgd");
           },
           {{"x", rows}}}};
}

bool can_be_poisoned(const Node& n) {
  return !n.op().is<Assign>() && n.output_count() == 1 && is_float(n.output().dtype()) &&
         n.output().shape().count() > 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_node_that_makes_one_is_named) {
  int reaching = 0, masked = 0;
  for (const Net& net : nets()) {
    Graph g;
    const optim::Minimized step = net.build(g);
    std::vector<bool> live(static_cast<std::size_t>(g.size()));
    for (const Value& f : step.fetches()) live[static_cast<std::size_t>(f.node_id())] = true;
    for (NodeId id = g.size(); id-- > 0;) {
      if (!live[static_cast<std::size_t>(id)]) continue;
      const Node n = g.node(id);
      for (int i = 0; i < n.input_count(); ++i) live[static_cast<std::size_t>(n.input(i).node_id())] = true;
    }
    for (NodeId id = 0; id < g.size(); ++id) {
      if (!live[static_cast<std::size_t>(id)] || !can_be_poisoned(g.node(id))) continue;
      for (const bool infinity : {false, true}) {
        const float with = !infinity ? quiet : id % 2 == 0 ? infinite : -infinite;
        const std::string what = net.what + ", " + g.node(id).full_name() + " with " + std::to_string(with);
        const Poisoned p = poison(g, step.fetches(), g.node(id).output(), with);
        Tensors tensors = net.feeds;
        tensors["trigger"] = Tensor::scalar(1.0f);
        const bool reaches = goes_wrong(p, tensors);
        ++(reaches ? reaching : masked);
        BOOST_TEST(named_by(results, p, tensors) == (reaches ? "the_poison" : ""), what);
        if (infinity) BOOST_TEST(named_by(all, p, tensors) == "the_poison", what << ", all");
      }
    }
  }
  BOOST_TEST_MESSAGE(reaching << " reach a result, " << masked << " do not");
  BOOST_TEST(reaching > 300);
  BOOST_TEST(masked > 0);
}

BOOST_AUTO_TEST_CASE(sound_runs_are_let_go) {
  for (const Net& net : nets()) {
    Graph g;
    const optim::Minimized step = net.build(g);
    Store plain_store(g);
    Session plain(compile(step.fetches()), plain_store);
    for (const auto check : {results, all}) {
      Store store(g);
      plain_store.reset(g);
      Session session(compile(step.fetches(), {.numerics = {.check = check}}), store);
      for (const auto& [name, tensor] : net.feeds) {
        plain.feed(name, tensor);
        session.feed(name, tensor);
      }
      for (int run = 0; run < 100; ++run) {
        plain.run();
        session.run();
        BOOST_TEST(same_bits(plain.fetch_tensor(0), session.fetch_tensor(0)));
      }
      session.check_numerics();
      for (const std::string& name : store.names()) BOOST_TEST(same_bits(plain_store.get(name), store.get(name)));
    }
  }
}

namespace {

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
  const auto check = [](const std::string& what, const NumericsError::Found& found, const std::string& node,
                        const std::string& element, Phase phase = Phase::forward) {
    BOOST_TEST(found.node == node, what << ": " << found.node);
    BOOST_TEST(found.element == element, what);
    BOOST_TEST((found.phase == phase), what);
    BOOST_TEST(found.run == 1, what);
  };
  check("log of a negative", found_in({1, -2, 3}, [](V x, V w) { return log(x * w).named("n") * 2.0; }), "n", "[1]");
  check("log of 0", found_in({1, 2, 0}, [](V x, V w) { return log(x * w).named("n"); }), "n", "[2]");
  check("0/0", found_in({0, 1, 2}, [](V x, V w) { return ((x * w) / (x * w)).named("n") + 1.0; }), "n", "[0]");
  check("1/0", found_in({1, 0, 2}, [](V x, V w) { return (w / x).named("n"); }), "n", "[1]");
  check("exp overflows", found_in({1, 2, 90}, [](V x, V w) { return log(exp(x * w).named("n")); }), "n", "[2]");
  check("a product overflows", found_in({1, 3e38f, 2}, [](V x, V w) { return (x * (w * 2.0)).named("n"); }), "n",
        "[1]");
  check("root of a negative", found_in({-1, 2, 3}, [](V x, V w) { return sqrt(x * w).named("n"); }), "n", "[0]");
  check("a NaN is fed", found_in({1, 2, quiet}, [](V x, V w) { return relu(x + w) + x; }), "x", "[2]");
  check("an Inf is fed", found_in({1, infinite, 3}, [](V x, V w) { return x * w; }), "x", "[1]");
  check("an Inf weight", found_in({1, 2, 3}, [](V x, V w) { return tanh(x * w) * w; }, {1, -infinite, 1}), "w", "[1]");
  check("a NaN weight", found_in({1, 2, 3}, [](V x, V w) { return x * w; }, {quiet, 1, 1}), "w", "[0]");

  // In backward only: the root of 0 is well, and its slope is not.
  const auto root = found_in({1, 0, 3}, [](V x, V w) { return sqrt(x * w).named("root"); });
  BOOST_TEST((root.phase == Phase::backward));
  BOOST_TEST(root.op != "sqrt");
  const auto power = found_in({1, 0, 3}, [](V x, V w) { return pow(x * w, 0.5).named("power"); });
  BOOST_TEST((power.phase == Phase::backward));

  // The well-known trap: a branch that is not taken makes a NaN in backward, 0 times Inf.
  const auto trap = found_in({0, 1, 2}, [](V x, V w) { return select(greater(x, 0.0), sqrt(x * w), 0.0); });
  BOOST_TEST((trap.phase == Phase::backward));
}

BOOST_AUTO_TEST_CASE(what_is_masked_is_found_where_every_node_is_looked_at) {
  const auto build = [](Value x, Value w) { return select(greater(x, 0.0), stop_gradient(log(x).named("n")), w); };
  BOOST_TEST(found_in({1, -2, 3}, build).node == "");
  BOOST_TEST(found_in({1, -2, 3}, build, {1, 1, 1}, all).node == "n");
  BOOST_TEST(found_in({1, 2, 3}, build, {1, 1, 1}, all).node == "");
}

BOOST_AUTO_TEST_CASE(infinities_that_are_meant_are_no_fault) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 3});
  const Value scores = select(greater(x, 0.0), x, constant(g, -infinite));
  const Value attention = softmax(scores).named("attention");
  const Value seen = variable(g, "seen", {f32, {}}, {.kind = "constant", .a = -infinite}, false);
  const Value untouched = variable(g, "untouched", {f32, {}}, {.kind = "constant", .a = infinite}, false);
  const std::vector<Value> fetches{attention, scores, assign(untouched, minimum(untouched, constant(g, infinite))),
                                   assign(seen, maximum(seen, reduce_max(x)))};
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
  const Value w = variable(g, "w", {f32, {3}}, {.kind = "constant", .a = 1});
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

namespace {

// w := w + rate * x, over enough numbers that they are not looked at after each run.
struct Sums {
  static constexpr std::int64_t size = 50000;
  Graph g;
  Value x, w, rate;
  std::vector<Value> fetches;
  Sums() {
    x = input(g, "x", f32, {size});
    w = variable(g, "w", {f32, {size}}, {.kind = "constant", .a = 0.25});
    rate = variable(g, "rate", {f32, {}}, {.kind = "constant", .a = 0.5});
    fetches = {assign(w, w + rate * x), sum(x).named("total")};
  }
  static Tensor data(float first) {
    Tensor t({f32, {size}});
    for (std::int64_t i = 0; i < size; ++i) t.data<float>()[i] = first + static_cast<float>(i % 5);
    return t;
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(variables_are_as_before_the_bad_run_however_late_it_shows) {
  Sums s;
  const std::vector<Value> only_write{s.fetches[0]};
  for (const int late : {0, 3, 7}) {
    Store plain_store(s.g), store(s.g);
    Session plain(compile(only_write), plain_store);
    Session session(compile(only_write, {.numerics = {.check = results}}), store);
    bool thrown = false;
    Tensor data;
    try {
      for (int run = 1; run <= 5 + late; ++run) {
        data = Sums::data(static_cast<float>(run));
        if (run == 5) data.data<float>()[1234] = quiet;
        if (run == 3)
          for (Store* each : {&store, &plain_store}) each->set("rate", Tensor::scalar(0.125f));
        session.feed("x", Type{f32, {Sums::size}}, data.bytes());
        session.run();
        if (run >= 5) continue;
        plain.feed("x", data);
        plain.run();
      }
      session.check_numerics();
    } catch (const NumericsError& e) {
      thrown = true;
      BOOST_TEST(e.found().node == "x");
      BOOST_TEST(e.found().element == "[1234]");
      BOOST_TEST(e.found().run == 5);
    }
    BOOST_TEST(thrown);
    BOOST_TEST(same_bits(store.get("w"), plain_store.get("w")));
    BOOST_TEST(store.get("rate").item<float>() == 0.125f);
    // And on from there.
    const Tensor good = Sums::data(2);
    for (Session* each : {&session, &plain}) {
      each->feed("x", good);
      each->run();
    }
    session.check_numerics();
    BOOST_TEST(same_bits(store.get("w"), plain_store.get("w")));
  }
}

BOOST_AUTO_TEST_CASE(two_sessions_write_one_store_in_turns) {
  Sums s;
  Store store(s.g), plain_store(s.g);
  const Program program = compile(s.fetches, {.numerics = {.check = results}}), unchecked = compile(s.fetches);
  Session a(program, store), b(program, store), plain(unchecked, plain_store);
  Tensor data;
  for (int run = 1; run <= 8; ++run) {
    data = Sums::data(static_cast<float>(run));
    Session& session = run % 2 == 0 ? a : b;
    session.feed("x", data);
    plain.feed("x", data);
    session.run();
    plain.run();
  }
  data = Sums::data(1);
  data.data<float>()[7] = infinite;
  a.feed("x", data);
  BOOST_CHECK_EXCEPTION(a.run(), NumericsError, [](const NumericsError& e) { return e.found().node == "x"; });
  BOOST_TEST(same_bits(store.get("w"), plain_store.get("w")));
}

BOOST_AUTO_TEST_CASE(the_report_reads_well_and_repeats) {
  const TemporaryFolder folder;
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3});
  const Value w = variable(g, "w", {f32, {3}}, {.kind = "constant", .a = 2});
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
