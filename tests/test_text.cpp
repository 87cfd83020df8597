// Graphs as text: print, parse, print is a fixed point, and malformed text is told with its place.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/opaque.h>
#include <oxbow/graph/text.h>

#include <bit>
#include <boost/test/unit_test.hpp>
#include <limits>

using namespace oxbow;

namespace {

// An op with an attribute of every kind and two outputs.
struct Kinds {
  static constexpr OpInfo info{.name = "kinds", .inputs = {"x"}, .variadic = true, .any_layout = true};
  bool flag = true;
  std::int64_t whole = -7;
  double real = 0.1;
  std::string words = "a \"quoted\" \\ word\n\x01 \xc3\xa9";
  DType dtype = u8;
  Type type{i64, {2, 0}, {16}};
  Tensor tensor = Tensor::scalar(1.5f);
  std::vector<std::int64_t> axes{0, -1};
  Init record{.kind = "normal", .a = -0.0, .b = 1e300, .seed = ~std::uint64_t{0}, .stream = 3};
  static constexpr auto attributes = std::tuple{
      Attribute{"flag", &Kinds::flag},     Attribute{"whole", &Kinds::whole}, Attribute{"real", &Kinds::real},
      Attribute{"words", &Kinds::words},   Attribute{"dtype", &Kinds::dtype}, Attribute{"type", &Kinds::type},
      Attribute{"tensor", &Kinds::tensor}, Attribute{"axes", &Kinds::axes},   Attribute{"record", &Kinds::record}};
  std::vector<Type> infer(Types) const { return {{f32, {2}}, type}; }
  void run(const Run&) const {}
  bool operator==(const Kinds& o) const {
    return same_bits(AttrValue(attributes_of(*this)), AttrValue(attributes_of(o)));
  }
};

// y = x + x as far as types go: refuses anything but f32.
struct Twice {
  static constexpr OpInfo info{.name = "twice", .inputs = {"x"}};
  std::int64_t by = 2;
  static constexpr auto attributes = std::tuple{Attribute{"by", &Twice::by}};
  Type infer(Types in) const {
    if (in[0].dtype != f32) throw OpError("x is " + to_string(in[0]), "Cast it to f32");
    return in[0];
  }
  void run(const Run&) const {}
  bool operator==(const Twice&) const = default;
};

Catalog catalog() {
  Catalog c = Catalog::leaves();
  c.add<Kinds>().add<Twice>();
  return c;
}

// Prints, parses and prints again; checks that nothing changed.
std::string round_trip(const Graph& g, PrintOptions options = {}) {
  const std::string text = print(g, options);
  const auto back = parse(text, catalog(), "round.graph");
  BOOST_TEST(print(*back, options) == text);
  BOOST_TEST(equal(g, *back));
  return text;
}

std::string attribute_round_trip(AttrValue value) {
  Graph g;
  g.append(Opaque({"foreign", {{"a", value}}, {}, {}}), {}, {});
  const auto back = parse(print(g), Catalog::leaves());
  BOOST_TEST(same_bits(back->node(0).op().attributes()[0].second, value));
  return print(value);
}

std::string error_of(std::string_view text) {
  try {
    parse(text, catalog(), "t.graph");
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

// The message for these lines behind a good header and "forward:" (which are lines 1 to 3).
std::string node_error(std::string_view lines) {
  return error_of("oxbow graph 1\nseed 0 next_stream 1\nforward:\n" + std::string(lines));
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_graph_reads_well) {
  Graph g;
  g.set_seed(42);
  const Value x = input(g, "x", f32, {any(2), 3});
  Value h;
  {
    Scope scope(g, "layer");
    const Value w =
        variable(g, "w", {f32, {2, 3}}, {.kind = "uniform", .a = -1, .b = 1, .seed = 7, .stream = g.next_stream()});
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
)");
}

BOOST_AUTO_TEST_CASE(an_empty_graph_is_its_header) {
  Graph g;
  BOOST_TEST(round_trip(g) == "oxbow graph 1\nseed 0\nnext_stream 1\n");
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
  for (DType dtype : {f32, f64, i32, i64, u8, boolean})
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

BOOST_AUTO_TEST_CASE(lines_are_printed_on_request) {
  Graph g;
  input(g, "x", f32, {2});
  const int line = __LINE__ - 1;
  g.append(Twice{}, {g.node(0).output()}, {});
  BOOST_TEST(print(g).find("test_text") == std::string::npos);
  const std::string text = round_trip(g, {.locations = true});
  BOOST_TEST(text.find("f32[2] at \"" + std::string(At::current().file_name()) + "\":" + std::to_string(line)) !=
             std::string::npos);
  BOOST_TEST(text.find("{by: 2} : f32[2] at unknown\n") != std::string::npos);
  const auto without = parse(print(g), catalog(), "x.graph");
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
  BOOST_TEST(n.op().is<Opaque>());
  BOOST_TEST(n.full_name() == "kinds_1");
  BOOST_TEST(equal(*opaque, *parse(text, Catalog::leaves())));
  BOOST_CHECK_EXCEPTION(n.op().lower(n.inputs()), OpError, [](const OpError& e) {
    return std::string(e.what()) ==
           "the op \"kinds\" is not in the catalogue, so it cannot be compiled. Add the op to the "
           "catalogue that the graph is read with";
  });
  BOOST_TEST(n.op().gradient(n, {}).refusal() == "the op \"kinds\" is not in the catalogue");
}

BOOST_AUTO_TEST_CASE(comments_and_blanks_are_free) {
  const auto g = parse(
      "// a graph\noxbow graph 1 seed -1 next_stream 4 // four\r\nforward: %7=input{name:\"x\",type:f32[2]}:f32[2]\n"
      "\t%a = twice(%7):f32[2]outputs:\"y\"=%a //",
      catalog());
  BOOST_TEST(
      print(*g) ==
      "oxbow graph 1\nseed -1\nnext_stream 4\n\nforward:\n  %0 = input {name: \"x\", type: f32[2], free_axes: []} : "
      "f32[2]\n  %a = twice(%0) {by: 2} : f32[2]\n\noutputs:\n  \"y\" = %a\n");
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

BOOST_AUTO_TEST_CASE(malformed_headers) {
  BOOST_TEST(error_of("") ==
             "t.graph:1:1: expected \"oxbow graph 1\" at the start of a graph's text, found the end of the text");
  BOOST_TEST(error_of("\x7f"
                      "ELF") == "t.graph:1:1: the byte 0x7f begins nothing that a graph's text may hold");
  BOOST_TEST(error_of("oxbow graph 2\n") ==
             "t.graph:1:13: this text has version 2, but only version 1 is known. Use a newer Oxbow");
  BOOST_TEST(error_of("oxbow graph one\n") == "t.graph:1:13: expected the version of the text, found \"one\"");
  BOOST_TEST(error_of("oxbow graph 1\nseed 0 next_stream 99999999999999999999\n") ==
             "t.graph:2:20: the integer 99999999999999999999 does not fit in 64 bits");
  BOOST_TEST(error_of("oxbow graph 1\nseed 0 next_stream 1\n%x = input") ==
             "t.graph:3:1: expected a heading (\"forward:\", \"outputs:\", ...), found \"%x\"");
}

BOOST_AUTO_TEST_CASE(malformed_nodes) {
  const std::string x = "  %x = input {name: \"x\", type: f32[2, 3]} : f32[2, 3]\n";
  const std::pair<std::string, std::string> table[] = {
      {"%x input", "t.graph:4:4: expected '=' behind the label of a node, found \"input\""},
      {"%x = (", "t.graph:4:6: expected the name of an op, found '('"},
      {"%", "t.graph:4:1: expected a name or a number behind '%'"},
      {"%x#1 = input", "t.graph:4:1: a node is defined under its label alone, without '#'"},
      {"%x = twice(%y)", "t.graph:4:12: there is no node %y above"},
      {"%x = twice(3)", "t.graph:4:12: expected a value (\"%\" and its label), found \"3\""},
      {x + "%1 = twice(%x", "t.graph:5:14: expected ')' or ',' behind an input, found the end of the text"},
      {x + "%1 = twice(%x#1)", "t.graph:5:12: there is no output 1 of input, which has 1"},
      {x + "%1 = twice(%x#99999999999)", "t.graph:5:14: expected the number of an output behind '#'"},
      {x + "%1 = twice(%x)", "t.graph:5:15: expected ':' and the output types, found the end of the text"},
      {x + "%1 = twice(%x) : f33[2]", "t.graph:5:18: expected a dtype (f32, f64, i32, i64, u8 or bool), found \"f33\""},
      {x + "%1 = twice(%x) : f32[2, 4]", "t.graph:5:18: the text says f32[2, 4], but twice gives f32[2, 3]"},
      {x + "%1 = twice(%x) {to: 1} : f32[2, 3]", "t.graph:5:1: no attribute \"to\" of op twice"},
      {x + "%1 = twice(%x) {by: 1.5} : f32[2, 3]", "t.graph:5:1: expected an integer, but there is a number"},
      {x + "%1 = twice(%x) {by: 1, by: 2} : f32[2, 3]", "t.graph:5:24: the attribute \"by\" is given twice"},
      {x + x,
       "t.graph:5:3: the name \"x\" is taken at t.graph:4\n  at t.graph:5\n"
       "  Use another name, or a Scope around one of the two"},
      {x + "%y = input {name: \"x\", type: i32[]} : i32[]",
       "t.graph:5:1: \"x\" is the name of x too, but inputs have different names"},
      {"%1 = foo : f32[]\n%1 = foo : f32[]", "t.graph:5:1: %1 is defined above already"},
      {"%a/b = foo : f32[]", "t.graph:4:1: the name \"a/b\" does not belong below the heading of scope \"\""},
      {"%1 = foo : f32[2] for 3", "t.graph:4:23: expected the label of the forward node, found \"3\""},
      {"%1 = foo : f32[2] at 3", "t.graph:4:22: expected a file's name or \"unknown\", found \"3\""},
      {"%1 = foo : f32[2] at \"a.cpp\":0", "t.graph:4:30: a line is 1 to 4294967295"},
      {"%1 = foo : f32[2] nonsense",
       "t.graph:4:19: expected a node, a heading (\"forward:\", \"outputs:\", ...) or the end, found \"nonsense\""},
      {"outputs:\n\"y\" = %3", "t.graph:5:7: there is no node %3 above"},
      {x + "outputs:\n\"y\" = %x\n\"y\" = %x", "t.graph:7:1: the graph has an output named \"y\" already"},
      {x + "outputs:\ny = %x",
       "t.graph:6:1: expected a node, a heading (\"forward:\", \"outputs:\", ...) or the end, found \"y\""},
      {x + "updates:\n%x", "t.graph:4:3: it is an update, but its op is input, but updates are assigns of the graph"},
      {x + "%1 = assign(%x, %x) : f32[2, 3]", "t.graph:5:1: it is x, but what an assign writes is a variable"},
      {"%i = input {name: \"i\", type: i32[2]} : i32[2]\n%1 = twice(%i) : i32[2]",
       "t.graph:5:1: twice: x is i32[2]\n  x: i32[2] from i\n  at t.graph:5\n  Cast it to f32"},
  };
  for (const auto& [lines, message] : table) BOOST_TEST(node_error(lines) == message);
}

BOOST_AUTO_TEST_CASE(malformed_attributes) {
  const auto value_error = [](const std::string& value) { return node_error("%1 = foo {a: " + value + "} : f32[]"); };
  const std::pair<std::string, std::string> table[] = {
      {"", "t.graph:4:14: expected a value, found '}'"},
      {"\"abc", "t.graph:4:14: this string has no closing '\"' on its line"},
      {"\"a\\q\"", "t.graph:4:16: expected an escape: \\\", \\\\, \\n, \\t, or \\x with two of the digits 0-9 a-f"},
      {"1e999", "t.graph:4:14: expected a number that fits in 64 bits, found \"1e999\""},
      {"12abc", "t.graph:4:14: expected a number that fits in 64 bits, found \"12abc\""},
      {"nan(0x1)", "t.graph:4:14: expected a number that fits in 64 bits, found \"nan(0x1)\""},
      {"-9223372036854775809", "t.graph:4:14: the integer -9223372036854775809 does not fit in 64 bits"},
      {"[1 2]", "t.graph:4:17: expected ']' or ',' in a list, found \"2\""},
      {"{b 1}", "t.graph:4:17: expected ':' behind the attribute's name, found \"1\""},
      {"f32[-1]", "t.graph:4:14: an axis cannot have the size -1 in shape [-1]"},
      {"f32[1, 2, 3, 4, 5, 6, 7, 8, 9]", "t.graph:4:14: a shape has at most 8 axes, not 9"},
      {"f32[99999999999, 99999999999]",
       "t.graph:4:14: shape [99999999999, 99999999999] has more elements than memory can address"},
      {"f32[2]{panel 0}", "t.graph:4:27: a panel's width is 1 to 1048576"},
      {"tensor f32[2] [1]", "t.graph:4:28: f32[2] takes 2 elements, found 1"},
      {"tensor i32[1] [1.5]", "t.graph:4:29: expected an element of i32, found \"1.5\""},
      {"tensor u8[1] [256]", "t.graph:4:28: expected an element of u8, found \"256\""},
      {"tensor bool[1] [1]", "t.graph:4:30: expected an element of bool, found \"1\""},
      {"tensor f32[2] base64 \"AAAA\"",
       "t.graph:4:35: expected base64 of 8 bytes, as f32[2] has; found a string of 4 characters"},
      {"tensor f32[1] base64 \"!!!!!!==\"",
       "t.graph:4:35: expected base64 of 4 bytes, as f32[1] has; found a string of 8 characters"},
      {"tensor bool[1] base64 \"Ag==\"", "t.graph:4:36: the bytes of a bool tensor are 0 or 1"},
      {"tensor f64[1000000000000] splat 1.0",
       "t.graph:4:14: a splat of 8000000000000 bytes is too large: at most 1073741824 are read"},
      {"tensor f64[1000000000000] base64 \"\"",
       "t.graph:4:47: expected base64 of 8000000000000 bytes, as f64[1000000000000] has; found a string of 0 "
       "characters"},
      {std::string(100000, '['), "t.graph:4:78: attributes nest deeper than 64 levels"},
      {"{a:" + std::string(100, '[') + "]", "t.graph:4:80: attributes nest deeper than 64 levels"},
  };
  for (const auto& [value, message] : table) BOOST_TEST(value_error(value) == message);
}

// Every prefix and every one-byte change of a good text parses or throws an Error that names its place.
BOOST_AUTO_TEST_CASE(damaged_text_never_does_harm) {
  Graph g;
  const Node two = g.append(Kinds{}, {input(g, "x", f32, {any(3)})}, {});
  g.append(Twice{}, {two.output(0)}, {});
  g.add_output("y", g.node(2).output());
  const std::string text = print(g, {.locations = true});
  const auto survives = [](const std::string& damaged) {
    try {
      parse(damaged, catalog(), "d.graph");
    } catch (const Error& e) {
      BOOST_TEST(std::string_view(e.what()).starts_with("d.graph:"));
    }
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    survives(text.substr(0, i));
    for (char c : {'\0', '"', '{', ']', '9', '-', '%', '\n', '\xff'}) {
      std::string damaged = text;
      damaged[i] = c;
      survives(damaged);
    }
  }
}
