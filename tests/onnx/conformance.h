// ONNX's own tests, of Debian's libonnx-testdata: a folder has a model, inputs, and the outputs that are expected.
#pragma once

#include <string>
#include <vector>

namespace oxbow::test {

/// Where they are; OXBOW_ONNX_DATA in the environment names another folder, which tests/onnx/make_tests.py writes.
std::string onnx_data();

struct OnnxTest {
  std::string name;    ///< "node/test_abs"
  std::string reason;  ///< "" where it passes
  bool fixed = false;  ///< with inputs on which shapes depend as constants
};

/// Runs one: imports the model, feeds it, and compares what it gives with what is expected, as ONNX's own runner does,
/// within 1e-3 of each element and 1e-7.
OnnxTest run_onnx_test(const std::string& name);

/// All of them, by name.
std::vector<std::string> onnx_tests();

}  // namespace oxbow::test
