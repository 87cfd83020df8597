// `oxbow train`: its options, which tools/commands/train_command.cpp reads, and what it does.
#pragma once

#include <oxbow/graph/dtype.h>

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace oxbow::tools {

struct TrainCommand {
  std::string net = "mnist_mlp";             ///< an example, a file with a graph, or an ONNX file
  std::string data = "tools/data/mnist10k";  ///< folder with the four IDX files, or a safetensors file
  std::string test;                          ///< a safetensors file to test on; "": none
  std::vector<std::string> trained = {};     ///< patterns of an ONNX file's parameters
  std::string out = "out";                   ///< folder to write to; made when missing
  std::string optimizer = "adam";
  std::vector<std::string> fields = {};  ///< of the optimizer: "momentum=0.9"
  double learning_rate = 0;              ///< 0: the optimizer's default; resumed, the rate that the state holds
  std::string schedule = "constant";     ///< of the rate, over all steps: see `schedule_names`
  std::int64_t warmup = 0;               ///< steps in which the rate rises from 0, before the schedule
  double clip_norm = 0;                  ///< of all gradients together; 0: none
  int accumulate = 1;                    ///< minibatches a step
  double ema = 0;                        ///< decay of the weights' average that is tested and saved; 0: none
  bool record_norms = false;             ///< gradient norms and update-to-weight ratios
  std::string tensorboard;               ///< folder for an event file; "": none
  bool resume = false;                   ///< go on from training.safetensors in `out`
  std::int64_t checkpoint_every = 0;     ///< minibatches; 0: at the end of each epoch only
  int epochs = 10;
  std::int64_t batch_size = 64;
  int threads = 0;                                 ///< 0: all cores
  std::optional<std::int64_t> memory_budget = {};  ///< bytes that values may take at once
  std::optional<DType> activations = {};           ///< that wait for backward in other than their own
  std::uint64_t seed = 0;
  std::string check_numerics;  ///< "": no; "results" or "all"
};
/// What `TrainCommand::schedule` may be.
std::vector<std::string> schedule_names();
/// Trains, prints loss and accuracy per epoch, and writes the loss curve, the parameters and the step's graph. History
/// and state are written at each epoch's end: `resume` continues from there, also after a kill. When `stop` is
/// requested it ends between two steps and writes what it has learned so far; returns 130 then, otherwise 0.
int train(const TrainCommand& options, std::stop_token stop);

}  // namespace oxbow::tools
