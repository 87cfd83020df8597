// A place on the disk that one writer at a time holds for itself, told to others by a file beside it,
// `PATH.oxbow-lock`, which is locked (flock) and names the process. The lock ends with the process, however that ends:
// a file that a killed one left behind holds nobody up, and the next holder takes it over. Advisory: only who asks for
// the lock is kept out. Where a disk knows no locks, nothing is held. Thread safety: as an object, one thread at a
// time; of several locks of one path, in threads as in processes, one is held.
#pragma once

#include <string>

namespace oxbow::internal {

class FileLock {
 public:
  /// Holds `path`, which need not exist; its folder must. A link is followed. Throws `Error` that names the process
  /// which holds it, or the reason why the lock's file cannot be written.
  explicit FileLock(const std::string& path);
  /// Lets it go, and removes the lock's file. In a child that was forked off it does neither: the lock is the parent's.
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  std::string name_;
  int file_ = -1;  // none where the disk knows no locks
  int process_;    // that holds it
};

}  // namespace oxbow::internal
