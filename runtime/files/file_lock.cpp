#include <fcntl.h>
#include <oxbow/graph/error.h>
#include <oxbow/runtime/files/calls.h>
#include <oxbow/runtime/files/file_lock.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <memory>
#include <system_error>

namespace oxbow::internal {
namespace {

constexpr int most_attempts = 100;  // a file system that does not count links ends here

// What the holder wrote into the lock's file; it may be between its lock and its first word.
std::string holder(int file) {
  char text[32];
  const ssize_t count = ::pread(file, text, sizeof text, 0);
  long process = 0;
  if (count <= 0 || std::from_chars(text, text + count, process).ec != std::errc() || process <= 0)
    return "another process";
  return process == ::getpid() ? "this process" : "process " + std::to_string(process);
}

void note_holder(int file) {
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, text.data(), text.size(), 0) < 0) return;  // a note: the lock is held
}

}  // namespace

FileLock::FileLock(const std::string& path) : process_(::getpid()) {
  std::error_code no_target;
  const std::filesystem::path target = std::filesystem::canonical(path, no_target);
  name_ = (no_target ? path : target.string()) + ".oxbow-lock";
  for (int attempt = 0; file_ < 0 && attempt < most_attempts; ++attempt) {
    const int file = uninterrupted(
        [&] { return ::open(name_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666); });
    if (file < 0) throw Error("cannot create " + name_ + ": " + std::generic_category().message(errno));
    const int failed = uninterrupted([&] { return ::flock(file, LOCK_EX | LOCK_NB); });
    if (failed != 0 && errno == EWOULDBLOCK) {
      const std::unique_ptr<const int, void (*)(const int*)> closed(&file, [](const int* f) { ::close(*f); });
      const std::string who = holder(file);
      throw Error(path + " is in use: " + who + " writes it. Give another path, or wait until that has ended");
    }
    struct stat made {};
    if (failed == 0 && ::fstat(file, &made) == 0 && made.st_nlink == 0) {  // let go between our opening and our lock
      ::close(file);
      continue;
    }
    file_ = file;
    note_holder(file);
  }
}

FileLock::~FileLock() {
  if (file_ < 0) return;
  if (process_ == ::getpid()) ::unlink(name_.c_str());  // still locked: who has opened it sees that it is gone
  ::close(file_);
}

}  // namespace oxbow::internal
