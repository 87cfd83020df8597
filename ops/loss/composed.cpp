// Losses that are made of other functions.
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/loss/shared.h>
#include <oxbow/ops/norm.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/numbers.h>

#include <cmath>
#include <numeric>

namespace oxbow {
namespace {

using ops::check_alike, ops::reduced;

void check_float(const std::string& op, Value x, const std::string& name, At at) {
  if (x && !is_float(x.dtype()))
    throw BuildError(op, name + " is " + to_string(x.type()) + ", not floating point" + at_line(at) +
                             "\n  Cast it: cast(" + name + ", f32)");
}

// x with the classes' axis last.
Value classes_last(const std::string& op, Value x, std::int64_t axis, At at) {
  if (!x || x.rank() == 0) return x;
  int chosen = 0;
  try {
    chosen = x.shape().axis_of(axis);
  } catch (const Error& e) {
    throw BuildError(op, e.what() + at_line(at));
  }
  if (chosen == x.rank() - 1) return x;
  std::vector<std::int64_t> order;
  for (int i = 0; i < x.rank(); ++i)
    if (i != chosen) order.push_back(i);
  order.push_back(chosen);
  return transpose(x, order, at);
}

void check_weights(const std::string& op, Value x, Value weights, At at) {
  if (x && weights && x.rank() > 0 && weights.type() != Type{x.dtype(), {x.shape()[-1]}})
    throw BuildError(op, "class_weights are " + to_string(weights.type()) + " for " + to_string(x.type()) +
                             at_line(at) + "\n  Give one a class, of that dtype");
}

// Which rows count, and labels that are classes in all of them.
struct Rows {
  Value labels, counted;  // `counted` is empty where all are
};
Rows rows_of(Value labels, const ClassOptions& o, At at) {
  if (!o.ignore_index || !labels || !holds(labels.dtype(), static_cast<double>(*o.ignore_index))) return {labels, {}};
  const Value counted = not_equal(labels, static_cast<double>(*o.ignore_index), at);
  return {where(counted, labels, 0, at), counted};
}

// Losses of rows, of which `extra` is not weighted by their label.
Value weighted(Value losses, Value extra, const Rows& rows, const ClassOptions& o, At at) {
  Value weights = o.class_weights ? gather(o.class_weights, rows.labels, 0, at) : Value();
  if (weights) losses = multiply(losses, weights, at);
  if (extra) losses = add(losses, extra, at);
  if (!weights && !rows.counted) return reduced(losses, o.reduction, at);
  if (rows.counted) losses = where(rows.counted, losses, 0, at);
  if (o.reduction != Reduction::mean) return reduced(losses, o.reduction, at);
  if (!weights) weights = cast(rows.counted, losses.dtype(), at);
  if (rows.counted) weights = where(rows.counted, weights, 0, at);
  const Value all = sum(losses, {}, false, at);
  return divide(all, sum(weights, {}, false, at), at);
}

}  // namespace

Value cross_entropy(Value logits, Value labels, ClassOptions o, At at) {
  const std::string op = "cross_entropy";
  ops::check_no_softmax(op, logits, at);
  const bool dense = logits && labels && is_float(labels.dtype());
  if (dense) check_alike(op, logits, labels, "logits", "labels", at);
  return as_called(op, [&] {
    const Value x = classes_last(op, logits, o.axis, at);
    check_weights(op, x, o.class_weights, at);
    if (!o.class_weights && !o.ignore_index && o.label_smoothing == 0)
      return cross_entropy(x, dense ? classes_last(op, labels, o.axis, at) : labels, o.reduction, at);
    // What the label smoothing gives every class, of its logarithm.
    const Value information = dense || o.label_smoothing != 0 ? log_softmax(x, -1, at) : Value();
    const Value share = information ? divide(o.label_smoothing, count_like(x, -1, at), at) : Value();
    if (dense) {
      Value t = add(multiply(classes_last(op, labels, o.axis, at), 1 - o.label_smoothing, at), share, at);
      if (o.class_weights) t = multiply(t, o.class_weights, at);
      return reduced(negate(sum(masked_multiply(t, information, at), -1, false, at), at), o.reduction, at);
    }
    const Rows rows = rows_of(labels, o, at);
    Value losses = cross_entropy(x, rows.labels, Reduction::none, at), extra;
    if (o.label_smoothing != 0) {
      const Value all = o.class_weights ? multiply(information, o.class_weights, at) : information;
      extra = negate(multiply(sum(all, -1, false, at), share, at), at);
      losses = multiply(losses, 1 - o.label_smoothing, at);
    }
    return weighted(losses, extra, rows, o, at);
  });
}

Value nll_loss(Value log_probabilities, Value labels, ClassOptions o, At at) {
  const std::string op = "nll_loss";
  check_float(op, log_probabilities, "log_probabilities", at);
  const Value x = classes_last(op, log_probabilities, o.axis, at);
  check_weights(op, x, o.class_weights, at);
  if (o.label_smoothing != 0)
    throw BuildError(op, "there is no label smoothing" + at_line(at) + "\n  Use cross_entropy, which takes logits");
  if (x && labels &&
      (x.rank() == 0 || !is_integer(labels.dtype()) || labels.shape() != x.shape().without(x.rank() - 1)))
    throw BuildError(op, "labels are " + to_string(labels.type()) + " for " + to_string(log_probabilities.type()) +
                             at_line(at) + "\n  Give integers in its shape without the axis of classes");
  return as_called(op, [&] {
    const Rows rows = rows_of(labels, o, at);
    const Value chosen = where(one_hot(rows.labels, ops::size_of_axis(x, -1, at), boolean, at), x, 0, at);
    return weighted(negate(sum(chosen, -1, false, at), at), {}, rows, o, at);
  });
}

Value huber_loss(Value prediction, Value target, double delta, Reduction reduction, At at) {
  check_alike("huber_loss", prediction, target, "prediction", "target", at);
  check_float("huber_loss", prediction, "prediction", at);
  if (!(delta > 0) || !std::isfinite(delta))
    throw BuildError("huber_loss",
                     "delta is " + internal::short_number(delta) + at_line(at) + "\n  Give a finite number above 0");
  return as_called("huber_loss", [&] {
    // c (d - c / 2) with c = d where |d| <= delta, else delta or -delta: no slope is the difference of two large ones.
    const Value d = subtract(prediction, target, at), c = clip(d, -delta, delta, at);
    return reduced(multiply(c, subtract(d, multiply(c, 0.5, at), at), at), reduction, at);
  });
}

Value hinge_loss(Value prediction, Value target, Reduction reduction, At at) {
  check_alike("hinge_loss", prediction, target, "prediction", "target", at);
  check_float("hinge_loss", prediction, "prediction", at);
  return as_called("hinge_loss",
                   [&] { return reduced(relu(subtract(1, multiply(prediction, target, at), at), at), reduction, at); });
}

Value kl_divergence(Value log_prediction, Value target, Reduction reduction, At at) {
  check_alike("kl_divergence", log_prediction, target, "log_prediction", "target", at);
  check_float("kl_divergence", target, "target", at);
  return as_called("kl_divergence", [&] {
    const Value own = masked_multiply(target, log(target, at), at);
    return reduced(subtract(own, masked_multiply(target, log_prediction, at), at), reduction, at);
  });
}

Value cosine_similarity(Value a, Value b, std::int64_t axis, double epsilon, At at) {
  check_float("cosine_similarity", a, "a", at);
  if (a && b && a.dtype() != b.dtype())
    throw BuildError("cosine_similarity", "a is " + to_string(a.type()) + " and b " + to_string(b.type()) +
                                              at_line(at) + "\n  Cast one of them");
  return as_called("cosine_similarity", [&] {
    const Value x = cast(a, f64, at), y = cast(b, f64, at);  // which holds the products of all that is narrower
    const Value lengths = norm(x, axis, false, at), both = multiply(lengths, norm(y, axis, false, at), at);
    const Value product = sum(multiply(x, y, at), axis, false, at);
    return cast(divide(product, maximum(both, epsilon, at), at), a.dtype(), at);
  });
}

}  // namespace oxbow
