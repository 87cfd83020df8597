// What an op may say about itself (graph/op.h), and that everything which goes through graphs copes with it: optional
// inputs, any number of them, named outputs, one `prepare`.
#include <oxbow/graph/catalog.h>
#include <oxbow/graph/passes/passes.h>
#include <oxbow/graph/passes/simplify.h>
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/graph/text.h>
#include <oxbow/graph/text/opaque.h>
#include <oxbow/graph/verify.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/ops/gradients.h>
#include <oxbow/ops/loss/loss.h>
#include <oxbow/ops/pointwise/activation.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/runtime/ledger/text.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>

#include "support/interpreter.h"
#include "support/message.h"
#include "support/optional_ops.h"

BOOST_AUTO_TEST_SUITE(test_contract)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;

namespace {

constexpr Names names{"x", "scale?", "offset?"}, any_number{"first", "like?", "others..."};
static_assert(names.size() == 3 && names.required() == 1 && names.fixed() == 3 && !names.variadic());
static_assert(names.accepts(1) && names.accepts(3) && !names.accepts(0) && !names.accepts(4));
static_assert(!names.optional(0) && names.optional(1) && names.optional(2) && !names.optional(3));
static_assert(names[1] == "scale" && any_number[5] == "others");
static_assert(any_number.required() == 1 && any_number.fixed() == 2 && any_number.accepts(40));
static_assert(any_number.optional(1) && !any_number.optional(2));
static_assert(InputSet::from(2).contains(2) && InputSet::from(2).contains(99) && !InputSet::from(2).contains(1));

Catalog with_affine() {
  Catalog c = catalog();
  return c.add<Affine>();
}

// All eight ways of leaving inputs out, each an output.
struct Affines {
  Graph g;
  Value x, scale, offset;
  Affines() {
    x = input(g, "x", f32, {any(3)});
    scale = input(g, "scale", f32, {any(3)});
    offset = input(g, "offset", f32, {any(3)});
    g.add_output("x", affine(x));
    g.add_output("scaled", affine(x, scale));
    g.add_output("moved", affine(x, {}, offset));
    g.add_output("both", affine(x, scale, offset));
  }
  std::vector<Value> outputs() const {
    std::vector<Value> all;
    for (const auto& [name, v] : g.outputs()) all.push_back(v);
    return all;
  }
};

const std::map<std::string, Tensor> fed{{"x", Tensor::of<float>({2}, {2, 3})},
                                        {"scale", Tensor::of<float>({2}, {5, 7})},
                                        {"offset", Tensor::of<float>({2}, {10, 20})}};

void check_values(const std::vector<Tensor>& got, std::vector<std::vector<float>> want) {
  BOOST_REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    BOOST_TEST(same_bits(got[i], Tensor::of<float>({2}, std::span<const float>(want[i]))), "value " << i);
}

}  // namespace

BOOST_AUTO_TEST_CASE(names_in_messages) {
  BOOST_TEST(names.of(1) == "scale");
  BOOST_TEST(names.of(3).empty());
  BOOST_TEST(any_number.of(2) == "others[0]");
  BOOST_TEST(any_number.of(7) == "others[5]");
  BOOST_TEST(Names({"x"}).counted("input") == "1 input");
  BOOST_TEST(Names({"x", "y"}).counted("input") == "2 inputs");
  BOOST_TEST(names.counted("input") == "1 to 3 inputs");
  BOOST_TEST(any_number.counted("output") == "1 or more outputs");
  for (const auto& bad : {std::vector<std::string_view>{"x y"}, {""}, {"X"}, {"x...", "y"}, {"x?x"}})
    BOOST_CHECK_THROW((bad.size() == 1 ? Names({bad[0]}) : Names({bad[0], bad[1]})), std::logic_error);
}

BOOST_AUTO_TEST_CASE(an_absent_input_is_an_empty_value_of_an_absent_type) {
  Affines a;
  const Node scaled = a.outputs()[1].node(), moved = a.outputs()[2].node();
  BOOST_TEST(scaled.input_count() == 3);  // also where it was left out
  BOOST_TEST(scaled.input(1).same(a.scale));
  BOOST_TEST(!scaled.input(2));
  BOOST_TEST(!moved.input(1));
  BOOST_TEST(!moved.input_type(1).present);
  BOOST_TEST(moved.input_type(1).bytes() == 0);
  BOOST_TEST(to_string(Types(moved.input_types())) == "f32[3], _, f32[3]");
  BOOST_TEST(scaled.input(2).same(Value()));
  BOOST_TEST(a.g.append(Affine{}, {a.x}, {}).input_count() == 3);
  verify(a.g);
}

BOOST_AUTO_TEST_CASE(what_is_not_optional_must_be_given) {
  Affines a;
  BOOST_TEST(message([&] {
               a.g.append(Affine{}, {Value(), a.x}, {});
             }) == "test_affine: input 0 is an empty Value\n  scale: f32[3] from x\n  Build it first");
  BOOST_TEST(message([&] { a.g.append(Affine{}, {}, {}); }) == "test_affine: it takes 1 to 3 inputs, not 0");
  BOOST_TEST(message([&] {
               a.g.append(Affine{}, {a.x, a.x, a.x, a.x}, {});
             }).starts_with("test_affine: it takes 1 to 3 inputs, not 4\n  x: f32[3] from x"));
}

BOOST_AUTO_TEST_CASE(values_and_gradients_with_inputs_left_out) {
  Affines a;
  std::vector<Value> fetches = a.outputs();
  for (const Value& dx : gradients(sum(fetches[2] * fetches[2] + fetches[1]), {a.x, a.scale, a.offset}))
    fetches.push_back(dx);
  const std::vector<std::vector<float>> want = {{2, 3}, {10, 21}, {12, 23}, {20, 41}, {29, 53}, {2, 3}, {24, 46}};
  check_values(interpret(fetches, fed), want);
  for (const int threads : {1, 2}) {
    Store store(a.g);
    check_values(compile(fetches, {.pool = Pool(threads)}).run(store, fed), want);
  }
}

BOOST_AUTO_TEST_CASE(an_absent_input_prints_as_a_blank_and_reads_back) {
  Affines a;
  const std::string text = print(a.g);
  BOOST_TEST(text.find("= test_affine(%x) : f32[3]") != std::string::npos, text);
  BOOST_TEST(text.find("= test_affine(%x, %scale) : f32[3]") != std::string::npos, text);
  BOOST_TEST(text.find("= test_affine(%x, _, %offset) : f32[3]") != std::string::npos, text);
  const auto back = parse(text, with_affine());
  BOOST_TEST(equal(*back, a.g));
  BOOST_TEST(print(*back) == text);
  BOOST_TEST(print(*parse(text, catalog())) == text);  // as nodes whose op is not known
  const Store store(a.g);
  const Ledger plan = ledger(compile(a.outputs(), {.disable = {"common_subexpressions"}}));
  const std::string planned = print(plan);
  BOOST_TEST(print(*parse_ledger(planned, std::shared_ptr<const Graph>(parse(planned, with_affine())))) == planned);
}

BOOST_AUTO_TEST_CASE(passes_step_over_absent_inputs) {
  Affines a;
  const Value twice = affine(a.x, {}, a.offset);
  a.g.add_output("moved again", twice);
  const Rewritten r = rewrite(*specialise(a.g, {a.outputs()[2], twice}, {}, Mode::training).graph);
  verify(*r.graph);
  BOOST_TEST(r.graph->outputs()[0].second.same(r.graph->outputs()[1].second));  // equal, with the same one absent
  const Node left = r.graph->outputs()[0].second.node();
  BOOST_TEST(!left.input(1));

  Graph constants;  // folded: scale is absent
  const Value one = constant(constants, Tensor::of<float>({2}, {1, 2}));
  constants.add_output("y", affine(one, {}, one));
  const Rewritten folded = rewrite(constants);
  BOOST_REQUIRE(folded.graph->outputs()[0].second.node().op().is<ops::Constant>());
  check_values({folded.graph->outputs()[0].second.node().op().as<ops::Constant>()->value}, {{2, 4}});
}

BOOST_AUTO_TEST_CASE(outputs_have_names) {
  Graph g;
  const Value logits = input(g, "logits", f32, {3, 4}), labels = input(g, "labels", i64, {3});
  const Node n = g.append(ops::CrossEntropy{}, {logits, labels}, {});
  BOOST_TEST(n.output("probabilities").same(n.output(1)));
  BOOST_TEST(message([&] { n.output("logits"); }) ==
             "cross_entropy_2 has no output \"logits\"\n  Its outputs: losses, probabilities");
  struct Two {
    OpInfo info{.name = "two", .inputs = {"x"}};
    std::vector<Type> infer(Types in) const { return {in[0], in[0]}; }
    void run(const Run&) const {}
    bool operator==(const Two&) const { return true; }
  };
  BOOST_TEST(message([&] { g.append(Two{}, {logits}, {}); }) ==
             "two: it infers 2 types, but names 1 output\n  x: f32[3, 4] from logits\n"
             "  Name each output in the op's `info.outputs`");
}

BOOST_AUTO_TEST_CASE(a_kernel_and_its_work_are_prepared_once_a_plan) {
  Graph g;
  const Value x = input(g, "x", f32, {any(3)}), y = apply(Counting{}, {x}, {});
  Counting::made = 0;
  const Program program = compile({y}, {.pool = Pool(2)});
  BOOST_TEST(Counting::made == 1);
  Store store(g);
  const std::map<std::string, Tensor> two{{"x", Tensor::of<float>({2}, {2, 3})}};
  check_values(program.run(store, two), {{4, 6}});
  BOOST_TEST(Counting::made == 2);  // another shape, another plan
  check_values(program.run(store, two), {{4, 6}});
  BOOST_TEST(Counting::made == 2);
  BOOST_TEST(Op(Counting{}).work(y.node().input_types()).parts == 3);
}

namespace {

// x split into halves: the first is x's bytes, the second too, and a third output is their sum.
struct Halves {
  static constexpr OpInfo info{.name = "test_halves", .inputs = {"x"}, .outputs = {"first", "second", "sum?"}};
  bool operator==(const Halves&) const = default;
  std::vector<Type> infer(Types in) const {
    const Type half{in[0].dtype, {in[0].shape[0] / 2}};
    return {half, half, half};
  }
  std::vector<Alias> alias(Types in) const { return {{.input = 0}, {.input = 0, .offset = in[0].bytes() / 2}, {}}; }
  // Halves of a relu are relus of halves.
  std::vector<Value> simplify(Values in) const {
    if (in[0].node().op().is<ops::Relu>()) {
      const Value again = apply(Halves{}, {in[0].node().input(0)}, {});
      const Value first = relu(again), second = relu(again.node().output(1));
      return {first, second, first + second};
    }
    return {};
  }
  void run(const Run& r) const {
    const std::int64_t half = r.out_type().count();
    const float* x = r.in<float>(0);
    for (std::int64_t i = 0; i < half; ++i) {
      if (r.wants(0)) r.out<float>(0)[i] = x[i];
      if (r.wants(1)) r.out<float>(1)[i] = x[i + half];
      if (r.wants(2)) r.out<float>(2)[i] = x[i] + x[i + half];
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(several_outputs_may_be_bytes_of_an_input) {
  Graph g;
  const Value x = input(g, "x", f32, {4}), y = exp(x);
  const Node halves = g.append(Halves{}, {y}, {});
  const std::map<std::string, Tensor> zeros{{"x", Tensor({f32, {4}})}};
  const std::vector<Value> some{halves.output(0) * 2.0, halves.output(1) * 3.0},
      all{some[0], some[1], halves.output(2)};
  for (const int threads : {1, 2}) {
    Store store(g);
    const Program two = compile(some, {.pool = Pool(threads)}), three = compile(all, {.pool = Pool(threads)});
    check_values(two.run(store, zeros), {{2, 2}, {3, 3}});
    check_values(three.run(store, zeros), {{2, 2}, {3, 3}, {2, 2}});
    const Ledger alone = ledger(two), with_sum = ledger(three);
    const auto runs = [](const Ledger& l) {
      return std::any_of(l.steps.begin(), l.steps.end(),
                         [&](const Ledger::Step& s) { return s.node >= 0 && l.graph->node(s.node).op().is<Halves>(); });
    };
    BOOST_TEST(!runs(alone));  // nothing is left to compute
    BOOST_TEST(runs(with_sum));
    for (const Ledger::Value& v : with_sum.values)
      if (with_sum.graph->node(v.node).op().is<Halves>())
        BOOST_TEST((v.fate == (v.output < 2 ? Ledger::Fate::alias : Ledger::Fate::fetched)));
  }
}

BOOST_AUTO_TEST_CASE(simplify_serves_all_outputs) {
  Graph g;
  const Value x = input(g, "x", f32, {4});
  const Node halves = g.append(Halves{}, {relu(x)}, {});
  for (int k = 0; k < 3; ++k) g.add_output("y" + std::to_string(k), halves.output(k));
  const auto r = simplify(g);
  BOOST_REQUIRE(r.has_value());
  verify(*r->graph);
  for (int k = 0; k < 2; ++k) BOOST_TEST((*r)(halves.output(k)).node().op().is<ops::Relu>());
  BOOST_TEST((*r)(halves.output(2)).node().op().is<ops::Add>());
}

BOOST_AUTO_TEST_CASE(an_output_that_nobody_reads_takes_no_memory) {
  Graph g;
  const Value logits = input(g, "logits", f32, {64, 1000}), labels = input(g, "labels", i64, {64});
  const Value loss = cross_entropy(logits, labels);
  const Ledger inference = ledger(compile({loss}));
  BOOST_TEST(inference.arena_bytes < 64 * 1000);
  BOOST_TEST(ledger(compile({loss, loss.graph().node(2).output(1)})).arena_bytes >= 64 * 1000 * 4);
  for (const Ledger::Value& v : inference.values)
    if (inference.graph->node(v.node).op().is<ops::CrossEntropy>() && v.output == 1) {
      BOOST_TEST(v.home == "none");
      BOOST_TEST(v.bytes == 0);
    }
  const std::string text = print(inference);
  BOOST_TEST(print(*parse_ledger(text, std::shared_ptr<const Graph>(parse(text, catalog())))) == text);
}

BOOST_AUTO_TEST_SUITE_END()
