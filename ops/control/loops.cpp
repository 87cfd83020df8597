#include <oxbow/graph/leaves.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/control/bodies.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>

#include <algorithm>
#include <numeric>

namespace oxbow {

using namespace ops;

namespace {

[[noreturn]] void refuse(const char* builder, const std::string& problem, At at, const std::string& remedy) {
  throw BuildError(builder, problem + at_line(at) + "\n  " + remedy);
}

ScanWay way(const std::vector<ScanWay>& ways, std::size_t i) { return i < ways.size() ? ways[i] : ScanWay{}; }

// x with axis `from` at the place `to`, the others in their order.
Value moved(Value x, int from, int to, At at) {
  if (from == to) return x;
  std::vector<std::int64_t> order(static_cast<std::size_t>(x.rank()));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  order.erase(order.begin() + from);
  order.insert(order.begin() + to, from);
  return transpose(x, order, at);
}

}  // namespace

RepeatResult scan(std::vector<Value> carried, std::vector<Value> sequences,
                  const std::function<RepeatNext(const RepeatStep&)>& body, ScanLoopOptions options, At at) {
  if (sequences.empty()) refuse("scan", "no sequence is given", at, "Give at least one, or use `repeat`");
  std::int64_t steps = 0;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    Value& x = sequences[i];
    if (!x) refuse("scan", "sequence " + std::to_string(i) + " is an empty Value", at, "Build it first");
    const ScanWay w = way(options.inputs, i);
    const std::int64_t axis = w.axis < 0 ? w.axis + x.rank() : w.axis;
    if (axis < 0 || axis >= x.rank())
      refuse("scan", "sequence " + std::to_string(i) + " is " + to_string(x.type()), at,
             "Give a value with the axis " + std::to_string(w.axis));
    x = moved(x, static_cast<int>(axis), 0, at);
    if (w.reverse) x = flip(x, {0}, at);
    if (i == 0) steps = x.shape()[0];
    if (x.shape()[0] != steps)
      refuse("scan",
             "sequence " + std::to_string(i) + " has " + std::to_string(x.shape()[0]) + " steps beside " +
                 std::to_string(steps),
             at, "Give sequences of one length");
  }
  RepeatResult result =
      repeat(steps, std::move(carried), body, {.slices = std::move(sequences), .name = options.name}, at);
  for (std::size_t i = 0; i < result.stacked.size(); ++i) {
    Value& y = result.stacked[i];
    const ScanWay w = way(options.outputs, i);
    const std::int64_t axis = w.axis < 0 ? w.axis + y.rank() : w.axis;
    if (axis < 0 || axis >= y.rank())
      refuse("scan", "stacked value " + std::to_string(i) + " is " + to_string(y.type()), at,
             "Stack it along one of its axes, not " + std::to_string(w.axis));
    if (w.reverse) y = flip(y, {0}, at);
    y = moved(y, 0, static_cast<int>(axis), at);
  }
  return result;
}

WhileResult while_loop(std::int64_t most, std::vector<Value> carried,
                       const std::function<Value(const std::vector<Value>&)>& condition,
                       const std::function<RepeatNext(const WhileStep&)>& body, WhileOptions options, At at) {
  if (most < 0) refuse("while_loop", "it cannot have " + std::to_string(most) + " steps", at, "Give at least 0");
  if (carried.empty()) refuse("while_loop", "it carries nothing", at, "Give the first value of what it carries");
  for (const Value& v : carried)
    if (!v) refuse("while_loop", "a carried value is empty", at, "Build it first");
  Graph& g = carried[0].graph();
  const auto count = carried.size();
  std::vector<Value> in{constant(g, Tensor::scalar(std::int64_t{0}), at)};  // the trips
  in.insert(in.end(), carried.begin(), carried.end());
  const RepeatResult done = repeat(
      most, in,
      [&](const RepeatStep& s) {
        const Value trip = s.carried[0];
        const std::vector<Value> now(s.carried.begin() + 1, s.carried.end());
        std::vector<Type> stacked;  // of what the body gives beside what it carries
        const auto then = [&] {
          RepeatNext next = body({trip, now});
          if (next.carried.size() != count)
            refuse("while_loop",
                   "the body gives " + std::to_string(next.carried.size()) + " carried values, but takes " +
                       std::to_string(count),
                   at, "Return the next value of each");
          std::vector<Value> all{add(trip, 1, at)};
          all.insert(all.end(), next.carried.begin(), next.carried.end());
          for (const Value& v : next.stacked) stacked.push_back(v.type());
          all.insert(all.end(), next.stacked.begin(), next.stacked.end());
          return all;
        };
        const auto otherwise = [&] {
          std::vector<Value> all = s.carried;
          for (const Type& t : stacked) all.push_back(constant(trip.graph(), Tensor(t), at));
          return all;
        };
        const std::vector<Value> next = cond(condition(now), then, otherwise, {}, at);
        const auto middle = next.begin() + static_cast<std::ptrdiff_t>(count) + 1;
        return RepeatNext{.carried = {next.begin(), middle}, .stacked = {middle, next.end()}};
      },
      {.name = std::move(options.name)}, at);
  return {{done.carried.begin() + 1, done.carried.end()}, done.stacked, done.carried[0]};
}

}  // namespace oxbow
