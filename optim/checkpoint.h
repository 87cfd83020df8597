// Training's state on the disk while it goes on, so that little is lost when the process or the machine dies.
//
//   model.fit(data, {.epochs = 100, .callbacks = {checkpoint("training.safetensors")}});
//
// and in a new process
//
//   model.load("training.safetensors");
//   model.fit(data, {.epochs = 100, .callbacks = {checkpoint("training.safetensors")}, .resume = true});
#pragma once

#include <oxbow/optim/model.h>

namespace oxbow {

/// Writes `Saved::training` to `path` at the end of each epoch, and where `every` is not 0 after each `every`
/// minibatches too; and where `fit` is stopped within an epoch. Each time atomically: a kill leaves the one before. An
/// error in writing ends `fit`. `before`, if any, is called before each: for what must be on the disk not later than
/// the state, as a history is. No two trainings write one `path`: from here on until the last copy of the callback is
/// gone it is held by a `FileLock`, which ends with the process too. Throws `Error` when another holds it, naming the
/// process, and for a negative `every`.
Callback checkpoint(std::string path, std::int64_t every = 0, std::function<void()> before = {});

struct SaveBest {
  std::string monitor = "val_loss";
  bool maximize = false;           ///< greater is better: an accuracy
  Saved what = Saved::parameters;  ///< `averages` where weights are averaged, to predict with
};
/// Writes the model to `path` after each epoch that is better than all before it in this `fit`, atomically. An epoch
/// whose result is NaN never counts as better. Throws `Error` when there is no such result. Keras:
/// ModelCheckpoint(save_best_only=True).
Callback save_best(std::string path, SaveBest options = {});

}  // namespace oxbow
