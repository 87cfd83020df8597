#include <oxbow/graph/error.h>
#include <oxbow/runtime/pool_impl.h>
#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/task_arena.h>

#include <optional>
#include <string>

namespace oxbow {
namespace {

// An arena, and leave for oneTBB to use as many threads where the machine has fewer.
struct OwnArena {
  explicit OwnArena(int threads) : arena(threads) {
    if (threads > tbb::info::default_concurrency())
      more_threads.emplace(tbb::global_control::max_allowed_parallelism, static_cast<std::size_t>(threads));
  }
  std::optional<tbb::global_control> more_threads;
  tbb::task_arena arena;
};

}  // namespace

Pool::Pool(int threads, std::function<void(std::function<void()>)> enqueue)
    : impl_(std::make_shared<Impl>(threads, std::move(enqueue))) {}

Pool::Pool(int threads) {
  if (threads < 1) throw Error("a pool of " + std::to_string(threads) + " threads\n  Use one or more");
  auto own = std::make_shared<OwnArena>(threads);
  impl_ = std::make_shared<Impl>(threads, [own](std::function<void()> work) { own->arena.enqueue(std::move(work)); });
}

Pool Pool::shared() {
  static const Pool pool(tbb::info::default_concurrency());
  return pool;
}

int Pool::threads() const { return impl_->threads; }

}  // namespace oxbow
