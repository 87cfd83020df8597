#include <oxbow/ops/conv/taps.h>

#include <algorithm>

namespace oxbow::ops {

std::vector<Phase> phases(const TapAxis& a, bool adjoint) {
  std::vector<Phase> all(static_cast<std::size_t>(adjoint ? std::min(a.stride, std::max<std::int64_t>(a.out, 1)) : 1));
  for (std::size_t p = 0; p < all.size(); ++p) {
    const auto phase = static_cast<std::int64_t>(p);
    all[p].count = adjoint ? (a.out - phase + a.stride - 1) / a.stride : a.out;
    for (std::int64_t tap = 0; tap < a.taps; ++tap) {
      const std::int64_t at = tap * a.dilation - a.pad;
      if (!adjoint) all[p].taps.push_back({tap, at});
      if (adjoint && (phase - at) % a.stride == 0) all[p].taps.push_back({tap, (phase - at) / a.stride});
    }
    if (adjoint) std::reverse(all[p].taps.begin(), all[p].taps.end());
  }
  return all;
}

std::vector<Stretch> stretches(const Phase& phase, std::int64_t step, std::int64_t size) {
  std::vector<Stretch> all;
  const auto taps = static_cast<std::int64_t>(phase.taps.size());
  const auto reads = [&](std::int64_t t, std::int64_t tap) {
    return t * step + phase.taps[static_cast<std::size_t>(tap)].shift;
  };
  // Both ends of the taps inside fall as t rises, so they are followed, not looked for.
  std::int64_t first = taps, last = taps;
  for (std::int64_t t = 0; t < phase.count; ++t) {
    while (first > 0 && reads(t, first - 1) >= 0) --first;
    while (last > 0 && reads(t, last - 1) >= size) --last;
    if (!all.empty() && all.back().first == first && all.back().last == last)
      all.back().end = t + 1;
    else
      all.push_back({t, t + 1, first, last});
  }
  return all;
}

}  // namespace oxbow::ops
