// The `dot` program is run rather than its library linked: the library's clean-up after large clustered graphs frees
// memory twice (Graphviz 2.42), which would take a trained model down with it.
#include "dump/render.h"

#include <fcntl.h>
#include <oxbow/graph/error.h>
#include <oxbow/runtime/files/calls.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <new>
#include <optional>
#include <thread>

extern char** environ;

namespace oxbow::tools {
namespace {

// A file without a name, which goes when it is closed: `dot` reads one and writes another, so that no pipe can fill up.
struct Scratch {
  Scratch() : file(std::tmpfile(), std::fclose) {
    if (!file) throw Error("cannot make a temporary file for Graphviz");
  }
  int descriptor() const { return fileno(file.get()); }
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file;
};

constexpr std::chrono::seconds longest{60};

// Waits for a child until it ends, or kills it. Its status; nothing where it is not known.
std::optional<int> ended(pid_t child) {
  using namespace std::chrono_literals;
  const auto deadline = std::chrono::steady_clock::now() + longest;
  int status = 0;
  std::chrono::milliseconds pause = 1ms;
  for (;;) {
    const pid_t who = internal::uninterrupted([&] { return waitpid(child, &status, WNOHANG); });
    if (who == child) return status;
    if (who != 0) return std::nullopt;
    if (std::chrono::steady_clock::now() > deadline) {
      kill(child, SIGKILL);
      internal::uninterrupted([&] { return waitpid(child, &status, 0); });
      throw Error("Graphviz's program dot has not ended within " + std::to_string(longest.count()) +
                  " seconds. Fold the graph's scopes, or draw a page (html), which needs no Graphviz");
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, 50ms);
  }
}

std::string render(const std::string& dot, std::string format) {
  const Scratch in, out;
  if (std::fwrite(dot.data(), 1, dot.size(), in.file.get()) != dot.size() || std::fflush(in.file.get()) != 0)
    throw Error("cannot write a temporary file for Graphviz");
  std::rewind(in.file.get());

  posix_spawn_file_actions_t redirect;
  posix_spawn_file_actions_init(&redirect);
  int failed = posix_spawn_file_actions_adddup2(&redirect, in.descriptor(), STDIN_FILENO);
  if (failed == 0) failed = posix_spawn_file_actions_adddup2(&redirect, out.descriptor(), STDOUT_FILENO);
  if (failed == 0) failed = posix_spawn_file_actions_addopen(&redirect, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::string program = "dot";
  char* arguments[] = {program.data(), format.data(), nullptr};
  pid_t child = 0;
  if (failed == 0) failed = posix_spawnp(&child, program.c_str(), &redirect, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&redirect);
  if (failed == ENOMEM) throw std::bad_alloc();
  if (failed != 0) throw Error("cannot run Graphviz's program dot: is the package graphviz installed?");
  const std::optional<int> status = ended(child);
  if (status && WIFSIGNALED(*status))  // its layout is recursive in parts
    throw Error("Graphviz's program dot was ended by signal " + std::to_string(WTERMSIG(*status)) +
                ": the graph may be too large for it. Fold its scopes, or draw a page (html), which needs no Graphviz");
  if (status != 0) throw Error("Graphviz cannot draw this DOT text");

  std::string picture;
  std::rewind(out.file.get());
  char buffer[1 << 14];
  for (std::size_t n = 0; (n = std::fread(buffer, 1, sizeof buffer, out.file.get())) > 0;) picture.append(buffer, n);
  if (std::ferror(out.file.get())) throw Error("cannot read what Graphviz drew");
  return picture;
}

}  // namespace

std::string render_svg(const std::string& dot) { return render(dot, "-Tsvg"); }
std::string render_png(const std::string& dot) { return render(dot, "-Tpng"); }

}  // namespace oxbow::tools
