// What the hunt for NaN and Inf repeats runs from: the journal of what was fed, and what others do to the variables
// between runs.
#include <malloc.h>
#include <oxbow/oxbow.h>
#include <oxbow/runtime/numerics/feed_journal.h>

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <limits>
#include <memory>
#include <numeric>

BOOST_AUTO_TEST_SUITE(test_numerics_journal)

using namespace oxbow;

namespace {

constexpr float quiet = std::numeric_limits<float>::quiet_NaN();
constexpr CheckNumerics results = CheckNumerics::results;

std::int64_t taken() {  // bytes of memory
  const auto info = mallinfo2();
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
}

// w := w + rate * (x + table[index]), beside it a session that checks nothing and is fed the good runs only.
struct Pair {
  Graph g;
  Value x, index, w, rate, next;
  Store store, plain_store;
  std::unique_ptr<Session> session, plain;
  Tensor at = Tensor::scalar<std::int64_t>(0);

  explicit Pair(std::int64_t size = 4) {
    x = input(g, "x", f32, {any(size)});
    index = input(g, "index", i64, {});
    w = variable(g, "w", {f32, {}}, {.kind = Init::Kind::constant, .a = 0.25});
    rate = variable(g, "rate", {f32, {}}, {.kind = Init::Kind::constant, .a = 0.5});
    const Value table = constant(g, Tensor::of<float>({2}, {1, 2}));
    next = assign(w, w + rate * (sum(x) + gather(table, index)));
    for (Store* each : {&store, &plain_store}) each->add(g);
    session = std::make_unique<Session>(compile({next}, {.numerics = {.check = results}}), store);
    plain = std::make_unique<Session>(compile({next}), plain_store);
  }
  static void run(Session& s, float first, std::int64_t size, const Tensor& at) {
    Tensor data({f32, {size}});
    std::fill_n(data.data<float>(), size, first);
    s.feed("x", data);
    s.feed("index", at);
    s.run();
  }
  void good(float first, std::int64_t size = 4) {
    run(*session, first, size, at);
    run(*plain, first, size, at);
  }
  // A bad run, found when the session is asked: as run number `number`, after which the variables are as before it.
  void bad(std::int64_t number, std::int64_t size = 4) {
    const auto run_and_look = [&] {
      run(*session, quiet, size, at);
      session->check_numerics();
    };
    BOOST_CHECK_EXCEPTION(run_and_look(), NumericsError, [&](const NumericsError& e) {
      BOOST_TEST(e.found().run == number);
      return e.found().node == "x";
    });
    same();
  }
  void same() {
    for (const char* name : {"w", "rate"}) BOOST_TEST(same_bits(store.get(name), plain_store.get(name)), name);
  }
  void set(const char* name, float value) {
    for (Store* each : {&store, &plain_store}) each->set(name, Tensor::scalar(value));
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_feed_journal_is_a_list_of_runs) {
  const std::vector<ops::Input> inputs{{"a", {f32, {3}}, {0}}, {"b", {u8, {2, 2}}, {0, 1}}};
  internal::FeedJournal journal(inputs);
  std::vector<std::vector<Tensor>> model;
  std::vector<std::int64_t> bytes;  // that each run added, in whole cache lines
  std::uint64_t state = 1;
  const auto pick = [&](std::uint64_t n) {
    return static_cast<std::int64_t>((state = state * 6364136223846793005u + 1442695040888963407u) / 65536 % n);
  };
  const auto lines = [](const Tensor& t) { return (t.type().bytes() + 63) / 64 * 64; };
  Shape a{3}, b{2, 2};
  Tensor last;  // that was handed over for "a", while the journal's newest run has it
  int kept = 0;
  bool added = false;
  for (int step = 0; step < 3000; ++step) {
    const auto kind = pick(40);
    if (kind == 0) {
      journal.clear();
      model.clear();
      bytes.clear();
      last = Tensor();
      added = false;
    } else if (kind < 8 && added) {
      added = false;
      journal.drop_last();
      model.pop_back();
      bytes.pop_back();
      last = Tensor();
    } else {
      if (pick(3) == 0) a = Shape{pick(20) == 0 ? pick(40000) : pick(100)};
      if (pick(3) == 0) b = Shape{pick(9), pick(300)};
      const bool again = last.count() > 0 && pick(3) > 0, handed_over = again || pick(4) == 0;
      std::vector<Tensor> run{again ? last : Tensor({f32, a}), Tensor({u8, b})};
      std::vector<internal::Fed> feeds;
      for (Tensor& t : run) {
        const bool first = feeds.empty();
        if (!first || !again) std::fill_n(t.bytes(), t.type().bytes(), static_cast<std::byte>(pick(256)));
        feeds.push_back({t.shape(), t.bytes(), true, t, first && handed_over});
      }
      journal.add(feeds);
      added = true;
      const bool counted = again && model.back()[1].shape() == b;
      bytes.push_back((counted ? 0 : lines(run[0])) + lines(run[1]));
      last = handed_over ? run[0] : Tensor();
      a = run[0].shape();
      model.push_back(std::move(run));
    }
    BOOST_REQUIRE_EQUAL(journal.runs(), model.size());
    const std::int64_t all = std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0});
    if (model.empty()) {
      BOOST_TEST(!journal.fills(0));
    } else {
      BOOST_TEST(journal.fills(all + bytes.back() - 1));
      BOOST_TEST(!journal.fills(all + bytes.back()));
    }
    if (step % 20 != 0) continue;
    for (std::size_t i = 0; i < model.size(); ++i) {
      const std::vector<internal::Fed> feeds = journal.feeds(i);
      BOOST_REQUIRE_EQUAL(feeds.size(), 2u);
      for (std::size_t k = 0; k < 2; ++k) {
        const Tensor& t = model[i][k];
        BOOST_REQUIRE((feeds[k].fed && feeds[k].shape == t.shape()));
        if (feeds[k].handed_over) BOOST_REQUIRE(feeds[k].bytes == t.bytes());
        kept += feeds[k].handed_over ? 1 : 0;
        BOOST_REQUIRE_EQUAL(std::memcmp(feeds[k].bytes, t.bytes(), static_cast<std::size_t>(t.type().bytes())), 0);
      }
    }
  }
  BOOST_TEST(kept > 1000);
}

// A tensor that the user holds too may be written before the next run; one that was handed over is not, nor copied.
BOOST_AUTO_TEST_CASE(only_what_was_handed_over_is_not_copied) {
  constexpr std::int64_t size = 1 << 18;
  for (const bool hand_over : {false, true}) {
    Pair p(size);
    const auto filled = [](float with) {
      Tensor data({f32, {size}});
      std::fill_n(data.data<float>(), size, with);
      return data;
    };
    Tensor data = filled(1e-6f);
    p.session->feed("index", p.at);
    p.session->feed("x", hand_over ? std::move(data) : data);
    p.session->run();
    const std::int64_t before = taken();
    for (int run = 2; run <= 4; ++run) p.session->run();
    BOOST_TEST((taken() - before < size) == hand_over);
    for (int run = 1; run <= 4; ++run) Pair::run(*p.plain, 1e-6f, size, p.at);
    if (hand_over)
      p.session->feed("x", filled(quiet));
    else
      std::fill_n(data.data<float>(), size, quiet);
    const auto run_and_look = [&] {
      p.session->run();
      p.session->check_numerics();
    };
    BOOST_CHECK_EXCEPTION(run_and_look(), NumericsError, [](const auto& e) { return e.found().run == 5; });
    p.same();
  }
}

BOOST_AUTO_TEST_CASE(bad_runs_are_taken_back_one_after_another) {
  Pair p;
  for (int round = 0; round < 3; ++round) {
    p.good(1);
    p.good(2);
    p.bad(2 * round + 3);
  }
}

// A journal ends after some runs, and the next one begins with the variables as they are then.
BOOST_AUTO_TEST_CASE(what_others_set_is_known_to_later_journals) {
  Pair p;
  for (int run = 1; run <= 700; ++run) {
    if (run == 10) p.set("rate", 0.125f);
    p.good(static_cast<float>(run % 7) * 0.01f);
  }
  p.bad(701);
}

BOOST_AUTO_TEST_CASE(a_long_training_takes_no_more_memory) {
  constexpr std::int64_t size = 1000;
  Pair p(size);
  std::int64_t before = 0;
  for (int run = 0; run < 4000; ++run) {
    if (run == 600) before = taken();
    p.good(0.01f, size);
  }
  BOOST_TEST(taken() - before < std::int64_t{1} << 20);
}

BOOST_AUTO_TEST_CASE(a_run_that_failed_is_not_repeated) {
  Pair p;
  p.good(1);
  p.at = Tensor::scalar<std::int64_t>(7);  // there is no such row
  BOOST_CHECK_THROW(Pair::run(*p.session, 1, 4, p.at), Error);
  p.at = Tensor::scalar<std::int64_t>(1);
  p.good(2);
  p.bad(3);
}

// More shapes than plans are kept: those of the journal's runs are made again, while that of the bad run is in use.
BOOST_AUTO_TEST_CASE(runs_of_many_shapes_are_repeated) {
  Pair p;
  for (std::int64_t size = 1; size <= 50; ++size) p.good(1, size);
  p.bad(51, 51);
  p.good(1, 51);
  p.same();
}

BOOST_AUTO_TEST_CASE(variables_that_are_shared_between_two_runs_are_watched) {
  for (const char* shared : {"w", "rate"}) {
    Pair p;
    for (int i = 0; i < 10; ++i) p.set("w", 0.5f);
    for (int run = 1; run <= 3; ++run) p.good(1);
    Store other(p.g);
    other.share(shared, p.store);
    p.set(shared, 0.125f);
    p.good(2);
    p.bad(5);
  }
}

// Between a run and a look the user may have asked for results elsewhere.
BOOST_AUTO_TEST_CASE(a_look_writes_no_result_where_it_does_not_fit) {
  Graph g;
  const Value x = input(g, "x", f32, {50000}), w = variable(g, "w", {f32, {50000}});
  const Store store(g);
  Session session(compile({assign(w, w + x)}, {.numerics = {.check = results}}), store);
  Tensor data({f32, {50000}});
  for (int run = 1; run <= 6; ++run) {
    data.data<float>()[7] = run == 5 ? quiet : 1;
    session.feed("x", data);
    session.run();
  }
  std::vector<float> own(8, -1);
  session.fetch_into<float>(0, std::span(own).first(3));
  BOOST_CHECK_EXCEPTION(session.check_numerics(), NumericsError, [](const auto& e) { return e.found().run == 5; });
  BOOST_TEST(own == std::vector<float>(8, -1), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
