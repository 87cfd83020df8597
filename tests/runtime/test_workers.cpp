// Workers: they stay with a run from its first task to its last, sleep while it has nothing for them, and leave idle
// cores idle. Nothing here depends on how quick the machine is: only on who was where, and on processor time.
// Labels: threads.
#include <oxbow/runtime/program.h>
#include <oxbow/runtime/run/cpus.h>
#include <oxbow/runtime/run/pool_impl.h>
#include <sched.h>
#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <fstream>

#include "support/runtime_ops.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_workers)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;
using namespace std::chrono_literals;

namespace {

// Of all threads of this process.
std::chrono::microseconds processor_time() {
  rusage r{};
  getrusage(RUSAGE_SELF, &r);
  return std::chrono::seconds(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
         std::chrono::microseconds(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

// x once more, after a sleep of part 0, in which no other part is left for long. Notes how much processor time the
// process took meanwhile.
struct Pause {
  static constexpr OpInfo info{.name = "test_pause", .inputs = {"x"}};
  std::int64_t milliseconds = 0, parts = 1;
  std::chrono::microseconds* taken = nullptr;
  bool operator==(const Pause&) const = default;
  Type infer(Types in) const { return in[0]; }
  Work work(Types) const { return {.parts = parts, .flops = 1e6}; }
  void run(const Run& r) const {
    if (r.part == 0) {
      const auto before = processor_time();
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
      if (taken) *taken = processor_time() - before;
    }
    const auto [begin, end] = r.share(r.out_type().count());
    std::copy(r.in<float>(0) + begin, r.in<float>(0) + end, r.out<float>() + begin);
  }
};

Value pause(Value x, std::int64_t milliseconds, std::int64_t parts = 1, std::chrono::microseconds* taken = nullptr) {
  return apply(Pause{milliseconds, parts, taken}, {x}, At::current());
}

const std::vector<float> ones(64, 1);

void write(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text;
}

}  // namespace

// Each wide node's two parts meet, which takes two threads at once, and between them one thread alone is busy for so
// long that the other one falls asleep.
BOOST_AUTO_TEST_CASE(both_threads_work_from_the_first_task_to_the_last) {
  constexpr int rounds = 40;
  Graph g;
  std::array<Meeting, rounds> meetings;
  Value h = input(g, "x", f32, {64});
  for (Meeting& m : meetings) h = apply(Meet{&m, 2}, {pause(h, 25)}, At::current());
  Session session(compile({h}, {.pool = Pool(2)}), Store());
  session.feed<float>("x", ones);
  session.run();
  for (const Meeting& m : meetings) BOOST_REQUIRE_EQUAL(m.threads.size(), 2u);
}

// The same beside another run of the pool, whose tasks are called out to the same workers.
BOOST_AUTO_TEST_CASE(two_runs_of_a_pool_both_get_help) {
  constexpr int rounds = 10;
  const Pool pool(4);
  std::array<std::array<Meeting, rounds>, 2> meetings;
  std::vector<std::jthread> users;
  for (auto& own : meetings)
    users.emplace_back([&] {
      Graph g;
      Value h = input(g, "x", f32, {64});
      for (Meeting& m : own) h = apply(Meet{&m, 2}, {pause(h, 10)}, At::current());
      Session session(compile({h}, {.pool = pool}), Store());
      session.feed<float>("x", ones);
      session.run();
    });
  users.clear();
  for (const auto& own : meetings)
    for (const Meeting& m : own) BOOST_TEST(m.threads.size() == 2u);
}

// While one thread is at a long serial node, or at the last part of a wide one, the others sleep; so do all between
// runs. Both threads are awake when it begins: the parts of a node before it met.
BOOST_AUTO_TEST_CASE(who_waits_takes_no_processor_time) {
  constexpr auto wait = 400ms;
  for (const int threads : {2, 8})
    for (const std::int64_t parts : {1, 2}) {
      Graph g;
      Meeting meeting;
      std::chrono::microseconds taken{-1};
      const Value met = apply(Meet{&meeting, 2}, {input(g, "x", f32, {64})}, At::current());
      const Value y = pause(pause(met, wait.count(), parts, &taken), 0, 2);
      Session session(compile({y}, {.pool = Pool(threads)}), Store());
      session.feed<float>("x", ones);
      session.run();
      BOOST_TEST((taken.count() >= 0 && taken < wait / 4), threads << " threads, " << parts << " parts, during a run");
      const auto after = processor_time();
      std::this_thread::sleep_for(wait);
      BOOST_TEST((processor_time() - after < wait / 4), threads << " threads, after a run");
    }
}

// Workers leave some 300 us after a run: a run that is opened just then gets a worker that comes back, or a new one,
// and goes on in any case.
BOOST_AUTO_TEST_CASE(runs_that_are_opened_while_workers_leave) {
  Graph g;
  Value h = input(g, "x", f32, {64});
  for (int i = 0; i < 4; ++i) h = pause(h, 0, 8);
  Session session(compile({h}, {.pool = Pool(8)}), Store());
  session.feed<float>("x", ones);
  for (int run = 0; run < 1500; ++run) {
    session.run();
    std::this_thread::sleep_for(std::chrono::microseconds(180 + run % 200));
  }
}

BOOST_AUTO_TEST_CASE(the_quota_of_control_groups_is_found) {
  const TemporaryFolder folder;
  const std::filesystem::path groups = folder / "cgroup", mount = folder / "mount";
  BOOST_TEST(!cpu_quota(groups, mount).has_value());  // no such files
  write(groups, "0::/a/b\n");
  BOOST_TEST(!cpu_quota(groups, mount).has_value());
  write(mount / "a/b/cpu.max", "max 100000\n");
  BOOST_TEST(!cpu_quota(groups, mount).has_value());
  write(mount / "a/cpu.max", "150000 100000\n");  // of a group around it
  BOOST_TEST(cpu_quota(groups, mount).value() == 1.5);
  write(mount / "a/b/cpu.max", "400000 100000\n");
  BOOST_TEST(cpu_quota(groups, mount).value() == 1.5);
  write(mount / "cpu.max", "50000 100000\n");
  BOOST_TEST(cpu_quota(groups, mount).value() == 0.5);
  write(groups, "4:memory:/m\n3:cpu,cpuacct:/elsewhere/seen/from/the/host\n");  // version 1, in a container
  BOOST_TEST(!cpu_quota(groups, mount).has_value());
  write(mount / "cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write(mount / "cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  BOOST_TEST(!cpu_quota(groups, mount).has_value());
  write(mount / "cpu,cpuacct/cpu.cfs_quota_us", "200000\n");
  BOOST_TEST(cpu_quota(groups, mount).value() == 2);
}

BOOST_AUTO_TEST_CASE(threads_follow_the_affinity) {
  cpu_set_t all, one;
  BOOST_REQUIRE_EQUAL(sched_getaffinity(0, sizeof all, &all), 0);
  CPU_ZERO(&one);
  for (int c = 0; CPU_COUNT(&one) == 0; ++c)
    if (CPU_ISSET(c, &all)) CPU_SET(c, &one);
  BOOST_TEST(usable_cpus() <= CPU_COUNT(&all));
  sched_setaffinity(0, sizeof one, &one);
  BOOST_TEST(usable_cpus() == 1);
  sched_setaffinity(0, sizeof all, &all);
}

BOOST_AUTO_TEST_SUITE_END()
