// Stores: what they share, freeze, snapshot and restore, and that a change that is refused changes nothing.
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>

#include "support/message.h"
#include "support/runtime_ops.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_store)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// x (any, 3), variables u and w of 3 numbers, and u := mix(u, w), w := mix(w, x).
struct Two {
  Graph g;
  Value x, u, w;
  std::vector<Value> next;
  Two() {
    x = input(g, "x", f32, {any(4), 3});
    u = variable(g, "u", {f32, {3}}, {.kind = Init::Kind::constant, .a = 2});
    w = variable(g, "w", {f32, {3}}, {.kind = Init::Kind::constant, .a = 1});
    next = {assign(u, apply(Mix{3, 1}, {u, w}, At::current())), assign(w, apply(Mix{3, 1}, {w, x}, At::current()))};
  }
};

Tensor three(float v) { return Tensor::of<float>({3}, {v, v + 1, v + 2}); }

}  // namespace

BOOST_AUTO_TEST_CASE(stores_share_freeze_and_restore) {
  const Two t;
  Store a(t.g), b(t.g);
  a.share("w", b);
  a.set("w", three(4));
  BOOST_TEST(b.get("w").data<float>()[2] == 6.0f);
  const Store before = a.snapshot();
  const std::vector<float> x(12, 0.5f);
  Session session(compile(t.next), b);
  session.feed<float>("x", x);
  session.run();
  BOOST_TEST(a.get("w").data<float>()[2] != 6.0f);
  a.restore(before);
  BOOST_TEST(b.get("w").data<float>()[2] == 6.0f);
  b.freeze("w");
  BOOST_TEST(b.snapshot().frozen("w"));
  BOOST_TEST(!before.frozen("w"));
  BOOST_TEST(message([&] { session.run(); }).find("variable \"w\" is frozen, and this program writes it") == 0u);
  BOOST_TEST(message([&] { a.set("w", before.get("w")); }) ==
             "variable \"w\" is frozen and cannot be written\n  Call unfreeze(\"w\") first");
  b.unfreeze("w");
  session.run();
  BOOST_TEST(message([&] { a.get("v"); }).find("no variable \"v\" in the store.") == 0u);
}

BOOST_AUTO_TEST_CASE(a_store_is_asked_by_the_variable_itself) {
  const Two t;
  Store store(t.g);
  store.set(t.w, three(4));
  BOOST_TEST(store.get("w").data<float>()[2] == 6.0f);
  BOOST_TEST(store.get(t.u).data<float>()[0] == 2.0f);
  t.u.named("renamed");  // in the graph alone
  BOOST_TEST(store.get(t.u).data<float>()[0] == 2.0f);
  BOOST_TEST(message([&] { store.get(t.x); }).find("variable: x is not one\n  at ") == 0u);
  BOOST_TEST(message([&] { store.get(Value()); }).find("variable: the value is empty") == 0u);
}

// A session knows where variables are until a store changes that; however many changes either store has seen before.
BOOST_AUTO_TEST_CASE(a_session_follows_variables_that_become_shared) {
  const Two t;
  const Program reads = compile({apply(Mix{3, 1}, {t.u, t.w}, At::current())});
  const auto expected = [](float u, float w) { return 0.5f + u / 2 + w / 3; };
  for (int changes = 0; changes < 6; ++changes) {
    Store a(t.g), b(t.g);
    for (int i = 0; i < changes; ++i) i % 2 == 0 ? b.freeze("u") : b.unfreeze("u");
    Session session(reads, b);
    session.run();
    BOOST_TEST(session.fetch<float>(0)[0] == expected(2, 1));
    a.share("w", b);
    a.set("w", three(4));
    session.run();
    BOOST_TEST(session.fetch<float>(0)[0] == expected(2, 4), changes << " changes");
    a.share("u", b);
    a.set("u", three(8));
    session.run();
    BOOST_TEST(session.fetch<float>(0)[0] == expected(8, 4), changes << " changes");
  }
}

BOOST_AUTO_TEST_CASE(what_is_refused_changes_nothing) {
  const Two t;
  Store store(t.g);
  store.set("u", three(5));
  store.freeze("w");
  BOOST_TEST(message([&] { store.reset(t.g); }).find("variable \"w\" is frozen and cannot be written") == 0u);
  BOOST_TEST(same_bits(store.get("u"), three(5)));

  Graph g;
  variable(g, "u", {f32, {3}});
  variable(g, "w", {f32, {7}});
  Store other(g);
  BOOST_TEST(message([&] { store.restore(other); }) == "variable \"w\" is f32[3] and cannot be restored from f32[7]");
  BOOST_TEST(same_bits(store.get("u"), three(5)));
  BOOST_TEST(message([&] { store.share("w", other); }) ==
             "variable \"w\" cannot be shared: it is f32[3] in one store and f32[7] in the other");
  BOOST_TEST(other.get("w").count() == 7);

  Graph wider;
  variable(wider, "first", {f32, {}});
  const Value u = variable(wider, "u", {f64, {3}});
  BOOST_TEST(message([&] { store.add(wider); }) ==
             "variable \"u\" is f32[3] in the store, but f64[3] in the graph\n  declared at " +
                 to_string(u.node().origin().at) + "\n  Give one of the two another name");
  BOOST_TEST(!store.contains("first"));
}

BOOST_AUTO_TEST_CASE(a_store_is_saved_and_loaded_whole) {
  const Two t;
  const TemporaryFolder folder;
  const std::string file = folder / "variables.safetensors";
  Store store(t.g), other(t.g);
  store.set("u", three(5));
  store.save(file);
  other.load(file);
  for (const char* name : {"u", "w"}) BOOST_TEST(same_bits(other.get(name), store.get(name)), name);
}

BOOST_AUTO_TEST_CASE(a_file_that_does_not_fit_the_store_changes_nothing) {
  const Two t;
  const TemporaryFolder folder;
  const std::string file = folder / "variables.safetensors";
  Store store(t.g);
  Graph g;
  variable(g, "u", {f32, {3}}, {.kind = Init::Kind::constant, .a = 9});
  const auto refused = [&](const std::string& why) {
    Store(g).save(file);
    BOOST_TEST(message([&] { store.load(file); }) ==
               file + " does not fit the store: " + why + "\n  Nothing was changed");
    BOOST_TEST(store.get("u").data<float>()[0] == 2);
  };
  refused("it lacks the variable \"w\"");
  variable(g, "w", {f32, {4}});
  refused("variable \"w\" is f32[3], but f32[4] in the file");
  store.freeze("u");
  refused("variable \"u\" is frozen");
  Graph misnamed;
  variable(misnamed, "uu", {f32, {3}});
  Store(misnamed).save(file);
  BOOST_TEST(message([&] { store.load(file); }).find("it has \"uu\", which the store does not have.") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
