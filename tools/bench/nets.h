// The nets whose training steps are compared with other engines': see tools/bench/compare.py, which builds the same
// ones.
#pragma once

#include <oxbow/oxbow.h>

#include <span>

namespace oxbow::tools {

struct BenchNet {
  std::string_view name, what;
  /// Builds one training step and returns what to fetch; inputs are fed with `feeds`.
  std::vector<Value> (*build)(Graph& g);
};
std::span<const BenchNet> bench_net_list();

/// Reproducible data for every input of a program: floats in [0, 1), labels below 10.
std::map<std::string, Tensor> feeds(const Program& program);

}  // namespace oxbow::tools
