// Plans of random graphs, checked against the definition: no two values that may be alive at once share a byte.
// Labels: memory, threads, figures.
#include <oxbow/graph/passes/specialise.h>
#include <oxbow/graph/verify.h>
#include <oxbow/runtime/plan.h>
#include <oxbow/runtime/plan/copies.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>

#include "support/figures.h"
#include "support/fine_grain.h"
#include "support/runtime_ops.h"

BOOST_AUTO_TEST_SUITE(test_plan)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;

namespace {

// Which steps surely finish before which, from the plan's groups alone, by plain transitive closure.
struct Order {
  explicit Order(const Plan& plan) : group_of(plan.steps.size()), reach(plan.groups.size()) {
    for (std::size_t g = plan.groups.size(); g-- > 0;) {
      for (std::uint32_t s = plan.groups[g].first; s < plan.groups[g].last; ++s) group_of[s] = g;
      reach[g].resize(plan.groups.size());
      for (std::uint32_t i = plan.groups[g].first_next; i < plan.groups[g].last_next; ++i) {
        const std::size_t h = plan.next[i];
        BOOST_REQUIRE(h > g);
        reach[g][h] = true;
        for (std::size_t k = 0; k < reach[h].size(); ++k)
          if (reach[h][k]) reach[g][k] = true;
      }
    }
  }
  bool before(std::uint32_t a, std::uint32_t b) const {
    return group_of[a] == group_of[b] ? a < b : reach[group_of[a]][group_of[b]];
  }
  std::vector<std::size_t> group_of;
  std::vector<std::vector<bool>> reach;
};

struct Life {
  std::int64_t begin, end;  // bytes of the arena
  std::uint32_t writer;
  std::vector<std::uint32_t> readers;
  bool kept = false;
};

// The lives of all computed values, found through the graph.
std::vector<Life> lives(const Plan& plan) {
  std::map<std::pair<NodeId, int>, std::size_t> of;
  std::vector<Life> found;
  const auto root = [&](Value v) {
    for (;;) {
      const Node n = v.node();
      if (n.op().is<ops::Assign>())
        v = n.input(1);
      else if (const auto aliases = n.op().alias(n.input_types()); !aliases.empty())
        v = n.input(aliases[static_cast<std::size_t>(v.output())].input);
      else
        return std::pair(v.node_id(), v.output());
    }
  };
  const auto offset = [&](const Place& p) {
    return p.home == Home::fetch ? plan.fetches[static_cast<std::size_t>(p.index)].offset : p.offset;
  };
  for (std::uint32_t s = 0; s < plan.steps.size(); ++s) {
    const Plan::Step& step = plan.steps[s];
    if (step.node < 0) continue;
    const Node n = plan.graph->node(step.node);
    for (int i = 0; i < n.input_count(); ++i)
      if (const auto at = of.find(root(n.input(i))); at != of.end()) found[at->second].readers.push_back(s);
    for (int k = 0; k < n.output_count(); ++k) {
      const Place& p = plan.writes[step.first_write + static_cast<std::size_t>(k)].place;
      if (p.home != Home::arena && p.home != Home::fetch) continue;
      const std::int64_t begin = offset(p);
      BOOST_TEST(begin % 64 == 0);
      of[{step.node, k}] = found.size();
      found.push_back({begin, begin + n.output(k).type().bytes(), s, {}, p.home == Home::fetch});
    }
  }
  return found;
}

// Whether `a` is surely over when `b` is written, or is overwritten by b's writer itself.
bool over(const Life& a, const Life& b, const Order& order) {
  if (a.kept || (a.writer == b.writer)) return false;
  if (!order.before(a.writer, b.writer)) return false;
  return std::all_of(a.readers.begin(), a.readers.end(), [&](std::uint32_t r) {
    return order.before(r, b.writer) || (r == b.writer && a.begin == b.begin && a.end == b.end);
  });
}

std::shared_ptr<const Plan> planned(const MixedGraph& from, int threads) {
  return make_plan(specialise(from.g, from.fetches, {}, Mode::training).graph, threads, fine_grain);
}

struct Sharing {
  std::int64_t end = 0;       // of the arena, as values lie in it
  std::size_t pairs = 0;      // of values that share bytes
  std::int64_t separate = 0;  // what all would take without sharing any
};

// Of each pair of values that share bytes, one is over when the other is written.
Sharing check_sharing(const Plan& plan, const std::string& which) {
  const Order order(plan);
  const std::vector<Life> all = lives(plan);
  Sharing found;
  for (std::size_t a = 0; a < all.size(); ++a) {
    found.end = std::max(found.end, all[a].end);
    found.separate += (all[a].end - all[a].begin + 63) / 64 * 64;
    for (std::size_t b = a + 1; b < all.size(); ++b)
      if (all[a].begin < all[b].end && all[b].begin < all[a].end) {
        ++found.pairs;
        BOOST_REQUIRE_MESSAGE(over(all[a], all[b], order) || over(all[b], all[a], order),
                              which << ": steps " << all[a].writer << " and " << all[b].writer);
      }
  }
  return found;
}

}  // namespace

BOOST_AUTO_TEST_CASE(values_that_may_live_at_once_share_no_bytes) {
  std::int64_t planned_bytes = 0, bound = 0, separate = 0;
  std::size_t groups = 0, steps = 0;  // of plans for several threads
  std::size_t plans = 0, sharing = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed)
    for (const int threads : {1, 2, 8}) {
      const MixedGraph graph(seed, 20 + static_cast<int>(seed));
      const auto plan = planned(graph, threads);
      const auto [end, shares, apart] =
          check_sharing(*plan, "seed " + std::to_string(seed) + ", " + std::to_string(threads) + " threads");
      sharing += shares;
      separate += apart;
      ++plans;
      BOOST_TEST(plan->arena_bytes >= plan->lower_bound);
      BOOST_TEST(plan->arena_bytes >= end);
      BOOST_TEST(plan->arena_bytes < end + 64);
      if (threads > 1) groups += plan->groups.size(), steps += plan->steps.size();
      planned_bytes += plan->arena_bytes;
      bound += plan->lower_bound;
    }
  BOOST_TEST_MESSAGE("arenas " << planned_bytes << " bytes, lower bounds " << bound << ", without sharing "
                               << separate);
  test::figure("plans", test::counted(plans) + " plans for 1, 2 and 8 threads, " + test::counted(sharing) +
                            " pairs of values that share bytes: 0 that may be alive at once under any schedule");
  BOOST_TEST(planned_bytes < separate / 2);
  BOOST_TEST(groups > steps / 2);
}

BOOST_AUTO_TEST_CASE(a_wide_step_is_shared_by_itself_whatever_the_grain) {
  Grain coarse = fine_grain;
  coarse.task = coarse.join_below = 1e9;
  int wide = 0, joined = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const MixedGraph from(seed, 60);
    const auto plan = make_plan(specialise(from.g, from.fetches, {}, Mode::training).graph, 4, coarse);
    for (const Plan::Group& g : plan->groups) {
      if (g.chunks > 1) BOOST_REQUIRE_EQUAL(g.last - g.first, 1u);
      ++(g.chunks > 1 ? wide : joined);
    }
  }
  BOOST_TEST(wide > 5);
  BOOST_TEST(joined > 20);
}

BOOST_AUTO_TEST_CASE(plans_within_a_budget_share_no_bytes_either) {
  std::size_t kept = 0, again = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed)
    for (const int threads : {1, 2, 8}) {
      const MixedGraph graph(seed, 40 + static_cast<int>(seed));
      const auto free = planned(graph, threads);
      for (const double share : {0.9, 0.75, 0.6}) {
        const auto budget = static_cast<std::int64_t>(share * static_cast<double>(free->arena_bytes));
        std::shared_ptr<const Plan> plan;
        try {
          plan = make_plan(specialise(graph.g, graph.fetches, {}, Mode::training).graph, threads, fine_grain, budget);
        } catch (const Error&) {
          continue;
        }
        ++kept;
        again += plan->steps.size() > free->steps.size();
        verify(*plan->graph);
        BOOST_TEST(plan->arena_bytes <= budget);
        check_sharing(*plan, "seed " + std::to_string(seed) + ", " + std::to_string(threads) + " threads, " +
                                 std::to_string(share));
      }
    }
  BOOST_TEST_MESSAGE(kept << " budgets were kept, " << again << " by steps that run again");
  BOOST_TEST(kept > 100u);
  BOOST_TEST(again > 20u);
}

BOOST_AUTO_TEST_CASE(a_step_waits_for_what_it_reads) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const MixedGraph graph(seed, 100);
    const auto plan = planned(graph, 4);
    const Order order(*plan);
    for (const Life& life : lives(*plan))
      for (const std::uint32_t r : life.readers) BOOST_REQUIRE(order.before(life.writer, r));
  }
}

BOOST_AUTO_TEST_CASE(variables_are_written_after_all_readers_and_all_that_may_fail) {
  int in_place = 0, copied = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const MixedGraph graph(seed, 60);
    const auto plan = planned(graph, 4);
    const Order order(*plan);
    for (std::uint32_t s = 0; s < plan->steps.size(); ++s)
      for (std::uint32_t w = 0; w < plan->steps[s].writes; ++w) {
        const Place& to = plan->writes[plan->steps[s].first_write + w].place;
        if (to.home != Home::variable) continue;
        const Op& op = *plan->steps[s].op;
        ++(op.is<Copy>() ? copied : in_place);
        BOOST_TEST(plan->steps[s].commits);
        const Node variable = plan->graph->node(plan->variables[static_cast<std::size_t>(to.index)].node);
        BOOST_TEST(plan->writes[plan->steps[s].first_write + w].type->bytes() == variable.output().type().bytes());
        for (std::uint32_t t = 0; t < plan->steps.size(); ++t) {
          const Plan::Step& other = plan->steps[t];
          if (t == s || other.node < 0) continue;
          if (other.op->info().can_fail) BOOST_REQUIRE(order.before(t, s));
          for (std::uint32_t r = 0; r < other.reads; ++r) {
            const Place& from = plan->reads[other.first_read + r].place;
            if (from.home != Home::variable || from.index != to.index) continue;
            const bool reads_new = order.before(s, t);
            BOOST_REQUIRE((reads_new || order.before(t, s)));
          }
        }
      }
  }
  BOOST_TEST(in_place > 50);
  BOOST_TEST(copied > 50);
}

// Values of 4 MB that are all ready at once, and are summed up one after another, in this order or the other one.
BOOST_AUTO_TEST_CASE(what_is_summed_up_is_made_when_it_is_its_turn) {
  constexpr std::int64_t size = 1 << 20;
  constexpr int terms = 50;
  for (const bool last_first : {false, true}) {
    Graph g;
    const auto mix = [&](std::vector<Value> in) { return g.append(Mix{.size = size}, in, {}).output(); };
    const Value root = mix({input(g, "x", f32, {4})});
    std::vector<Value> parts;
    for (int i = 0; i < terms; ++i) parts.push_back(mix({root, constant(g, static_cast<double>(i), f32)}));
    if (last_first) std::reverse(parts.begin(), parts.end());
    Value sum = parts[0];
    for (int i = 1; i < terms; ++i) sum = mix({sum, parts[static_cast<std::size_t>(i)]});
    for (const int threads : {1, 2}) {
      const auto plan = make_plan(
          specialise(g, {{g.append(Mix{.size = 1}, {{sum}}, {}).output()}}, {}, Mode::training).graph, threads);
      BOOST_TEST(plan->lower_bound <= 5 * 4 * size, "last first: " << last_first << ", " << threads << " threads");
      BOOST_TEST(plan->arena_bytes <= 8 * 4 * size, "last first: " << last_first << ", " << threads << " threads");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_planned_graph_is_not_edited) {
  Graph g;
  const Value w = variable(g, "w", {f32, {8}}), v = variable(g, "v", {f32, {8}});
  const std::vector<Value> fetches{w, w, assign(w, v), assign(v, w)};  // two leaves that are fetched, and an exchange
  const std::shared_ptr<const Graph> graph = specialise(g, fetches, {}, Mode::training).graph;
  const NodeId before = graph->size();
  const auto plan = make_plan(graph, 1);
  BOOST_TEST(graph->size() == before);
  int made = 0;
  for (const Plan::Step& s : plan->steps) made += s.op->is<Copy>();
  BOOST_TEST(made == 5);  // the exchange takes two, and one more, as each waits for the other
  BOOST_TEST(!add_copies(*plan->graph).made.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
