// Runs, stores and files that must fail, and what is told: see test_messages.cpp.
#include <oxbow/oxbow.h>

#include <boost/test/unit_test.hpp>

#include "support/message.h"
#include "support/some_graph.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_messages_run)

using namespace oxbow;
using oxbow::test::message;
using oxbow::test::SomeGraph;
using oxbow::test::TemporaryFolder;

BOOST_FIXTURE_TEST_CASE(feeding_fetching_and_stores, SomeGraph) {
  const std::vector<float> eight(8), nine(9);
  const std::vector<double> doubles(8);
  // A call stays on the line that `message` knows.
  // clang-format off
  check({
      {message([&] { session.run(); }),
       "input \"x\" (f32[2, 4]) was not fed\n"
       "  declared at DECLARED\n"
       "  Call feed(\"x\", data) before run()"},
      {message([&] { session.feed("X", eight); }),
       "no input \"X\" in this program. Did you mean \"x\"?\n"
       "  Its inputs: \"x\""},
      {message([&] { session.feed("x", doubles); }),
       "input \"x\" takes f32 and was fed f64\n"
       "  declared at DECLARED\n"
       "  Convert the data, or declare the input with that dtype"},
      {message([&] { session.feed("x", nine); }),
       "input \"x\": 9 elements do not fill [any(2), 4]\n"
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
      {message([&] { Tensor({f32, {2}}).item<float>(); }),
       "item() needs a tensor of one element, but this one is f32[2]. Read span() or data()"},
      {message([&] { Store().get("w"); }),
       "no variable \"w\" in the store.\n"
       "  Store(graph) or Store::add(graph) creates a graph's variables"},
      {message([&] { store.set("state", Tensor({f32, {3}})); }),
       "variable \"state\" is f32[2, 4] and cannot be set to f32[3]\n"
       "  Give a tensor of the variable's own type"},
  });
  // clang-format on
}

namespace {

void read(const std::string& nodes) {
  parse("oxbow graph 1\nseed 0\nnext_stream 1\n\nforward:\n" + nodes, catalog(), "net.txt");
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(text_that_is_no_graph, SomeGraph) {
  // A call stays on the line that `message` knows.
  // clang-format off
  check({
      {message([&] { parse("oxbow graph 2\n", catalog(), "net.txt"); }),
       "net.txt:1:13: this text has version 2, but only version 1 is known. Use a newer Oxbow"},
      {message([&] { read("  %x = square(%y) : f32[2]\n"); }),
       "net.txt:6:15: there is no node %y above"},
      {message([&] { read("  %x = input {name: \"x\", typ: f32[2], free_axes: []} : f32[2]\n"); }),
       "net.txt:6:26: no attribute \"typ\" of op input. Did you mean \"type\"? It has: name, type, free_axes"},
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
  BOOST_TEST(
      message([&] { load_idx(idx); }) ==
      idx + " is not a valid IDX file: shape [9] takes 9 bytes, but only 3 follow. It was cut short: copy it again");
  const std::string tensors = folder.write("w.safetensors", std::string("\x10\0\0\0\0\0\0\0{\"w\":", 13));
  BOOST_TEST(message([&] { load_safetensors(tensors); }) ==
             tensors +
                 " is not a valid safetensors file: its header should have 16 bytes, but the file ends after 5. It was "
                 "cut short: copy or save it again");
}

BOOST_AUTO_TEST_SUITE_END()
