// Each optimizer once more, as its paper or library states it, in multiple precision: what the graphs are tested by.
#pragma once

#include <oxbow/optim/optimizer.h>

#include <functional>
#include <map>
#include <vector>

#include "exact.h"

namespace oxbow::test {

inline constexpr optim::Convention pytorch = optim::Convention::pytorch;

/// A parameter of `rows` times `columns` numbers (0 columns: a vector) with its slots.
struct Exact {
  std::vector<Term> w, g;
  std::map<std::string, std::vector<Term>> slots;
  std::size_t rows = 0, columns = 0;
  int t = 0;  ///< the step, the first being 1
};

struct Recurrence {
  optim::Optimizer optimizer;
  std::function<void(Exact&)> step;
  /// By the largest term, for those that add up few terms; 0: by 1e-12 of the change of the tensor.
  double ulps = 4;
  bool vector = false;  ///< on a vector
};

/// Elementwise ones, and those with norms, factors and products.
std::vector<Recurrence> elementwise_recurrences();
std::vector<Recurrence> tensor_recurrences();

}  // namespace oxbow::test
