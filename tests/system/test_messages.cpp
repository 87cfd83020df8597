// Programs that must not be built, and what they are told: the whole text, with op, shapes, the user's line, and what
// to do. "HERE" stands for the failing line, "DECLARED" for the line of the inputs.
#include <oxbow/graph/support/near_names.h>
#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>

#include "support/message.h"
#include "support/some_graph.h"

BOOST_AUTO_TEST_SUITE(test_messages)

using namespace oxbow;
using oxbow::test::message;
using oxbow::test::SomeGraph;

namespace {

std::string optimizer_list() { return internal::listed(optim::optimizer_names()); }

}  // namespace

BOOST_FIXTURE_TEST_CASE(shapes_dtypes_and_axes_that_do_not_fit, SomeGraph) {
  // A call stays on the line that `message` knows.
  // clang-format off
  check({
      {message([&] { matmul(x, v, {.transpose_b = true}); }),
       "matmul: b has one axis where a matrix has two\n"
       "  a: f32[2, 4] from x\n"
       "  b: f32[3] from v\n"
       "  at HERE\n"
       "  Make it a row or a column: reshape(b, {1, 3}) or reshape(b, {3, 1})"},
      {message([&] { matmul(x, i); }),
       "matmul: the dtypes differ: f32 and i64\n"
       "  a: f32[2, 4] from x\n"
       "  b: i64[2, 4] from i\n"
       "  at HERE\n"
       "  Cast one of them: cast(b, f32)"},
      {message([&] { matmul(x, w); }),
       "matmul: the inner sizes differ: a has 4 columns, b has 5 rows\n"
       "  a: f32[2, 4] from x\n"
       "  b: f32[5, 6] from w\n"
       "  at HERE\n"
       "  They must be equal: [..., n, k] times [..., k, m]"},
      {message([&] { x + v; }),
       "add: shapes [2, 4] and [3] do not broadcast: axis -1 is 4 in one and 3 in the other\n"
       "  a: f32[2, 4] from x\n"
       "  b: f32[3] from v\n"
       "  at HERE\n"
       "  Make the sizes equal, or one of them 1"},
      {message([&] { x + i; }),
       "add: dtypes differ: a f32[2, 4], b i64[2, 4]\n"
       "  a: f32[2, 4] from x\n"
       "  b: i64[2, 4] from i\n"
       "  at HERE\n"
       "  Cast one: cast(b, f32)"},
      {message([&] { where(x, x, x); }),
       "where: condition is f32, but must be one of: bool\n"
       "  condition: f32[2, 4] from x\n"
       "  a: f32[2, 4] from x\n"
       "  b: f32[2, 4] from x\n"
       "  at HERE\n"
       "  Cast it: cast(condition, bool)"},
      {message([&] { softmax(x, 2); }),
       "softmax: there is no axis 2 in shape [2, 4]. Use -2 to 1\n"
       "  at HERE"},
      {message([&] { sum(x, {3}); }),
       "sum: there is no axis 3 in shape [2, 4]\n"
       "  x: f32[2, 4] from x\n"
       "  at HERE\n"
       "  Use -2 to 1"},
      {message([&] { argmax(slice(x, 0, 2, 2).named("none"), 0); }),
       "argmax: axis 0 of [0, 4] is empty\n"
       "  x: f32[0, 4] from none\n"
       "  at HERE\n"
       "  There is no largest of no elements"},
      {message([&] { reshape(x, {5, -1}); }),
       "reshape: [2, 4] (8 elements) leaves no whole number of elements for the size -1\n"
       "  x: f32[2, 4] from x\n"
       "  at HERE\n"
       "  The other sizes must divide the number of elements"},
      {message([&] { reshape(x, {-1, -1}); }),
       "reshape: only one size can be -1\n"
       "  x: f32[2, 4] from x\n"
       "  at HERE\n"
       "  Give all sizes but one"},
      {message([&] { transpose(x, {0}); }),
       "transpose: [0] does not name each axis of [2, 4] once\n"
       "  x: f32[2, 4] from x\n"
       "  at HERE\n"
       "  Give the 2 axes in the order wanted, or none to reverse them"},
      {message([&] { slice(x, 0, 3, 9); }),
       "slice: the range 3 to 9 does not lie within axis 0 of [2, 4]\n"
       "  x: f32[2, 4] from x\n"
       "  at HERE\n"
       "  Use 0 <= begin <= end <= 2, or negative numbers to count from the end"},
      {message([&] { concat({x, v}, 0); }),
       "concat: value 1 has the shape [3] beside [2, 4]\n"
       "  values[0]: f32[2, 4] from x\n"
       "  values[1]: f32[3] from v\n"
       "  at HERE\n"
       "  All axes but axis 0 must agree"},
      {message([&] { concat({}, 0); }),
       "concat: there are no inputs\n"
       "  at HERE\n"
       "  Give at least one value"},
      {message([&] { gather(x, v); }),
       "gather: indices are f32, but must be one of: i8, i16, i32, i64, u8, u16, u32\n"
       "  table: f32[2, 4] from x\n"
       "  indices: f32[3] from v\n"
       "  at HERE\n"
       "  Cast them to i64"},
      {message([&] { broadcast_to(x, {4, 5}); }),
       "broadcast_to: [2, 4] does not broadcast to [4, 5]\n"
       "  x: f32[2, 4] from x\n"
       "  at HERE\n"
       "  Aligned at the last axis, each size of x must be the same or 1"},
      {message([&] { conv2d(x, w); }),
       "conv2d: x has 2 axes where images have four\n"
       "  x: f32[2, 4] from x\n"
       "  weights: f32[5, 6] from w\n"
       "  at HERE\n"
       "  Give [images, height, width, channels]"},
      {message([&] { conv2d(image, kernel, {.stride = 0}); }),
       "conv2d: the stride is 0\n"
       "  x: f32[2, 8, 8, 3] from image\n"
       "  weights: f32[3, 3, 3, 4] from kernel\n"
       "  at HERE\n"
       "  It is at least 1 and at most 1073741824"},
      {message([&] { max_pool(image, {.size = 9}); }),
       "max_pool: a window of 9 does not fit into images of [8, 8]\n"
       "  x: f32[2, 8, 8, 3] from image\n"
       "  at HERE\n"
       "  Pool with a smaller size, or larger images"},
      {message([&] { cross_entropy(x, v); }),
       "cross_entropy: labels are f32[3], neither class numbers nor of the logits' type f32[2, 4]\n"
       "  logits: f32[2, 4] from x\n"
       "  labels: f32[3] from v\n"
       "  at HERE\n"
       "  Give integers [2], or probabilities of the logits' type"},
      {message([&] { mean_squared_error(x, w); }),
       "mean_squared_error: prediction and target differ\n"
       "  prediction: f32[2, 4] from x\n"
       "  target: f32[5, 6] from w\n"
       "  at HERE\n"
       "  Reshape or cast one of them: they would broadcast to something else than meant"},
      {message([&] { dropout(x, 1.5); }),
       "dropout: the rate 1.5 is not in [0, 1)\n"
       "  x: f32[2, 4] from x\n"
       "  state: i64[2] from random/state\n"
       "  at HERE\n"
       "  Give the fraction of elements to drop"},
      {message([&] { dense(x, 0); }),
       "dense: it cannot have 0 units\n"
       "  x: f32[2, 4] from x\n"
       "  at HERE\n"
       "  Give at least 1"},
      {message([&] { conv(x, 8); }),
       "conv: x has 2 axes, fewer than 4\n"
       "  x: f32[2, 4] from x\n"
       "  at HERE\n"
       "  Reshape it to [images, height, width, channels]"},
      {message([&] { input(g, "batch", f32, {-1, 784}); }),
       "input \"batch\": an axis cannot have the size -1\n"
       "  at HERE\n"
       "  Where any size may be fed, give an example of it: any(64)"},
      {message([&] { parameter(g, "count", {i64, {4}}); }),
       "variable \"count\" of type i64[4]: only floating-point values are drawn at random\n"
       "  at HERE\n"
       "  Use f32, or another floating-point dtype"},
      {message([&] { variable(g, "half", {i64, {4}}, {.kind = Init::Kind::constant, .a = 0.5}); }),
       "variable \"half\" of type i64[4]: its first value 0.5 does not fit\n"
       "  at HERE\n"
       "  Give a value of its dtype"},
      {message([&] { batch_norm(i); }),
       "batch_norm: x is not floating point\n"
       "  x: i64[2, 4] from i\n"
       "  at HERE\n"
       "  Cast it to f32 first"},
      {message([&] { conv2d(image, narrow); }),
       "conv2d: x has 3 channels and the weights take 2\n"
       "  x: f32[2, 8, 8, 3] from image\n"
       "  weights: f32[3, 3, 2, 4] from narrow\n"
       "  at HERE\n"
       "  Images are [n, h, w, channels], weights [kh, kw, channels, kernels]"},
  });
  // clang-format on
}

BOOST_FIXTURE_TEST_CASE(values_and_names_of_one_graph, SomeGraph) {
  // A call stays on the line that `message` knows.
  // clang-format off
  check({
      {message([&] { input(g, "x", f32, {2}); }),
       "the name \"x\" is taken at DECLARED\n"
       "  at HERE\n"
       "  Use another name, or a Scope around one of the two"},
      {message([&] { x.named("label"); }),
       "the name \"label\" is taken at DECLARED\n"
       "  at DECLARED\n"
       "  Use another name, or a Scope around one of the two"},
      {message([&] { input(g, "", f32, {2}); }),
       "\"\" cannot name a node\n"
       "  at HERE\n"
       "  Give at least one character and no '/': a Scope puts \"encoder/\" before names"},
      {message([&] { x.named("encoder/x"); }),
       "\"encoder/x\" cannot name a node\n"
       "  at DECLARED\n"
       "  Give at least one character and no '/': a Scope puts \"encoder/\" before names"},
      {message([&] { g.add_output("y", x), g.add_output("y", x2); }),
       "the graph has an output named \"y\" already. Use another name"},
      {message([&] { x + foreign; }),
       "add: input 1 belongs to another graph\n"
       "  a: f32[2, 4] from x\n"
       "  b: f32[4] from foreign\n"
       "  at HERE\n"
       "  Build all values that meet in one graph"},
      {message([&] { matmul(x, Value()); }),
       "matmul: input 1 is an empty Value\n"
       "  a: f32[2, 4] from x\n"
       "  at HERE\n"
       "  Build it first"},
  });
  // clang-format on
}

BOOST_FIXTURE_TEST_CASE(training_and_compiling, SomeGraph) {
  // A call stays on the line that `message` knows.
  // clang-format off
  check({
      {message([&] { assign(x, x); }),
       "assign: the first argument is not a variable, but x, f32[2, 4]\n"
       "  at HERE\n"
       "  Give what variable() or parameter() returned"},
      {message([&] { assign(state, v); }),
       "assign: a variable of type f32[2, 4] cannot take a value of type f32[3]\n"
       "  variable: f32[2, 4] from state\n"
       "  value: f32[3] from v\n"
       "  at HERE\n"
       "  Cast or reshape the value first"},
      {message([&] { gradients(x, {w}); }),
       "gradients: y has 8 elements (x, f32[2, 4]), not one\n"
       "  at HERE\n"
       "  Reduce it first (mean or sum), or give the gradient with respect to y: gradients(y, dy, {x...})"},
      {message([&] { gradients(sum(x), {foreign}); }),
       "gradients: x[0] (foreign, f32[4]) belongs to another graph than y\n"
       "  at HERE\n"
       "  Differentiate with respect to values of y's graph"},
      {message([&] { optim::minimize(x, "sgd"); }),
       "minimize: the loss x is f32[2, 4], not a floating-point scalar\n"
       "  at HERE\n"
       "  Take its mean: mean(loss)"},
      {message([&] { compile({x, foreign}); }),
       "the fetched value foreign belongs to another graph\n"
       "  built at DECLARED\n"
       "  Fetch values of one graph"},
      {message([&] { compile({Value()}); }),
       "compile: a fetched Value is empty\n"
       "  Build it first"},
      {message([&] { optim::minimize(mean(x), "adma"); }),
       "there is no optimizer \"adma\". Did you mean \"adam\" or \"adamax\"? Known are: " + optimizer_list() + "\n"
       "  at HERE"},
      {message([&] { optim::minimize(mean(x).named("average"), "sgd"); }),
       "minimize: the loss average depends on no trainable variable\n"
       "  at HERE\n"
       "  Build it from layers, or from parameter(g, ...)"},
      {message([&] { compile(mean(square(state)), "Adamm"); }),
       "there is no optimizer \"Adamm\". Did you mean \"adam\", \"adamw\" or \"adamax\"? Known are: " + optimizer_list() + "\n"
       "  at HERE"},
  });
  // clang-format on
}

BOOST_AUTO_TEST_SUITE_END()
