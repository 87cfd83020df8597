// Pools where their workers never come: in children that were forked off, and in arenas whose threads are all busy.
#include <oxbow/runtime/program.h>
#include <oxbow/runtime/run/program_impl.h>
#include <sys/wait.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <functional>
#include <optional>

#include "support/fine_grain.h"
#include "support/runtime_ops.h"

BOOST_AUTO_TEST_SUITE(test_forks)

using namespace oxbow;
using namespace oxbow::test;

namespace {

const std::vector<float> numbers(64, 0.25f);

// A step of many small tasks that writes a variable, and its value after some runs.
struct Training {
  Graph g;
  std::optional<Store> store;
  std::optional<Session> session;
  explicit Training(const Pool& pool) {
    const Value w = variable(g, "w", {f32, {64}});
    Value h = input(g, "x", f32, {64});
    for (int i = 0; i < 20; ++i) h = apply(Mix{64, 8}, {h, w}, At::current());
    store.emplace(g);
    session.emplace(Program::Impl::compile({assign(w, h)}, {.pool = pool}, fine_grain), *store);
    session->feed<float>("x", numbers);
  }
  Tensor run() {
    for (int i = 0; i < 20; ++i) session->run();
    return store->get("w");
  }
};

// How many threads compute a node of two parts together.
std::size_t threads_of(const Pool& pool) {
  Graph g;
  Meeting meeting;
  const Value y = apply(Meet{&meeting, 2}, {input(g, "x", f32, {64})}, At::current());
  Session session(compile({y}, {.pool = pool}), Store());
  session.feed<float>("x", numbers);
  session.run();
  return meeting.threads.size();
}

// Whether `f`, in a child, returned true within a minute. The child ends without the destructors of this program.
bool in_a_child(const std::function<bool()>& f) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGALRM, SIG_DFL);
    alarm(60);
    bool good = false;
    try {
      good = f();
    } catch (...) {
    }
    _exit(good ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_child_trains_with_the_pool_it_was_given, *boost::unit_test::timeout(120)) {
  for (const int threads : {2, 4}) {
    const Pool pool(threads);
    Training training(pool);
    const Tensor first = training.run();
    const Tensor second = Training(Pool(1)).run();
    BOOST_TEST(same_bits(first, second));
    const Tensor next = [&] {
      Training twice(Pool(1));
      twice.run();
      return twice.run();
    }();
    BOOST_TEST(in_a_child([&] { return same_bits(training.run(), next); }));
    BOOST_TEST(in_a_child([&] { return same_bits(Training(pool).run(), first); }));
    BOOST_TEST(in_a_child([&] { return threads_of(pool) == 2; }));  // new threads came
    BOOST_TEST(in_a_child([&] {                                     // and to a child of the child
      return in_a_child([&] { return threads_of(pool) == 2; }) && threads_of(pool) == 2;
    }));
    BOOST_TEST(same_bits(training.run(), next));  // the parent is as it was
  }
}

BOOST_AUTO_TEST_CASE(a_child_ends_pools_and_makes_new_ones, *boost::unit_test::timeout(120)) {
  std::optional<Pool> pool(2);
  const Tensor expected = Training(*pool).run();
  for (int i = 0; i < 10; ++i)
    BOOST_TEST(in_a_child([&] {
      pool.reset();
      const Pool another(2);
      return same_bits(Training(another).run(), expected) && threads_of(another) == 2;
    }));
  BOOST_TEST(threads_of(*pool) == 2u);
}

BOOST_AUTO_TEST_CASE(a_child_goes_on_alone_where_an_arenas_threads_did_not_come_along,
                     *boost::unit_test::timeout(120)) {
  tbb::task_arena arena(2);
  std::optional<Pool> pool(Pool::from(arena));
  const Tensor expected = Training(*pool).run();
  BOOST_TEST(in_a_child([&] {
    const bool good = same_bits(Training(*pool).run(), expected);
    pool.reset();
    return good;
  }));
}

// Jobs wait in the arena's queue until all of its threads are through with what they are at, which is longer than the
// pools live.
BOOST_AUTO_TEST_CASE(pools_begin_and_end_inside_tasks_of_an_arena, *boost::unit_test::timeout(120)) {
  tbb::task_arena arena(2);
  const Tensor expected = Training(Pool(1)).run();
  std::atomic<int> wrong{0};
  arena.execute([&] {
    tbb::parallel_for(0, 32, [&](int i) {
      const Pool pool = i % 2 == 0 ? Pool::from(arena) : Pool(2);
      if (!same_bits(Training(pool).run(), expected)) ++wrong;
    });
  });
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_SUITE_END()
