// Recurrent layers: over whole sequences [batch, time, features], a step a time. Gates, kernels and defaults are those
// of Keras. One with the usual activations, tanh and for the gates sigmoid, or relu of `SimpleRNN`, is one node
// (`lstm`, `gru`, `simple_rnn` of ops/recurrent.h), and its gradient another; its time may be a free axis. Those with
// other activations or with `.recurrent_dropout` are loops (`repeat` of ops/control.h), one node a layer, whose
// gradients keep the states and compute the gates once more; or, with `.unroll`, written out step by step: of these the
// number of steps is fixed when they are called, also where the axis of time is free, and a run that is fed another one
// fails.
//
//   Sequential net{Embedding(256, 64), LSTM(128, {.return_sequences = true}), Bidirectional(GRU(64)), Dense(10)};
//
//   LSTM lstm(128);
//   const auto [sequence, state] = lstm.run(x, {h, c});  // all outputs, and the state to go on from
//   Value y = lstm(x, {.lengths = n});                   // sequence i has n[i] steps, what follows them is padding
#pragma once

#include <oxbow/graph/graph.h>
#include <oxbow/ops/initializers.h>
#include <oxbow/ops/layers/layer.h>
#include <oxbow/ops/pointwise.h>

namespace oxbow {

struct RecurrentOptions {
  bool return_sequences = false;  ///< the output of each step, not of the last one alone
  bool reverse = false;           ///< from the last step to the first; outputs keep their places in time
  Activation activation = tanh;
  Activation recurrent_activation = sigmoid;  ///< of the gates
  Initializer kernel_init = init::glorot_uniform();
  Initializer recurrent_init = init::orthogonal();
  Initializer bias_init = init::zeros();
  bool use_bias = true;
  bool unit_forget_bias = true;  ///< of `LSTM`: the forget gate's bias starts at 1, the others' as `bias_init` says
  bool reset_after = true;       ///< of `GRU`: the reset gate is applied after the product, as cuDNN and PyTorch do
  double dropout = 0;            ///< of x's features, the same ones in all steps
  double recurrent_dropout = 0;  ///< of the state on its way to the gates, the same units in all steps
  bool unroll = false;           ///< nodes for each step: the same outputs, and a large graph to look at
  std::string name = {};
  bool trainable = true;
};

/// What a call takes beside x. All may be empty.
struct RecurrentInputs {
  /// Before the first step, each [batch, units]: h; of `LSTM` h and c; of `Bidirectional` those of the forward layer,
  /// then those of the backward one. Zeros where it is empty.
  std::vector<Value> initial_state = {};
  /// Integers [batch]: so many steps each sequence has; where it is empty, all. A step beyond them is not read,
  /// whatever x is there: its output is 0, the state stays as it was, and no gradient flows. Fewer than 0 are 0, more
  /// than there are steps are all. So the last state, and what a layer without `.return_sequences` gives, is that after
  /// each sequence's own last step; a reversed layer starts from there.
  Value lengths = {};
};

struct RecurrentResult {
  Value sequence;            ///< [batch, time, units]
  std::vector<Value> state;  ///< after the last step, each [batch, units]: h; of `LSTM` h and c
};

/// What the recurrent layers have in common. A call gives [batch, units], or the sequence [batch, time, units] where
/// the options say so. Variables: kernel [features, gates x units], recurrent_kernel [units, gates x units], bias
/// [gates x units]. A call throws `Error` unless x is floating point [batch, time, features], for units < 1, for no
/// steps, for an initial state of another number or type, for lengths that are not integers [batch], and for a dropout
/// that is not in [0, 1). Dropout: Gal and Ghahramani 2016, https://arxiv.org/abs/1512.05287; what a state carries on
/// past the gates, h of `GRU` and c of `LSTM`, is never dropped.
class Recurrent : public Layer {
 public:
  using Layer::operator();
  Value operator()(Value x, const RecurrentInputs& beside, At at = At::current()) const;

  /// All that comes out. `initial` is the state before the first step: zeros where it is empty.
  RecurrentResult run(Value x, const std::vector<Value>& initial = {}, At at = At::current()) const;
  RecurrentResult run(Value x, const RecurrentInputs& beside, At at = At::current()) const;

 protected:
  using Layer::Layer;
};

/// h' = activation(x W + h U + b): Elman 1990, "Finding structure in time".
class SimpleRNN : public Recurrent {
 public:
  explicit SimpleRNN(std::int64_t units, RecurrentOptions options = {});
  SimpleRNN(Graph& g, std::int64_t units, RecurrentOptions options = {});
};

/// Gates z, r and the candidate n, in this order: h' = z h + (1 - z) n, n = activation(x W + b + r (h U + b')): Cho et
/// al. 2014, https://arxiv.org/abs/1406.1078. With `reset_after` bias is [2, 3 units], b and b'; without it, n =
/// activation(x W + (r h) U + b), and bias is [3 units].
class GRU : public Recurrent {
 public:
  explicit GRU(std::int64_t units, RecurrentOptions options = {});
  GRU(Graph& g, std::int64_t units, RecurrentOptions options = {});
};

/// Gates i, f, the candidate n, and o, in this order: c' = f c + i n, h' = o activation(c'): Hochreiter and Schmidhuber
/// 1997; Gers, Schmidhuber and Cummins 2000.
class LSTM : public Recurrent {
 public:
  explicit LSTM(std::int64_t units, RecurrentOptions options = {});
  LSTM(Graph& g, std::int64_t units, RecurrentOptions options = {});
};

struct BidirectionalOptions {
  enum class Merge : std::uint8_t { concat, sum, multiply, average };
  Merge merge = Merge::concat;
  std::string name = {};
};

/// Two new layers like the one given, of which the second goes the other way; their outputs are put together, by
/// default to [..., 2 units]. Scopes: forward, backward. The layer given is a pattern: its name is left out, and calls
/// of it have variables of their own. Throws `Error` where it was called before, as its variables would not be those
/// used here.
class Bidirectional : public Layer {
 public:
  explicit Bidirectional(const Recurrent& layer, BidirectionalOptions options = {});
  using Layer::operator();
  Value operator()(Value x, const RecurrentInputs& beside, At at = At::current()) const;
};

}  // namespace oxbow
