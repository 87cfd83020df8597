// Every call of the system by which files are read and written, made to fail in turn, and to be interrupted: a failed
// save leaves the old file and says why; an interrupted one is made again.
// Labels: figures.
#include <dlfcn.h>
#include <fcntl.h>
#include <oxbow/graph/tensor.h>
#include <oxbow/optim/idx.h>
#include <oxbow/runtime/atomic_file.h>
#include <oxbow/runtime/safetensors.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>

#include "commands/interrupt.h"
#include "dump/render.h"
#include "history/tensorboard.h"
#include "history/writer.h"
#include "measure/machine_peak.h"
#include "support/figures.h"
#include "support/message.h"
#include "support/temporary_folder.h"

namespace {

// Which call fails next: the `left`-th one of this name, once.
struct Fault {
  std::string_view call;
  int left = 0, reason = 0;
};
Fault fault;

bool fails(std::string_view call) {
  if (fault.call != call || fault.left == 0 || --fault.left > 0) return false;
  errno = fault.reason;
  return true;
}

}  // namespace

// A program's own functions of these names are called by the libraries too, instead of the system's.
extern "C" {
ssize_t write(int file, const void* bytes, size_t count) {
  return fails("write") ? -1 : ::syscall(SYS_write, file, bytes, count);
}
ssize_t pwrite(int file, const void* bytes, size_t count, off_t at) {
  return fails("pwrite") ? -1 : ::syscall(SYS_pwrite64, file, bytes, count, at);
}
ssize_t read(int file, void* bytes, size_t count) {
  return fails("read") ? -1 : ::syscall(SYS_read, file, bytes, count);
}
ssize_t pread(int file, void* bytes, size_t count, off_t at) {
  return fails("pread") ? -1 : ::syscall(SYS_pread64, file, bytes, count, at);
}
int fsync(int file) { return fails("fsync") ? -1 : static_cast<int>(::syscall(SYS_fsync, file)); }
int rename(const char* from, const char* to) noexcept {
  return fails("rename") ? -1 : static_cast<int>(::syscall(SYS_rename, from, to));
}
int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const int mode = (flags & O_CREAT) != 0 ? va_arg(rest, int) : 0;
  va_end(rest);
  return fails("open") ? -1 : static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}
pid_t waitpid(pid_t child, int* status, int options) {
  return fails("waitpid") ? -1 : static_cast<pid_t>(::syscall(SYS_wait4, child, status, options, nullptr));
}
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* with) noexcept {
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  return fails("pthread_create") ? errno : create(thread, attributes, start, with);
}
}

BOOST_AUTO_TEST_SUITE(test_faults)

using namespace oxbow;
using test::message;

namespace {

constexpr const char* calls[] = {"open", "write", "pwrite", "read", "pread", "fsync", "rename"};

// Runs `action` with the k-th call of each name failing, for every k that there is; `check` gets what it said. Returns
// how many calls failed.
int with_every_fault(int reason, const std::function<void()>& prepare, const std::function<void()>& action,
                     const std::function<void(const std::string&)>& check) {
  static int total = 0;  // of all tests; the last figure counts
  int injected = 0;
  for (const char* call : calls)
    for (int k = 1; k < 1000; ++k) {
      prepare();
      fault = {call, k, reason};
      const std::string said = message(action);
      const bool reached = fault.left == 0;
      fault = {};
      if (!reached) break;
      ++injected;
      BOOST_TEST_CONTEXT(call << " number " << k) { check(said); }
    }
  total += injected;
  test::figure("calls", std::to_string(total) + " calls of open, read, write, fsync and rename that failed or were " +
                            "interrupted: 0 files lost");
  return injected;
}

const Safetensors content{{{"w", draw({300}, -1, 1, 1, f32)}, {"n", draw({}, 0, 9, 1, i64)}}, {}};

}  // namespace

BOOST_AUTO_TEST_CASE(a_save_whose_calls_fail_leaves_the_old_file) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "w.safetensors";
  save_safetensors(path, content);
  const std::string whole = folder.read("w.safetensors");
  const auto prepare = [&] { folder.write("w.safetensors", "old"); };
  const auto action = [&] { save_safetensors(path, content); };
  int kept = 0;
  const int failed = with_every_fault(EIO, prepare, action, [&](const std::string& said) {
    BOOST_TEST(folder.file_count() == 1u);
    if (said == "no error") {  // behind the rename: the folder could not be synced
      BOOST_TEST((folder.read("w.safetensors") == whole));
      return;
    }
    ++kept;
    BOOST_TEST(folder.read("w.safetensors") == "old");
    BOOST_TEST(said.find(path + ": Input/output error (the file that was there is unchanged)") != std::string::npos,
               said);
  });
  BOOST_TEST(kept == 7);  // open, write of length, header and both tensors, fsync, rename
  BOOST_TEST(failed == kept + 2);
  with_every_fault(EINTR, prepare, action, [&](const std::string& said) {
    BOOST_TEST(said == "no error");
    BOOST_TEST((folder.read("w.safetensors") == whole));
  });
}

BOOST_AUTO_TEST_CASE(a_read_whose_calls_fail_says_so) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "w.safetensors";
  save_safetensors(path, content);
  const std::string idx = folder.write("a.idx", test::bytes({0, 0, 8, 1, 0, 0, 0, 2, 1, 2}));
  const std::string packed =
      folder.write("a.idx.gz", test::bytes({31, 139, 8,  0,  0,   0, 0, 0,   2,   3,   99, 96, 224, 96, 100,
                                            96, 96,  96, 98, 100, 2, 0, 116, 252, 137, 98, 10, 0,   0,  0}));
  const std::pair<std::string, std::function<void()>> readers[] = {
      {path, [&] { load_safetensors(path); }}, {idx, [&] { load_idx(idx); }}, {packed, [&] { load_idx(packed); }}};
  for (const auto& [file, read] : readers) {
    const auto nothing = [] {};
    const int failed = with_every_fault(EIO, nothing, read, [&, name = file](const std::string& said) {
      BOOST_TEST(said == "cannot read " + name + ": Input/output error");
    });
    BOOST_TEST(failed >= 2);
    with_every_fault(EINTR, nothing, read, [](const std::string& said) { BOOST_TEST(said == "no error"); });
  }
}

// Nothing is lost, and the program that draws is waited for.
BOOST_AUTO_TEST_CASE(waiting_for_a_drawing_that_is_interrupted_goes_on) {
  const std::string drawn = tools::render_svg("digraph { a -> b }");
  fault = {"waitpid", 1, EINTR};
  std::string again;
  BOOST_TEST(message([&] { again = tools::render_svg("digraph { a -> b }"); }) == "no error");
  BOOST_TEST(fault.left == 0);
  BOOST_TEST((again == drawn));
  BOOST_TEST(::waitpid(-1, nullptr, WNOHANG) == -1);  // no child is left
}

// Without the thread that waits for it, Ctrl-C does what it does to other programs.
BOOST_AUTO_TEST_CASE(ctrl_c_is_left_alone_where_a_thread_is_refused) {
  fault = {"pthread_create", 1, EAGAIN};
  const tools::Interrupt interrupt;
  BOOST_TEST(fault.left == 0);
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  BOOST_TEST(sigismember(&blocked, SIGINT) == 0);
  BOOST_TEST(!interrupt.token().stop_requested());
}

// It is measured with the threads that there are; nobody waits for one that does not come.
BOOST_AUTO_TEST_CASE(a_machine_is_measured_where_a_thread_is_refused) {
  for (const int which : {1, 2}) {
    fault = {"pthread_create", which, EAGAIN};
    const tools::MachinePeak peak = tools::measure_peak(3);
    BOOST_TEST(fault.left == 0);
    BOOST_TEST(peak.flops_per_ns > 0);
    BOOST_TEST(peak.bytes_per_ns > 0);
  }
}

// The rows of the last save that went well stay, and the next save writes what is missing.
BOOST_AUTO_TEST_CASE(a_history_whose_calls_fail_keeps_its_rows) {
  const test::TemporaryFolder folder;
  const std::string path = folder / "history.csv";
  for (const int reason : {EIO, EINTR}) {
    std::optional<tools::HistoryWriter> history;
    const auto add = [&](int rows) {
      for (int k = 0; k < rows; ++k) {
        history->add_row();
        history->set("loss", 0.5);
      }
    };
    std::string before;
    const auto prepare = [&] {
      history.emplace(path);
      add(3);
      history->save();
      before = folder.read("history.csv");
      add(2);
    };
    const int failed = with_every_fault(
        reason, prepare, [&] { history->save(); },
        [&](const std::string& said) {
          BOOST_TEST((said == "no error") == (reason == EINTR));
          if (reason == EIO) BOOST_TEST(folder.read("history.csv") == before);
          history->save();
          BOOST_TEST(folder.read("history.csv") == "loss\n0.5\n0.5\n0.5\n0.5\n0.5\n");
        });
    BOOST_TEST(failed == 3);  // open, pwrite, fsync
  }
}

BOOST_AUTO_TEST_CASE(an_event_file_whose_calls_fail_loses_nothing) {
  for (const int reason : {EIO, EINTR}) {
    std::optional<test::TemporaryFolder> folder;
    std::optional<tools::EventFile> file;
    const auto prepare = [&] {
      file.reset();
      folder.emplace();
      file.emplace(folder->operator/("runs"));
      file->add(1, {{"loss", 0.5}});
    };
    const int failed = with_every_fault(
        reason, prepare, [&] { file->flush(); },
        [&](const std::string& said) {
          BOOST_TEST((said == "no error") == (reason == EINTR));
          if (reason == EIO) BOOST_TEST(said == "cannot write " + file->path() + ": Input/output error");
          file->flush();
          BOOST_TEST(std::filesystem::file_size(file->path()) > 100u);
        });
    BOOST_TEST(failed == 2);  // write, fsync
    file.reset();
  }
}

BOOST_AUTO_TEST_SUITE_END()
