#include <oxbow/optim/checkpoint.h>
#include <oxbow/runtime/files/file_lock.h>

#include <algorithm>
#include <memory>

namespace oxbow {

Callback checkpoint(std::string path, std::int64_t every, std::function<void()> before) {
  if (every < 0)
    throw Error("checkpoint: every is " + std::to_string(every) + ". Give at least 1, or 0 for epochs only");
  auto held = std::make_shared<internal::FileLock>(path);
  const auto save = [path = std::move(path), before = std::move(before), held = std::move(held)](Progress& p) {
    if (before) before();
    p.model.save(path, Saved::training);
  };
  return {.on_step =
              [save, every](Progress& p) {
                // The last minibatch of an epoch is followed by the epoch's end.
                if (every > 0 && p.step < p.steps && p.model.minibatches() % every == 0) save(p);
              },
          .on_epoch = save,
          .on_end =
              [save](Progress& p) {
                if (p.stop && (!p.history.step_losses.empty() || p.history.best_epoch > 0)) save(p);
              }};
}

Callback save_best(std::string path, SaveBest options) {
  return {.on_epoch = [path = std::move(path), o = std::move(options)](Progress& p) {
    const std::vector<double> all = p.history[o.monitor];
    const double now = all.back();
    const auto better = [&](double before) { return !(o.maximize ? before >= now : before <= now); };
    if (now == now && std::all_of(all.begin(), all.end() - 1, better)) p.model.save(path, o.what);
  }};
}

}  // namespace oxbow
