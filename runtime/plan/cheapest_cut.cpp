#include <oxbow/runtime/plan/cheapest_cut.h>

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/boykov_kolmogorov_max_flow.hpp>
#include <limits>
#include <unordered_map>

namespace oxbow::internal {
namespace {

using Traits = boost::adjacency_list_traits<boost::vecS, boost::vecS, boost::directedS>;
using Capacity = std::int64_t;
using Network = boost::adjacency_list<
    boost::vecS, boost::vecS, boost::directedS,
    boost::property<
        boost::vertex_index_t, std::size_t,
        boost::property<boost::vertex_color_t, boost::default_color_type,
                        boost::property<boost::vertex_distance_t, std::int64_t,
                                        boost::property<boost::vertex_predecessor_t, Traits::edge_descriptor>>>>,
    boost::property<boost::edge_capacity_t, Capacity,
                    boost::property<boost::edge_residual_capacity_t, Capacity,
                                    boost::property<boost::edge_reverse_t, Traits::edge_descriptor>>>>;

constexpr Capacity unlimited = std::numeric_limits<Capacity>::max() / 4;

void add_edge(Network& net, std::size_t from, std::size_t to, double capacity) {
  const auto bounded = static_cast<Capacity>(std::min(capacity, static_cast<double>(unlimited)));
  const auto there = boost::add_edge(from, to, net).first, back = boost::add_edge(to, from, net).first;
  boost::put(boost::edge_capacity, net, there, bounded);
  boost::put(boost::edge_capacity, net, back, 0);
  boost::put(boost::edge_reverse, net, there, back);
  boost::put(boost::edge_reverse, net, back, there);
}

}  // namespace

// A step on the far side of the cut runs again, which costs its edge from the source. A value whose maker is on the
// near side and of whose readers one is on the far side is kept, which costs the edge from the maker to the value.
CheapestCut::Result CheapestCut::find(double rate) const {
  Result out{.again = std::vector<bool>(costs.size())};
  std::unordered_map<std::uint32_t, std::size_t> values;  // numbers of storages
  for (const Input& i : inputs) values.try_emplace(i.storage, values.size());
  const auto value_of = [&](const Input& i) { return values.at(i.storage); };
  if (inputs.empty()) {
    out.again[0] = true;
  } else {
    constexpr double digits = 16;  // of a nanosecond, kept in whole numbers
    const std::size_t steps = costs.size(), source = steps + values.size(), sink = source + 1;
    Network net(sink + 1);
    for (std::size_t s = 0; s < steps; ++s) add_edge(net, source, s, digits * costs[s]);
    std::vector<bool> added(values.size());
    for (const Input& i : inputs) {
      const std::size_t v = value_of(i);
      if (!added[v]) add_edge(net, i.maker == none ? source : i.maker, steps + v, digits * rate * i.keep);
      added[v] = true;
      add_edge(net, steps + v, i.reader, static_cast<double>(unlimited));
    }
    add_edge(net, 0, sink, static_cast<double>(unlimited));
    boost::boykov_kolmogorov_max_flow(net, source, sink);
    const auto colors = boost::get(boost::vertex_color, net);
    for (std::size_t s = 0; s < steps; ++s) out.again[s] = s == 0 || colors[s] != boost::black_color;
  }
  // What nobody on the far side needs is on neither side for certain: it does not run.
  std::vector<bool> needed(costs.size());
  needed[0] = true;
  for (bool more = true; more;) {
    more = false;
    for (const Input& i : inputs)
      if (i.maker != none && needed[i.reader] && out.again[i.maker] && !needed[i.maker]) more = needed[i.maker] = true;
  }
  out.again = needed;
  for (std::size_t s = 0; s < costs.size(); ++s)
    if (out.again[s]) out.cost += costs[s];
  std::vector<bool> paid(values.size());
  for (const Input& i : inputs)
    if (out.again[i.reader] && (i.maker == none || !out.again[i.maker]) && !paid[value_of(i)]) {
      paid[value_of(i)] = true;
      out.kept += i.keep;
    }
  return out;
}

}  // namespace oxbow::internal
