// Training as TensorBoard shows it: scalars over steps, histograms of parameters and pictures, written to an event file
// during training.
//
//   model.fit(data, {.epochs = 10, .callbacks = {tools::tensorboard("runs/adam")}});
//   tensorboard --logdir runs                                     # in a shell; several runs are shown on one axis
//
// The format: records of a length (u64, little-endian), the masked CRC-32C of these eight bytes, a serialized Event
// (tensorboard.proto) and its masked CRC-32C. TensorBoard keeps single precision. Thread safety: one thread at a time.
#pragma once

#include <oxbow/optim/fit.h>
#include <oxbow/tools/plot/image.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace oxbow::tools {

class EventFile {
 public:
  using Scalars = std::vector<std::pair<std::string, double>>;

  /// A new file in `folder`, which is made when missing. Its scalars begin at step `first`: what earlier files of the
  /// folder hold from that step on no longer counts, so a resumed run continues its curves and a run that
  /// begins anew replaces them. Throws `Error` when the file cannot be made.
  explicit EventFile(const std::string& folder, std::int64_t first = 1);
  /// Writes what is kept, unless a child that was forked off ends a copy.
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  const std::string& path() const { return path_; }
  /// Scalars of one step, at this moment. They are kept until a second has passed, then written with the next ones.
  /// Where the file was removed meanwhile, they go to a new one.
  void add(std::int64_t step, const Scalars& scalars);
  /// How a tensor's numbers, of any dtype, are spread: 30 equal intervals from the smallest to the largest. NaN and
  /// infinities are left out; where no other number is there, nothing is added.
  void add_histogram(std::int64_t step, const std::string& tag, const Tensor& values);
  /// Pictures, as `save_image` takes and lays them out. Throws `Error` as that does.
  void add_image(std::int64_t step, const std::string& tag, const Tensor& images, const ImageOptions& options = {});
  /// Writes what is kept and makes all durable. Throws `Error` that names the file and the reason (a full disk, say);
  /// what was written stays, and what was not is tried again by the next call.
  void flush();

 private:
  void open(std::int64_t first);
  void reopen_if_removed();
  // An event, kept or, where a second has passed, written.
  template <class Fill>
  void add_summary(std::int64_t step, const Fill& fill);
  void append(const std::string& event);
  void write();
  std::string folder_;
  std::string path_;
  int file_ = -1;
  int process_;       // that writes it
  std::string kept_;  // whole records, of which `sent_` bytes are in this file
  std::size_t sent_ = 0;
  std::int64_t first_kept_;  // the step from which on scalars are kept
  std::chrono::steady_clock::time_point written_;
};

struct TensorBoardOptions {
  int histograms = 0;  ///< every so many epochs, of each trained parameter; 0 for none. Keras: histogram_freq
};

/// Each minibatch's "loss", "learning_rate" and what is recorded (gradient_norm/dense/weight, say), and each epoch's
/// results as "epoch/val_loss". The step is that of the whole training, in minibatches. The file is made by the first
/// step; an error in writing it ends `fit`.
class TensorBoard {
 public:
  /// Throws `Error` for a negative number of epochs.
  explicit TensorBoard(std::string folder, const TensorBoardOptions& options = {});
  /// To be told before the callback that saves checkpoints.
  Callback callback() const;
  /// Makes durable what it was told until now. To be called before a state is saved, so that no step is missing when
  /// the process is killed and resumed: checkpoint("training.safetensors", 100, [board] { board.flush(); }).
  void flush() const;

  /// Pictures and the spread of a tensor's numbers at the step that training has come to, as `EventFile` adds them: for
  /// a callback of one's own that is told after this one. Throw `Error` where no training is under way.
  ///   const Callback pictures{.on_epoch = [&](Progress& p) { board.image("drawn", p.model.predict(samples)); }};
  void image(const std::string& tag, const Tensor& images, const ImageOptions& options = {}) const;
  void histogram(const std::string& tag, const Tensor& values) const;

 private:
  struct Run;
  std::shared_ptr<Run> run_;
};

/// Its callback alone: for a training that is not resumed within an epoch.
inline Callback tensorboard(std::string folder, const TensorBoardOptions& options = {}) {
  return TensorBoard(std::move(folder), options).callback();
}

/// The checksum that guards records: CRC-32C (Castagnoli), rotated right by 15 bits, plus 0xa282ead8.
std::uint32_t masked_crc32c(const void* bytes, std::size_t count);

}  // namespace oxbow::tools
