// Which variable of a net is which tensor of PyTorch's state dictionary: see optim/pytorch.h. Private to optim. Thread
// safety: reads the net.
#pragma once

#include <oxbow/ops/layers/layer.h>

#include <map>
#include <string>
#include <vector>

namespace oxbow::optim::internal {

/// What of a variable is what of a tensor.
struct TorchPart {
  enum class Form : std::uint8_t { same, kernel, depthwise };
  std::string variable, key;
  Form form = Form::same;
  int part = 0, parts = 1;  ///< of the tensor's first axis
  int row = -1;             ///< of the variable's first axis; all of it where negative
  bool gates = false;       ///< of a GRU: z, r, n here, r, z, n there
  int term = -1;            ///< of a sum: 0 is read and written, 1 is added, and written as zeros
};

/// Those of all layers of `net`, each after the parts before it. Throws `Error`, which begins with `function`, for a
/// layer without a counterpart, and for a net without variables.
std::vector<TorchPart> pytorch_parts(const char* function, const Layer& net,
                                     const std::map<std::string, std::string>& modules);

}  // namespace oxbow::optim::internal
