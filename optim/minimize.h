// From a loss to the nodes of a training step: gradients, an optimizer's arithmetic and the assigns that end it. This
// is what Model is built on, with nothing hidden:
//
//   const optim::Minimized step = optim::minimize(loss, "adam", {.clip = {.global_norm = 1}});
//   Program program = compile(step.fetches());
//   Store store(g);
//   Session session(program, store);
//
// All state is variables of the graph, so that it is saved, loaded and dumped as parameters are:
//   optimizer/step                   i64: how many steps were taken
//   optimizer/learning_rate          f64: may be set between runs, or, with a schedule, tells the rate of the last step
//   optimizer/adam/dense/weight/m    slot "m" of the parameter "dense/weight"
//   optimizer/group_2/learning_rate  of a parameter group with an optimizer of its own
//   optimizer/accumulated/...        sums of gradients;  optimizer/average/dense/weight;  optimizer/loss_scale;
//   optimizer/skipped                i64: how many steps were left out because of a NaN or Inf
//   optimizer/plateau/scale          and what else a schedule remembers
// Thread safety: values; `minimize` appends to a graph, which is for one thread.
#pragma once

#include <oxbow/optim/average.h>
#include <oxbow/optim/clip.h>
#include <oxbow/optim/groups.h>
#include <oxbow/optim/loss_scale.h>

namespace oxbow::optim {

/// What a step does when a gradient has a NaN or Inf, or is so large that the square which its optimizer keeps would be
/// infinite (above 1.8e19 in f32), or the sum of all squares that it keeps: the weight would never move again.
enum class Nonfinite : std::uint8_t {
  keep,  ///< it goes into the weights, as IEEE 754 says: nothing is looked for, nothing costs time
  fail,  ///< the run throws `Error` with the parameter's name; all variables stay as they were
  skip   ///< the step is left out: parameters, slots and step count stay as they were, "optimizer/skipped" counts it
};

struct MinimizeOptions {
  std::vector<Value> parameters = {};  ///< what to train; when empty, every trainable variable that the loss depends on
  std::vector<Group> groups = {};      ///< parameters that are trained in another way, by name
  Clip clip = {};                      ///< smaller gradients
  int accumulate = 1;                  ///< minibatches to a step: see `Minimized::gathering`
  /// How many samples a minibatch has (a scalar), by which gradients are weighed when they are accumulated; when empty,
  /// the first axis of the first input that the loss depends on and whose first axis is free, or else 1.
  Value samples = {};
  Average average = {};                      ///< of the weights: EMA{}, SWA{}
  std::optional<LossScale> loss_scale = {};  ///< a dynamic one implies `Nonfinite::skip`
  Nonfinite nonfinite = Nonfinite::keep;
  bool norms = false;               ///< computes `Minimized::recorded`; the step's bits are the same without
  std::string scope = "optimizer";  ///< of the state; another one where a graph has two optimizers
};

/// A schedule that looks at results: feed all of them and fetch `updates` after each epoch.
struct Observer {
  struct Result {
    std::string monitor;  ///< which result, by name; "" for the default
    std::string input;    ///< the name of the input to feed, an f64 scalar
  };
  std::vector<Result> results;
  std::vector<Value> updates;  ///< assigns
};

/// A learning rate that a step goes by.
struct StepRate {
  std::string group;  ///< the pattern of the group whose own optimizer goes by it; "" for all others
  Rate rate;          ///< as it was asked for
  Value variable;     ///< f64: where `rate` is a number it may be set between runs, else it tells the last step's rate
};

/// A layer's statistic over its batch (batch norm's mean or variance), which the averaged weights need anew.
struct Statistic {
  std::vector<Value> batches;  ///< over the batch, of each call of the layer
  Value running;               ///< the variable that inference takes
  Value refreshed;             ///< the variable that evaluation by averaged weights takes, once it was filled
};

/// A scalar of a step, f64, by name.
struct Recorded {
  std::string name;
  Value value;
};

struct Minimized {
  Value loss;
  std::vector<Value> parameters;  ///< what is trained
  std::vector<Value> gradients;   ///< one a parameter: what the optimizer takes, unless it was clipped
  Value gradient_norm;            ///< of all gradients before clipping, f64; empty unless `Clip::global_norm` is set
  std::vector<Value> state;       ///< all variables that the optimizer keeps
  Value step;                     ///< of them: how many steps were taken, i64
  std::vector<StepRate> rates;    ///< of them: the optimizer's first, then those of groups with one of their own
  Value gathered;                 ///< of them: how many minibatches were gathered, i64; empty when `accumulate` is 1
  std::vector<Statistic> statistics;  ///< where weights are averaged
  Value refreshed_at;                 ///< the step whose averages `Statistic::refreshed` fits, i64; 0 before the first
  /// With `MinimizeOptions::norms`, else empty: "gradient_norm", the length of all gradients before clipping, and
  /// "update_ratio", by how much of its own length the step moves the vector of all parameters (0.001 is a common
  /// measure); then both for each parameter, "gradient_norm/dense/weight". Lengths are those of
  /// `optim::global_norm`.
  /// The ratio is 0 where nothing moves, and infinite where all weights are 0 and move.
  std::vector<Recorded> recorded;
  std::vector<Value> updates;   ///< all assigns of a step: parameters, state, and those of the layers (Graph::updates)
  std::vector<Value> averages;  ///< one a parameter: the variable that evaluation takes in its place, or it itself
  std::vector<Observer> observers;
  /// With `accumulate` = k, the assigns of a minibatch that adds its gradients up: of k minibatches the first k - 1 run
  /// these, the last one runs `updates`. Running `updates` sooner gives the mean over what was gathered until then,
  /// itself included. Empty when k is 1.
  std::vector<Value> gathering;
  /// The loss and then every update: what to compile.
  std::vector<Value> fetches() const;
};

/// Appends to the graph of `loss`, a floating-point scalar, what a step towards its minimum takes, with the layers'
/// `updates_of` the loss (graph/updates.h). Throws `Error` when the loss is no such scalar, depends on no parameter,
/// has no gradient towards any (as an accuracy), a parameter is not trainable, or an option makes no sense.
///
/// In this order: the loss is scaled and differentiated; gradients are unscaled, accumulated (the mean over the samples
/// of all minibatches), looked at for NaN and Inf, clipped; each parameter moves by its group's optimizer; averages
/// follow.
Minimized minimize(Value loss, const Optimizer& optimizer, MinimizeOptions options = {}, At at = At::current());

}  // namespace oxbow::optim
