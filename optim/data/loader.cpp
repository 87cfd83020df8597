#include <oxbow/optim/loader.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <numeric>
#include <system_error>
#include <thread>

namespace oxbow {

// Batch number k lies in slot k modulo their number. Workers take numbers in order, each as soon as its slot is free;
// whoever takes batches waits for the next number. So what is made does not depend on who makes it.
struct Loader::State {
  LoaderOptions options;
  std::int64_t samples = 0, size = 0;  // of a batch
  std::vector<std::int64_t> order;
  std::int64_t epoch = 0, first = 0;  // the sample at which this epoch's batch 0 begins
  struct Slot {
    Batch batch;
    std::int64_t holds = -1;  // this number, when it is finished
    std::exception_ptr failed = {};
  };
  std::vector<Slot> slots;
  std::int64_t asked = 0, begun = 0, under_way = 0;  // batches given out, taken by workers, and not yet finished

  std::mutex mutex;
  std::condition_variable work, finished;
  bool started = false, ended = false;
  std::vector<std::thread> workers;

  ~State() {
    {
      const std::lock_guard lock(mutex);
      ended = true;
    }
    work.notify_all();
    for (std::thread& worker : workers) worker.join();
  }

  std::int64_t batches() const { return (samples - first + size - 1) / size; }
  Slot& slot(std::int64_t number) { return slots[static_cast<std::size_t>(number % std::ssize(slots))]; }

  void make(std::int64_t number) {
    const std::int64_t begin = first + number * size, count = std::min(size, samples - begin);
    slot(number).batch.gather(
        std::span(order).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)), epoch);
  }

  // The slot of the batch that was given out last is still read.
  bool may_begin() const {
    return started && begun < batches() && begun < std::max<std::int64_t>(asked - 1, 0) + std::ssize(slots);
  }

  void run_worker() {
    std::unique_lock lock(mutex);
    while (true) {
      work.wait(lock, [&] { return ended || may_begin(); });
      if (ended) return;
      const std::int64_t number = begun++;
      ++under_way;
      lock.unlock();
      std::exception_ptr failed;
      try {
        make(number);
      } catch (...) {
        failed = std::current_exception();
      }
      lock.lock();
      Slot& s = slot(number);
      s.holds = number;
      s.failed = failed;
      --under_way;
      finished.notify_all();
    }
  }

  void pause() {
    std::unique_lock lock(mutex);
    started = false;
    finished.wait(lock, [&] { return under_way == 0; });
  }
};

Loader::Loader(const Dataset& data, const std::vector<std::string>& names, const LoaderOptions& options) {
  if (options.batch_size < 1 || options.workers < 0 || options.prefetch < 1)
    throw Error("Loader: the batch size is " + std::to_string(options.batch_size) + ", there are " +
                std::to_string(options.workers) + " workers, and " + std::to_string(options.prefetch) +
                " batches are made ahead. Give at least 1, 0 and 1");
  state_ = std::make_unique<State>();
  State& s = *state_;
  s.options = options;
  s.samples = data.size();
  s.size = std::max<std::int64_t>(std::min(options.batch_size, s.samples), 1);
  s.order.resize(static_cast<std::size_t>(s.samples));
  std::iota(s.order.begin(), s.order.end(), std::int64_t{0});
  const bool made = std::any_of(data.made().begin(), data.made().end(), [&](const auto& column) {
    return std::find(names.begin(), names.end(), column.first) != names.end();
  });
  const int workers = made ? options.workers : 0;
  for (int i = 0; i < (workers > 0 ? options.prefetch + 1 : 1); ++i) s.slots.push_back({Batch(data, names, s.size)});
  try {
    for (int i = 0; i < workers; ++i) s.workers.emplace_back([&s] { s.run_worker(); });
  } catch (const std::system_error&) {
    // those that there are do it, or `next`
  }
}

Loader::~Loader() = default;
Loader::Loader(Loader&&) noexcept = default;

std::int64_t Loader::steps() const { return (state_->samples + state_->size - 1) / state_->size; }

void Loader::start(std::int64_t epoch, std::int64_t samples) {
  State& s = *state_;
  s.pause();
  if (s.options.shuffle) shuffle(s.order, s.samples, s.options.seed, static_cast<std::uint32_t>(epoch));
  {
    const std::lock_guard lock(s.mutex);
    s.epoch = epoch;
    s.first = std::min(samples, s.samples);
    s.asked = s.begun = 0;
    for (State::Slot& slot : s.slots) slot.holds = -1;
    s.started = true;
  }
  s.work.notify_all();
}

const Batch* Loader::next() {
  State& s = *state_;
  if (s.asked >= s.batches()) return nullptr;
  const std::int64_t number = s.asked;
  State::Slot& slot = s.slot(number);
  if (s.workers.empty()) {
    s.make(number);
    ++s.asked;
    return &slot.batch;
  }
  std::unique_lock lock(s.mutex);
  ++s.asked;
  s.work.notify_all();
  s.finished.wait(lock, [&] { return slot.holds == number; });
  if (slot.failed) {
    s.started = false;
    std::rethrow_exception(slot.failed);
  }
  return &slot.batch;
}

}  // namespace oxbow
