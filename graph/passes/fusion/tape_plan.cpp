#include <oxbow/graph/passes/fusion/single.h>
#include <oxbow/graph/passes/fusion/tape_plan.h>
#include <oxbow/graph/support/align.h>

#include <algorithm>
#include <numeric>

namespace oxbow::internal {
namespace {

constexpr std::int64_t lanes = 1024;  // of a slot
constexpr std::int64_t vector = 16;   // as many lanes as the widest vector has
// Bytes of a tile's slots and its stretches of the arrays. Tiles are short, so that a processor, which looks some 500
// instructions ahead, asks memory for the next one while it still computes. With twice as much, Adam on arrays in
// memory takes 6 to 15 % longer and eight cheap steps 11 %; in cache Adam takes up to 5 % less.
constexpr std::int64_t cache = 8 * 1024;
constexpr std::int64_t fewest_lanes = 256;  // below which calls cost more than the second cache

std::vector<Type> types_of(std::span<const std::int32_t> values, const std::vector<Type>& types) {
  std::vector<Type> of;
  of.reserve(values.size());
  for (const std::int32_t v : values) of.push_back(types[static_cast<std::size_t>(v)]);
  return of;
}

const Type& common_type(const Tape& tape, const std::vector<Type>& types) {
  return types[tape.steps.empty() ? 0 : static_cast<std::size_t>(tape.inputs)];
}

// A tile's elements, each taking so many bytes of slots and arrays together: a multiple of `quantum`.
std::int64_t tile_size(std::int64_t bytes_per_element, std::int64_t quantum) {
  std::int64_t most = lanes;
  while (most * bytes_per_element > cache && most / 2 >= std::max(fewest_lanes, quantum)) most /= 2;
  return std::max<std::int64_t>(most / quantum, 1) * quantum;
}

// A step, perhaps with those merged into it that computed its operands.
struct Merged {
  Op op;
  std::vector<std::int32_t> args;
  std::int32_t result;
};

// The tape's steps, each merged with producers that nobody else reads where the op offers one routine for both. A
// producer's reads move to the later step: no output may be written in between, it could lie in the bytes read.
std::vector<Merged> merged_steps(const Tape& tape, const std::vector<Type>& types,
                                 std::span<const std::int32_t> consumed) {
  std::vector<int> readers(types.size());
  std::vector<bool> written(types.size());
  for (const std::int32_t v : tape.args) ++readers[static_cast<std::size_t>(v)];
  for (const std::int32_t v : consumed) readers[static_cast<std::size_t>(v)] += 2;
  for (const std::int32_t v : tape.outputs) {
    readers[static_cast<std::size_t>(v)] += 2;
    written[static_cast<std::size_t>(v)] = true;
  }
  std::vector<Merged> steps;
  const auto merge = [&](Merged& step) {
    for (std::size_t i = 0; i < step.args.size(); ++i) {
      const std::int32_t v = step.args[i];
      if (v < tape.inputs || readers[static_cast<std::size_t>(v)] != 1) continue;
      const auto producer = std::find_if(steps.rbegin(), steps.rend(), [&](const Merged& m) {
        return m.result == v || written[static_cast<std::size_t>(m.result)];
      });
      if (producer == steps.rend() || producer->result != v) continue;
      std::optional<Op> both = step.op.absorb(static_cast<int>(i), producer->op, types_of(step.args, types));
      if (!both) continue;
      step.op = *std::move(both);
      step.args.erase(step.args.begin() + static_cast<std::ptrdiff_t>(i));
      step.args.insert(step.args.begin() + static_cast<std::ptrdiff_t>(i), producer->args.begin(),
                       producer->args.end());
      steps.erase(std::next(producer).base());
      return true;
    }
    return false;
  };
  std::int32_t result = tape.inputs;
  for (const Tape::Step& step : tape.steps) {
    const auto args = tape.args_of(step);
    Merged next{step.op, {args.begin(), args.end()}, result++};
    while (merge(next)) continue;
    steps.push_back(std::move(next));
  }
  return steps;
}

}  // namespace

TapePlan::TapePlan(const Tape& tape, Types in, std::span<const Tape::Reduction> reductions) {
  const std::vector<Type> types = tape.types(in);
  for (const Type& t : types) sizes_.push_back(size_of(t.dtype));
  std::vector<std::int32_t> consumed;
  std::int64_t grain = 1, states = 0;
  double flops = 0;
  for (const Tape::Reduction& r : reductions) {
    const Types read = std::span(types).subspan(index(r.of), 1);
    consumed.push_back(r.of);
    const Consumer& c = consumers_.emplace_back(r.op.consume(read));
    invariant(c.chunk > 0 && c.grain > 0 && c.chunk % c.grain == 0,
              "a reduction's chunk is not a multiple of its grain");
    invariant(c.chunk == consumers_[0].chunk, "reductions of different chunks are fused");
    grain = std::lcm(grain, c.grain);
    states += aligned(c.state);
    flops += r.op.work(read).flops;
  }
  const std::vector<Pointee> places = settle_routines(tape, types, consumed);
  settle_places(tape, types, places, settle_spreads(tape, types, places, grain));
  for (const Tape::Reduction& r : reductions) ops_.push_back(r.op);
  flops_ += flops / static_cast<double>(std::max<std::int64_t>(common_type(tape, types).count(), 1));
  states_ = scratch_;
  scratch_ += states;
}

// The axes of `from` against those of `to`, merged where both are contiguous or both repeat.
TapePlan::Spread TapePlan::spread(const Type& from, const Type& to) {
  Spread s;
  const int lead = to.shape.rank() - from.shape.rank();
  std::int64_t stride = 1;
  for (int axis = to.shape.rank() - 1; axis >= 0; --axis) {
    const std::int64_t size = to.shape[axis];
    if (size == 1) continue;
    const bool repeats = axis < lead || from.shape[axis - lead] == 1;
    Axis* outer = s.rank > 0 ? &s.axes[static_cast<std::size_t>(s.rank - 1)] : nullptr;
    if (outer != nullptr && (outer->stride == 0) == repeats)
      outer->size *= size;  // merged: a dense operand's next axis goes on where this one ends
    else
      s.axes[static_cast<std::size_t>(s.rank++)] = {size, repeats ? 0 : stride};
    if (!repeats) {
      stride *= size;
      s.period = std::max<std::int64_t>(to.shape.count(axis, to.shape.rank()), 1);
    }
  }
  if (s.rank == 0) s.axes[static_cast<std::size_t>(s.rank++)] = {1, 0};
  return s;
}

// Routines, and what their places and those of sinks and copies point to.
std::vector<TapePlan::Pointee> TapePlan::settle_routines(const Tape& tape, const std::vector<Type>& types,
                                                         std::span<const std::int32_t> consumed) {
  const Type& common = common_type(tape, types);
  std::vector<Merged> steps = merged_steps(tape, types, consumed);
  std::vector<Pointee> places;
  for (Merged& step : steps) {
    const std::vector<Type> operands = types_of(step.args, types);
    const auto first = static_cast<std::int32_t>(places.size());
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const std::int32_t v = step.args[i];
      places.push_back({v});
      if (v >= tape.inputs || operands[i].count() != 1 || operands[i].shape == common.shape) continue;
      if (std::optional<Op> taken = step.op.absorb(static_cast<int>(i), Single{}, operands)) {
        step.op = *std::move(taken);
        places.back().single = true;
      }
    }
    ops_.push_back(step.op);
    routines_.push_back(
        {ops_.back().tile(operands), ops_.back().self(), first, static_cast<std::int32_t>(operands.size()), 0});
  }
  for (const Tape::Step& step : tape.steps) flops_ += step.op.work(types_of(tape.args_of(step), types)).flops;
  flops_ /= static_cast<double>(std::max<std::int64_t>(common.count(), 1));

  const auto place = [&](std::int32_t v) {
    places.push_back({v});
    return static_cast<std::int32_t>(places.size()) - 1;
  };
  for (std::size_t s = 0; s < steps.size(); ++s) routines_[s].result = place(steps[s].result);
  for (const std::int32_t v : consumed) sunk_.push_back(place(v));
  for (std::int32_t o = 0; o < static_cast<std::int32_t>(tape.outputs.size()); ++o)
    if (const std::int32_t v = tape.outputs[static_cast<std::size_t>(o)]; v < tape.inputs)
      copies_.push_back({place(v), o, sizes_[static_cast<std::size_t>(v)]});
  return places;
}

// Inputs that are laid out. Returns what tiles are multiples of: the grain, a vector, and short rows' periods, so that
// these are laid out once.
std::int64_t TapePlan::settle_spreads(const Tape& tape, const std::vector<Type>& types, std::span<const Pointee> places,
                                      std::int64_t grain) {
  const Type& common = common_type(tape, types);
  std::int64_t quantum = grain;
  const auto keep_whole = [&](std::int64_t period) {
    if (const std::int64_t both = std::lcm(quantum, period); both > 0 && both <= lanes) quantum = both;
  };
  keep_whole(vector);
  for (std::int32_t v = 0; v < tape.inputs; ++v) {
    const Type& type = types[static_cast<std::size_t>(v)];
    const auto is_laid_out = [v](const Pointee& p) { return p.value == v && !p.single; };
    if (type.shape == common.shape || std::none_of(places.begin(), places.end(), is_laid_out)) continue;
    spreads_.push_back(spread(type, common));
    spreads_.back().input = v;
    spreads_.back().repeat = Single{}.tile(std::span(&type, 1));
    keep_whole(spreads_.back().period);
  }
  return quantum;
}

// The slot of each value between steps, by linear scan, those of `spreads_` being the first; -1 for any other value. A
// result takes the slot of an operand that it reads last, if the elements are as wide.
TapePlan::Slots TapePlan::settle_slots(const Tape& tape, std::span<const Pointee> places) const {
  const auto value_at = [&](std::int32_t place) {
    return static_cast<std::size_t>(places[static_cast<std::size_t>(place)].value);
  };
  const auto operands = [&](const Routine& r) {
    return places.subspan(static_cast<std::size_t>(r.first), static_cast<std::size_t>(r.count));
  };
  const auto end = static_cast<std::int32_t>(routines_.size());
  std::vector<std::int32_t> last(sizes_.size(), -1);  // the routine that reads each value last
  for (std::int32_t r = 0; r < end; ++r)
    for (const Pointee& p : operands(routines_[static_cast<std::size_t>(r)]))
      if (!p.single) last[static_cast<std::size_t>(p.value)] = r;
  for (const std::int32_t place : sunk_) last[value_at(place)] = end;

  std::vector<std::int32_t> spare;
  Slots slots{std::vector<std::int32_t>(sizes_.size(), -1), static_cast<std::int32_t>(spreads_.size())};
  std::vector<std::int32_t>& slot = slots.of;
  const auto release = [&](std::int32_t r, std::size_t result, bool same_width) {
    for (const Pointee& p : operands(routines_[static_cast<std::size_t>(r)])) {
      if (p.single) continue;
      const auto v = static_cast<std::size_t>(p.value);
      if (last[v] == r && slot[v] >= 0 && (sizes_[v] == sizes_[result]) == same_width) {
        spare.push_back(slot[v]);
        last[v] = -1;
      }
    }
  };
  for (std::int32_t r = 0; r < end; ++r) {
    const std::size_t result = value_at(routines_[static_cast<std::size_t>(r)].result);
    release(r, result, true);
    if (std::find(tape.outputs.begin(), tape.outputs.end(), static_cast<std::int32_t>(result)) == tape.outputs.end()) {
      if (spare.empty()) spare.push_back(slots.count++);
      slot[result] = spare.back();
      spare.pop_back();
      if (last[result] < 0) spare.push_back(slot[result]);  // read by nobody
    }
    release(r, result, false);
  }
  return slots;
}

void TapePlan::settle_places(const Tape& tape, const std::vector<Type>& types, std::span<const Pointee> places,
                             std::int64_t quantum) {
  const auto [slot, slot_count] = settle_slots(tape, places);
  direct_ = spreads_.empty() && slot_count == 0 && routines_.size() <= 1;
  const Type& common = common_type(tape, types);
  const std::int64_t arrays = std::count_if(types.begin(), types.begin() + tape.inputs, [&](const Type& t) {
    return t.shape == common.shape;  // outputs mostly lie in the bytes of one of these
  });
  const std::int64_t widest = *std::max_element(sizes_.begin(), sizes_.end());
  tile_ = tile_size((slot_count + arrays) * widest, quantum);
  const std::int64_t bytes = aligned(tile_ * widest);
  const std::int64_t table = aligned(std::ssize(places) * static_cast<std::int64_t>(sizeof(void*)));
  scratch_ = table + slot_count * bytes;
  for (std::size_t i = 0; i < spreads_.size(); ++i) spreads_[i].slot = table + static_cast<std::int64_t>(i) * bytes;

  for (std::int32_t place = 0; place < std::ssize(places); ++place) {
    const Pointee p = places[static_cast<std::size_t>(place)];
    const auto value = static_cast<std::size_t>(p.value);
    if (p.single) {
      singles_.push_back({place, p.value});
    } else if (slot[value] >= 0) {
      slots_.push_back({place, table + slot[value] * bytes});
    } else if (p.value >= tape.inputs) {
      const auto output = std::find(tape.outputs.begin(), tape.outputs.end(), p.value) - tape.outputs.begin();
      writes_.push_back({place, static_cast<std::int32_t>(output), sizes_[value]});
    } else if (types[value].shape == common.shape) {
      reads_.push_back({place, p.value, sizes_[value]});
    } else {
      std::find_if(spreads_.begin(), spreads_.end(), [&](const Spread& s) {
        return s.input == p.value;
      })->places.push_back(place);
    }
  }
}

}  // namespace oxbow::internal
