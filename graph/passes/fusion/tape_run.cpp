// The running half of tape_plan.h: what a warm step executes, free of allocation and look-ups.
#include <oxbow/graph/passes/fusion/tape_plan.h>
#include <oxbow/graph/support/align.h>

#include <algorithm>
#include <cstring>

namespace oxbow::internal {

void TapePlan::lay_out(const Spread& s, const std::byte* from, std::int64_t size, std::int64_t first,
                       std::int64_t lanes, std::byte* to) {
  std::array<std::int64_t, Shape::max_rank> at{};
  std::int64_t place = 0;
  for (std::int32_t d = 0; d < s.rank; ++d) {
    const Axis& axis = s.axes[static_cast<std::size_t>(d)];
    at[static_cast<std::size_t>(d)] = first % axis.size;
    first /= axis.size;
    place += at[static_cast<std::size_t>(d)] * axis.stride;
  }
  const Axis& inner = s.axes[0];
  while (true) {
    const std::int64_t run = std::min(inner.size - at[0], lanes);
    const void* at_place = from + place * size;
    if (inner.stride == 0)
      s.repeat(nullptr, &at_place, to, run);
    else
      std::memcpy(to, at_place, static_cast<std::size_t>(run * size));
    if ((lanes -= run) == 0) return;
    to += run * size;
    place -= at[0] * inner.stride;
    at[0] = 0;
    for (std::int32_t d = 1; d < s.rank; ++d) {
      const Axis& axis = s.axes[static_cast<std::size_t>(d)];
      std::int64_t& index = at[static_cast<std::size_t>(d)];
      place += axis.stride;
      if (++index < axis.size) break;
      place -= index * axis.stride;
      index = 0;
    }
  }
}

void TapePlan::run(const Source* in, std::span<const View> out, std::int64_t begin, std::int64_t end,
                   std::byte* scratch, std::span<const Sink> sinks, bool fresh) const {
  if (begin >= end) return;
  const auto** at = reinterpret_cast<const void**>(scratch);
  for (const Fixed& f : slots_) at[f.place] = scratch + f.of;
  for (const Fixed& f : singles_) at[f.place] = in[f.of].bytes;
  for (const Moving& m : reads_) at[m.place] = in[m.array].bytes + (begin - in[m.array].first) * m.size;
  for (const Moving& m : writes_) at[m.place] = out[static_cast<std::size_t>(m.array)].bytes + begin * m.size;
  const std::int64_t step = direct_ ? end - begin : tile_;
  for (std::int64_t first = begin; first < end; first += step) {
    const std::int64_t lanes = std::min(step, end - first);
    for (const Spread& s : spreads_) {
      const std::int64_t size = sizes_[static_cast<std::size_t>(s.input)];
      const Axis& inner = s.axes[0];
      const std::byte* operand = scratch + s.slot;
      if (inner.stride == 1 && s.period == inner.size && first % inner.size + lanes <= inner.size)
        operand = in[s.input].bytes + first % inner.size * size;  // a row, within which the tile lies
      else if ((first == begin && (fresh || s.period != 1)) || tile_ % s.period != 0)
        lay_out(s, in[s.input].bytes, size, first, lanes, scratch + s.slot);
      for (const std::int32_t place : s.places) at[place] = operand;
    }
    for (const Routine& r : routines_) r.fn(r.op, at + r.first, const_cast<void*>(at[r.result]), lanes);
    for (std::size_t i = 0; i < sinks.size(); ++i)
      sinks[i].consumer->take(*sinks[i].consumer, sinks[i].state, at[sunk_[i]], first - begin, lanes);
    for (const Moving& m : copies_) {
      std::byte* to = out[static_cast<std::size_t>(m.array)].bytes + first * m.size;
      if (to != at[m.place]) std::memcpy(to, at[m.place], static_cast<std::size_t>(lanes * m.size));
    }
    for (const Moving& m : reads_) at[m.place] = static_cast<const std::byte*>(at[m.place]) + step * m.size;
    for (const Moving& m : writes_) at[m.place] = static_cast<const std::byte*>(at[m.place]) + step * m.size;
  }
}

void TapePlan::run_chunks(const Source* in, std::span<const View> out, std::int64_t begin, std::int64_t end,
                          std::byte* scratch) const {
  const std::size_t count = consumers_.size();
  if (count == 0) return run(in, out, begin, end, scratch, {}, true);
  std::array<Sink, max_reductions> sinks;
  std::byte* state = scratch + states_;
  for (std::size_t i = 0; i < count; ++i) {
    sinks[i] = {&consumers_[i], state};
    state += aligned(consumers_[i].state);
  }
  const std::span<const View> reduced = out.last(count);
  std::int64_t first = begin;
  do {
    const std::int64_t last = std::min(first + chunk(), end);
    for (const Sink& s : std::span(sinks).first(count)) s.consumer->begin(*s.consumer, s.state);
    run(in, out, first, last, scratch, std::span(sinks).first(count), first == begin);
    for (std::size_t i = 0; i < count; ++i)
      consumers_[i].end(consumers_[i], sinks[i].state, first / chunk(), last - first, reduced[i].bytes);
    first = last;
  } while (first < end);
}

void TapePlan::run(std::span<const ConstView> in, std::span<const View> out, std::int64_t begin, std::int64_t end,
                   std::byte* scratch) const {
  std::array<Source, max_inputs> sources;
  for (std::size_t i = 0; i < in.size(); ++i) sources[i] = {in[i].bytes, 0};
  run_chunks(sources.data(), out, begin, end, scratch);
}

void TapePlan::run(std::span<const ConstView> others, std::span<const View> out, const TapeBlock& block,
                   std::byte* scratch) const {
  std::array<Source, max_inputs> sources;
  for (std::size_t i = 0; i < others.size(); ++i) sources[i + 1] = {others[i].bytes, 0};
  const auto* result = static_cast<const std::byte*>(block.result);
  if (block.stride == block.columns && block.result_stride == block.columns) {
    sources[0] = {result, block.first};
    run_chunks(sources.data(), out, block.first, block.first + block.rows * block.columns, scratch);
    return;
  }
  for (std::int64_t row = 0; row < block.rows; ++row) {
    const std::int64_t first = block.first + row * block.stride;
    sources[0] = {result + row * block.result_stride * sizes_[0], first};
    run(sources.data(), out, first, first + block.columns, scratch, {}, row == 0);
  }
}

}  // namespace oxbow::internal
