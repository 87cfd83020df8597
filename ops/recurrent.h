// Recurrences over whole sequences as one node each, for the layers of ops/layers.h to be made of: the product of all
// steps' inputs comes before, and the node goes through the steps.
#pragma once

#include <oxbow/graph/value.h>

namespace oxbow {

struct RecurrenceOptions {
  /// Integers [batch]: so many steps each sequence has; where it is empty, all. A step beyond them is not read, and
  /// leaves the state as it was. Fewer than 0 are 0, more than there are steps are all.
  Value lengths = {};
  bool reverse = false;  ///< from the last step to the first; states keep their places in time
};

struct LstmResult {
  Value states;  ///< h after each step, at its place in time: [time, batch, units]
  Value h, c;    ///< after the last step: [batch, units]
};

/// Long short-term memory: from a state h, c [batch, units], step t with z = x[t] + h recurrent goes on to
///   c' = sigmoid(f) c + sigmoid(i) tanh(n),   h' = sigmoid(o) tanh(c'),
/// where i, f, n, o are the quarters of z, in Keras's order. x [time, batch, 4 units] is what comes in from outside,
/// inputs W + b of all steps at once; recurrent is [units, 4 units].
///
/// One node: rows of the batch run side by side, steps one after another. Kept for its gradient, a node too, are the
/// gates and both states of each step. Throws `Error` for shapes and dtypes that do not fit.
///
/// Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000.
LstmResult lstm(Value x, Value recurrent, Value h, Value c, const RecurrenceOptions& options = {},
                At at = At::current());

struct StatesResult {
  Value states;  ///< h after each step, at its place in time: [time, batch, units]
  Value h;       ///< after the last step: [batch, units]
};

struct GruOptions {
  Value lengths = {};    ///< as of `RecurrenceOptions`
  bool reverse = false;  ///< as there
  /// Whether the reset gate is applied after the product with the recurrent weights, as Keras, cuDNN and PyTorch do, or
  /// before, as the paper does.
  bool reset_after = true;
  /// b [3 units], added to that product; with the reset before it may as well be added to x.
  Value recurrent_bias = {};
};

/// Gated recurrent units: from a state h [batch, units], step t goes on to
///   z, r = sigmoid(x[t] + p),   n = tanh(x[t] + r p),   h' = z h + (1 - z) n,   where p = h recurrent + b,
/// and each of z, r and n has its third of x and p, in Keras's order. With the reset before, n = tanh(x[t] + p') with
/// p' = (r h) recurrent + b. x [time, batch, 3 units] is what comes in from outside, inputs W + b' of all steps at
/// once; recurrent is [units, 3 units]. One node, as `lstm` is. Throws `Error` for shapes and dtypes that do not fit.
///
/// Cho et al. 2014, https://arxiv.org/abs/1406.1078.
StatesResult gru(Value x, Value recurrent, Value h, const GruOptions& options = {}, At at = At::current());

struct SimpleRnnOptions {
  Value lengths = {};    ///< as of `RecurrenceOptions`
  bool reverse = false;  ///< as there
  bool relu = false;     ///< relu instead of tanh
};

/// From a state h [batch, units], step t goes on to h' = tanh(x[t] + h recurrent). x [time, batch, units] is what comes
/// in from outside, inputs W + b of all steps at once; recurrent is [units, units]. One node, as `lstm` is. Throws
/// `Error` for shapes and dtypes that do not fit. Elman 1990, "Finding structure in time".
StatesResult simple_rnn(Value x, Value recurrent, Value h, const SimpleRnnOptions& options = {}, At at = At::current());

}  // namespace oxbow
