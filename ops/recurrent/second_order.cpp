#include <oxbow/graph/leaves.h>
#include <oxbow/ops/gradients.h>
#include <oxbow/ops/recurrent/second_order.h>
#include <oxbow/ops/shape.h>

namespace oxbow::ops::recurrent {

// What flows to one input must not go on to another that it was computed from: so the inputs are taken as values of
// their own, by a factor of 1 that `simplify` takes away.
Grads by_plain_ops(const Node& n, Values dy, const std::function<std::vector<Value>(Values)>& composed) {
  std::vector<Value> own, from;
  for (int i = 0; i < n.input_count(); ++i) {
    const Value in = n.input(i);
    const bool flows = in && is_float(in.dtype());
    own.push_back(flows ? in * 1.0 : in);
    if (flows) from.push_back(own.back());
  }
  const std::vector<Value> made = composed(own);
  std::vector<Value> y;
  std::vector<Flow> seeds;
  for (std::size_t i = 0; i < made.size(); ++i)
    if (dy[i]) {
      y.push_back(made[i]);
      seeds.emplace_back(dy[i]);
    }
  const std::vector<Flow> flows = flow_back(y, seeds, from, std::vector<Flow>(from.size()));
  std::vector<Value> slopes;
  for (std::size_t i = 0, next = 0; i < own.size(); ++i)
    slopes.push_back(own[i] && is_float(own[i].dtype()) ? flows[next++].sum : Value());
  return slopes;
}

Value zeros_like(Value x) { return broadcast_like(constant(x.graph(), 0, x.dtype()), x); }

}  // namespace oxbow::ops::recurrent
