// A file that appears whole or not at all: written beside its place, flushed to the disk, then renamed over the old
// one. Whatever happens before `commit` returns (a full disk, a kill, a power cut) leaves the old file as it was. What
// a killed process left half written, `PATH.oxbow-partPROCESS-NUMBER`, the next writer of that path removes; it knows
// by a lock, so where a disk's locks do not reach other hosts, write a path from one host only. Thread safety: one
// thread at a time; several writers of one path do not disturb one another, the last to commit wins.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace oxbow {

class AtomicFile {
 public:
  /// Opens a temporary file in the folder of `path`, with the permissions of the file that it is to replace; a link is
  /// followed. Throws `Error` when it cannot.
  explicit AtomicFile(std::string path);
  /// Removes the temporary file unless it was committed, or a child that was forked off ends a copy.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Throws `Error` that names `path` and the reason.
  void write(const void* bytes, std::size_t count);
  void write(std::string_view text) { write(text.data(), text.size()); }

  /// Makes the content durable and moves it to `path`. Throws `Error` as `write` does.
  void commit();

 private:
  [[noreturn]] void fail(const std::string& doing) const;
  std::string path_, target_, temporary_;
  int file_ = -1;
  int process_;  // that writes it
};

/// Writes a whole text file that way.
void write_file(const std::string& path, std::string_view text);

}  // namespace oxbow
