// Batches of a data set in order, made ahead of whoever takes them: what `Model::fit` goes through, and what a training
// loop of one's own can.
//
//   Loader loader(data, {"x", "label"}, {.batch_size = 32, .workers = 2});
//   for (int epoch = 1; epoch <= 10; ++epoch) {
//     loader.start(epoch);
//     while (const Batch* batch = loader.next()) {
//       session.feed("x", batch->type(0), batch->bytes(0));
//       ...
//
// Batches come in the same order with the same bits for any number of workers. Where all columns are tensors there are
// no workers: copying rows is quicker than handing them over. Thread safety: one thread at a time.
#pragma once

#include <oxbow/optim/dataset.h>

#include <memory>

namespace oxbow {

struct LoaderOptions {
  std::int64_t batch_size = 32;
  bool shuffle = true;  ///< a new order each epoch, drawn from (seed, epoch)
  std::uint64_t seed = 0;
  /// Threads that make batches whose rows are made (optim/rows.h); 0: who takes them makes them. One that the system
  /// refuses is done without.
  int workers = 1;
  int prefetch = 2;  ///< so many batches are made ahead at most, and kept in memory beside the one that was taken
};

class Loader {
 public:
  /// Of the columns called `names`. Throws `Error` when one is missing, for a batch size below 1, for negative workers,
  /// and for a prefetch below 1.
  Loader(const Dataset& data, const std::vector<std::string>& names, const LoaderOptions& options = {});
  ~Loader();
  Loader(Loader&&) noexcept;

  std::int64_t steps() const;  ///< batches an epoch; the last one may be smaller
  /// Begins an epoch, or goes on in it behind its first `samples` samples. What was made ahead is dropped.
  void start(std::int64_t epoch, std::int64_t samples = 0);
  /// The next batch, valid until the next call; null behind the last one. Throws what making it threw: then the epoch
  /// is to be started again.
  const Batch* next();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace oxbow
