#include <oxbow/ops/control/require_finite.h>
#include <oxbow/ops/gradients.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/pointwise/cast.h>
#include <oxbow/ops/pointwise/compare.h>
#include <oxbow/ops/reduction/reduce.h>
#include <oxbow/optim/step/step_builder.h>

#include <algorithm>

namespace oxbow::optim {

void StepBuilder::differentiate() {
  if (!options_.loss_scale) {
    out_.gradients = gradients(out_.loss, out_.parameters, at_);
    return;
  }
  loss_scale_ = number("loss_scale", options_.loss_scale->initial);
  out_.gradients = gradients(out_.loss, cast(loss_scale_, out_.loss.dtype()), out_.parameters, at_);
  for (Value& g : out_.gradients) g = g * cast(1.0 / loss_scale_, g.dtype());
}

Value StepBuilder::samples() const {
  if (options_.samples) return cast(options_.samples, f64);
  for (NodeId i = 0; i <= out_.loss.node_id(); ++i) {
    const Node n = graph_.node(i);
    const auto* in = n.op().as<Input>();
    if (in && needed_[static_cast<std::size_t>(i)] && std::count(in->free_axes.begin(), in->free_axes.end(), 0))
      return count_like(cast(n.output(), f64), {0});  // of the shape alone
  }
  return constant(graph_, 1, f64);
}

// Sums of gradients, each times its minibatch's samples; the step divides by all samples.
void StepBuilder::accumulate() {
  const OriginGuard guard = scope("accumulated");
  const Value batches = state("batches", {i64, {}}), before = number("samples", 0), now = samples();
  const Value first = equal(batches, 0.0);  // what was there is of the last step
  const Value all = in_order(graph_, [&] { return select(first, 0.0, before) + now; });
  out_.gathering = {assign(batches, batches + 1.0), assign(before, all)};
  out_.updates = {assign(batches, batches * 0.0)};
  for (std::size_t i = 0; i < out_.parameters.size(); ++i) {
    Value& g = out_.gradients[i];
    const Value sums = state("accumulated/sum", variable_of(out_.parameters[i]));
    const Value sum = in_order(graph_, [&] { return select(first, 0.0, sums) + g * cast(now, g.dtype()); });
    out_.gathering.push_back(assign(sums, sum));
    g = sum / cast(all, g.dtype());
  }
  out_.gathering.insert(out_.gathering.end(), layers_.begin(), layers_.end());
}

void StepBuilder::look_for_nonfinite() {
  const bool dynamic = options_.loss_scale && options_.loss_scale->dynamic;
  if (options_.nonfinite == Nonfinite::keep && !dynamic) return;
  if (options_.nonfinite == Nonfinite::fail) {
    for (std::size_t i = 0; i < out_.parameters.size(); ++i)
      out_.updates.push_back(require_finite(sum(out_.gradients[i] * 0.0),  // 0, or NaN
                                            "the gradient of " + variable_of(out_.parameters[i]).name,
                                            "Variables are as before this step. A smaller learning rate or "
                                            "clip.global_norm helps against growing gradients; compile with "
                                            "{.numerics = {.check = CheckNumerics::results}} to find the node"));
    if (!dynamic) return;
  }
  Value zeros;
  for (const Value& g : out_.gradients) {
    const Value own = cast(sum(g * 0.0), f64);
    zeros = zeros ? zeros + own : own;
  }
  const Value finite = equal(zeros, 0.0), skipped = state("skipped", {i64, {}});
  out_.updates.push_back(assign(skipped, select(finite, skipped, skipped + 1.0)));
  if (dynamic) {
    const Value good = number("good_steps", 0);
    const LossScale::Next next = options_.loss_scale->next(loss_scale_, good, finite);
    out_.updates.push_back(assign(loss_scale_, next.scale));
    out_.updates.push_back(assign(good, next.good));
  }
  finite_ = finite;
}

}  // namespace oxbow::optim
