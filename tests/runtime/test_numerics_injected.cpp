// The hunt for NaN and Inf, by injection: whichever node of a training step makes one, forward, backward or in the
// update, is named.
// Labels: figures.
#include <oxbow/graph/passes/rewriter.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/numerics/finite.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <limits>

#include "support/figures.h"

BOOST_AUTO_TEST_SUITE(test_numerics_injected)

using namespace oxbow;

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity(), quiet = std::numeric_limits<float>::quiet_NaN();
constexpr auto results = CheckNumerics::results, all = CheckNumerics::all;

// x, but with a number of its own at one element where `trigger` is not 0.
struct Poison {
  static constexpr OpInfo info{.name = "poison", .inputs = {"x", "trigger"}};
  double with = 0;
  std::int64_t at = 0;
  static void attributes(auto&& visit) {
    visit("with", &Poison::with);
    visit("at", &Poison::at);
  }
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
  internal::Rewriter r(from);
  const Value trigger = input(r.to(), "trigger", f32, {});
  std::map<NodeId, Value> raw;  // variables: what assigns write
  for (NodeId id = 0; id < from.size(); ++id) {
    const Node node = from.node(id);
    if (node.op().is<ops::Assign>()) {
      const Value written = raw.at(node.input(0).node_id());
      r.replace(node, node.op(), {written, r(node.input(1))});
      continue;
    }
    r.copy(node);
    if (node.op().is<ops::Variable>()) raw[id] = r(node.output());
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
  for (const ops::Input& in : program.inputs()) session.feed(in.name, tensors.at(in.name));
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
    bad = bad || !internal::all_finite(t.type(), t.bytes());
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
  return !n.op().is<ops::Assign>() && n.output_count() == 1 && is_float(n.output().dtype()) &&
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
  test::figure("numerics", std::to_string(reaching + masked) + " injected NaN and Inf: " + std::to_string(reaching) +
                               " reach a result, each was named; " + std::to_string(masked) + " do not, none was");
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

BOOST_AUTO_TEST_SUITE_END()
