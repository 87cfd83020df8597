// Sample inputs of the catalogue's ops. They drive the generated tests: values against a plain double-precision
// reference, gradients by finite differences, aliasing, dtypes, text round trips; random graphs draw ops by them, on
// these inputs or others in their range. They may be asked for while a test program starts, so nothing here is a
// variable of a file. Thread safety: made on first use, read only; safe from any thread.
#pragma once

#include <oxbow/graph/op.h>

#include <functional>
#include <map>

namespace oxbow::test {

struct Sample {
  std::string what;  ///< told when it fails: "axis 0, kept"
  Op op;
  std::vector<Tensor> inputs;  ///< floating-point ones as f64; the tests make f32 ones from them
  /// The outputs by the plainest loops, in double; independent of the op's kernel.
  std::function<std::vector<Tensor>(const std::vector<Tensor>&)> reference;
  bool smooth = true;  ///< twice differentiable at these inputs, so second order is checked too
  /// Other dtypes give the same for the same numbers, up to rounding and wrapping around. False where integers are
  /// divided otherwise than floating point, or the width counts.
  bool alike_in_all_dtypes = true;
};

/// Of all ops that have samples, by name.
const std::map<std::string, std::vector<Sample>, std::less<>>& all_samples();

/// Empty for an op that has none.
const std::vector<Sample>& samples_of(std::string_view op);

}  // namespace oxbow::test
