// Malformed graph texts are told with their place, and no damage to a text does harm.
// Labels: memory.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/text.h>

#include <boost/test/unit_test.hpp>
#include <limits>

#include "support/text_ops.h"

BOOST_AUTO_TEST_SUITE(test_text_malformed)

using namespace oxbow;
using namespace oxbow::test;

namespace {

std::string error_of(std::string_view text) {
  try {
    parse(text, text_catalog(), "t.graph");
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
             "t.graph:3:1: expected a heading (\"forward:\", \"outputs:\", ...) or \"end\", found \"%x\"");
}

// A text that was cut off is not a smaller graph, wherever it was cut.
BOOST_AUTO_TEST_CASE(cut_texts) {
  Graph g;
  const Value x = input(g, "x", f32, {2}), w = variable(g, "w", {f32, {2}});
  g.add_output("x", x);
  g.add_update(assign(w, x));
  const std::string text = print(g, {.locations = false});
  BOOST_TEST(error_of(text) == "no error");
  BOOST_TEST(error_of(text + "forward:") == "t.graph:17:1: expected nothing behind \"end\", found \"forward\"");
  for (std::size_t length = text.size() - 2; length > 0; --length)
    BOOST_TEST(error_of(text.substr(0, length)) != "no error", text.substr(0, length));
}

BOOST_AUTO_TEST_CASE(attributes_that_do_not_fit_or_differ) {
  std::int32_t narrow = 0;
  for (const std::int64_t wide : {std::int64_t{1} << 31, -(std::int64_t{1} << 31) - 1})
    BOOST_CHECK_THROW(from_attr(AttrValue(wide), narrow), Error);
  from_attr(AttrValue(-(std::int64_t{1} << 31)), narrow);
  BOOST_TEST(narrow == std::numeric_limits<std::int32_t>::min());
  const AttrValue a = AttrRecord{{"a", std::int64_t{1}}}, b = AttrRecord{{"b", std::int64_t{1}}};
  BOOST_TEST((same_bits(a, a) && !same_bits(a, b)));
}

BOOST_AUTO_TEST_CASE(shapes_end_where_memory_does) {
  const std::int64_t most = std::int64_t{1} << 59, much = std::int64_t{1} << 40;
  BOOST_TEST(Shape({most}).count() == most);
  BOOST_CHECK_THROW(Shape({most, 2}), Error);
  BOOST_CHECK_THROW(Shape({0, much, much}), Error);  // nor may any of its parts
  BOOST_TEST((Shape{2, 3}.inserted(-1, 7) == Shape{2, 3, 7}));
  BOOST_TEST((Shape{2, 3}.inserted(-3, 7) == Shape{7, 2, 3}));
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
      {x + "%1 = twice(%x) : f33[2]",
       "t.graph:5:18: expected a dtype (f32, f64, f16, bf16, i8, i16, i32, i64, "
       "u8, u16, u32, u64 or bool), found \"f33\""},
      {x + "%1 = twice(%x) : f32[2, 4]", "t.graph:5:18: the text says f32[2, 4], but twice gives f32[2, 3]"},
      {x + "%1 = twice(%x) {to: 1} : f32[2, 3]", "t.graph:5:17: no attribute \"to\" of op twice. It has: by"},
      {x + "%1 = twice(%x) {by: 1.5} : f32[2, 3]", "t.graph:5:17: by: expected an integer, but there is a number"},
      {x + "%1 = twice(%x) {by: 1, by: 2} : f32[2, 3]", "t.graph:5:24: the attribute \"by\" is given twice"},
      {x + x,
       "t.graph:5:3: the name \"x\" is taken at t.graph:4\n  at t.graph:5\n"
       "  Use another name, or a Scope around one of the two"},
      {x + "%y = input {name: \"x\", type: i32[]} : i32[] end",
       "t.graph:5:1: \"x\" is the name of x too, but inputs have different names"},
      {"%1 = foo : f32[]\n%1 = foo : f32[]", "t.graph:5:1: %1 is defined above already"},
      {"%a/b = foo : f32[]", "t.graph:4:1: the name \"a/b\" does not belong below the heading of scope \"\""},
      {"%1 = foo : f32[2] for 3", "t.graph:4:23: expected the label of the forward node, found \"3\""},
      {"%1 = foo : f32[2] at 3", "t.graph:4:22: expected a file's name or \"unknown\", found \"3\""},
      {"%1 = foo : f32[2] at \"a.cpp\":0", "t.graph:4:30: a line is 1 to 4294967295"},
      {"%1 = foo : f32[2] at \"\u00e9\":0", "t.graph:4:26: a line is 1 to 4294967295"},  // columns are of characters
      {"%1 = foo : f32[2] at \"\\x4g\":1",
       "t.graph:4:23: expected an escape: \\\", \\\\, \\n, \\t, or \\x with two of the digits 0-9 a-f"},
      {"%\"\" = foo : f32[]", "t.graph:4:1: a label has at least one character"},
      {"%1 = foo : f32[2]{panel 1048577}", "t.graph:4:25: a panel's width is 1 to 1048576"},
      {"%1 = foo {a: tensor u8[1] base64 \"AR==\"} : f32[]",
       "t.graph:4:34: expected base64 of 1 bytes, as u8[1] has; found a string of 4 characters"},
      {"%1 = foo {a: tensor u8[1] base64 \"AQAA\"} : f32[]",
       "t.graph:4:34: expected base64 of 1 bytes, as u8[1] has; found a string of 4 characters"},
      {"%1 = foo : f32[2] nonsense",
       "t.graph:4:19: expected a node, a heading (\"forward:\", \"outputs:\", ...) or \"end\", found \"nonsense\""},
      {"outputs:\n\"y\" = %3", "t.graph:5:7: there is no node %3 above"},
      {x + "outputs:\n\"y\" = %x\n\"y\" = %x",
       "t.graph:7:1: the graph has an output named \"y\" already. Use another name"},
      {x + "outputs:\ny = %x",
       "t.graph:6:1: expected a node, a heading (\"forward:\", \"outputs:\", ...) or \"end\", found \"y\""},
      {x + "updates:\n%x\nend",
       "t.graph:6:1: add_update: x writes nothing\n  built at t.graph:4\n  Give what assign() returned"},
      {x + "%1 = assign(%x, %x) : f32[2, 3] end", "t.graph:5:1: it is x, but what an assign writes is a variable"},
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
       "t.graph:4:14: a splat of 8000000000000 bytes is too large: at most 67108864 are read"},
      {"tensor f64[1000000000000] base64 \"\"",
       "t.graph:4:47: expected base64 of 8000000000000 bytes, as f64[1000000000000] has; found a string of 0 "
       "characters"},
      {std::string(100000, '['), "t.graph:4:78: attributes nest deeper than 64 levels"},
      {"{a:" + std::string(100, '[') + "]", "t.graph:4:80: attributes nest deeper than 64 levels"},
  };
  for (const auto& [value, message] : table) BOOST_TEST(value_error(value) == message);
  const std::string recipe = node_error(
      "%w = variable {name: \"w\", type: f32[2], init: {kind: \"unitary\", a: 0.0, b: 0.0, seed: 0, stream: 0}, "
      "trainable: true} : f32[2]");
  BOOST_TEST(recipe ==
             "t.graph:4:41: init: there is no recipe \"unitary\". Known are: zeros, constant, uniform, normal, seed, "
             "truncated_normal, orthogonal");
  BOOST_TEST(
      node_error("%w = variable {name: \"w\", type: f32[2], init: {kid: \"zeros\"}, trainable: true} : f32[2]") ==
      "t.graph:4:41: init: the field \"kind\" is missing, but there is \"kid\"");
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
      parse(damaged, text_catalog(), "d.graph");
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

BOOST_AUTO_TEST_SUITE_END()
