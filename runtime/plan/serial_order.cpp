#include <oxbow/runtime/plan/serial_order.h>

#include <algorithm>

namespace oxbow::internal {
namespace {

// What would be free after which step, as the order grows.
class Footprint {
 public:
  explicit Footprint(const OrderedBy& by)
      : by_(by), readers_(by.bytes.size()), sum_(by.bytes.size()), frees_(by.next.size()) {
    for (std::uint32_t s = 0; s < by.reads.size(); ++s)
      for (const std::uint32_t v : by.reads[s]) {
        ++readers_[v];
        sum_[v] += s;
      }
    for (std::uint32_t s = 0; s < by.reads.size(); ++s)
      for (const std::uint32_t v : by.reads[s])
        if (readers_[v] == 1) frees_[s] += by.bytes[v];
  }

  bool frees(std::uint32_t s) const {
    std::int64_t takes = 0;
    for (const std::uint32_t v : by_.writes[s])
      if (readers_[v] > 0) takes += by_.bytes[v];
    return frees_[s] > 0 && frees_[s] >= takes;
  }

  // Calls f for each step that is now the last reader of something.
  template <class F>
  void run(std::uint32_t s, F&& f) {
    for (const std::uint32_t v : by_.reads[s]) {
      sum_[v] -= s;
      if (--readers_[v] != 1) continue;
      const auto last = static_cast<std::uint32_t>(sum_[v]);
      frees_[last] += by_.bytes[v];
      f(last);
    }
  }

 private:
  const OrderedBy& by_;
  std::vector<std::uint32_t> readers_;  // of each storage, the steps that have not run
  std::vector<std::uint64_t> sum_;      // of their numbers: where one is left, its number
  std::vector<std::int64_t> frees_;     // by each step, if it ran next
};

}  // namespace

std::vector<std::uint32_t> serial_order(const OrderedBy& by, Preference preference) {
  const std::size_t count = by.next.size();
  std::vector<std::uint32_t> pending(count), order, ready, freeing, fresh;
  for (const std::uint32_t t : by.next.items) ++pending[t];
  const auto later = [&](std::uint32_t a, std::uint32_t b) {
    if (by.rank[a] == by.rank[b]) return a > b;
    return (by.rank[a] > by.rank[b]) == (preference != Preference::long_ways);
  };
  const bool frees_first = preference == Preference::freeing_steps;
  Footprint footprint(by);
  std::vector<bool> done(count);
  const auto add = [&](std::uint32_t s) {
    ready.push_back(s);
    if (frees_first && footprint.frees(s)) freeing.push_back(s);
  };
  const auto take = [&] {
    std::vector<std::uint32_t>& from = freeing.empty() ? ready : freeing;
    const std::uint32_t s = from.back();
    from.pop_back();
    return s;
  };
  for (std::size_t s = count; s-- > 0;)
    if (pending[s] == 0) fresh.push_back(static_cast<std::uint32_t>(s));
  if (preference == Preference::long_ways) std::sort(fresh.begin(), fresh.end(), later);
  for (const std::uint32_t s : fresh) add(s);
  while (order.size() < count) {
    const std::uint32_t s = take();
    if (done[s]) continue;  // it was on both lists
    done[s] = true;
    order.push_back(s);
    fresh.clear();
    for (const std::uint32_t t : by.next[s])
      if (--pending[t] == 0) fresh.push_back(t);
    std::sort(fresh.begin(), fresh.end(), later);
    if (frees_first)
      footprint.run(s, [&](std::uint32_t last) {
        if (pending[last] == 0 && !done[last] && footprint.frees(last)) freeing.push_back(last);
      });
    for (const std::uint32_t t : fresh) add(t);
  }
  return order;
}

}  // namespace oxbow::internal
