// Graphs as text: print, parse, print is a fixed point.
// Labels: memory.
#include <oxbow/graph/catalog.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/text.h>
#include <oxbow/graph/text/opaque.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <limits>

#include "support/text_ops.h"

BOOST_AUTO_TEST_SUITE(test_text)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// Prints, parses and prints again; checks that nothing changed.
std::string round_trip(const Graph& g, PrintOptions options = {.locations = false}) {
  const std::string text = print(g, options);
  const auto back = parse(text, text_catalog(), "round.graph");
  BOOST_TEST(print(*back, options) == text);
  BOOST_TEST(equal(g, *back));
  return text;
}

std::string attribute_round_trip(AttrValue value) {
  Graph g;
  g.append(internal::Opaque({"foreign", {{"a", value}}, {}, {}}), {}, {});
  const auto back = parse(print(g), Catalog::leaves());
  BOOST_TEST(same_bits(back->node(0).op().attributes()[0].second, value));
  return print(value);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_graph_reads_well) {
  Graph g;
  g.set_seed(42);
  const Value x = input(g, "x", f32, {any(2), 3});
  Value h;
  {
    Scope scope(g, "layer");
    const Value w = variable(g, "w", {f32, {2, 3}},
                             {.kind = Init::Kind::uniform, .a = -1, .b = 1, .seed = 7, .stream = g.next_stream()});
    h = apply(Twice{}, {x}, At::current());
    Origin backward = g.origin();
    backward.phase = Phase::backward;
    backward.forward = h.node_id();
    OriginGuard guard(g, backward);
    apply(Twice{.by = 3}, {h}, At::current()).named("dx");
    g.add_update(assign(w, h));
  }
  g.add_output("h", h);
  BOOST_TEST(round_trip(g) == R"(oxbow graph 1
seed 42
next_stream 2

forward:
  %x = input {name: "x", type: f32[2, 3], free_axes: [0]} : f32[2, 3]

forward "layer":
  %layer/w = variable {name: "layer/w", type: f32[2, 3], init: {kind: "uniform", a: -1.0, b: 1.0, seed: 7, stream: 1}, trainable: true} : f32[2, 3]
  %2 = twice(%x) {by: 2} : f32[2, 3]

backward "layer":
  %layer/dx = twice(%2) {by: 3} : f32[2, 3] for %2
  %4 = assign(%layer/w, %2) : f32[2, 3] for %2

outputs:
  "h" = %2

updates:
  %4

end
)");
}

BOOST_AUTO_TEST_CASE(an_empty_graph_is_its_header) {
  Graph g;
  BOOST_TEST(round_trip(g) == "oxbow graph 1\nseed 0\nnext_stream 1\n\nend\n");
}

BOOST_AUTO_TEST_CASE(attributes_of_every_kind_and_second_outputs) {
  Graph g;
  const Node two = g.append(Kinds{}, {}, {});
  g.append(Kinds{.flag = false, .tensor = {}, .axes = {}}, {two.output(1), two.output(0)}, {});
  g.add_output("second", two.output(1));
  const std::string text = round_trip(g);
  BOOST_TEST(
      text.find(
          R"(%0 = kinds {flag: true, whole: -7, real: 0.1, words: "a \"quoted\" \\ word\n\x01 )"
          "\xc3\xa9"
          R"(", dtype: u8, type: i64[2, 0]{panel 16}, tensor: tensor f32[] [1.5], axes: [0, -1], )"
          R"(record: {kind: "normal", a: -0.0, b: 1e+300, seed: -1, stream: 3}} : f32[2], i64[2, 0]{panel 16})") !=
      std::string::npos);
  BOOST_TEST(text.find("%1 = kinds(%0#1, %0) {flag: false") != std::string::npos);
  BOOST_TEST(text.find("\"second\" = %0#1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(numbers_are_exact) {
  using Limits = std::numeric_limits<double>;
  BOOST_TEST(attribute_round_trip(0.0) == "0.0");
  BOOST_TEST(attribute_round_trip(-0.0) == "-0.0");
  BOOST_TEST(attribute_round_trip(1.0) == "1.0");
  BOOST_TEST(attribute_round_trip(1.0 / 3) == "0.3333333333333333");
  BOOST_TEST(attribute_round_trip(Limits::max()) == "1.7976931348623157e+308");
  BOOST_TEST(attribute_round_trip(Limits::denorm_min()) == "5e-324");
  BOOST_TEST(attribute_round_trip(Limits::infinity()) == "inf");
  BOOST_TEST(attribute_round_trip(-Limits::infinity()) == "-inf");
  BOOST_TEST(attribute_round_trip(Limits::quiet_NaN()) == "nan");
  BOOST_TEST(attribute_round_trip(-Limits::quiet_NaN()) == "nan(0xfff8000000000000)");
  BOOST_TEST(attribute_round_trip(std::bit_cast<double>(0x7ff0000000000001u)) == "nan(0x7ff0000000000001)");
  BOOST_TEST(attribute_round_trip(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  BOOST_TEST(attribute_round_trip(std::numeric_limits<std::int64_t>::max()) == "9223372036854775807");
}

BOOST_AUTO_TEST_CASE(strings_lists_records_and_types_nest) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  attribute_round_trip(bytes);
  BOOST_TEST(attribute_round_trip(AttrList{}) == "[]");
  BOOST_TEST(attribute_round_trip(AttrRecord{}) == "{}");
  BOOST_TEST(attribute_round_trip(AttrRecord{{"", AttrList{f32, Type{}, true}}, {"a b", AttrRecord{{"c", 2.5}}}}) ==
             R"({"": [f32, f32[], true], "a b": {c: 2.5}})");
  AttrValue deep = std::int64_t{1};
  for (int i = 0; i < 60; ++i) deep = AttrList{deep};
  attribute_round_trip(deep);
}

BOOST_AUTO_TEST_CASE(tensors_are_exact) {
  for (DType dtype : all_dtypes)
    for (const Shape& shape :
         {Shape{}, Shape{0}, Shape{3}, Shape{0, 5}, Shape{2, 3}, Shape{16}, Shape{17}, Shape{5, 7}, Shape{2, 100}})
      attribute_round_trip(draw(shape, 0, dtype == boolean ? 2 : 100, 1, dtype));
  BOOST_TEST(attribute_round_trip(Tensor::of<float>({3}, {0.1f, -0.0f, std::numeric_limits<float>::quiet_NaN()})) ==
             "tensor f32[3] [0.1, -0.0, nan]");
  BOOST_TEST(attribute_round_trip(Tensor::of<float>({1}, {std::bit_cast<float>(0xffc00001u)})) ==
             "tensor f32[1] [nan(0xffc00001)]");
  BOOST_TEST(attribute_round_trip(Tensor({f32, {100, 100}})) == "tensor f32[100, 100] splat 0.0");
  BOOST_TEST(attribute_round_trip(draw({18}, 0, 256, 2, u8)).starts_with("tensor u8[18] base64 \""));
  BOOST_TEST(attribute_round_trip(Tensor({f32, {3, 5}, {4}})) == "tensor f32[3, 5]{panel 4} splat 0.0");
  BOOST_TEST(attribute_round_trip(Tensor::of<bool>({2}, {true, false})) == "tensor bool[2] [true, false]");
}

BOOST_AUTO_TEST_CASE(names_that_are_no_words_are_quoted) {
  Graph g;
  for (const char* name : {"12", "a b", "q\"", "x#1", "\xc3\xa9", "plain.name-1", "x:", "//"})
    if (std::string(name) != "//") input(g, name, f32, {2});
  Scope scope(g, "sc/ope 1");
  Scope inner(g, "//");
  apply(Twice{}, {input(g, "y", f32, {1})}, At::current()).named("z");
  g.add_output("out\nput", g.node(0).output());
  const std::string text = round_trip(g);
  for (const char* label : {"%\"12\" =", "%\"a b\" =", "%\"q\\\"\" =", "%\"x#1\" =", "%plain.name-1 =", "%\"x:\" ="})
    BOOST_TEST(text.find(label) != std::string::npos, label);
}

BOOST_AUTO_TEST_CASE(lines_are_printed_unless_they_are_not_wanted) {
  Graph g;
  input(g, "x", f32, {2});
  const int line = __LINE__ - 1;
  g.append(Twice{}, {g.node(0).output()}, {});
  const std::string bare = round_trip(g);
  BOOST_TEST(bare.find(" at ") == std::string::npos);
  const std::string text = round_trip(g, {});
  BOOST_TEST(text.find("f32[2] at \"" + std::string(At::current().file_name()) + "\":" + std::to_string(line)) !=
             std::string::npos);
  BOOST_TEST(text.find("{by: 2} : f32[2] at unknown\n") != std::string::npos);
  const auto without = parse(bare, text_catalog(), "x.graph");
  BOOST_TEST(to_string(without->node(1).origin().at) == "x.graph:7");
}

BOOST_AUTO_TEST_CASE(unknown_ops_become_opaque) {
  Graph g;
  const Value x = input(g, "x", f32, {2});
  const Node kinds = g.append(Kinds{}, {x}, {});
  g.append(Twice{}, {kinds.output(0)}, {});
  const std::string text = print(g);
  const auto opaque = parse(text, Catalog::leaves());
  BOOST_TEST(print(*opaque) == text);
  BOOST_TEST(!equal(g, *opaque));
  const Node n = opaque->node(1);
  BOOST_TEST(n.op().is<internal::Opaque>());
  BOOST_TEST(n.full_name() == "kinds_1");
  BOOST_TEST(equal(*opaque, *parse(text, Catalog::leaves())));
  BOOST_CHECK_EXCEPTION(n.op().lower(n.inputs()), OpError, [](const OpError& e) {
    return std::string(e.what()) ==
           "the op \"kinds\" is not in the catalogue, so it cannot be compiled. Add the op to the "
           "catalogue that the graph is read with. If an older Oxbow wrote the text, build its graph again";
  });
  BOOST_TEST(n.op().gradient(n, {}).refusal() == "the op \"kinds\" is not in the catalogue");
}

BOOST_AUTO_TEST_CASE(comments_and_blanks_are_free) {
  const auto g = parse(
      "// a graph\noxbow graph 1 seed -1 next_stream 4 // four\r\nforward: %7=input{name:\"x\",type:f32[2]}:f32[2]\n"
      "\t%a = twice(%7):f32[2]outputs:\"y\"=%a end//",
      text_catalog());
  BOOST_TEST(
      print(*g, {.locations = false}) ==
      "oxbow graph 1\nseed -1\nnext_stream 4\n\nforward:\n  %0 = input {name: \"x\", type: f32[2], free_axes: []} : "
      "f32[2]\n  %a = twice(%0) {by: 2} : f32[2]\n\noutputs:\n  \"y\" = %a\n\nend\n");
}

BOOST_AUTO_TEST_CASE(equality_sees_structure_and_not_notes) {
  const auto build = [](double v, bool named, std::string_view output) {
    auto g = std::make_unique<Graph>();
    const Value c = constant(*g, v);
    if (named) c.named("c");
    g->add_output(std::string(output), c);
    return g;
  };
  BOOST_TEST(equal(*build(1, false, "y"), *build(1, true, "y")));
  BOOST_TEST(!equal(*build(1, false, "y"), *build(1, false, "z")));
  const auto seeded = build(1, false, "y");
  seeded->set_seed(1);
  BOOST_TEST(!equal(*build(1, false, "y"), *seeded));
  BOOST_TEST(!equal(*build(0.0, false, "y"), *build(-0.0, false, "y")));
}

BOOST_AUTO_TEST_CASE(equality_sees_the_bits_of_numbers) {
  const auto build = [](double deviation) {
    auto g = std::make_unique<Graph>();
    variable(*g, "w", {f32, {2}}, {.kind = Init::Kind::constant, .a = 1, .b = deviation});
    return g;
  };
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  BOOST_TEST(equal(*build(nan), *build(nan)));
  BOOST_TEST(!equal(*build(nan), *build(1)));
  BOOST_TEST(!equal(*build(0.0), *build(-0.0)));
}

BOOST_AUTO_TEST_SUITE_END()
