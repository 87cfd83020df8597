#include <oxbow/graph/leaves.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/control/bodies.h>
#include <oxbow/ops/control/repeat.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/gather.h>
#include <oxbow/ops/shape/slice.h>
#include <oxbow/ops/shared/flow.h>

#include <algorithm>
#include <numeric>

namespace oxbow::ops {
namespace {

// The gradient of a repeat: repeats of its steps in reverse, whose sums go on from what flowed to its inputs before, so
// that they have the bits of the unrolled graph's. While it changes from step to step to which carried, stacked and
// captured values something flows, each is of a single step: what nothing flows to is not the same as zero. All others
// are one. The first step is a repeat of its own where something flowed to what it carries before, to which its shares
// are added one by one, or where the node has that value as another input too: there they are one.
// What flows only in some runs (a branch is in the body) takes along whether it has. Where the steps do not come to an
// end of changing, as those of two values that change places, nothing at all is carried so too.
class BackwardSteps {
 public:
  BackwardSteps(const Repeat& op, const Node& n, Flows dy, Flows sums)
      : op_(op),
        n_(n),
        g_(n.graph()),
        c_(op.carried),
        s_(op.sliced),
        k_(static_cast<std::int64_t>(op.body.outputs().size()) - op.carried),
        all_(n.input_count()),
        in_(n.inputs()),
        dy_(dy.begin(), dy.end()),
        carried_(dy_.begin(), dy_.begin() + c_),
        sums_(sums.begin(), sums.end()) {
    body_ = op.body.typed(step_types(in_, c_, s_));
    for (std::int64_t i = 0; i < all_; ++i) {
      last_.push_back(i);
      for (std::int64_t j = i + 1; j < all_; ++j)
        if (in_[index(j)].same(in_[index(i)])) last_.back() = j;
      joins_ = joins_ || (i < c_ && (last_.back() != i || sums_[index(i)]));
    }
    for (std::vector<Flow>* flows : {&carried_, &sums_})
      for (Flow& f : *flows) f.zero_if_none = false;  // for it need not be so in another step
    for (std::int64_t i = c_; i < c_ + s_; ++i) zero_fill(sums_[index(last_[index(i)])]);
    if (s_ > 0) {
      Tensor numbers({i64, {op.steps}});
      std::iota(numbers.data<std::int64_t>(), numbers.data<std::int64_t>() + op.steps, 0);
      numbers_ = constant(g_, numbers, At::current());
    }
  }

  std::vector<Flow> sums() {
    for (std::int64_t left = op_.steps; left > 0;) left -= take_back(left);
    for (std::int64_t i = 0; i < c_; ++i) {
      Flow& sum = sums_[index(last_[index(i)])];
      sum = add_flows(sum, carried_[index(i)]);
    }
    return sums_;
  }

 private:
  bool is_sliced(std::int64_t i) const { return i >= c_ && i < c_ + s_; }
  Value entry(std::int64_t i) const { return n_.output(static_cast<int>(c_ + k_ + i)); }
  const Flow& d_stacked(std::int64_t j) const { return dy_[index(c_ + j)]; }
  const Flow& d_entry(std::int64_t i) const { return dy_[index(c_ + k_ + i)]; }

  // The body that goes a step back, as it is built, and the values of the graph around it that its inputs get. Its
  // inputs are made in this order.
  struct Body : SubgraphBuilder {
    using SubgraphBuilder::SubgraphBuilder;
    std::vector<Value> carried, stacked, captured;

    Value carry(const Value& v) {
      if (!v) return {};
      carried.push_back(v);
      return input(v.type());
    }
    Flow carry(const Flow& f) {
      const Value sum = carry(f.sum);
      return {sum, carry(f.flows), f.zero_if_none};
    }
    Value slice_of(const Value& whole) {
      if (!whole) return {};
      stacked.push_back(whole);
      return input({whole.dtype(), whole.shape().without(0)});
    }
    Value capture(const Value& v) {
      if (!v) return {};
      captured.push_back(v);
      return input(v.type());
    }
  };

  // What goes from a step to the one before: outside of the body, as it comes in, and as it comes out.
  struct Passed {
    Flow& outside;
    Flow in, out = {};

    bool steady() const { return bool(outside) == bool(out) && outside.always() == out.always(); }
  };

  // The body of some steps back, while it is built. By inputs of the node, but for `dy`, which goes by its outputs.
  struct Step {
    bool
        joined;  // it is the first step alone, which adds to what the node's inputs have: what it carries is among them
    std::vector<std::int64_t> whole;  // of a value, at its last input: the input of the body that has all of it
    Body body;
    std::vector<Value> in;
    std::vector<Flow> dy, before, sums;
    Value number = {};  // of the slice
    std::vector<Passed> passed = {};
  };

  Step begin(bool joined) const {
    std::vector<std::int64_t> whole(in_.size(), -1);
    for (std::int64_t i = joined ? 0 : c_; i < all_; ++i)
      if (!is_sliced(i)) whole[index(last_[index(i)])] = i;
    return {joined,
            std::move(whole),
            Body(body_.graph()),
            std::vector<Value>(in_.size()),
            {},
            std::vector<Flow>(in_.size()),
            std::vector<Flow>(in_.size())};
  }
  std::int64_t whole_of(const Step& s, std::int64_t i) const { return s.whole[index(last_[index(i)])]; }
  // Whether it is carried, and the same value as an input that has all of it.
  bool is_other(const Step& s, std::int64_t i) const { return s.joined && i < c_ && whole_of(s, i) != i; }
  bool has_sum(const Step& s, std::int64_t i) const { return last_[index(i)] == i && (i >= c_ || s.joined); }

  // Goes back over the last of the first `left` steps, or over more of them; returns how many these are.
  std::int64_t take_back(std::int64_t left) {
    Step s = begin(joins_ && left == 1);
    const bool all_there = changes_ > 2 * all_;  // see above
    if (all_there) complete(s);
    make_inputs(s);
    add_up_before(s);
    const std::vector<Flow> flow = flow_through(body_, s.body.graph(), s.in, s.dy, s.before);
    for (std::int64_t i = 0; i < all_; ++i)
      if (const std::int64_t one = s.whole[index(i)]; one >= 0) s.sums[index(i)] = flow[index(one)];
    add_slices(s, flow, left);

    std::size_t next = 0;
    for (std::int64_t i = 0; i < c_; ++i) s.passed[next++].out = s.joined ? Flow() : flow[index(i)];  // in the sums
    for (std::int64_t i = 0; i < all_; ++i)
      if (has_sum(s, i)) s.passed[next++].out = s.sums[index(i)];
    if (all_there)
      for (Passed& p : s.passed)
        if (p.outside)
          p.out = {p.out ? p.out.sum : p.in.sum, p.out.flows ? p.out.flows : truth(s.body.graph(), bool(p.out))};
    return run_back(s.body, s.passed, left);
  }

  // The body's inputs: what is carried, then slices, then what is captured.
  void make_inputs(Step& s) {
    Body& b = s.body;
    for (Flow& f : carried_) {
      s.dy.push_back(b.carry(f));
      s.passed.push_back({f, s.dy.back()});
    }
    for (std::int64_t i = 0; i < all_; ++i)
      if (has_sum(s, i)) {
        s.sums[index(i)] = b.carry(sums_[index(i)]);
        s.passed.push_back({sums_[index(i)], s.sums[index(i)]});
      }
    for (std::int64_t i = 0; i < c_; ++i)
      if (!is_other(s, i)) s.in[index(i)] = b.slice_of(entry(i));
    for (std::int64_t i = c_; i < c_ + s_; ++i) s.in[index(i)] = b.slice_of(in_[index(i)]);
    for (std::int64_t j = 0; j < k_; ++j) s.dy.push_back(b.slice_of(d_stacked(j).sum));
    for (std::int64_t i = 0; i < c_; ++i) s.before[index(i)] = b.slice_of(d_entry(i).sum);
    s.number = b.slice_of(numbers_);
    for (std::int64_t i = c_ + s_; i < all_; ++i) s.in[index(i)] = b.capture(in_[index(i)]);
    for (std::int64_t j = 0; j < k_; ++j) s.dy[index(c_ + j)].flows = b.capture(d_stacked(j).flows);
    for (std::int64_t i = 0; i < c_; ++i) s.before[index(i)].flows = b.capture(d_entry(i).flows);
  }

  // What has flowed to the body's inputs before this step, each value at the input that has all of it.
  void add_up_before(Step& s) {
    for (std::int64_t i = 0; i < all_; ++i)
      if (const std::int64_t one = s.whole[index(i)]; one >= 0)
        s.before[index(one)] = add_flows(s.sums[index(i)], s.before[index(one)]);
    for (std::int64_t i = 0; i < c_; ++i) {
      if (!is_other(s, i)) continue;
      const std::size_t one = index(whole_of(s, i));
      s.in[index(i)] = s.in[one];
      s.before[one] = add_flows(s.before[one], s.before[index(i)]);
    }
  }

  // Adds what flows to the slices to the stacked values' sums: last, as the unrolled graph reads slices before all
  // else.
  void add_slices(Step& s, const std::vector<Flow>& flow, std::int64_t left) {
    for (std::int64_t i = c_ + s_ - 1; i >= c_; --i) {
      const Flow& part = flow[index(i)];
      if (!part) continue;
      Flow& sum = s.sums[index(last_[index(i)])];
      if (sum)
        sum = {apply(GatherAdd{.axis = 0}, {or_zero(sum), s.number, or_nothing(part)}, At::current()),
               sum.always() || part.always() ? Value() : logical_or(sum.flows, part.flows), true};
      else
        sum = {first_part(or_zero(part), s.body.capture(in_[index(i)]), place(left)), part.flows, true};
    }
    for (std::int64_t i = c_; i < c_ + s_; ++i) zero_fill(s.sums[index(last_[index(i)])]);
  }

  // Appends the repeat of this body; returns of how many steps. What flows on to what flowed before is carried; what
  // begins to flow in a single step is given out of it.
  std::int64_t run_back(Body& b, std::vector<Passed>& passed, std::int64_t left) {
    const bool steady = std::all_of(passed.begin(), passed.end(), [](const Passed& p) { return p.steady(); });
    if (!steady) ++changes_;
    const std::int64_t count = !steady ? 1 : joins_ && left > 1 ? left - 1 : left;
    const std::int64_t from = op_.reverse ? place(left) : left - count;
    for (Value& stacked : b.stacked) stacked = slice(stacked, 0, from, from + count);

    const auto parts = {&Flow::sum, &Flow::flows};
    std::vector<std::pair<Value, Value*>> given;
    for (const Passed& p : passed)
      for (Value Flow::*part : parts)
        if (p.outside.*part)
          b.output(p.out.*part ? p.out.*part : p.in.*part);
        else if (p.out.*part)
          given.emplace_back(p.out.*part, &(p.outside.*part));
    for (const auto& [v, to] : given) b.output(v);
    const Node back = append(b, count);
    int next = 0;
    for (const Passed& p : passed)
      for (Value Flow::*part : parts)
        if (Value& v = p.outside.*part; v) {
          const Value now = back.output(next++);
          v = p.out.*part ? now : Value();
        }
    for (const auto& [v, to] : given) {
      const Value stacked = back.output(next++);
      *to = reshape(stacked, slice(shape_of(stacked), 0, 1));  // of any size
    }
    return count;
  }

  // Says of everything whether it has flowed, of what has not too.
  void complete(const Step& s) {
    const auto fill = [&](Flow& f, const Value& like) {
      if (!is_float(like.dtype())) return;
      const bool is_there{f};
      if (!is_there) f.sum = filled(0, like);
      if (!f.flows) f.flows = truth(g_, is_there);
    };
    for (std::int64_t i = 0; i < c_; ++i) fill(carried_[index(i)], in_[index(i)]);
    for (std::int64_t i = 0; i < all_; ++i)
      if (has_sum(s, i)) fill(sums_[index(i)], in_[index(i)]);
  }

  static Value truth(Graph& g, bool is) { return constant(g, is, boolean); }

  // A stacked value's sum, to which slices are added, is 0 where nothing was added.
  static void zero_fill(Flow& sum) {
    if (sum) sum.sum = or_zero(sum);
    sum.zero_if_none = true;
  }

  // Which slice of the stacked values the last of the first `left` steps reads.
  std::int64_t place(std::int64_t left) const { return op_.reverse ? op_.steps - left : left - 1; }

  // The gradient of a stacked value to which nothing has flowed but to this slice.
  static Value first_part(const Value& part, const Value& stacked, std::int64_t at) {
    const Value row = reshape_like(part, slice(stacked, 0, at, at + 1), At::current());
    return apply(SliceGradient{.axis = 0, .begin = at, .end = at + 1}, {row, stacked}, At::current());
  }

  Node append(const Body& b, std::int64_t count) {
    std::vector<Value> inputs = b.carried;
    inputs.insert(inputs.end(), b.stacked.begin(), b.stacked.end());
    inputs.insert(inputs.end(), b.captured.begin(), b.captured.end());
    return g_.append(Repeat{.steps = count,
                            .carried = static_cast<std::int64_t>(b.carried.size()),
                            .sliced = static_cast<std::int64_t>(b.stacked.size()),
                            .reverse = !op_.reverse,
                            .body = b.build()},
                     inputs, At::current());
  }

  const Repeat& op_;
  const Node n_;
  Graph& g_;
  const std::int64_t c_, s_, k_, all_;  // how many are carried, sliced, stacked; how many inputs there are
  const std::vector<Value> in_;
  const std::vector<Flow> dy_;
  Subgraph body_;
  std::vector<Flow> carried_;       // what has flowed to the carried values
  std::vector<Flow> sums_;          // to each value that is an input of the node, at its last input
  std::vector<std::int64_t> last_;  // of each input: the last one that is the same value
  bool joins_ = false;        // whether what the first step carries has a sum to go on from, or is another input too
  std::int64_t changes_ = 0;  // how many steps flowed to other values than the step behind them
  Value numbers_;             // of the slices of stacked values
};

}  // namespace

std::vector<Flow> Repeat::flow_back(const Node& n, Flows dy, Flows sums) const {
  const Scope scope(n.graph(), "gradient");
  return BackwardSteps(*this, n, dy, sums).sums();
}

}  // namespace oxbow::ops
