// A regular file, open for reading. What is none is refused at once: opening a pipe would wait for whoever writes it,
// and a device may have no end. Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <string>

namespace oxbow::internal {

class InputFile {
 public:
  /// Throws `Error` that names `path` and the reason.
  explicit InputFile(const std::string& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::int64_t size() const { return size_; }
  int descriptor() const { return file_; }
  /// Reads `count` bytes from byte `at` on. Throws `Error` when there are fewer.
  void read(std::int64_t at, void* to, std::int64_t count) const;

 private:
  std::string path_;
  int file_ = -1;
  std::int64_t size_ = 0;
};

/// Whether there is something of this name, be it unreadable: a link into a circle, a folder without permission.
bool something_at(const std::string& path);

}  // namespace oxbow::internal
