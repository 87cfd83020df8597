// Branches and loops.
#include <oxbow/graph/op.h>
#include <oxbow/ops/ops.h>

#include <algorithm>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

// A branch that a constant chooses is the only one that is built.
Outputs branch(Context& c) {
  const GraphProto &then = c.body("then_branch"), &otherwise = c.body("else_branch");
  if (const auto known = c.fixed(0)) return c.build(*known->bytes() != std::byte{} ? then : otherwise, {});
  const Value condition = reshape(c[0], std::vector<std::int64_t>{});
  return cond(
      condition, [&] { return c.build(then, {}); }, [&] { return c.build(otherwise, {}); });
}

// States first, then slices along axis 0 of the inputs; a body gives states, then what is stacked.
Outputs scanned(Context& c) {
  const auto count = static_cast<std::size_t>(c.integer("num_scan_inputs"));
  const GraphProto& body = c.body("body");
  const auto some = [&](const char* name, std::int64_t other) {
    const auto list = c.integers(name).value_or(std::vector<std::int64_t>{});
    return std::any_of(list.begin(), list.end(), [&](std::int64_t i) { return i != other; });
  };
  for (const char* name : {"scan_input_axes", "scan_output_axes", "scan_input_directions", "scan_output_directions"})
    if (some(name, 0)) c.fail(std::string(name) + " other than 0 are not there yet");
  std::vector<Value> all = c.all();
  if (all.size() < count) c.fail("it has fewer inputs than it scans");
  const auto states = static_cast<std::ptrdiff_t>(all.size() - count);
  const std::vector<Value> slices(all.begin() + states, all.end());
  all.resize(static_cast<std::size_t>(states));
  const auto step = [&](const RepeatStep& s) {
    std::vector<Value> in = s.carried;
    in.insert(in.end(), s.slices.begin(), s.slices.end());
    std::vector<Value> out = c.build(body, in);
    RepeatNext next;
    next.carried.assign(out.begin(), out.begin() + states);
    next.stacked.assign(out.begin() + states, out.end());
    return next;
  };
  RepeatResult done = repeat(slices.at(0).shape()[0], all, step, {.slices = slices});
  done.carried.insert(done.carried.end(), done.stacked.begin(), done.stacked.end());
  return done.carried;
}

constexpr Operator list[] = {
    {"If", branch},
    {"Scan", scanned, 9},
};

}  // namespace

Operators control_operators() { return list; }

}  // namespace oxbow::onnx
