#include <dirent.h>
#include <fcntl.h>
#include <oxbow/graph/error.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/runtime/files/calls.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

namespace oxbow {
using namespace internal;

namespace {

// Process and number tell temporary files of one target apart. Nobody else names files so: they may be removed.
constexpr std::string_view mark = ".oxbow-part";
constexpr int most_attempts = 100;  // a file system that does not count links ends here

std::string temporary_name(const std::string& target) {
  static std::atomic<std::uint64_t> next{0};
  return target + std::string(mark) + std::to_string(::getpid()) + "-" + std::to_string(next++);
}

bool is_temporary_name(std::string_view name, std::string_view target) {
  if (!name.starts_with(target)) return false;
  name.remove_prefix(target.size());
  if (!name.starts_with(mark)) return false;
  name.remove_prefix(mark.size());
  const auto digits = [&] {
    const std::size_t count = std::min(name.find_first_not_of("0123456789"), name.size());
    name.remove_prefix(count);
    return count > 0;
  };
  if (!digits() || !name.starts_with('-')) return false;
  name.remove_prefix(1);
  return digits() && name.empty();
}

// A writer holds a lock on its temporary file as long as it lives, so one that can be locked was left by a process that
// was killed, whatever its number is now given to. Listing the folder takes some 0.3 us a file that is in it.
void remove_abandoned(const std::string& target) {
  const std::filesystem::path path(target), folder = path.has_parent_path() ? path.parent_path() : ".";
  const std::string name = path.filename().string();
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(::opendir(folder.c_str()), &::closedir);
  if (!listing) return;  // a folder that cannot be listed keeps what is in it
  while (const dirent* entry = ::readdir(listing.get())) {
    if (!is_temporary_name(entry->d_name, name)) continue;
    const int in_folder = ::dirfd(listing.get());
    const int file = ::openat(in_folder, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) continue;
    struct stat left {};
    if (::fstat(file, &left) == 0 && S_ISREG(left.st_mode) && ::flock(file, LOCK_EX | LOCK_NB) == 0)
      ::unlinkat(in_folder, entry->d_name, 0);
    ::close(file);
  }
}

// A new file, locked; -1 and errno where none can be had. Between its making and its lock another process may
// have taken it for abandoned: then it has no name any more.
int create_locked(const std::string& path) {
  const int file = uninterrupted([&] { return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); });
  if (file < 0) return -1;
  uninterrupted([&] { return ::flock(file, LOCK_EX); });
  struct stat made {};
  if (::fstat(file, &made) != 0 || made.st_nlink > 0) return file;
  ::close(file);
  errno = EEXIST;
  return -1;
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)), target_(path_), process_(::getpid()) {
  std::error_code no_target;
  if (const auto resolved = std::filesystem::canonical(path_, no_target); !no_target) target_ = resolved.string();
  struct stat old {};
  const bool replaces = ::stat(target_.c_str(), &old) == 0;
  if (replaces && !S_ISREG(old.st_mode))
    throw Error("cannot replace " + path_ + ": it is " + (S_ISDIR(old.st_mode) ? "a folder" : "not a regular file"));
  remove_abandoned(target_);
  for (int attempt = 0; file_ < 0 && attempt < most_attempts; ++attempt) {
    temporary_ = temporary_name(target_);
    file_ = create_locked(temporary_);
    if (file_ < 0 && errno != EEXIST) break;
  }
  if (file_ < 0) {
    temporary_.clear();
    fail("create");
  }
  if (replaces)
    static_cast<void>(::fchmod(file_, old.st_mode & 07777));  // not ours to change: then it keeps the default
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) ::close(file_);
  if (!temporary_.empty() && process_ == ::getpid()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* bytes, std::size_t count) {
  if (write_bytes(file_, bytes, count) < count) fail("write");
}

void AtomicFile::commit() {
  if (uninterrupted([&] { return ::fsync(file_); }) != 0) fail("write");
  const std::string folder = std::filesystem::path(target_).parent_path().string();  // nothing fails behind the rename
  // Still locked: nobody takes it away.
  if (uninterrupted([&] { return ::rename(temporary_.c_str(), target_.c_str()); }) != 0) fail("replace");
  temporary_.clear();
  ::close(std::exchange(file_, -1));
  // The rename itself is on the disk once the folder is. A folder that cannot be synced (some network disks) has it
  // still.
  const char* name = folder.empty() ? "." : folder.c_str();
  if (const int f = uninterrupted([&] { return ::open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC); }); f >= 0) {
    uninterrupted([&] { return ::fsync(f); });
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
