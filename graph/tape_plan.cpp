#include <oxbow/graph/single.h>
#include <oxbow/graph/tape_plan.h>

#include <algorithm>
#include <numeric>

namespace oxbow {
namespace {

constexpr std::int64_t lanes = 512;  // of a slot
constexpr std::int64_t vector = 16;  // as many lanes as the widest vector has
// A tile's slots and its stretches of the arrays should fit in here, half of the first cache: the other half takes what
// the processor fetches ahead. Adam on arrays in memory takes twice as long where they fill all of it.
constexpr std::int64_t cache = 16 * 1024;
constexpr std::int64_t fewest_lanes = 256;  // below which calls cost more than the second cache

std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

std::vector<Type> types_of(std::span<const std::int32_t> values, const std::vector<Type>& types) {
  std::vector<Type> of;
  of.reserve(values.size());
  for (const std::int32_t v : values) of.push_back(types[static_cast<std::size_t>(v)]);
  return of;
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
      if (step.args.size() + producer->args.size() > Tape::max_operands) continue;
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

TapePlan::TapePlan(const Tape& tape, Types in, std::span<const std::int32_t> consumed, std::int64_t grain) {
  settle(tape, tape.types(in), consumed, grain);
}

// The axes of `from` against those of `to`, outermost first, merged where both are contiguous or both repeat.
TapePlan::Spread TapePlan::spread(const Type& from, const Type& to) {
  Spread s;
  const int lead = to.shape.rank() - from.shape.rank();
  std::int64_t stride = 1;
  for (int axis = to.shape.rank() - 1; axis >= 0; --axis) {
    const std::int64_t size = to.shape[axis];
    if (size == 1) continue;
    const bool repeats = axis < lead || from.shape[axis - lead] == 1;
    Dim* outer = s.rank > 0 ? &s.dims[static_cast<std::size_t>(s.rank - 1)] : nullptr;
    if (outer != nullptr && (outer->stride == 0) == repeats)
      outer->size *= size;  // merged: a dense operand's next axis goes on where this one ends
    else
      s.dims[static_cast<std::size_t>(s.rank++)] = {size, repeats ? 0 : stride};
    if (!repeats) {
      stride *= size;
      s.period = std::max<std::int64_t>(to.shape.count(axis, to.shape.rank()), 1);
    }
  }
  if (s.rank == 0) s.dims[static_cast<std::size_t>(s.rank++)] = {1, 0};
  return s;  // innermost axis first
}

// The number of the operand that is the single element of this input; `values` is the first such number.
std::int32_t TapePlan::single(std::int32_t input, std::int32_t values) {
  for (const auto& [operand, of] : singles_)
    if (of == input) return operand;
  singles_.emplace_back(values + static_cast<std::int32_t>(singles_.size()), input);
  return singles_.back().first;
}

void TapePlan::settle(const Tape& tape, const std::vector<Type>& types, std::span<const std::int32_t> consumed,
                      std::int64_t grain) {
  inputs_ = tape.inputs;
  const auto values = static_cast<std::int32_t>(types.size());
  const Type& common = tape.steps.empty() ? types[0] : types[static_cast<std::size_t>(inputs_)];
  std::int64_t widest = 1;
  for (const Type& t : types) {
    sizes_.push_back(size_of(t.dtype));
    widest = std::max(widest, sizes_.back());
  }

  // Routines, and the last of them that reads each value; `values` stands for the end of the tile.
  std::vector<std::int32_t> last(types.size(), -1);
  for (Merged& step : merged_steps(tape, types, consumed)) {
    const auto first = static_cast<std::int32_t>(args_.size()), count = static_cast<std::int32_t>(step.args.size());
    const std::vector<Type> operands = types_of(step.args, types);
    for (std::size_t i = 0; i < operands.size(); ++i) {
      std::int32_t& v = step.args[i];
      std::optional<Op> taken;
      if (v < inputs_ && operands[i].count() == 1 && operands[i].shape != common.shape)
        taken = step.op.absorb(static_cast<int>(i), Single{}, operands);
      if (taken) {
        step.op = *std::move(taken);
        v = single(v, values);
      } else {
        last[static_cast<std::size_t>(v)] = static_cast<std::int32_t>(routines_.size());
      }
    }
    args_.insert(args_.end(), step.args.begin(), step.args.end());
    ops_.push_back(std::move(step.op));
    routines_.push_back({ops_.back().tile(operands), ops_.back().self(), first, count, step.result});
  }
  for (const Tape::Step& step : tape.steps) flops_ += step.op.work(types_of(tape.args_of(step), types)).flops;
  flops_ /= static_cast<double>(std::max<std::int64_t>(common.count(), 1));
  for (const std::int32_t v : consumed) last[static_cast<std::size_t>(v)] = values;

  std::vector<bool> in_array(types.size());
  for (std::int32_t o = 0; o < static_cast<std::int32_t>(tape.outputs.size()); ++o) {
    const std::int32_t v = tape.outputs[static_cast<std::size_t>(o)];
    (v < inputs_ ? copies_ : writes_).push_back({v, o, sizes_[static_cast<std::size_t>(v)]});
    if (v < inputs_) last[static_cast<std::size_t>(v)] = values;
    in_array[static_cast<std::size_t>(v)] = true;
  }

  // Tiles are multiples of the grain, of a vector, and of short rows' periods, so that these are laid out once.
  std::int64_t quantum = grain;
  const auto keep_whole = [&](std::int64_t period) {
    if (const std::int64_t both = std::lcm(quantum, period); both > 0 && both <= lanes) quantum = both;
  };
  keep_whole(vector);
  for (std::int32_t v = 0; v < inputs_; ++v) {
    const Type& type = types[static_cast<std::size_t>(v)];
    if (type.shape == common.shape) {
      reads_.push_back({v, v, sizes_[static_cast<std::size_t>(v)]});
    } else if (last[static_cast<std::size_t>(v)] >= 0) {
      spreads_.push_back(spread(type, common));
      spreads_.back().input = v;
      spreads_.back().repeat = Single{}.tile(std::span(&type, 1));
      keep_whole(spreads_.back().period);
    }
  }

  // Slots by linear scan. A result takes the slot of an operand that it reads last, if the elements are as wide.
  std::vector<std::int32_t> slot(types.size(), -1), spare;
  std::int32_t count = static_cast<std::int32_t>(spreads_.size());
  const auto release = [&](std::int32_t s, bool same_width) {
    for (std::int32_t a = routines_[static_cast<std::size_t>(s)].first, i = 0;
         i < routines_[static_cast<std::size_t>(s)].count; ++i) {
      const auto v = static_cast<std::size_t>(args_[static_cast<std::size_t>(a + i)]);
      if (v >= types.size()) continue;  // a single element
      const bool same = sizes_[v] == sizes_[static_cast<std::size_t>(routines_[static_cast<std::size_t>(s)].result)];
      if (last[v] == s && slot[v] >= 0 && same == same_width) {
        spare.push_back(slot[v]);
        last[v] = -1;
      }
    }
  };
  for (std::int32_t s = 0; s < static_cast<std::int32_t>(routines_.size()); ++s) {
    release(s, true);
    const auto result = static_cast<std::size_t>(routines_[static_cast<std::size_t>(s)].result);
    if (!in_array[result]) {
      if (spare.empty()) spare.push_back(count++);
      slot[result] = spare.back();
      spare.pop_back();
      if (last[result] < 0) spare.push_back(slot[result]);  // read by nobody
    }
    release(s, false);
  }
  direct_ = spreads_.empty() && count == 0 && routines_.size() <= 1;
  std::int64_t most = lanes;
  const auto arrays = static_cast<std::int64_t>(reads_.size() + writes_.size());
  while ((count + arrays) * most * widest > cache && most / 2 >= std::max(fewest_lanes, quantum)) most /= 2;
  tile_ = std::max<std::int64_t>(most / quantum, 1) * quantum;

  const std::int64_t bytes = round_up(tile_ * widest, 64);
  const auto singles = static_cast<std::int64_t>(singles_.size());
  const std::int64_t table = round_up((values + singles) * static_cast<std::int64_t>(sizeof(void*)), 64);
  for (std::size_t i = 0; i < spreads_.size(); ++i) spreads_[i].slot = table + static_cast<std::int64_t>(i) * bytes;
  for (std::int32_t v = inputs_; v < values; ++v)
    if (slot[static_cast<std::size_t>(v)] >= 0)
      slots_.push_back({v, table + slot[static_cast<std::size_t>(v)] * bytes});
  scratch_ = table + count * bytes;
}

}  // namespace oxbow
