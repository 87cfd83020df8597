// Runs that fail or are stopped: variables stay as they were, and the message names the input and says what to do.
// Labels: memory, threads.
#include <oxbow/ops/pointwise.h>
#include <oxbow/runtime/run/program_impl.h>

#include <boost/test/unit_test.hpp>

#include "support/fine_grain.h"
#include "support/message.h"
#include "support/small_program.h"

BOOST_AUTO_TEST_SUITE(test_runtime_failures)

using namespace oxbow;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(a_failed_run_leaves_variables_as_they_were) {
  Small s;
  for (const int threads : {1, 2}) {
    Store store(s.g);
    Session session(Program::Impl::compile({s.y, s.next}, {.pool = Pool(threads)}, fine_grain), store);
    auto x = numbers(12);
    x[5] = -1;
    session.feed<float>("x", x);
    const std::string text = message([&] { session.run(); });
    BOOST_TEST(
        text.find("test_check: number 5 is negative\n  x: f32[4, 3] from x\n  at tests/support/small_program.h:") == 0,
        text);
    BOOST_TEST(text.find("Feed numbers from 0 up") != std::string::npos, text);
    BOOST_TEST(store.get("w").data<float>()[0] == 1.0f);
    x[5] = 1;
    session.run();
    BOOST_TEST(store.get("w").data<float>()[0] != 1.0f);
  }
}

BOOST_AUTO_TEST_CASE(what_fails_on_constants_fails_when_it_is_run) {
  Graph g;
  const Value y = apply(Check{}, {constant(g, Tensor::of<float>({2}, {1, -1}))}, At::current());
  Session session(compile({y}), Store());
  BOOST_TEST(message([&] { session.run(); }).find("test_check: number 1 is negative") == 0u);
}

BOOST_AUTO_TEST_CASE(a_stopped_run_leaves_variables_as_they_were) {
  Small s;
  Store store(s.g);
  Session session(compile({s.y, s.next}), store);
  const auto x = numbers(12);
  session.feed<float>("x", x);
  std::stop_source stop;
  session.run(stop.get_token());
  const Tensor w = store.get("w");
  stop.request_stop();
  BOOST_CHECK_THROW(session.run(stop.get_token()), Stopped);
  BOOST_TEST(same_bits(store.get("w"), w));
  BOOST_CHECK_THROW(session.fetch<float>(0), Error);
}

BOOST_AUTO_TEST_CASE(messages_name_the_input_and_say_what_to_do) {
  Small s;
  Store store(s.g);
  Session session(compile({s.y}), store);
  const std::string declared = at_line(s.x.node().origin().at, "declared at");
  const std::vector<float> three = numbers(3), four = numbers(4);
  const std::vector<double> doubles(12);
  BOOST_TEST(message([&] { session.run(); }) ==
             "input \"x\" (f32[4, 3]) was not fed" + declared + "\n  Call feed(\"x\", data) before run()");
  BOOST_TEST(message([&] { session.feed("xs", three); }) ==
             "no input \"xs\" in this program. Did you mean \"x\"?\n  Its inputs: \"x\"");
  BOOST_TEST(message([&] { session.feed("x", four); }) ==
             "input \"x\": 4 elements do not fill [any(4), 3]" + declared + "\n  Feed a multiple of 3");
  BOOST_TEST(message([&] { session.feed("x", doubles); }) ==
             "input \"x\" takes f32 and was fed f64" + declared +
                 "\n  Convert the data, or declare the input with that dtype");
  BOOST_TEST(message([&] {
               session.feed("x", Tensor({f32, {4, 4}}));
             }) == "input \"x\" has the shape [any(4), 3] and was fed [4, 4]" + declared +
                       "\n  Feed that shape; only an axis marked any(...) takes other sizes");
  BOOST_TEST(message([&] { Session(compile({s.y}), Store()).run(); }).find("input \"x\"") == 0u);
  Session session_into(compile({s.y}), store);
  std::vector<float> into(4, -1);
  session_into.feed("x", three);
  session_into.fetch_into<float>(0, into);
  BOOST_TEST(message([&] { session_into.run(); }) ==
             "fetch_into(0): the span has 4 elements, but the value is f32[6] in this run\n  Give a span of 6, or an "
             "empty one for memory of the session's own");
  BOOST_CHECK_THROW(session.feed("x", Type{f32, {4, 3}, {.panel = 16}}, into.data()), Error);
  Graph other;
  variable(other, "w", {f32, {4}});
  Session elsewhere(compile({s.y}), Store(other));
  elsewhere.feed("x", three);
  BOOST_TEST(message([&] { elsewhere.run(); }) == "variable \"w\" is f32[4] in the store, but f32[3] in the program" +
                                                      at_line(s.w.node().origin().at, "declared at"));
  const Value again = assign(s.w, s.w);
  BOOST_TEST(message([&] {
               compile({s.next, again});
             }) == "variable \"w\" is written twice in one run\n  at tests/runtime/test_runtime_failures.cpp:" +
                       std::to_string(again.node().origin().at.line) +
                       "\n  Leave one of the two assigns out of what is fetched");
  const Value plus_one = assign(s.w, s.w + 1.0), plus_two = assign(s.w, s.w + 2.0);  // which passes rewrite
  BOOST_TEST(message([&] {
               compile({plus_one, plus_two});
             }).starts_with("variable \"w\" is written twice in one run\n"));
  BOOST_TEST(message([&] { compile({}); }) == "compile: nothing is fetched\n  Name at least one value to compute");
}

BOOST_AUTO_TEST_SUITE_END()
