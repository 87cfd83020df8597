#include <oxbow/ops/control/bodies.h>
#include <oxbow/ops/gradients.h>

namespace oxbow::ops {

std::vector<Value> flow_through(const Subgraph& body, Graph& g, Values in, Values dy, Values before) {
  const std::vector<Value> y = body.write(g, in, "");
  const auto is_last = [&](int i) {
    for (int j = i + 1; j < in.size(); ++j)
      if (in[j].same(in[i])) return false;
    return true;
  };
  std::vector<Value> x, sums, total(static_cast<std::size_t>(in.size()));
  std::vector<int> inputs;
  for (int i = 0; i < in.size(); ++i)
    if (is_float(in[i].dtype()) && is_last(i)) {
      x.push_back(in[i]);
      sums.push_back(before[i]);
      inputs.push_back(i);
    }
  if (x.empty()) return total;
  const std::vector<Value> found = flow_back(y, dy, x, sums);
  for (std::size_t j = 0; j < found.size(); ++j) total[index(inputs[j])] = found[j];
  return total;
}

}  // namespace oxbow::ops
