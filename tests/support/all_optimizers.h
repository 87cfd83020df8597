// Every optimizer of the catalogue. For tests.
#pragma once

#include <oxbow/optim/optimizer.h>

#include <string>
#include <vector>

namespace oxbow::test {

// All named optimizers, and those with a convention under PyTorch's as well.
inline std::vector<optim::Optimizer> all_optimizers() {
  std::vector<optim::Optimizer> all;
  for (const optim::Named& o : optim::optimizers()) {
    all.push_back(o.optimizer);
    for (const auto& [field, value] : o.optimizer.attributes())
      if (field == "convention") all.push_back(o.optimizer.with("convention", std::string("pytorch")));
  }
  return all;
}

}  // namespace oxbow::test
