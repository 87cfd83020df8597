// Steps of optimizers, and gradients, as a file has them in the domain ai.onnx.preview.training.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include "onnx/operators/operators.h"

namespace oxbow::onnx {

namespace {

// A rate, the number of the step, and `lists` lists of equally many tensors: parameters, gradients, and what is kept.
struct Step {
  Step(Context& c, int of) : rate(c[0]), number(cast(c[1], rate.dtype())), lists(of), count((c.inputs() - 2) / of) {
    if (count == 0 || c.inputs() != 2 + of * count)
      c.fail("it has " + std::to_string(c.inputs() - 2) + " tensors, not " + std::to_string(of) +
             " for each parameter");
    for (int i = 2; i < c.inputs(); ++i) all.push_back(c[i]);
  }
  Value of(int list, int i) const { return all[static_cast<std::size_t>(list * count + i)]; }
  // A gradient with that of norm_coefficient / 2 times the squared norm.
  Value slope(Context& c, int i) const { return c.number("norm_coefficient", 0) * of(0, i) + of(1, i); }

  Value rate, number;
  int lists, count;
  std::vector<Value> all;
};

// All parameters, then all that is kept of each kind.
Outputs in_order(const std::vector<std::vector<Value>>& lists) {
  std::vector<Value> all;
  for (const auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

Outputs adagrad(Context& c) {
  const Step s(c, 3);
  const Value rate = s.rate / (1.0 + s.number * c.number("decay_factor", 0));
  std::vector<Value> x, h;
  for (int i = 0; i < s.count; ++i) {
    const Value slope = s.slope(c, i);
    h.push_back(s.of(2, i) + square(slope));
    x.push_back(s.of(0, i) - rate * slope / (sqrt(h.back()) + c.number("epsilon", 1e-6)));
  }
  return in_order({x, h});
}

// The rate as it is at step 0, else with the means' beginnings taken out.
Outputs adam(Context& c) {
  const Step s(c, 4);
  const double alpha = c.number("alpha", 0.9), beta = c.number("beta", 0.999);
  const Value later = s.rate * sqrt(1.0 - pow(c.like(s.number, beta), s.number)) /
                      (1.0 - pow(c.like(s.number, alpha), maximum(s.number, 1.0)));
  const Value rate = where(greater(s.number, 0.0), later, s.rate);
  std::vector<Value> x, v, h;
  for (int i = 0; i < s.count; ++i) {
    const Value slope = s.slope(c, i);
    v.push_back(alpha * s.of(2, i) + (1 - alpha) * slope);
    h.push_back(beta * s.of(3, i) + (1 - beta) * square(slope));
    const Value moved = s.of(0, i) - rate * v.back() / (sqrt(h.back()) + c.number("epsilon", 1e-6));
    x.push_back((1 - c.number("norm_coefficient_post", 0)) * moved);
  }
  return in_order({x, v, h});
}

Outputs momentum(Context& c) {
  const Step s(c, 3);
  const double alpha = c.number("alpha"), beta = c.number("beta");
  const std::string mode = c.text("mode", "standard");
  if (mode != "standard" && mode != "nesterov") c.fail("there is no mode " + mode);
  const Value share = where(greater(s.number, 0.0), c.like(s.number, beta), c.like(s.number, 1));
  std::vector<Value> x, v;
  for (int i = 0; i < s.count; ++i) {
    const Value slope = s.slope(c, i);
    v.push_back(alpha * s.of(2, i) + share * slope);
    x.push_back(s.of(0, i) - s.rate * (mode == "nesterov" ? slope + alpha * v.back() : v.back()));
  }
  return in_order({x, v});
}

// Of y with respect to xs, by their names in the graph; the inputs are the values of xs, and of what else y is made of.
Outputs gradient(Context& c) {
  const std::vector<std::string> xs = c.texts("xs");
  if (static_cast<int>(xs.size()) > c.inputs()) c.fail("it has fewer inputs than xs");
  std::vector<Value> of;
  for (std::size_t i = 0; i < xs.size(); ++i) {
    if (c.node().input(static_cast<int>(i)) != xs[i])
      c.fail("its input " + std::to_string(i) + " is " + c.node().input(static_cast<int>(i)) + ", not " + xs[i],
             "Give it the values of xs themselves.");
    of.push_back(c[static_cast<int>(i)]);
  }
  const Value y = c.called(c.text("y", ""));
  return gradients(y.rank() == 0 ? y : sum(y), of);
}

constexpr auto any = std::numeric_limits<std::int64_t>::max();
constexpr Operator list[] = {
    {"Adagrad", adagrad, 1, any, training},
    {"Adam", adam, 1, any, training},
    {"Gradient", gradient, 1, any, training},
    {"Momentum", momentum, 1, any, training},
};

}  // namespace

Operators training_operators() { return list; }

}  // namespace oxbow::onnx
