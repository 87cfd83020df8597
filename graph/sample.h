// Sample inputs of an op, kept beside it. They drive the generated tests: values against a plain double-precision
// reference, gradients by finite differences, aliasing, text round trips. An op gives them as
//   static std::vector<Sample> samples();
#pragma once

#include <oxbow/graph/op.h>

#include <functional>

namespace oxbow {

struct Sample {
  std::string what;  ///< told when it fails: "axis 0, kept"
  Op op;
  std::vector<Tensor> inputs;  ///< floating-point ones as f64; the tests make f32 ones from them
  /// The outputs by the plainest loops, in double; independent of the op's kernel.
  std::function<std::vector<Tensor>(const std::vector<Tensor>&)> reference;
  bool smooth = true;  ///< twice differentiable at these inputs, so second order is checked too
};

}  // namespace oxbow
