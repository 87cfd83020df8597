// Values of a small graph, where its only input "x" has this value.
#pragma once

#include <oxbow/runtime/program.h>

namespace oxbow::test {

inline std::vector<Tensor> evaluate_at(const Tensor& x, const std::vector<Value>& fetches) {
  Store store(fetches[0].graph());
  const Program program = compile(fetches);
  if (program.inputs().empty()) return program.run(store, {});
  return program.run(store, {{"x", x}});
}

}  // namespace oxbow::test
