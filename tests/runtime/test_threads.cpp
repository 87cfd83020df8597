// What threads have of their own and what they share: scratch memory, the floating-point mode, tasks, a store's lock.
// Labels: memory, threads.
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/runtime/run/program_impl.h>

#include <boost/test/unit_test.hpp>
#include <cfenv>

#include "support/fine_grain.h"
#include "support/message.h"
#include "support/runtime_ops.h"

BOOST_AUTO_TEST_SUITE(test_threads)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// Each part keeps its number in its scratch memory while the others run: x, or -1 where that was not so.
struct Keep {
  static constexpr OpInfo info{.name = "test_keep", .inputs = {"x"}};
  Meeting* meeting = nullptr;
  std::int64_t parts = 1;
  bool operator==(const Keep&) const = default;
  Type infer(Types in) const { return in[0]; }
  Work work(Types) const { return {.parts = parts, .scratch = 100, .flops = 1e9}; }
  void run(const Run& r) const {
    auto& kept = *reinterpret_cast<std::int64_t*>(r.scratch);
    kept = r.part;
    meeting->wait(parts);
    const bool good = kept == r.part && reinterpret_cast<std::uintptr_t>(r.scratch) % 64 == 0;
    const auto [begin, end] = r.share(r.out_type().count());
    for (std::int64_t i = begin; i < end; ++i) r.out<float>()[i] = good ? r.in<float>(0)[i] : -1;
  }
};

// x / 3, and x * 1e-30 * 1e-10, which no normal number is; each part waits for the others.
struct Modes {
  static constexpr OpInfo info{.name = "test_modes", .inputs = {"x"}, .outputs = {"third", "tiny"}};
  Meeting* meeting = nullptr;
  std::int64_t parts = 1;
  bool operator==(const Modes&) const = default;
  std::vector<Type> infer(Types in) const { return {in[0], in[0]}; }
  Work work(Types) const { return {.parts = parts, .flops = 1e9}; }
  void run(const Run& r) const {
    if (meeting) meeting->wait(parts);
    const auto [begin, end] = r.share(r.out_type().count());
    for (std::int64_t i = begin; i < end; ++i) {
      r.out<float>(0)[i] = r.in<float>(0)[i] / 3;
      r.out<float>(1)[i] = r.in<float>(0)[i] * 1e-30f * 1e-10f;
    }
  }
};

// x once more; notes whether another one was at work at the same time.
struct Alone {
  static constexpr OpInfo info{.name = "test_alone", .inputs = {"x"}};
  std::atomic<int>* inside = nullptr;
  std::atomic<bool>* met = nullptr;
  bool operator==(const Alone&) const = default;
  Type infer(Types in) const { return in[0]; }
  void run(const Run& r) const {
    if (++*inside > 1) *met = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    --*inside;
    std::copy_n(r.in<float>(0), r.out_type().count(), r.out<float>());
  }
};

// Threads that come in a mode of their own.
struct Strangers {
  std::vector<std::jthread> threads = {};
  int max_concurrency() const { return 4; }
  void enqueue(const Pool::Job& job) {
    threads.emplace_back([job] {
      std::fesetenv(FE_DFL_ENV);
      std::fesetround(FE_UPWARD);
      job();
    });
  }
};

const std::vector<float> sixty_four_ones(64, 1);

}  // namespace

BOOST_AUTO_TEST_CASE(a_pool_has_a_sensible_number_of_threads) {
  BOOST_TEST(message([] { Pool(0); }) == "a pool of 0 threads\n  Use 1 to 256");
  BOOST_TEST(message([] { Pool(100000); }) == "a pool of 100000 threads\n  Use 1 to 256");
}

BOOST_AUTO_TEST_CASE(eight_threads_run_parts_of_one_node_each_with_scratch_of_its_own) {
  Graph g;
  Meeting meeting;
  const Value y = apply(Keep{&meeting, 8}, {input(g, "x", f32, {64})}, At::current());
  Session session(compile({y}, {.pool = Pool(8)}), Store());
  session.feed<float>("x", sixty_four_ones);
  session.run();
  BOOST_TEST(meeting.threads.size() == 8u);
  BOOST_TEST(session.fetch<float>(0) == sixty_four_ones, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(as_many_parts_as_a_word_has_bits_are_all_run) {
  for (const std::int64_t parts : {63, 64, 65, 200}) {
    Graph g;
    const Value y = apply(Mix{1000, parts}, {input(g, "x", f32, {64})}, At::current());
    Session session(Program::Impl::compile({y, y}, {.pool = Pool(20)}, fine_grain), Store());
    session.feed<float>("x", sixty_four_ones);
    session.run();
    for (const float v : session.fetch<float>(0)) BOOST_REQUIRE_EQUAL(v, 1);
  }
}

// Whatever the caller has set, and whatever a worker finds.
BOOST_AUTO_TEST_CASE(every_thread_computes_in_the_same_mode) {
  const float third = 1.0f / 3;
  for (const int mode : {FE_TONEAREST, FE_UPWARD})
    for (const int threads : {1, 4}) {
      Strangers strangers;
      Graph g;
      Meeting meeting;
      const Node n = g.append(Modes{threads > 1 ? &meeting : nullptr, threads}, {input(g, "x", f32, {64})}, {});
      const Pool pool = threads > 1 ? Pool::from(strangers) : Pool(1);
      Session session(compile({n.output(0), n.output(1)}, {.pool = pool}), Store());
      session.feed<float>("x", sixty_four_ones);
      std::fesetround(mode);
      session.run();
      const std::vector<Tensor> folded =
          internal::evaluate(Modes{}, std::array{Tensor::of<float>({64}, std::span(sixty_four_ones))});
      const int after = std::fegetround();
      std::fesetround(FE_TONEAREST);
      BOOST_TEST(after == mode);
      for (std::size_t i = 0; i < 64; ++i) {
        BOOST_TEST(session.fetch<float>(0)[i] == third);
        BOOST_TEST(session.fetch<float>(1)[i] == 0);
        BOOST_TEST(folded[0].data<float>()[i] == third);
        BOOST_TEST(folded[1].data<float>()[i] == 0);
      }
    }
}

BOOST_AUTO_TEST_CASE(writers_take_turns_and_readers_do_not) {
  Graph g;
  std::atomic<int> inside{0};
  std::atomic<bool> met{false};
  const Value n = variable(g, "n", {f32, {1}}), y = apply(Alone{&inside, &met}, {n}, At::current());
  const Store store(g);
  const auto four_at_once = [&](const Program& program) {
    met = false;
    std::vector<std::jthread> users;
    for (int t = 0; t < 4; ++t)
      users.emplace_back([&] {
        Session session(program, store);
        for (int run = 0; run < 10; ++run) session.run();
      });
  };
  four_at_once(compile({assign(n, apply(Mix{1, 1}, {y}, At::current()))}, {.pool = Pool(2)}));
  BOOST_TEST(!met);
  float expected = 0;
  for (int i = 0; i < 40; ++i) expected = 0.5f + expected / 2;
  BOOST_TEST(store.get("n").data<float>()[0] == expected);
  four_at_once(compile({y}, {.pool = Pool(2)}));
  BOOST_TEST(met);
}

BOOST_AUTO_TEST_SUITE_END()
