#include <oxbow/runtime/files/calls.h>
#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

namespace oxbow::internal {
namespace {

// Keeps SIGXFSZ, which a write beyond the file size limit raises on its thread, from ending the process: while it is
// blocked, the write fails with EFBIG. One that was pending before stays so.
class NoSizeSignal {
 public:
  NoSizeSignal() {
    sigemptyset(&signal_);
    sigaddset(&signal_, SIGXFSZ);
    ::pthread_sigmask(SIG_BLOCK, &signal_, &before_);
    sigset_t pending;
    ::sigpending(&pending);
    was_pending_ = ::sigismember(&pending, SIGXFSZ) == 1;
  }
  ~NoSizeSignal() {
    const int reason = errno;
    const timespec at_once{};
    if (!was_pending_) ::sigtimedwait(&signal_, nullptr, &at_once);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = reason;
  }
  NoSizeSignal(const NoSizeSignal&) = delete;
  NoSizeSignal& operator=(const NoSizeSignal&) = delete;

 private:
  sigset_t signal_, before_;
  bool was_pending_ = false;
};

template <class Write>
std::size_t write_all(std::size_t count, Write&& write) {
  const NoSizeSignal guard;
  std::size_t done = 0;
  while (done < count) {
    const ssize_t written = uninterrupted([&] { return write(done); });
    if (written == 0) errno = EIO;
    if (written <= 0) break;
    done += static_cast<std::size_t>(written);
  }
  return done;
}

}  // namespace

std::size_t write_bytes(int file, const void* bytes, std::size_t count) {
  const char* from = static_cast<const char*>(bytes);
  return write_all(count, [&](std::size_t done) { return ::write(file, from + done, count - done); });
}

std::size_t write_bytes_at(int file, const void* bytes, std::size_t count, std::int64_t offset) {
  const char* from = static_cast<const char*>(bytes);
  return write_all(count, [&](std::size_t done) {
    return ::pwrite(file, from + done, count - done, offset + static_cast<std::int64_t>(done));
  });
}

}  // namespace oxbow::internal
