// Where a model's tensors may lie: in files beside it or below its folder. Pure but for what it looks up on disk; safe
// from any thread.
#pragma once

#include <string>

namespace oxbow::onnx {

/// The file that a tensor says its elements are in, seen from the folder of the model. Throws `Error` for a name that
/// is absolute, that has "..", or that leads out of the folder by a link, and for what is no regular file.
std::string external_path(const std::string& model, const std::string& location);

}  // namespace oxbow::onnx
