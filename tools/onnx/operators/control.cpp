// Branches and loops.
#include <oxbow/graph/known.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/op.h>
#include <oxbow/ops/ops.h>

#include <algorithm>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

// The only element of what is known to be true or false.
std::optional<bool> truth(const std::optional<Tensor>& t) {
  if (!t) return std::nullopt;
  if (t->dtype() != boolean || t->count() != 1)
    throw Error("a condition is " + to_string(t->type()) + ", not one bool");
  return *t->data<bool>();
}

// A branch that a constant chooses is the only one that is built.
Outputs branch(Context& c) {
  const GraphProto &then = c.body("then_branch"), &otherwise = c.body("else_branch");
  if (const auto known = truth(c.fixed(0))) return c.build(*known ? then : otherwise, {});
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
  for (const char* name : {"scan_input_axes", "scan_output_axes"})
    if (some(name, 0)) c.fail(std::string(name) + " other than 0 are not there yet");
  const bool reverse = some("scan_input_directions", 0);
  for (const char* name : {"scan_input_directions", "scan_output_directions"})
    if (some(name, reverse ? 1 : 0)) c.fail("inputs and outputs in both directions are not there yet");
  std::vector<Value> all = c.all();
  if (reverse && !c.has_attribute("scan_output_directions") && c.outputs() + static_cast<int>(count) > c.inputs())
    c.fail("inputs and outputs in both directions are not there yet");
  if (all.size() < count) c.fail("it has fewer inputs than it scans");
  const auto states = static_cast<std::ptrdiff_t>(all.size() - count);
  const std::vector<Value> slices(all.begin() + states, all.end());
  all.resize(static_cast<std::size_t>(states));
  const auto step = [&](const RepeatStep& s) {
    std::vector<Value> in = s.carried;
    in.insert(in.end(), s.slices.begin(), s.slices.end());
    const std::vector<Value> out = c.build(body, in);
    if (static_cast<std::ptrdiff_t>(out.size()) < states) c.fail("its body gives fewer values than it carries");
    RepeatNext next;
    next.carried.assign(out.begin(), out.begin() + states);
    next.stacked.assign(out.begin() + states, out.end());
    return next;
  };
  RepeatResult done = repeat(slices.at(0).shape()[0], all, step, {.slices = slices, .reverse = reverse});
  done.carried.insert(done.carried.end(), done.stacked.begin(), done.stacked.end());
  return done.carried;
}

bool reads(const GraphProto& body, const std::string& name) {
  for (const NodeProto& node : body.node()) {
    if (std::find(node.input().begin(), node.input().end(), name) != node.input().end()) return true;
    for (const AttributeProto& a : node.attribute())
      if (a.has_g() && reads(a.g(), name)) return true;
  }
  return std::any_of(body.output().begin(), body.output().end(), [&](const auto& o) { return o.name() == name; });
}

// A body takes the number of its step, whether it goes on, and the states; it gives whether to go on, states, and what
// is stacked. One that reads the number of its step is written out, since shapes may depend on it, and ends where it
// says so; any other is a `repeat`. What it depends on when a loop ends has to be known.
class Loop {
 public:
  explicit Loop(Context& c) : c_(c), body_(c.body("body")) {
    if (c.has(0)) most_ = c.fixed_integers(0).value().at(0);
    if (body_.input_size() < 2 || body_.output_size() < c.inputs() - 1)
      c.fail("its body takes or gives too few values");
    for (int i = 2; i < c.inputs(); ++i) states_.push_back(c[i]);
  }

  std::vector<Value> run() {
    const auto begins = truth(c_.fixed(1));
    if (c_.has(1) && !begins) c_.fail("whether it begins depends on data, which is not there yet");
    if (begins && !*begins) most_ = 0;
    if (!most_ || reads(body_, body_.input(0).name())) return written_out();
    const auto step = [&](const RepeatStep& s) {
      const std::vector<Value> out = next(s.slices[0], s.carried);
      if (!goes_on(out)) c_.fail("it ends before its number of steps, which is not there yet");
      return RepeatNext{.carried = carried(out), .stacked = stacked(out)};
    };
    RepeatResult done = repeat(*most_, states_, step, {.slices = {arange(c_.graph(), *most_)}});
    done.carried.insert(done.carried.end(), done.stacked.begin(), done.stacked.end());
    return done.carried;
  }

 private:
  std::vector<Value> written_out() {
    std::vector<std::vector<Value>> rows(static_cast<std::size_t>(body_.output_size()) - 1 - states_.size());
    std::vector<Value> now = states_;
    bool more = true;
    for (std::int64_t i = 0; more && (!most_ || i < *most_); ++i) {
      const Scope scope(c_.graph(), std::to_string(i));
      const std::vector<Value> out = next(constant(c_.graph(), Tensor::scalar(i)), now);
      more = goes_on(out);
      now = carried(out);
      const std::vector<Value> parts = stacked(out);
      for (std::size_t k = 0; k < rows.size(); ++k) rows[k].push_back(with_axes(parts[k], {0}));
    }
    for (const auto& parts : rows) {
      if (parts.empty()) c_.fail("it stacks the values of no step, whose shape is not known");
      now.push_back(concat(parts, 0));
    }
    return now;
  }

  std::vector<Value> next(Value number, const std::vector<Value>& states) {
    std::vector<Value> in{number, constant(c_.graph(), 1, boolean)};
    in.insert(in.end(), states.begin(), states.end());
    return c_.build(body_, in);
  }
  bool goes_on(const std::vector<Value>& out) {
    const auto known = truth(known_value(out[0]));
    if (!known) c_.fail("whether it goes on depends on data, which is not there yet");
    return *known;
  }
  std::vector<Value> carried(const std::vector<Value>& out) {
    return {out.begin() + 1, out.begin() + 1 + static_cast<std::ptrdiff_t>(states_.size())};
  }
  std::vector<Value> stacked(const std::vector<Value>& out) {
    return {out.begin() + 1 + static_cast<std::ptrdiff_t>(states_.size()), out.end()};
  }

  Context& c_;
  const GraphProto& body_;
  std::optional<std::int64_t> most_;
  std::vector<Value> states_;
};

constexpr Operator list[] = {
    {"If", branch},
    {"Loop", [](Context& c) -> Outputs { return Loop(c).run(); }},
    {"Scan", scanned, 9},
};

}  // namespace

Operators control_operators() { return list; }

}  // namespace oxbow::onnx
