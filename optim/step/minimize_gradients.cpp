#include <oxbow/ops/control.h>
#include <oxbow/ops/control/stop_gradient.h>
#include <oxbow/ops/elementwise.h>
#include <oxbow/ops/gradients.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/broadcast.h>
#include <oxbow/optim/step/step_builder.h>

#include <algorithm>

namespace oxbow::optim::internal {

namespace {

// What `gradients` gives where nothing flows: zeros.
bool nothing_flows(Value gradient) {
  const Node n = gradient.node();
  const auto number = constant_number(n.op().is<ops::BroadcastLike>() ? n.input(0) : gradient);
  return number && *number == 0;
}

}  // namespace

void StepBuilder::differentiate() {
  if (!options_.loss_scale) {
    out_.gradients = gradients(out_.loss, out_.parameters, at_);
    check_differentiable();
    return;
  }
  loss_scale_ = number("loss_scale", options_.loss_scale->initial);
  out_.gradients = gradients(out_.loss, cast(loss_scale_, out_.loss.dtype()), out_.parameters, at_);
  check_differentiable();
  for (Value& g : out_.gradients) g = g * cast(1.0 / loss_scale_, g.dtype());
}

void StepBuilder::check_differentiable() const {
  if (!std::all_of(out_.gradients.begin(), out_.gradients.end(), nothing_flows)) return;
  // The first node that makes something without a gradient, an integer or a truth value, of what parameters gave.
  std::vector<bool> follows(static_cast<std::size_t>(out_.loss.node_id()) + 1);
  for (const Value& p : out_.parameters) follows[static_cast<std::size_t>(p.node_id())] = true;
  std::string why = "its derivative is 0 everywhere";
  for (NodeId i = 0; i <= out_.loss.node_id(); ++i) {
    const Node n = graph_.node(i);
    const std::vector<Value> in = n.inputs();
    const auto followed = [&](Value v) { return follows[static_cast<std::size_t>(v.node_id())]; };
    const bool reads = needed_[static_cast<std::size_t>(i)] && std::any_of(in.begin(), in.end(), followed);
    if (!reads) continue;
    if (!is_float(n.output().dtype()) || n.op().is<ops::StopGradient>()) {
      why = to_string(n) + " lets no gradient through" + at_line(n.origin().at);
      break;
    }
    follows[static_cast<std::size_t>(i)] = true;
  }
  fail("the loss " + to_string(out_.loss.node()) + " gives no parameter a gradient: " + why,
       "Minimize a loss that changes smoothly, such as cross_entropy(logits, labels), and give this one as a metric");
}

Value StepBuilder::samples() const {
  if (options_.samples) return cast(options_.samples, f64);
  for (NodeId i = 0; i <= out_.loss.node_id(); ++i) {
    const Node n = graph_.node(i);
    const auto* in = n.op().as<ops::Input>();
    if (in && needed_[static_cast<std::size_t>(i)] && std::count(in->free_axes.begin(), in->free_axes.end(), 0))
      return count_like(cast(n.output(), f64), {0});  // of the shape alone
  }
  return constant(graph_, 1, f64);
}

// Sums of gradients, each times its minibatch's samples; the step divides by all samples.
void StepBuilder::accumulate() {
  const OriginGuard guard = scope("accumulated");
  const Value batches = out_.gathered = state("batches", {i64, {}});
  const Value before = number("samples", 0), now = samples();
  const Value first = equal(batches, 0.0);  // what was there is of the last step
  const Value all = in_order(graph_, [&] { return where(first, 0.0, before) + now; });
  const Value divisor = where(equal(all, 0.0), 1.0, all);  // of empty minibatches alone the sums are 0
  out_.gathering = {assign(batches, batches + 1.0), assign(before, all)};
  out_.updates = {assign(batches, batches * 0.0)};
  for (std::size_t i = 0; i < out_.parameters.size(); ++i) {
    Value& g = out_.gradients[i];
    const Value sums = state("accumulated/sum", variable_of(out_.parameters[i]));
    const Value sum = in_order(graph_, [&] { return where(first, 0.0, sums) + g * cast(now, g.dtype()); });
    out_.gathering.push_back(assign(sums, sum));
    g = sum / cast(divisor, g.dtype());
  }
  out_.gathering.insert(out_.gathering.end(), layers_.begin(), layers_.end());
}

Value StepBuilder::zero_if_finite(std::size_t i, Value clipped) {
  const Value g = out_.gradients[i], p = out_.parameters[i];
  const Optimizer& optimizer = optimizer_of(i);
  if (!optimizer.squares()) return sum(g * 0.0);
  for (const Slot& slot : optimizer.slots(variable_of(p)))
    if (slot.name.text == optimizer.sum()) {
      const Value kept = (slot_of(optimizer, slot, p) + clipped * clipped) * 0.0;
      return sum(clipped.same(g) ? kept : g * 0.0 + kept);
    }
  // No square(clipped), which the optimizer takes as well: a check within its pass keeps that from writing in place.
  const Value square_of = clipped * clipped * 0.0;
  return sum(clipped.same(g) ? square_of : g * 0.0 + square_of);
}

void StepBuilder::check_finite(const std::vector<Value>& clipped) {
  const bool dynamic = options_.loss_scale && options_.loss_scale->dynamic;
  if (options_.nonfinite == Nonfinite::keep && !dynamic) return;
  if (options_.nonfinite == Nonfinite::fail) {
    for (std::size_t i = 0; i < out_.parameters.size(); ++i) {
      const std::string squares =
          optimizer_of(i).squares()
              ? " One whose square is infinite, which " + std::string(optimizer_of(i).name()) + " would keep" +
                    (optimizer_of(i).sum().empty() ? "" : ", or makes the sum of all so") + ", counts as Inf."
              : "";
      out_.updates.push_back(require_finite(zero_if_finite(i, clipped[i]),
                                            "the gradient of " + variable_of(out_.parameters[i]).name,
                                            "Variables are as before this step." + squares +
                                                " A smaller learning rate or clip.global_norm helps against growing "
                                                "gradients; compile with {.numerics = {.check = "
                                                "CheckNumerics::results}} to find the node"));
    }
    if (!dynamic) return;
  }
  Value zeros;
  for (std::size_t i = 0; i < out_.parameters.size(); ++i) {
    const Value own = cast(zero_if_finite(i, clipped[i]), f64);
    zeros = zeros ? zeros + own : own;
  }
  const Value finite = equal(zeros, 0.0), skipped = state("skipped", {i64, {}});
  out_.updates.push_back(assign(skipped, where(finite, skipped, skipped + 1.0)));
  if (dynamic) {
    const Value good = number("good_steps", 0);
    const LossScale::Next next = options_.loss_scale->next(loss_scale_, good, finite);
    out_.updates.push_back(assign(loss_scale_, next.scale));
    out_.updates.push_back(assign(good, next.good));
  }
  finite_ = finite;
}

const Optimizer& StepBuilder::optimizer_of(std::size_t parameter) const {
  const int k = groups_[parameter];
  return k >= 0 && options_.groups[static_cast<std::size_t>(k)].optimizer
             ? *options_.groups[static_cast<std::size_t>(k)].optimizer
             : optimizer_;
}

}  // namespace oxbow::optim::internal
