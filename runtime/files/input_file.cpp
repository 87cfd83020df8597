#include <fcntl.h>
#include <oxbow/graph/error.h>
#include <oxbow/runtime/files/calls.h>
#include <oxbow/runtime/files/input_file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace oxbow::internal {

InputFile::InputFile(const std::string& path) : path_(path) {
  struct stat found {};
  // Without waiting for the writer of a pipe; to a regular file that makes no difference.
  file_ = uninterrupted([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK); });
  if (file_ < 0 || ::fstat(file_, &found) != 0) {
    const std::string reason = std::generic_category().message(errno);
    if (file_ >= 0) ::close(file_);
    throw Error("cannot read " + path + ": " + reason);
  }
  if (!S_ISREG(found.st_mode)) {
    ::close(file_);
    throw Error("cannot read " + path + ": it is not a regular file");
  }
  size_ = found.st_size;
}

InputFile::~InputFile() {
  if (file_ >= 0) ::close(file_);
}

void InputFile::read(std::int64_t at, void* to, std::int64_t count) const {
  char* next = static_cast<char*>(to);
  while (count > 0) {
    const ssize_t got = uninterrupted([&] { return ::pread(file_, next, static_cast<std::size_t>(count), at); });
    if (got < 0) throw Error("cannot read " + path_ + ": " + std::generic_category().message(errno));
    if (got == 0) throw Error("cannot read " + path_ + ": it ended while it was read");
    next += got;
    at += got;
    count -= got;
  }
}

bool something_at(const std::string& path) {
  std::error_code unknown;
  return std::filesystem::status(path, unknown).type() != std::filesystem::file_type::not_found;
}

}  // namespace oxbow::internal
