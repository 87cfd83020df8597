#include <oxbow/ops/control/bodies.h>
#include <oxbow/ops/gradients.h>

namespace oxbow::ops {

std::vector<Flow> flow_through(const Subgraph& body, Graph& g, Values in, Flows dy, Flows before) {
  const std::vector<Value> y = body.write(g, in, "");
  const auto is_last = [&](int i) {
    for (int j = i + 1; j < in.size(); ++j)
      if (in[j].same(in[i])) return false;
    return true;
  };
  std::vector<Value> x;
  std::vector<Flow> sums, total(before.size());
  std::vector<std::size_t> inputs;
  for (int i = 0; i < in.size(); ++i)
    if (is_float(in[i].dtype()) && is_last(i)) {
      x.push_back(in[i]);
      sums.push_back(before[index(i)]);
      inputs.push_back(index(i));
    }
  if (x.empty()) return total;
  const std::vector<Flow> found = flow_back(y, dy, x, sums);
  for (std::size_t j = 0; j < found.size(); ++j) total[inputs[j]] = found[j];
  return total;
}

}  // namespace oxbow::ops
