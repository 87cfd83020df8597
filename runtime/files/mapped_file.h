// A regular file's bytes in memory, mapped: what is not looked at is not read. Whoever shortens the file while it is
// mapped ends the process, so a file that is read must be left alone. Thread safety: read by any number of threads.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace oxbow::internal {

class MappedFile {
 public:
  /// Throws `Error` that names `path` and the reason.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view text() const { return {static_cast<const char*>(bytes_), size_}; }
  /// The memory of `part` of the text may be taken back until it is looked at again.
  void forget(std::string_view part) const;

 private:
  void* bytes_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace oxbow::internal
