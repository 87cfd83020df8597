// The hunt for NaN and Inf in what runs write to variables: whoever wrote it and however late it is noticed, the run
// that did is named, and the variables are as before it.
// Labels: memory, threads.
#include <oxbow/oxbow.h>
#include <oxbow/runtime/numerics/finite.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <limits>

BOOST_AUTO_TEST_SUITE(test_numerics_writes)

using namespace oxbow;

namespace {

constexpr float infinite = std::numeric_limits<float>::infinity(), quiet = std::numeric_limits<float>::quiet_NaN();
constexpr auto results = CheckNumerics::results;

// w := w + rate * x, over enough numbers for several parts.
struct Sums {
  static constexpr std::int64_t size = 50000;
  Graph g;
  Value x, w, rate;
  std::vector<Value> fetches;
  Sums() {
    x = input(g, "x", f32, {size});
    w = variable(g, "w", {f32, {size}}, {.kind = Init::Kind::constant, .a = 0.25});
    rate = variable(g, "rate", {f32, {}}, {.kind = Init::Kind::constant, .a = 0.5});
    fetches = {assign(w, w + rate * x), sum(x).named("total")};
  }
  static Tensor data(float first) {
    Tensor t({f32, {size}});
    for (std::int64_t i = 0; i < size; ++i) t.data<float>()[i] = first + static_cast<float>(i % 5);
    return t;
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(variables_are_as_before_the_bad_run_however_late_it_shows) {
  Sums s;
  const std::vector<Value> only_write{s.fetches[0]};
  for (const int late : {0, 3, 7}) {
    Store plain_store(s.g), store(s.g);
    Session plain(compile(only_write), plain_store);
    Session session(compile(only_write, {.numerics = {.check = results}}), store);
    bool thrown = false;
    Tensor data;
    try {
      for (int run = 1; run <= 5 + late; ++run) {
        data = Sums::data(static_cast<float>(run));
        if (run == 5) data.data<float>()[1234] = quiet;
        if (run == 3)
          for (Store* each : {&store, &plain_store}) each->set("rate", Tensor::scalar(0.125f));
        session.feed("x", Type{f32, {Sums::size}}, data.bytes());
        session.run();
        if (run >= 5) continue;
        plain.feed("x", data);
        plain.run();
      }
      session.check_numerics();
    } catch (const NumericsError& e) {
      thrown = true;
      BOOST_TEST(e.found().node == "x");
      BOOST_TEST(e.found().element == "[1234]");
      BOOST_TEST(e.found().run == 5);
    }
    BOOST_TEST(thrown);
    BOOST_TEST(same_bits(store.get("w"), plain_store.get("w")));
    BOOST_TEST(store.get("rate").item<float>() == 0.125f);
    // And on from there.
    const Tensor good = Sums::data(2);
    for (Session* each : {&session, &plain}) {
      each->feed("x", good);
      each->run();
    }
    session.check_numerics();
    BOOST_TEST(same_bits(store.get("w"), plain_store.get("w")));
  }
}

// The journal is gone through when the infinity shows, and found in order; what comes after is told apart from it, and
// what others set after the last run stays.
BOOST_AUTO_TEST_CASE(runs_after_an_infinity_that_was_meant_are_taken_back_alike) {
  Graph g;
  const Value x = input(g, "x", f32, {4});
  const Value w = variable(g, "w", {f32, {4}}, {.kind = Init::Kind::constant, .a = 0.25});
  const Value bias = variable(g, "bias", {f32, {4}}, {.kind = Init::Kind::constant, .a = 0});
  const Value least = variable(g, "least", {f32, {}}, {.kind = Init::Kind::constant, .a = infinite}, false);
  const Value unseen = constant(g, infinite);
  const std::vector<Value> fetches{assign(w, w + x + bias),
                                   assign(least, where(greater(sum(x), 10.0), least, minimum(unseen, 1.0)))};
  Store store(g), plain_store(g);
  Session session(compile(fetches, {.numerics = {.check = results}}), store), plain(compile(fetches), plain_store);
  const auto run = [&](Session& s, float first) {
    s.feed("x", Tensor::of<float>({4}, {first, 1, 2, 3}));
    s.run();
  };
  for (const float first : {1, 2, 100, 50}) {
    run(session, first);
    run(plain, first);
    if (first == 2)  // whatever it was: the third run writes an infinity again
      for (Store* each : {&store, &plain_store}) each->set("least", Tensor::scalar(infinite));
  }
  for (Store* each : {&store, &plain_store}) each->set("bias", Tensor::of<float>({4}, {1, 2, 3, 4}));
  session.check_numerics();
  BOOST_TEST(same_bits(store.get("w"), plain_store.get("w")));
  BOOST_TEST(same_bits(store.get("bias"), plain_store.get("bias")));
  run(session, 5);
  run(plain, 5);
  for (const float bad : {quiet, infinite}) {
    const auto bad_is_fed = [&] {
      run(session, bad);
      session.check_numerics();
    };
    BOOST_CHECK_EXCEPTION(bad_is_fed(), NumericsError, [](const NumericsError& e) { return e.found().run == 6; });
  }
  for (const char* name : {"w", "bias", "least"}) BOOST_TEST(same_bits(store.get(name), plain_store.get(name)), name);
}

// What others wrote after our last run is theirs: a look neither blames a run for it nor takes it back.
BOOST_AUTO_TEST_CASE(what_others_wrote_since_stays) {
  Graph g;
  const Value x = input(g, "x", f32, {4}), w = variable(g, "w", {f32, {4}}, {.kind = Init::Kind::constant, .a = 0.25});
  const std::vector<Value> fetches{assign(w, w + x)};
  const Tensor good = Tensor::of<float>({4}, {1, 2, 3, 4}), bad = Tensor::of<float>({4}, {infinite, 2, 3, 4});
  for (const bool by_session : {false, true}) {
    Store store(g);
    Session session(compile(fetches, {.numerics = {.check = results}}), store), other(compile(fetches), store);
    session.feed("x", good);
    for (int run = 0; run < 3; ++run) session.run();
    if (by_session) {
      other.feed("x", bad);
      other.run();
    } else {
      store.set("w", bad);
    }
    const Tensor theirs = store.get("w");
    BOOST_CHECK_NO_THROW(session.check_numerics());
    BOOST_TEST(same_bits(store.get("w"), theirs));
    const auto next = [&] {
      session.run();
      session.check_numerics();
    };
    BOOST_CHECK_EXCEPTION(next(), NumericsError, [](const NumericsError& e) { return e.found().node == "w"; });
    BOOST_TEST(same_bits(store.get("w"), theirs));
  }
}

namespace {

Tensor filled(const Type& type, double value) {
  Tensor t(type);
  dispatch(type.dtype,
           [&]<class T>(std::type_identity<T>) { std::fill_n(t.data<T>(), t.count(), static_cast<T>(value)); });
  return t;
}

Value filled_with_ones(Value x) { return constant(x.graph(), filled({x.dtype(), {130, 130}}, 1)); }

// What a run may write, and how.
struct Write {
  std::string what;
  std::function<std::vector<Value>(Value x, Value w)> build;  // what is fetched
};

const std::vector<Write>& writes() {
  static const std::vector<Write> list{
      {"elementwise, in place", [](Value x, Value w) { return std::vector{assign(w, w + x)}; }},
      {"elementwise, copied at the end",
       [](Value x, Value w) {
         const Value y = w + x;
         return std::vector{assign(w, y), y};
       }},
      {"the input itself", [](Value x, Value w) { return std::vector{assign(w, x)}; }},
      {"the end of a product",
       [](Value x, Value w) { return std::vector{assign(w, w + matmul(x, filled_with_ones(x)))}; }},
      {"a product", [](Value x, Value w) { return std::vector{assign(w, matmul(x, filled_with_ones(x)))}; }},
      {"moved about",
       [](Value x, Value w) {
         return std::vector{assign(w, reshape(transpose(x), {150, 130}))};
       }},
      {"read by others only", [](Value x, Value w) { return std::vector{sum(stop_gradient(assign(w, w + x))) * 0.0}; }},
      {"fetched, elementwise", [](Value x, Value w) { return std::vector{w + x}; }},
      {"fetched, a sum behind a chain", [](Value x, Value w) { return std::vector{sum(w + x)}; }},
      {"fetched, a sum beside its chain",
       [](Value x, Value w) {
         const Value y = w + x;
         return std::vector{sum(y), maximum(y, -1.0)};
       }},
  };
  return list;
}

}  // namespace

BOOST_AUTO_TEST_CASE(all_kinds_of_writes_are_looked_at) {
  constexpr std::int64_t rows = 150, columns = 130;
  const Pool two(2);
  for (const Write& w : writes())
    for (const DType dtype : {f32, f64})
      for (const bool shared : {false, true})
        for (const std::int64_t at : {std::int64_t{0}, std::int64_t{511}, rows * columns / 2, rows * columns - 1}) {
          Graph g;
          const Value x = input(g, "x", dtype, {rows, columns});
          const Value variable =
              oxbow::variable(g, "w", {dtype, {rows, columns}}, {.kind = Init::Kind::constant, .a = 0.5});
          Tensor good = filled({dtype, {rows, columns}}, 0.25), bad = good.clone();
          dispatch(dtype, [&]<class T>(std::type_identity<T>) { bad.data<T>()[at] = static_cast<T>(quiet); });
          CompileOptions options{.numerics = {.check = results}};
          if (shared) options.pool = two;
          Store store(g);
          Session session(compile(w.build(x, variable), options), store);
          for (int run = 0; run < 3; ++run) {
            session.feed("x", good);
            session.run();
          }
          const Tensor before = store.get("w");
          session.feed("x", bad);
          const std::string what = w.what + ", " + std::string(name(dtype)) + " at " + std::to_string(at);
          const auto run_and_look = [&] {
            session.run();
            session.check_numerics();
          };
          BOOST_CHECK_EXCEPTION(run_and_look(), NumericsError,
                                [](const NumericsError& e) { return e.found().node == "x" && e.found().run == 4; });
          BOOST_TEST(same_bits(store.get("w"), before), what);
        }
}

// Each looks at what it wrote before the other writes again, whether or not a result shows it.
BOOST_AUTO_TEST_CASE(two_sessions_write_one_store_in_turns) {
  Sums s;
  for (const bool result : {true, false}) {
    const std::vector<Value> fetches(s.fetches.begin(), s.fetches.begin() + (result ? 2 : 1));
    Store store(s.g), plain_store(s.g);
    const Program program = compile(fetches, {.numerics = {.check = results}}), unchecked = compile(fetches);
    Session a(program, store), b(program, store), plain(unchecked, plain_store);
    Tensor data;
    for (int run = 1; run <= 8; ++run) {
      data = Sums::data(static_cast<float>(run));
      Session& session = run % 2 == 0 ? a : b;
      session.feed("x", data);
      plain.feed("x", data);
      session.run();
      plain.run();
    }
    data = Sums::data(1);
    data.data<float>()[7] = infinite;
    a.feed("x", data);
    BOOST_CHECK_EXCEPTION(a.run(), NumericsError, [](const NumericsError& e) { return e.found().node == "x"; });
    BOOST_TEST(same_bits(store.get("w"), plain_store.get("w")));
  }
}

BOOST_AUTO_TEST_SUITE_END()
