// The system's calls by which files are written, as every writer makes them: interrupted ones are made again, and a
// file that may not grow (`ulimit -f`) is an error like a full disk instead of the end of the process. Thread safety:
// calls on different files do not disturb one another.
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace oxbow::internal {

/// Makes a call of the system that returns -1 on failure, again as long as a signal interrupts it.
template <class Call>
auto uninterrupted(Call&& call) {
  while (true) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

/// Writes to where the file stands. Returns how many bytes were written; when that is fewer, `errno` says why.
std::size_t write_bytes(int file, const void* bytes, std::size_t count);
/// The same from byte `offset` of the file on.
std::size_t write_bytes_at(int file, const void* bytes, std::size_t count, std::int64_t offset);

}  // namespace oxbow::internal
