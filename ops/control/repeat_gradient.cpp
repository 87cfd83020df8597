#include <oxbow/graph/leaves.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/control/bodies.h>
#include <oxbow/ops/control/repeat.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/shape.h>

#include <algorithm>

namespace oxbow::ops {
namespace {

// The gradient of a repeat: repeats of its steps in reverse, whose sums go on from what flowed to its inputs before, so
// that they have the bits of the unrolled graph's. While it changes from step to step to which carried and captured
// values something flows, each is of a single step: what nothing flows to is not the same as zero. All others are one.
// The first step is a repeat of its own where something flowed to what it carries before, to which its shares are added
// one by one, or where the node has that value as another input too: there they are one.
// A value that is both stacked and captured has two shares here, each summed by itself: there alone the last bits may
// differ from the unrolled graph's.
class BackwardSteps {
 public:
  BackwardSteps(const Repeat& op, const Node& n, Values dy, Values sums)
      : op_(op),
        n_(n),
        g_(n.graph()),
        c_(op.carried),
        s_(op.sliced),
        k_(static_cast<std::int64_t>(op.body.outputs().size()) - op.carried),
        in_(n.inputs()),
        dy_(dy.begin(), dy.end()),
        before_(sums.begin(), sums.end()),
        carried_(dy_.begin(), dy_.begin() + c_),
        sums_(before_.begin() + c_ + s_, before_.end()),
        first_(index(c_)) {
    body_ = op.body.typed(step_types(in_, c_, s_));
    for (std::int64_t i = 0; i < c_; ++i) {
      one_value_.push_back(i);
      for (std::size_t j = index(i) + 1; j < in_.size(); ++j)
        if (!is_sliced(j) && in_[j].same(in_[index(i)])) one_value_.back() = static_cast<std::int64_t>(j);
      joins_ = joins_ || one_value_.back() != i || before_[index(i)];
    }
  }

  std::vector<Value> grads() {
    for (std::int64_t left = op_.steps; left > 0;) left -= take_back(left);
    std::vector<Value> all(in_.size());
    for (std::size_t i = 0; i < sums_.size(); ++i) all[index(c_ + s_) + i] = sums_[i];
    for (std::int64_t i = 0; i < c_; ++i)
      all[index(i)] = first_[index(i)] ? first_[index(i)] : sum_of(before_[index(i)], carried_[index(i)]);
    for (std::int64_t i = c_; i < c_ + s_; ++i)
      if (const Value dx = put_together(i - c_)) all[index(i)] = sum_of(before_[index(i)], dx);
    return all;
  }

 private:
  bool is_sliced(std::size_t i) const { return i >= index(c_) && i < index(c_ + s_); }
  Value entry(std::int64_t i) const { return n_.output(static_cast<int>(c_ + k_ + i)); }
  const Value& d_stacked(std::int64_t j) const { return dy_[index(c_ + j)]; }
  const Value& d_entry(std::int64_t i) const { return dy_[index(c_ + k_ + i)]; }

  // The body that goes a step back, as it is built, and the values of the graph around it that its inputs get.
  struct Body : SubgraphBuilder {
    using SubgraphBuilder::SubgraphBuilder;
    std::vector<Value> carried, stacked, captured;

    Value carry(const Value& v) {
      if (!v) return {};
      carried.push_back(v);
      return input(v.type());
    }
    Value slice_of(const Value& whole) {
      if (!whole) return {};
      stacked.push_back(whole);
      return input({whole.dtype(), whole.shape().without(0)});
    }
  };

  // Goes back over the last of the first `left` steps, or over more of them; returns how many these are.
  std::int64_t take_back(std::int64_t left) {
    const bool joined = joins_ && left == 1;  // what the step carries are inputs of the node
    const auto is_other = [&](std::int64_t i) { return joined && i < c_ && one_value_[index(i)] != i; };
    const auto first_captured = c_ + s_, all = static_cast<std::int64_t>(in_.size());
    Body b(body_.graph());
    std::vector<Value> in(in_.size()), before(in_.size()), dy;
    for (const Value& v : carried_) dy.push_back(b.carry(v));
    for (std::int64_t i = first_captured; i < all; ++i) before[index(i)] = b.carry(sums_[index(i - first_captured)]);
    std::vector<Value> first(index(c_));
    for (std::int64_t i = 0; joined && i < c_; ++i)
      if (!is_other(i)) first[index(i)] = b.carry(before_[index(i)]);
    for (std::int64_t i = 0; i < c_; ++i)
      if (!is_other(i)) in[index(i)] = b.slice_of(entry(i));
    for (std::int64_t i = c_; i < first_captured; ++i) in[index(i)] = b.slice_of(in_[index(i)]);
    for (std::int64_t j = 0; j < k_; ++j) dy.push_back(b.slice_of(d_stacked(j)));
    for (std::int64_t i = 0; i < c_; ++i) before[index(i)] = sum_of(first[index(i)], b.slice_of(d_entry(i)));
    for (std::int64_t i = first_captured; i < all; ++i) {
      b.captured.push_back(in_[index(i)]);
      in[index(i)] = b.input(in_[index(i)].type());
    }
    for (std::int64_t i = 0; i < c_; ++i) {
      if (!is_other(i)) continue;
      const std::size_t one = index(one_value_[index(i)]);
      in[index(i)] = in[one];
      before[one] = sum_of(before[one], before[index(i)]);
    }
    const std::vector<Value> total = flow_through(body_, b.graph(), in, dy, before);

    bool steady = true;
    for (std::int64_t i = 0; i < c_; ++i) steady = steady && bool(total[index(i)]) == bool(carried_[index(i)]);
    for (std::size_t i = 0; i < sums_.size(); ++i) steady = steady && bool(total[index(c_ + s_) + i]) == bool(sums_[i]);
    const std::int64_t count = !steady ? 1 : joins_ && left > 1 ? left - 1 : left;
    const std::int64_t from = op_.reverse ? op_.steps - left : left - count;  // in the stacked values
    for (Value& whole : b.stacked) whole = slice(whole, 0, from, from + count);

    // What flows on to what flowed before is carried; what begins to flow in a single step is given out of it.
    for (std::int64_t i = 0; i < c_; ++i)
      if (carried_[index(i)]) b.output(total[index(i)] ? total[index(i)] : dy[index(i)]);
    for (std::size_t i = 0; i < sums_.size(); ++i)
      if (sums_[i]) b.output(total[index(c_ + s_) + i]);
    for (std::int64_t i = 0; i < c_; ++i)
      if (first[index(i)]) b.output(total[index(i)]);
    std::vector<std::int64_t> given;  // inputs of the body
    for (std::int64_t i = 0; i < all; ++i)
      if (total[index(i)] && (is_sliced(index(i)) || !flowing(i)) && !(i < c_ && first[index(i)])) {
        b.output(total[index(i)]);
        given.push_back(i);
      }
    const Node back = append(b, count);
    int next = 0;
    for (std::int64_t i = 0; i < c_; ++i)
      if (Value& v = carried_[index(i)]; v) {
        v = total[index(i)] ? back.output(next) : Value();
        ++next;
      }
    for (Value& sum : sums_)
      if (sum) sum = back.output(next++);
    for (std::int64_t i = 0; i < c_; ++i)
      if (first[index(i)]) first_[index(i)] = back.output(next++);
    Part part{from, count, std::vector<Value>(index(s_))};
    for (const std::int64_t i : given) {
      const Value whole = back.output(next++);
      if (is_sliced(index(i)))
        part.slices[index(i - c_)] = whole;
      else
        flowing(i) = reshape(whole, slice(shape_of(whole), 0, 1));  // of any size
    }
    parts_.push_back(std::move(part));
    return count;
  }

  static Value sum_of(const Value& a, const Value& b) { return a && b ? a + b : a ? a : b; }

  // What has flowed to an input that is carried or captured.
  Value& flowing(std::int64_t i) { return i < c_ ? carried_[index(i)] : sums_[index(i - c_ - s_)]; }

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

  // The gradient of a stacked input, from those of its parts: nothing where none has one.
  Value put_together(std::int64_t i) {
    std::vector<Value> values;
    bool any = false;
    std::sort(parts_.begin(), parts_.end(), [](const Part& a, const Part& b) { return a.from < b.from; });
    for (const Part& part : parts_) {
      const Value& v = part.slices[index(i)];
      any = any || v;
      const Value& whole = in_[index(c_ + i)];
      values.push_back(v ? v
                         : broadcast_like(constant(g_, 0, whole.dtype(), At::current()),
                                          slice(whole, 0, part.from, part.from + part.count)));
    }
    if (!any) return {};
    return values.size() == 1 ? values[0] : concat(values, 0, At::current());
  }

  struct Part {
    std::int64_t from, count;   // which slices of the stacked inputs
    std::vector<Value> slices;  // of each such input, its gradient
  };

  const Repeat& op_;
  const Node n_;
  Graph& g_;
  const std::int64_t c_, s_, k_;  // how many are carried, sliced, stacked
  const std::vector<Value> in_, dy_, before_;
  Subgraph body_;
  std::vector<Value> carried_, sums_;    // what has flowed to the carried and the captured values
  std::vector<Value> first_;             // to what the first step carries, with what flowed there before
  std::vector<std::int64_t> one_value_;  // of each carried value: the last carried or captured one that is the same
  bool joins_ = false;                   // whether there is another such one
  std::vector<Part> parts_;
};

}  // namespace

Grads Repeat::gradient(const Node& n, Values dy, Values sums) const {
  const Scope scope(n.graph(), "gradient");
  return BackwardSteps(*this, n, dy, sums).grads();
}

}  // namespace oxbow::ops
