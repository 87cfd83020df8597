// Safetensors, the file format that most tools keep parameters in: 8 bytes with the header's length (little endian), a
// JSON header that gives each tensor's dtype, shape and place, then the bytes, row-major.
// https://github.com/huggingface/safetensors#format. All dtypes (F32, BF16, BOOL ...). Files that are written here
// carry a checksum of all that they say, as "oxbow.checksum" in their metadata; it is checked where a file has one, and
// must be there where "oxbow.format" is.
// Thread safety: functions without shared state; two that write the same file leave one of the two contents, whole.
#pragma once

#include <oxbow/graph/tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace oxbow {

struct Safetensors {
  std::vector<std::pair<std::string, Tensor>> tensors;  ///< in the file's order
  std::map<std::string, std::string> metadata;          ///< the header's "__metadata__", without these two
};

/// Writes all tensors to `path`, atomically: see AtomicFile. Wider dtypes come first, so that all bytes are aligned.
/// Throws `Error` for a name given twice or when the file cannot be written; the old file is then untouched.
void save_safetensors(const std::string& path, const Safetensors& content);

/// Reads and checks the whole file, within the limits of graph/support/limits.h. Throws `Error` that names the file and
/// what is wrong with it.
Safetensors load_safetensors(const std::string& path);

}  // namespace oxbow
