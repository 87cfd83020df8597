// oxbow plan: simulated runs of small plans whose course is known, and the command.
#include <oxbow/runtime/plan.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "measure/simulate.h"
#include "support/command.h"
#include "support/places.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_simulate)

using namespace oxbow;
using namespace oxbow::test;
using namespace oxbow::tools;

namespace {

// A plan without ops: so many chunks of each group, numbered in this order, and which group waits for which.
Plan plan_of(const std::vector<std::uint32_t>& chunks,
             const std::vector<std::pair<std::uint32_t, std::uint32_t>>& edges) {
  Plan plan;
  for (std::uint32_t g = 0; g < chunks.size(); ++g) {
    Plan::Group group{.first = g,
                      .last = g + 1,
                      .chunks = chunks[g],
                      .first_task = static_cast<std::uint32_t>(plan.group_of_task.size()),
                      .first_next = static_cast<std::uint32_t>(plan.next.size()),
                      .last_next = 0,
                      .waits = 0};
    for (const auto& [from, to] : edges) {
      if (from == g) plan.next.push_back(to);
      group.waits += to == g;
    }
    group.last_next = static_cast<std::uint32_t>(plan.next.size());
    plan.groups.push_back(group);
    plan.group_of_task.insert(plan.group_of_task.end(), chunks[g], g);
  }
  return plan;
}

// Without hand-overs, and memory enough for everybody.
SimulatedMachine machine(int cores) {
  return {.cores = cores, .buses = 1000, .hand_over_ns = 0, .asleep_after = 1e9, .wake_up_ns = 0};
}

SimulatedMachine machine_of(int cores, double buses) {
  SimulatedMachine m = machine(cores);
  m.buses = buses;
  return m;
}

double run(const Plan& plan, const std::vector<TaskCost>& costs, const SimulatedMachine& m) {
  const Simulated s = simulate(plan, costs, m);
  BOOST_REQUIRE_EQUAL(s.events.size(), costs.size());
  return s.ns;
}

}  // namespace

BOOST_AUTO_TEST_CASE(independent_tasks_share_the_cores) {
  const Plan plan = plan_of({1, 1, 1, 1, 1}, {});
  const std::vector<TaskCost> costs(5, {.ns = 100});
  for (const auto& [cores, ns] : {std::pair{1, 500.}, {2, 300.}, {3, 200.}, {4, 200.}, {5, 100.}, {64, 100.}})
    BOOST_TEST(run(plan, costs, machine(cores)) == ns);
}

BOOST_AUTO_TEST_CASE(tasks_wait_for_those_before_them) {
  // 0 -> 1 -> 3, 0 -> 2 -> 3
  const Plan plan = plan_of({1, 1, 1, 1}, {{0, 1}, {0, 2}, {1, 3}, {2, 3}});
  const std::vector<TaskCost> costs = {{.ns = 10}, {.ns = 20}, {.ns = 50}, {.ns = 5}};
  BOOST_TEST(run(plan, costs, machine(1)) == 85);
  BOOST_TEST(run(plan, costs, machine(2)) == 65);
  const CriticalPath path = critical_path(plan, costs);
  BOOST_TEST(path.ns == 65);
  BOOST_TEST(path.groups == (std::vector<std::uint32_t>{0, 2, 3}));
}

BOOST_AUTO_TEST_CASE(a_wide_group_ends_with_its_last_chunk) {
  const Plan plan = plan_of({4, 1}, {{0, 1}});
  const std::vector<TaskCost> costs = {{.ns = 10}, {.ns = 10}, {.ns = 40}, {.ns = 10}, {.ns = 1}};
  BOOST_TEST(run(plan, costs, machine(1)) == 71);
  BOOST_TEST(run(plan, costs, machine(2)) == 51);  // 10 and 40 on one core, 10 and 10 on the other
  BOOST_TEST(run(plan, costs, machine(4)) == 41);
  BOOST_TEST(critical_path(plan, costs).ns == 41);
}

// Whoever finishes a group goes on with the most urgent of those that it made ready.
BOOST_AUTO_TEST_CASE(a_core_goes_on_with_what_it_made_ready) {
  // Task 1 waits for nothing and is more urgent than 2 and 3, which 0 makes ready.
  const Plan plan = plan_of({1, 1, 1, 1}, {{0, 3}, {0, 2}});
  const std::vector<TaskCost> costs(4, {.ns = 10});
  const Simulated s = simulate(plan, costs, machine(1));
  std::vector<std::uint32_t> order;
  for (const auto& e : s.events) order.push_back(e.task);
  BOOST_TEST(order == (std::vector<std::uint32_t>{0, 2, 1, 3}));
}

BOOST_AUTO_TEST_CASE(waiting_for_memory_takes_longer_in_company, *boost::unit_test::tolerance(1e-9)) {
  const Plan plan = plan_of({1, 1}, {});
  SimulatedMachine m = machine_of(2, 1);
  BOOST_TEST(run(plan, {{.ns = 100, .memory = 1}, {.ns = 100, .memory = 1}}, m) == 200);
  BOOST_TEST(run(plan, {{.ns = 100, .memory = 0.5}, {.ns = 100, .memory = 0.5}}, m) == 100);
  m.buses = 0.5;
  BOOST_TEST(run(plan, {{.ns = 100, .memory = 0.5}, {.ns = 100, .memory = 0.5}}, m) == 200);
  // While both run, waiting takes c times as long: 1 / c + 0.5 / (1 + 0.5 (c - 1)) = 1, so c is the golden ratio. The
  // first ends after 100 c; the second, (1 + c) / 2 times as slow so far, does the rest alone.
  m.buses = 1;
  const double c = (1 + std::sqrt(5.0)) / 2;
  BOOST_TEST(run(plan, {{.ns = 100, .memory = 1}, {.ns = 300, .memory = 0.5}}, m) == 100 * c + 300 - 200 * c / (1 + c));
  // Four cores get no more out of memory than it has.
  BOOST_TEST(run(plan_of({1, 1, 1, 1}, {}), std::vector<TaskCost>(4, {.ns = 100, .memory = 0.5}), machine_of(4, 1)) ==
             200);
}

BOOST_AUTO_TEST_CASE(a_hand_over_delays_idle_cores_only) {
  SimulatedMachine m = machine(2);
  m.hand_over_ns = 7;
  BOOST_TEST(run(plan_of({1, 1}, {}), {{.ns = 100}, {.ns = 100}}, m) == 107);
  BOOST_TEST(run(plan_of({1, 1, 1, 1}, {}), std::vector<TaskCost>(4, {.ns = 100}), m) == 207);
  // A core that slept is woken up.
  const Plan plan = plan_of({1, 2}, {{0, 1}});
  const std::vector<TaskCost> costs = {{.ns = 1000}, {.ns = 100}, {.ns = 100}};
  BOOST_TEST(run(plan, costs, m) == 1107);
  m.asleep_after = 500;
  m.wake_up_ns = 30;
  BOOST_TEST(run(plan, costs, m) == 1130);
}

BOOST_AUTO_TEST_CASE(no_run_is_shorter_than_its_bounds) {
  const Plan plan = plan_of({1, 3, 1}, {{0, 1}, {1, 2}});
  const std::vector<TaskCost> costs = {
      {.ns = 10, .memory = 1}, {.ns = 20}, {.ns = 20, .memory = 0.5}, {.ns = 20}, {.ns = 30}};
  const SimulatedMachine m = machine_of(2, 0.5);
  const Bounds b = bounds(plan, costs, m);
  BOOST_TEST(b.work == 50);
  BOOST_TEST(b.critical_path == 60);
  BOOST_TEST(b.memory == 40);
  BOOST_TEST(run(plan, costs, m) >= 60);
}

BOOST_AUTO_TEST_CASE(the_command_prints_a_row_for_each_number_of_cores) {
  const TemporaryFolder folder;
  const Finished plan =
      command(program("oxbow") + " plan mnist_mlp --cores 3 --runs 4 --picture " + folder / "step.svg");
  BOOST_TEST(plan.code == 0);
  for (const char* row : {"\n    1  ", "\n    2  ", "\n    3  ", "The critical path"})
    BOOST_TEST(plan.output.find(row) != std::string::npos, plan.output);
  const std::string picture = folder.read("step.svg");
  BOOST_TEST(picture.starts_with("<svg "));
  BOOST_TEST(picture.ends_with("</svg>\n"));
}

BOOST_AUTO_TEST_SUITE_END()
