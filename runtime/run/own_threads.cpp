#include <oxbow/runtime/run/own_threads.h>
#include <oxbow/runtime/run/pool_impl.h>
#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/task_arena.h>

#include <mutex>
#include <thread>
#include <vector>

namespace oxbow::internal {
namespace {

// An arena for each worker: so each thread that oneTBB starts is started by the thread that asks for it, which can do
// without it where the system refuses. A larger arena's threads start one another, and a refusal ends the process.
class OwnThreads {
 public:
  explicit OwnThreads(int threads) : threads_(threads) {}
  OwnThreads(const OwnThreads&) = delete;
  ~OwnThreads() {
    if (process_number() == process_) return;
    static_cast<void>(arenas_.release());  // either might wait for threads that are gone
    static_cast<void>(more_.release());
  }

  void enqueue(const Pool::Job& job) {
    if (process_number() > 0) return std::thread(job).detach();
    std::call_once(started_, [this] { start(); });
    (*arenas_)[static_cast<std::size_t>(job.place())].enqueue(job);
  }

 private:
  using Arenas = std::vector<tbb::task_arena>;

  void start() {
    if (threads_ > tbb::info::default_concurrency())
      more_ = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism,
                                                    static_cast<std::size_t>(threads_));
    arenas_ = std::make_unique<Arenas>();
    for (int worker = 1; worker < threads_; ++worker) arenas_->emplace_back(2, 1);  // one place is a caller's, unused
  }

  const int threads_;
  const std::uint64_t process_ = process_number();
  std::once_flag started_;
  std::unique_ptr<tbb::global_control> more_;  // threads than the machine has cores
  std::unique_ptr<Arenas> arenas_;
};

}  // namespace

std::function<void(const Pool::Job&)> own_threads(int threads) {
  return [own = std::make_shared<OwnThreads>(threads)](const Pool::Job& job) { own->enqueue(job); };
}

}  // namespace oxbow::internal
