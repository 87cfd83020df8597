#include "diff/common_subsequence.h"

#include <algorithm>
#include <optional>
#include <unordered_map>

namespace oxbow::tools {
namespace {

using Tokens = std::span<const Token>;

constexpr std::ptrdiff_t most_differences = 3000;

// Myers's greedy walk, whose frontiers are kept to go back along. Nothing where there are too many differences.
std::optional<Matches> walk(Tokens x, Tokens y) {
  const std::ptrdiff_t n = std::ssize(x), m = std::ssize(y), most = std::min(n + m, most_differences);
  std::vector<std::vector<std::ptrdiff_t>> frontiers;  // of each d, how far along x each diagonal -d ... d came
  std::vector<std::ptrdiff_t> far(static_cast<std::size_t>(2 * most + 3));
  const auto reach = [&](std::ptrdiff_t k) -> std::ptrdiff_t& { return far[static_cast<std::size_t>(k + most + 1)]; };
  bool found = n == 0 || m == 0;
  for (std::ptrdiff_t d = 0; d <= most && !found; ++d) {
    for (std::ptrdiff_t k = -d; k <= d && !found; k += 2) {
      std::ptrdiff_t i = k == -d || (k != d && reach(k - 1) < reach(k + 1)) ? reach(k + 1) : reach(k - 1) + 1;
      while (i < n && i - k < m && x[static_cast<std::size_t>(i)] == y[static_cast<std::size_t>(i - k)]) ++i;
      reach(k) = i;
      found = i >= n && i - k >= m;
    }
    frontiers.emplace_back(far.begin() + (most + 1 - d), far.begin() + (most + 2 + d));
  }
  if (!found) return std::nullopt;

  Matches back;
  std::ptrdiff_t i = n, j = m;
  for (std::ptrdiff_t d = std::ssize(frontiers); d-- > 0 && i > 0 && j > 0;) {
    const auto before = [&](std::ptrdiff_t k) {
      return frontiers[static_cast<std::size_t>(d - 1)][static_cast<std::size_t>(k + d - 1)];
    };
    const std::ptrdiff_t k = i - j;
    const bool down =
        d > 0 && (k == -d || (k != d && (k - 1 < -(d - 1) || (k + 1 <= d - 1 && before(k - 1) < before(k + 1)))));
    const std::ptrdiff_t from_i = d == 0 ? 0 : down ? before(k + 1) : before(k - 1) + 1;
    const std::ptrdiff_t from_j = d == 0 ? 0 : from_i - k;
    while (i > from_i && j > from_j) back.emplace_back(--i, --j);
    if (d == 0) break;
    down ? --j : --i;
  }
  std::reverse(back.begin(), back.end());
  return back;
}

// The first place in y behind the last match, for each token of x in turn.
Matches greedy(Tokens x, Tokens y) {
  Matches out;
  std::unordered_map<Token, std::vector<std::size_t>> places;
  for (std::size_t j = y.size(); j-- > 0;) places[y[j]].push_back(j);
  std::size_t next = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    auto& list = places[x[i]];
    while (!list.empty() && list.back() < next) list.pop_back();
    if (list.empty()) continue;
    out.emplace_back(i, list.back());
    next = list.back() + 1;
  }
  return out;
}

}  // namespace

Matches common_subsequence(Tokens a, Tokens b) {
  Matches out;
  std::size_t head = 0, tail = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) out.emplace_back(head, head), ++head;
  while (tail < a.size() - head && tail < b.size() - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  const Tokens x = a.subspan(head, a.size() - head - tail), y = b.subspan(head, b.size() - head - tail);
  std::optional<Matches> middle = walk(x, y);
  if (!middle) middle = greedy(x, y);
  for (const auto& [i, j] : *middle) out.emplace_back(i + head, j + head);
  for (std::size_t t = tail; t-- > 0;) out.emplace_back(a.size() - 1 - t, b.size() - 1 - t);
  return out;
}

}  // namespace oxbow::tools
