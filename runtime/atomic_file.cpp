#include <fcntl.h>
#include <oxbow/graph/error.h>
#include <oxbow/runtime/atomic_file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>

namespace oxbow {
namespace {

// Tells temporary files of one process apart.
std::string temporary_name(const std::string& target) {
  static std::atomic<std::uint64_t> next{0};
  return target + ".part" + std::to_string(::getpid()) + "-" + std::to_string(next++);
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)), target_(path_) {
  std::error_code no_target;
  if (const auto resolved = std::filesystem::canonical(path_, no_target); !no_target) target_ = resolved.string();
  struct stat old {};
  const bool replaces = ::stat(target_.c_str(), &old) == 0;
  if (replaces && !S_ISREG(old.st_mode)) {
    errno = S_ISDIR(old.st_mode) ? EISDIR : EINVAL;
    fail("replace");
  }
  do {  // a process that was killed may have left a file of that name
    temporary_ = temporary_name(target_);
    file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (file_ < 0 && errno == EEXIST);
  if (file_ < 0) fail("create");
  if (replaces)
    static_cast<void>(::fchmod(file_, old.st_mode & 07777));  // not ours to change: then it keeps the default
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) ::close(file_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* bytes, std::size_t count) {
  const char* next = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::write(file_, next, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("write");
    next += written;
    count -= static_cast<std::size_t>(written);
  }
}

void AtomicFile::commit() {
  if (::fsync(file_) != 0) fail("write");
  if (::close(std::exchange(file_, -1)) != 0) fail("write");
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("replace");
  temporary_.clear();
  // The rename itself is on the disk once the folder is. A folder that cannot be synced (some network disks) has it
  // still.
  const std::string folder = std::filesystem::path(target_).parent_path().string();
  if (const int f = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); f >= 0) {
    ::fsync(f);
    ::close(f);
  }
}

void AtomicFile::fail(const std::string& doing) const {
  const std::string reason = std::generic_category().message(errno);
  std::error_code ignored;
  const bool kept = std::filesystem::exists(target_, ignored);
  throw Error("cannot " + doing + " " + path_ + ": " + reason +
              (kept ? " (the file that was there is unchanged)" : ""));
}

void write_file(const std::string& path, std::string_view text) {
  AtomicFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace oxbow
