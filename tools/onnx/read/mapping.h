// A file's bytes in memory, mapped: what is not looked at is not read. Whoever shortens the file while it is mapped
// ends the process, so a file that is read must be left alone. Thread safety: values.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace oxbow::onnx {

class Mapping {
 public:
  /// Throws `Error` that names `path` and the reason.
  explicit Mapping(const std::string& path);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  std::string_view text() const { return {static_cast<const char*>(bytes_), size_}; }
  /// The memory of `part` may be taken back until it is looked at again.
  void forget(std::string_view part) const;

 private:
  void* bytes_ = nullptr;
  std::size_t size_ = 0;
};

/// The file that a tensor says its elements are in, seen from the folder of the model. Throws `Error` for a name that
/// is absolute, that has "..", or that leads out of the folder by a link, and for what is no regular file.
std::string external_path(const std::string& model, const std::string& location);

}  // namespace oxbow::onnx
