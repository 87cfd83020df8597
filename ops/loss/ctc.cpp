// Connectionist temporal classification: the probability of a text, summed over all ways in which it may be spread over
// the steps, by the forward recursion in logarithms.
#include <oxbow/graph/graph.h>
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/control/require_within.h>
#include <oxbow/ops/loss/shared.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/numbers.h>

#include <limits>

namespace oxbow {
namespace {

// The logarithm of nothing: a number, so that slopes are numbers too, and out of reach of any other.
constexpr double never = -1e30;

void check(Value p, Value labels, Value steps, Value lengths, At at) {
  const auto fail = [&](const std::string& problem, const std::string& remedy) {
    throw BuildError("ctc_loss", problem + at_line(at) + "\n  " + remedy);
  };
  if (!p || !labels || !steps || !lengths) fail("an operand is an empty Value", "Give all four");
  if (!is_float(p.dtype()) || p.rank() != 3)
    fail("log_probabilities are " + to_string(p.type()), "Give floating point [steps, batch, classes]");
  const Shape batch{p.shape()[1]};
  if (!is_integer(labels.dtype()) || labels.rank() != 2 || labels.shape()[0] != batch[0])
    fail("labels are " + to_string(labels.type()) + " for " + to_string(p.type()), "Give integers [batch, length]");
  for (const Value& v : {steps, lengths})
    if (!is_integer(v.dtype()) || v.shape() != batch)
      fail("lengths are " + to_string(v.type()) + " for " + to_string(p.type()), "Give integers [batch]");
}

// What is `by` places further left, and nothing at the first ones.
Value shifted(Value x, std::int64_t by, At at) { return slice(pad(x, {{0, 0}, {by, 0}}, never, at), 1, 0, -by, at); }

}  // namespace

Value ctc_loss(Value log_probabilities, Value labels, Value input_lengths, Value label_lengths, CtcOptions o, At at) {
  check(log_probabilities, labels, input_lengths, label_lengths, at);
  const Value own = log_probabilities, p = cast(own, is_narrow(own.dtype()) ? f32 : own.dtype(), at);
  if (o.blank < 0 || o.blank >= p.shape()[2])
    throw BuildError("ctc_loss", "there is no class " + std::to_string(o.blank) + " for the blank" + at_line(at) +
                                     "\n  Give one of the " + std::to_string(p.shape()[2]));
  return as_called("ctc_loss", [&] {
    Graph& g = p.graph();
    const DType dtype = p.dtype();
    const auto whole = [&](double v) { return constant(g, v, i64, at); };
    const Value zero = whole(0), one = whole(1), blank = whole(static_cast<double>(o.blank));
    const auto size = [&](Value like, int axis) { return ops::size_of_axis(like, axis, at); };
    const auto places = [&](Value like, int axis) { return arange(zero, size(like, axis), one, at); };
    const auto lengths = [&](Value of, Value most, const char* what) {
      return reshape(ops::require_within(of, add(most, 1, at), what, at), {-1, 1}, at);
    };
    const Value classes = size(p, 2);
    const Value length = lengths(input_lengths, size(p, 0), "input length");
    const Value letters = lengths(label_lengths, size(labels, 1), "label length");
    // Blanks before, between and behind the labels, [batch, states].
    const Value counts = less(places(labels, 1), letters, at);
    const Value text = ops::require_within(where(counts, cast(labels, i64, at), blank, at), classes, "label", at);
    const Value blanks = broadcast_like(blank, text, {}, at);
    const Value pairs = concat({reshape(blanks, {0, 0, 1}, at), reshape(text, {0, 0, 1}, at)}, 2, at);
    const Value last = broadcast_like(reshape(blank, {1}, at), input_lengths, {}, at);
    const Value states = concat({reshape(pairs, {0, -1}, at), reshape(last, {-1, 1}, at)}, 1, at);
    // A state may follow the one before the last where that is another label.
    const Value before = slice(pad(states, {{0, 0}, {2, 0}}, static_cast<double>(o.blank), at), 1, 0, -2, at);
    const Value is_label = not_equal(states, blank, at);
    const Value skips = logical_and(is_label, not_equal(states, before, at), at);
    // The log-probability of each state at each step: [steps, batch, states].
    const Value rows = places(p, 1);
    const Value at_states = add(multiply(reshape(rows, {-1, 1}, at), classes, at), states, at);
    const Value emitted = gather(reshape(p, {0, -1}, at), at_states, 1, at);

    const Value number = places(states, 1);  // of a state
    const Value at_first = oxbow::equal(number, zero, at);
    const Value first = where(at_first, constant(g, 0, dtype, at), never, at);
    const Value start = broadcast_like(first, cast(states, dtype, at), {}, at);
    const auto step = [&](const RepeatStep& s) {
      const Value now = s.carried[0], one_on = shifted(now, 1, at);
      const Value two_on = where(skips, shifted(now, 2, at), never, at);
      const Value most = stop_gradient(maximum(maximum(now, one_on, at), two_on, at), at);
      Value all = exp(subtract(now, most, at), at);
      all = add(all, exp(subtract(one_on, most, at), at), at);
      all = add(all, exp(subtract(two_on, most, at), at), at);
      const Value next = add(add(log(all, at), most, at), s.slices[0], at);
      return RepeatNext{.carried = {where(less(s.slices[1], length, at), next, now, at)}};
    };
    const Value reached = repeat(p.shape()[0], {start}, step, {.slices = {emitted, places(p, 0)}}, at).carried[0];
    const Value end = multiply(letters, 2, at);
    const Value on_blank = oxbow::equal(number, end, at), on_label = oxbow::equal(number, subtract(end, 1, at), at);
    const Value ends = logical_or(on_blank, on_label, at);
    const Value found = negate(logsumexp(where(ends, reached, never, at), -1, false, at), at);
    const double infinity = std::numeric_limits<double>::infinity();
    Value losses = where(greater(found, -never / 10, at), infinity, found, at);
    if (o.reduction == Reduction::mean) losses = divide(losses, maximum(cast(label_lengths, dtype, at), 1, at), at);
    return cast(ops::reduced(losses, o.reduction, at), own.dtype(), at);
  });
}

}  // namespace oxbow
