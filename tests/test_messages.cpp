// Programs that must fail, and what they are told: the whole text, with op, shapes, the user's line, and what to do.
// "HERE" stands for the failing line, "DECLARED" for the line of the inputs.
#include <oxbow/graph/near_names.h>
#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>

#include "support/message.h"
#include "support/temporary_folder.h"

using namespace oxbow;
using oxbow::test::message;
using oxbow::test::TemporaryFolder;

namespace {

struct Some {
  Graph g, other;
  At declared = At::current();  // one line for all that messages name
  Value x = input(g, "x", f32, {any(2), 4}, declared), label = input(g, "label", i64, {any(2)}, declared);
  Value v = input(g, "v", f32, {3}), i = input(g, "i", i64, {any(2), 4}), w = input(g, "w", f32, {5, 6});
  Value x2 = input(g, "x2", f32, {3, 4}), narrow = input(g, "narrow", f32, {3, 3, 2, 4});
  Value image = input(g, "image", f32, {any(2), 8, 8, 3}), kernel = input(g, "kernel", f32, {3, 3, 3, 4});
  Value state = variable(g, "state", {f32, {2, 4}});
  Value foreign = input(other, "foreign", f32, {4}, declared);
  Store store{g};
  Session session{compile({square(x)}), store};

  void check(const std::vector<std::pair<std::string, std::string>>& table) const {
    const std::string line = to_string(Location(declared));
    for (auto [said, expected] : table) {
      for (auto place = said.find(line); place != std::string::npos; place = said.find(line))
        said.replace(place, line.size(), "DECLARED");
      BOOST_TEST(said == expected);
    }
  }
};

std::string optimizer_list() { return listed(optim::optimizer_names()); }

void read(const std::string& nodes) {
  parse("oxbow graph 1\nseed 0\nnext_stream 1\n\nforward:\n" + nodes, catalog(), "net.txt");
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(shapes_dtypes_and_axes_that_do_not_fit, Some) {
  // A call stays on the line that `message` knows.
  // clang-format off
  check({
      {message([&] { matmul(x, v); }),
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
      {message([&] { select(x, x, x); }),
       "select: condition is f32, but must be one of: bool\n"
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
       "  input 0: f32[2, 4] from x\n"
       "  input 1: f32[3] from v\n"
       "  at HERE\n"
       "  All axes but axis 0 must agree"},
      {message([&] { concat({}, 0); }),
       "concat: there are no inputs\n"
       "  at HERE\n"
       "  Give at least one value"},
      {message([&] { gather(x, v); }),
       "gather: indices are f32, not whole numbers\n"
       "  table: f32[2, 4] from x\n"
       "  indices: f32[3] from v\n"
       "  at HERE\n"
       "  Cast them to i32, i64 or u8"},
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
      {message([&] { conv2d(image, kernel, {.padding = "smae"}); }),
       "conv2d: there is no padding \"smae\"\n"
       "  x: f32[2, 8, 8, 3] from image\n"
       "  weights: f32[3, 3, 3, 4] from kernel\n"
       "  at HERE\n"
       "  Use \"same\", \"valid\", one number, or four: top, bottom, left, right"},
      {message([&] { max_pool(image, {.size = 9}); }),
       "max_pool: a window of 9 by 9 does not fit into images of 8 by 8\n"
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
       "dropout: the rate 1.500000 is not in [0, 1)\n"
       "  x: f32[2, 4] from x\n"
       "  state: i64[2] from random/state\n"
       "  at HERE\n"
       "  Give the fraction of elements to drop"},
      {message([&] { dense(x, 0); }),
       "dense: it cannot have 0 units\n"
       "  x: f32[2, 4] from x\n"
       "  at HERE\n"
       "  Give at least 1"},
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

BOOST_FIXTURE_TEST_CASE(values_and_names_of_one_graph, Some) {
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

BOOST_FIXTURE_TEST_CASE(training_and_compiling, Some) {
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
      {message([&] { compile({x}, {.disable = {"fusion"}}); }),
       "\"fusion\" is no rewrite that can be left out\n"
       "  These can: dead_code, simplify, common_subexpressions, fold, fuse, epilogue"},
      {message([&] { optim::minimize(mean(x), "adma"); }),
       "there is no optimizer \"adma\". Did you mean \"adam\" or \"adamax\"? Known are: " + optimizer_list() + "\n"
       "  at HERE"},
      {message([&] { optim::minimize(mean(x).named("average"), "sgd"); }),
       "minimize: the loss average depends on no trainable variable\n"
       "  at HERE\n"
       "  Build it from layers, or from variable(g, ...)"},
      {message([&] { compile(mean(square(state)), "Adamm"); }),
       "there is no optimizer \"Adamm\". Did you mean \"adam\", \"adamw\" or \"adamax\"? Known are: " + optimizer_list() + "\n"
       "  at HERE"},
  });
  // clang-format on
}

BOOST_FIXTURE_TEST_CASE(feeding_fetching_and_stores, Some) {
  // A call stays on the line that `message` knows.
  // clang-format off
  check({
      {message([&] { session.run(); }),
       "input \"x\" (f32[2, 4]) was not fed\n"
       "  declared at DECLARED\n"
       "  Call feed(\"x\", data) before run()"},
      {message([&] { session.feed<float>("X", std::vector<float>(8)); }),
       "no input \"X\" in this program. Did you mean \"x\"?\n"
       "  Its inputs: \"x\""},
      {message([&] { session.feed<double>("x", std::vector<double>(8)); }),
       "input \"x\" takes f32 and was fed f64\n"
       "  declared at DECLARED\n"
       "  Convert the data, or declare the input with that dtype"},
      {message([&] { session.feed<float>("x", std::vector<float>(9)); }),
       "input \"x\": 9 elements make no [any(2), 4]\n"
       "  declared at DECLARED\n"
       "  Feed a multiple of 4"},
      {message([&] { session.feed("x", Tensor({f32, {2, 3}})); }),
       "input \"x\" has the shape [any(2), 4] and was fed [2, 3]\n"
       "  declared at DECLARED\n"
       "  Feed that shape; only an axis marked any(...) takes other sizes"},
      {message([&] { session.fetch<float>(0); }),
       "fetch 0: there is no finished run to fetch from\n"
       "  Call run() first"},
      {message([&] { session.fetch<double>(0); }),
       "fetch 0 (\"0\") is f32, not f64\n"
       "  Fetch it in its own dtype, or compile a cast of it"},
      {message([&] { session.fetch<float>(5); }),
       "fetch 5: the program fetches 1 values\n"
       "  They are numbered from 0, in the order in which compile() was given them"},
      {message([&] { Store().get("w"); }),
       "no variable \"w\" in the store.\n"
       "  Store(graph) or Store::add(graph) creates a graph's variables"},
      {message([&] { store.set("state", Tensor({f32, {3}})); }),
       "variable \"state\" is f32[2, 4] and cannot be set to f32[3]\n"
       "  Give a tensor of the variable's own type"},
  });
  // clang-format on
}

BOOST_FIXTURE_TEST_CASE(text_that_is_no_graph, Some) {
  // A call stays on the line that `message` knows.
  // clang-format off
  check({
      {message([&] { parse("oxbow graph 2\n", catalog(), "net.txt"); }),
       "net.txt:1:13: this text has version 2, but only version 1 is known. Use a newer Oxbow"},
      {message([&] { read("  %x = square(%y) : f32[2]\n"); }),
       "net.txt:6:15: there is no node %y above"},
      {message([&] { read("  %x = input {name: \"x\", typ: f32[2], free_axes: []} : f32[2]\n"); }),
       "net.txt:6:26: no attribute \"typ\" of op input"},
      {message([&] { read("  %x = input {name: \"x\", type: f32[2], free_axes: []} : f64[2]\n"); }),
       "net.txt:6:57: the text says f64[2], but input gives f32[2]"},
  });
  // clang-format on
}

BOOST_AUTO_TEST_CASE(labels_out_of_range) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3}), label = input(g, "label", i64, {any(2)});
  const std::vector<float> numbers(12);
  const std::vector<std::int64_t> labels = {0, 2, 3, 1};
  At line;
  const Value loss = cross_entropy(x, label, Reduction::mean, line = At::current());
  Session session(compile({loss}), Store(g));
  session.feed<float>("x", numbers);
  session.feed<std::int64_t>("label", labels);
  BOOST_TEST(message([&] { session.run(); }) ==
             "cross_entropy: label 3 in row 2 is not one of the 3 classes\n  logits: f32[4, 3] from x\n"
             "  labels: i64[4] from label\n  at " +
                 to_string(Location(line)) +
                 "\n  Labels must be from 0 to 2: correct the data, or give the logits more classes");
}

BOOST_AUTO_TEST_CASE(files_that_are_cut_or_foreign) {
  const TemporaryFolder folder;
  const std::string idx = folder.write("idx", std::string("\0\0\x08\x01\0\0\0\x09"
                                                          "abc",
                                                          11));
  BOOST_TEST(message([&] { load_idx(idx); }) ==
             idx +
                 " is no valid IDX file: shape [9] takes 9 bytes, but only 3 follow. It was cut short: copy it again");
  const std::string tensors = folder.write("w.safetensors", std::string("\x10\0\0\0\0\0\0\0{\"w\":", 13));
  BOOST_TEST(message([&] { load_safetensors(tensors); }) ==
             tensors +
                 " is no valid safetensors file: its header should have 16 bytes, but the file ends after 5. It was "
                 "cut short: copy or save it again");
}
