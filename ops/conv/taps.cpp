#include <oxbow/graph/support/tables.h>
#include <oxbow/ops/conv/taps.h>

#include <algorithm>

namespace oxbow::ops {

std::vector<Phase> phases(const TapAxis& a, bool adjoint) {
  const std::int64_t count = adjoint ? std::min(a.stride, std::max<std::int64_t>(a.out, 1)) : 1;
  internal::claim_table(count, sizeof(Phase));
  internal::claim_table(a.taps, sizeof(Tap));
  std::vector<Phase> all(static_cast<std::size_t>(count));
  for (std::int64_t phase = 0; phase < count; ++phase)
    all[static_cast<std::size_t>(phase)].count = adjoint ? (a.out - phase + a.stride - 1) / a.stride : a.out;
  for (std::int64_t tap = 0; tap < a.taps; ++tap) {
    const std::int64_t at = tap * a.dilation - a.pad;
    if (!adjoint) {
      all[0].taps.push_back({tap, at});
      continue;
    }
    // The one phase for which the division is exact, if there is an output of it.
    const std::int64_t phase = (at % a.stride + a.stride) % a.stride;
    if (phase < count) all[static_cast<std::size_t>(phase)].taps.push_back({tap, (phase - at) / a.stride});
  }
  if (adjoint)
    for (Phase& phase : all) std::reverse(phase.taps.begin(), phase.taps.end());
  return all;
}

std::vector<Stretch> stretches(const Phase& phase, std::int64_t step, std::int64_t size) {
  std::vector<Stretch> all;
  const auto taps = static_cast<std::int64_t>(phase.taps.size());
  const auto shift = [&](std::int64_t tap) { return phase.taps[static_cast<std::size_t>(tap)].shift; };
  // Both ends of the taps inside fall as t rises. From one stretch to the next is one step, however long it is.
  std::int64_t first = taps, last = taps;
  for (std::int64_t t = 0; t < phase.count;) {
    while (first > 0 && t * step + shift(first - 1) >= 0) --first;
    while (last > 0 && t * step + shift(last - 1) >= size) --last;
    std::int64_t end = phase.count;
    if (first > 0) end = std::min(end, (step - 1 - shift(first - 1)) / step);
    if (last > 0) end = std::min(end, (size + step - 1 - shift(last - 1)) / step);
    all.push_back({t, end, first, last});
    t = end;
  }
  return all;
}

}  // namespace oxbow::ops
