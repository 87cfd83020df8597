#include <oxbow/graph/leaves.h>
#include <oxbow/ops/loss.h>
#include <oxbow/ops/loss/binary_cross_entropy.h>
#include <oxbow/ops/loss/loss.h>
#include <oxbow/ops/loss/shared.h>
#include <oxbow/ops/norm.h>
#include <oxbow/ops/norm/softmax.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/activation.h>
#include <oxbow/ops/reduction.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shape/moving.h>
#include <oxbow/ops/shared/rows.h>

namespace oxbow::ops {
namespace {

void check_rows(const Type& x, const Type& labels, std::string_view what) {
  const std::string name(what);
  check_dtype(dtypes::Floats{}, x, name);
  if (x.shape.rank() == 0)
    throw OpError("the " + name + " are a scalar, without an axis of classes", "Give [..., classes]");
  if (!is_integer(labels.dtype))
    throw OpError(
        "labels are " + to_string(labels) + ", neither class numbers nor of the logits' type " + to_string(x),
        "Give integers " + to_string(x.shape.without(x.shape.rank() - 1)) + ", or probabilities of the logits' type");
  check_index_type(labels, "labels");
  if (labels.shape != x.shape.without(x.shape.rank() - 1))
    throw OpError(name + " of shape " + to_string(x.shape) + " take one label a row, of shape " +
                      to_string(x.shape.without(x.shape.rank() - 1)) + ", but the labels have shape " +
                      to_string(labels.shape),
                  "Reshape the labels");
}

// With so many operations for an element, and some for each row.
Work row_work(Types in, double each) {
  const auto elements = static_cast<double>(in[0].count()), count = static_cast<double>(rows::count(in[0]));
  return {.parts = rows::parts(rows::count(in[0]), rows::length(in[0])),
          .flops = each * elements + 150 * count,
          .bytes = 2 * elements * static_cast<double>(size_of(in[0].dtype))};
}

// Calls f(T{}, L{}) with the element types of x and of the labels.
template <class F>
void for_types(const Type& x, const Type& labels, F f) {
  dispatch<dtypes::Floats>(x.dtype, [&]<class T>(std::type_identity<T>) {
    dispatch<IndexTypes>(labels.dtype, [&]<class L>(std::type_identity<L>) { f(T{}, L{}); });
  });
}

[[noreturn]] void refuse_label(std::int64_t label, std::int64_t row, std::int64_t classes) {
  throw OpError("label " + std::to_string(label) + " in row " + std::to_string(row) + " is not one of the " +
                    std::to_string(classes) + " classes",
                classes == 0 ? "Give logits with at least one class"
                             : "Labels must be from 0 to " + std::to_string(classes - 1) +
                                   ": correct the data, or give the logits more classes");
}

}  // namespace

std::vector<Type> CrossEntropy::infer(Types in) const {
  check_rows(in[0], in[1], "logits");
  return {{in[0].dtype, in[1].shape}, in[0]};
}

Work CrossEntropy::work(Types in) const {
  Work w = row_work(in, 20);
  // A block of probabilities, for where nobody reads them.
  w.scratch = std::max(rows::block_elements, rows::length(in[0])) * size_of(in[0].dtype);
  return w;
}

void CrossEntropy::run(const Run& r) const {
  for_types(r.in_type(0), r.in_type(1), [&]<class T, class L>(T, L) {
    const std::int64_t n = rows::length(r.in_type(0)), step = rows::block_rows(n);
    const auto [begin, end] = r.share(rows::count(r.in_type(0)));
    const L* labels = r.in<L>(1);
    std::array<T, rows::block_elements> maxima, chosen, sums, logs;
    for (std::int64_t first = begin; first < end; first += step) {
      const std::int64_t count = std::min(step, end - first);
      const T* x = r.in<T>(0) + first * n;
      T* p = r.wants(1) ? r.out<T>(1) + first * n : reinterpret_cast<T*>(r.scratch);
      for (std::int64_t row = 0; row < count; ++row) {  // before p takes over the bytes of x
        const auto label = static_cast<std::int64_t>(labels[first + row]);
        if (label < 0 || label >= n) refuse_label(label, first + row, n);
        chosen[static_cast<std::size_t>(row)] = x[row * n + label];
      }
      rows::exponentiate(x, count, n, p, maxima.data());
      rows::log_sums(p, count, n, sums.data(), logs.data());
      for (std::int64_t row = 0; row < count; ++row) {
        const auto k = static_cast<std::size_t>(row);
        if (r.wants(0)) r.out<T>(0)[first + row] = logs[k] - (chosen[k] - maxima[k]);
        const T scale = T{1} / sums[k];
        if (r.wants(1))
          for (std::int64_t i = row * n; i < (row + 1) * n; ++i) p[i] *= scale;
      }
    }
  });
}

Grads CrossEntropy::gradient(const Node& n, Values dy) const {
  const Value p = n.output(1);
  Value dx;
  if (dy[0]) dx = apply(CrossEntropyGradient{}, {p, n.input(1), dy[0], n.output()}, At::current());
  if (dy[1]) {
    const Value through_p = p * (dy[1] - sum(p * dy[1], {-1}, true));
    dx = dx ? dx + through_p : through_p;
  }
  return {dx, Value()};
}

Type CrossEntropyGradient::infer(Types in) const {
  check_rows(in[0], in[1], "probabilities");
  for (std::size_t i = 2; i < in.size(); ++i)
    if (in[i] && (in[i].dtype != in[0].dtype || in[i].shape != in[1].shape))
      throw OpError(
          (i == 2 ? "dlosses are " : "losses are ") + to_string(in[i]) + ", not one a row of " + to_string(in[0]),
          "Give them the labels' shape and the probabilities' dtype");
  return in[0];
}

Work CrossEntropyGradient::work(Types in) const { return row_work(in, 1); }

void CrossEntropyGradient::run(const Run& r) const {
  for_types(r.in_type(0), r.in_type(1), [&]<class T, class L>(T, L) {
    const std::int64_t n = rows::length(r.in_type(0));
    const auto [begin, end] = r.share(rows::count(r.in_type(0)));
    const T* p = r.in<T>(0);
    T* dx = r.out<T>();
    for (std::int64_t row = begin; row < end; ++row) {
      const T g = r.in<T>(2)[row];
      const auto label = static_cast<std::int64_t>(r.in<L>(1)[row]);
      const bool known = label >= 0 && label < n;
      T less_one = 0;  // of the label, before dx takes over the bytes of p
      if (known) less_one = r.has(3) ? math::expm1(-r.in<T>(3)[row]) : p[row * n + label] - 1;
      independent(row * n, (row + 1) * n, [=](std::int64_t i) { dx[i] = p[i] * g; });
      if (known) dx[row * n + label] = less_one * g;
    }
  });
}

// Linear in dlosses: its gradient is that of dlosses = 1, times v, summed over each row. Losses of 0 leave out the
// label.
Grads CrossEntropyGradient::gradient(const Node& n, Values dy) const {
  const Value labels = n.input(1), g = n.input(2), losses = n.input(3), v = dy[0];
  std::vector<std::int64_t> column(static_cast<std::size_t>(g.rank()), 0);  // every axis kept, and one of size 1 added
  column.push_back(1);
  const auto filled = [&](double x) {
    const Value c = constant(v.graph(), x, v.dtype());
    return g.rank() == 0 ? c : broadcast_like(c, g);
  };
  const auto again = [&](Value p, Value dlosses, Value with) {
    return apply(CrossEntropyGradient{}, {p, labels, dlosses, with}, At::current());
  };
  const Value dg = sum(v * again(n.input(0), filled(1), losses), {-1}, false);
  const Value everywhere = v * reshape(g, column);
  if (!losses) return {everywhere, Value(), dg, Value()};
  const Value dp = again(v, g, filled(0));
  const Value of_label = sum(everywhere - dp, {-1}, false);
  return {dp, Value(), dg, -(of_label * exp(-losses))};
}

void check_alike(const std::string& op, Value a, Value b, const std::string& a_name, const std::string& b_name, At at) {
  if (a && b && a.type() != b.type())
    throw BuildError(op, a_name + " and " + b_name + " differ\n  " + a_name + ": " + to_string(a.type()) + " from " +
                             to_string(a.node()) + "\n  " + b_name + ": " + to_string(b.type()) + " from " +
                             to_string(b.node()) + at_line(at) +
                             "\n  Reshape or cast one of them: they would broadcast to something else than meant");
}

namespace {

// Probabilities where logits are meant: the loss would take their softmax, or sigmoid, again.
template <class Activation>
void check_logits(const std::string& op, Value logits, const std::string& activation, At at) {
  if (logits && logits.node().op().is<Activation>())
    throw BuildError(op, "the logits are what " + activation + " gives\n  logits: " + to_string(logits.type()) +
                             " from " + to_string(logits.node()) + at_line(at) + "\n  Give what " + activation +
                             " is given: " + op + " takes it by itself, and keeps the digits that it rounds away");
}

}  // namespace

void check_no_softmax(const std::string& op, Value logits, At at) { check_logits<Softmax>(op, logits, "softmax", at); }

Value reduced(Value losses, Reduction reduction, At at) {
  if (reduction == Reduction::none) return losses;
  return reduction == Reduction::sum ? sum(losses, {}, false, at) : mean(losses, {}, false, at);
}

}  // namespace oxbow::ops

namespace oxbow {

using ops::check_alike, ops::reduced;

Value cross_entropy(Value logits, Value labels, Reduction reduction, At at) {
  ops::check_no_softmax("cross_entropy", logits, at);
  const bool dense = logits && labels && is_float(labels.dtype()) && labels.type() == logits.type();
  return as_called("cross_entropy", [&] {
    if (!dense || logits.rank() == 0) return reduced(apply(ops::CrossEntropy{}, {logits, labels}, at), reduction, at);
    const Value information = masked_multiply(labels, log_softmax(logits, -1, at), at);  // 0 log 0 is 0
    return reduced(negate(sum(information, {-1}, false, at), at), reduction, at);
  });
}

Value binary_cross_entropy(Value logits, Value targets, Reduction reduction, At at) {
  ops::check_logits<ops::Sigmoid>("binary_cross_entropy", logits, "sigmoid", at);
  check_alike("binary_cross_entropy", logits, targets, "logits", "targets", at);
  return as_called("binary_cross_entropy", [&] {
    return reduced(apply(ops::BinaryCrossEntropy{}, {logits, targets}, at), reduction, at);
  });
}

Value mean_squared_error(Value prediction, Value target, Reduction reduction, At at) {
  check_alike("mean_squared_error", prediction, target, "prediction", "target", at);
  return as_called("mean_squared_error",
                   [&] { return reduced(square(subtract(prediction, target, at), at), reduction, at); });
}

Value accuracy(Value logits, Value labels, At at) {
  if (logits && labels &&
      (logits.rank() == 0 || !is_integer(labels.dtype()) ||
       labels.shape() != logits.shape().without(logits.rank() - 1)))
    throw BuildError("accuracy", "the labels are not a class number for each row of logits\n  logits: " +
                                     to_string(logits.type()) + " from " + to_string(logits.node()) +
                                     "\n  labels: " + to_string(labels.type()) + " from " + to_string(labels.node()) +
                                     at_line(at) + "\n  Give integers in the logits' shape without its last axis");
  return as_called("accuracy", [&] {
    const Value found = argmax(logits, -1, {}, at), wanted = cast(labels, i64, at);
    return mean(cast(oxbow::equal(found, wanted, at), f32, at), {}, false, at);
  });
}

}  // namespace oxbow
