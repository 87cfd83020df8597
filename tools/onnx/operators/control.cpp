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

// States first, then sequences; a body gives states, then what is stacked.
Outputs scanned(Context& c) {
  const auto count = static_cast<std::size_t>(c.integer("num_scan_inputs"));
  const GraphProto& body = c.body("body");
  std::vector<Value> all = c.all();
  if (all.size() < count) c.fail("it has fewer inputs than it scans");
  const auto states = static_cast<std::ptrdiff_t>(all.size() - count);
  const std::vector<Value> sequences(all.begin() + states, all.end());
  all.resize(static_cast<std::size_t>(states));
  const auto ways = [&](const std::string& what) {
    const auto axes = c.integers(what + "_axes").value_or(std::vector<std::int64_t>{}),
               directions = c.integers(what + "_directions").value_or(std::vector<std::int64_t>{});
    std::vector<ScanWay> all_ways(std::max(axes.size(), directions.size()));
    for (std::size_t i = 0; i < axes.size(); ++i) all_ways[i].axis = axes[i];
    for (std::size_t i = 0; i < directions.size(); ++i) all_ways[i].reverse = directions[i] != 0;
    return all_ways;
  };
  const auto step = [&](const RepeatStep& s) {
    std::vector<Value> in = s.carried;
    in.insert(in.end(), s.slices.begin(), s.slices.end());
    const std::vector<Value> out = c.build(body, in);
    if (static_cast<std::ptrdiff_t>(out.size()) < states) c.fail("its body gives fewer values than it carries");
    return RepeatNext{{out.begin(), out.begin() + states}, {out.begin() + states, out.end()}};
  };
  RepeatResult done = scan(all, sequences, step, {.inputs = ways("scan_input"), .outputs = ways("scan_output")});
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
// says so; any other is a `repeat`, or a `while_loop` where it depends on data when it ends.
class Loop {
 public:
  explicit Loop(Context& c) : c_(c), body_(c.body("body")) {
    if (c.inputs() < 2) c.fail("it has " + std::to_string(c.inputs()) + " inputs, but takes two and its states");
    if (c.has(0)) most_ = c.fixed_integer(0);
    if (body_.input_size() < 2 || body_.output_size() < c.inputs() - 1)
      c.fail("its body takes or gives too few values");
    for (int i = 2; i < c.inputs(); ++i) states_.push_back(c[i]);
  }

  std::vector<Value> run() {
    const auto begins = truth(c_.fixed(1));
    if (c_.has(1) && !begins) return by_condition();
    if (begins && !*begins) most_ = 0;
    try {
      if (!most_ || reads(body_, body_.input(0).name())) return written_out();
      const auto step = [&](const RepeatStep& s) {
        const std::vector<Value> out = next(s.slices[0], s.carried);
        if (!goes_on(out)) c_.fail("it ends before its number of steps, which is not there yet");
        return RepeatNext{.carried = carried(out), .stacked = stacked(out)};
      };
      RepeatResult done = repeat(*most_, states_, step, {.slices = {arange(c_.graph(), *most_)}});
      done.carried.insert(done.carried.end(), done.stacked.begin(), done.stacked.end());
      return done.carried;
    } catch (const DependsOnData&) {
      return by_condition();
    }
  }

 private:
  struct DependsOnData {};

  // Whether to go on is carried in front of the states.
  std::vector<Value> by_condition() {
    if (!most_) c_.fail("whether it goes on depends on data", "Give it a largest number of steps.");
    if (static_cast<std::size_t>(body_.output_size()) - 1 > states_.size())
      c_.fail("whether it goes on depends on data, and so does the shape of what it stacks");
    const auto one = [](Value v) { return reshape(v, std::vector<std::int64_t>{}); };
    std::vector<Value> first{c_.has(1) ? one(c_[1]) : constant(c_.graph(), 1, boolean)};
    first.insert(first.end(), states_.begin(), states_.end());
    const WhileResult done = while_loop(
        *most_, first, [](const std::vector<Value>& now) { return now[0]; },
        [&](const WhileStep& s) {
          const std::vector<Value> out = next(s.trip, {s.carried.begin() + 1, s.carried.end()}, s.carried[0]);
          std::vector<Value> now = carried(out);
          now.insert(now.begin(), one(out[0]));
          return RepeatNext{.carried = now, .stacked = {}};
        });
    return {done.carried.begin() + 1, done.carried.end()};
  }

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

  std::vector<Value> next(Value number, const std::vector<Value>& states, Value goes_on = {}) {
    std::vector<Value> in{number, goes_on ? goes_on : constant(c_.graph(), 1, boolean)};
    in.insert(in.end(), states.begin(), states.end());
    return c_.build(body_, in);
  }
  bool goes_on(const std::vector<Value>& out) {
    const auto known = truth(known_value(out[0]));
    if (!known) throw DependsOnData();
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
