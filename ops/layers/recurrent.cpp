#include <oxbow/graph/leaves.h>
#include <oxbow/graph/support/near_names.h>
#include <oxbow/ops/control.h>
#include <oxbow/ops/layers.h>
#include <oxbow/ops/linalg.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/random.h>
#include <oxbow/ops/recurrent.h>
#include <oxbow/ops/shape.h>
#include <oxbow/ops/shared/layer_state.h>

namespace oxbow {
namespace ops {
namespace {

enum class Cell : std::uint8_t { simple, gru, lstm };

std::int64_t gates_of(Cell cell) { return cell == Cell::simple ? 1 : cell == Cell::gru ? 3 : 4; }

class RecurrentState : public LayerState {
 public:
  RecurrentState(Cell cell, std::int64_t units, RecurrentOptions options)
      : LayerState(cell == Cell::simple ? "SimpleRNN"
                   : cell == Cell::gru  ? "GRU"
                                        : "LSTM",
                   cell == Cell::simple ? "simple_rnn"
                   : cell == Cell::gru  ? "gru"
                                        : "lstm",
                   options.name, options.trainable),
        cell_(cell),
        units_(units),
        options_(std::move(options)) {}

  Value call(Value x, At at) override { return call(x, {}, at); }

  Value call(Value x, const RecurrentInputs& beside, At at) {
    const RecurrentResult r = run(x, beside, options_.return_sequences, at);
    return options_.return_sequences ? r.sequence : r.state[0];
  }

  RecurrentResult run(Value x, const RecurrentInputs& beside, bool with_sequence, At at) {
    check_layer_input(word(), x, 3, "[batch, time, features]", at);
    if (x.rank() > 3) refuse_layer(word(), "x has more than 3 axes", x, at, "Reshape it to [batch, time, features]");
    check_layer_size(word(), "units", units_, x, at);
    check_layer_size(word(), "steps", x.shape()[1], x, at);
    check_dropout(word(), options_.dropout, x, at);
    check_dropout(word(), options_.recurrent_dropout, x, at);
    if (beside.lengths) check_lengths(x, beside.lengths, at);
    LayerCall here(*this, x, {"kernel"}, at);
    const std::int64_t width = gates_of(cell_) * units_;
    Weights w;
    w.kernel = here.parameter("kernel", {x.dtype(), {x.shape()[-1], width}}, options_.kernel_init);
    w.recurrent = here.parameter("recurrent_kernel", {x.dtype(), {units_, width}}, options_.recurrent_init);
    Graph& g = x.graph();
    return as_called(word(), [&] {
      const OriginGuard line = from_line(g, at, g.origin().phase);
      if (options_.use_bias) make_biases(here, x.dtype(), width, w);
      // Of loops the steps have this length: where the axis is free, another one is refused here.
      const Value sequence = is_one_node() ? x : reshape(x, {0, x.shape()[1], 0});
      Value by_step = transpose(options_.dropout > 0 ? dropped(sequence) : sequence, {1, 0, 2});
      std::vector<Value> slices;
      if (beside.lengths) {
        slices = {within(x, beside.lengths)};
        by_step = where(slices[0], by_step, 0);  // a NaN in the padding would not be gone with its slope
      }
      const Value projected = matmul(by_step, w.kernel);
      slices.insert(slices.begin(), w.bias ? projected + w.bias : projected);
      const std::vector<Value> before = state_before(x, beside.initial_state, at);
      if (options_.recurrent_dropout > 0) w.kept = factors(before[0], options_.recurrent_dropout);
      if (is_one_node()) return as_node(slices, before, w, beside.lengths, with_sequence);
      if (options_.unroll) return written_out(slices, before, w, with_sequence);
      const RepeatResult r = repeat(
          x.shape()[1], before, [&](const RepeatStep& s) { return step(s, w, with_sequence); },
          {.slices = slices, .reverse = options_.reverse}, at);
      return RecurrentResult{with_sequence ? transpose(r.stacked[0], {1, 0, 2}) : Value(), r.carried};
    });
  }

  /// A layer like this one, with variables of its own.
  std::shared_ptr<RecurrentState> named(const char* name, bool turned) const {
    if (was_called())
      throw Error("bidirectional: its layer was called before, as " + internal::in_quotes(scope()) +
                  ", and would not lend its weights\n  Give a new layer, which is the pattern of both directions: "
                  "Bidirectional(" +
                  kind() + "(" + std::to_string(units_) + "))");
    RecurrentOptions options = options_;
    options.name = name;
    options.reverse = options.reverse != turned;
    options.trainable = trainable();
    return std::make_shared<RecurrentState>(cell_, units_, std::move(options));
  }

 private:
  struct Weights {
    Value kernel, recurrent, bias, recurrent_bias;
    Value kept;  // factors [batch, units] of the state on its way to the gates, where some of it is dropped
  };

  void make_biases(LayerCall& here, DType dtype, std::int64_t width, Weights& w) const {
    if (cell_ == Cell::gru && options_.reset_after) {
      const Value both = here.parameter("bias", {dtype, {2, width}}, options_.bias_init);
      w.bias = both[0];
      w.recurrent_bias = both[1];
      return;
    }
    const bool ones = cell_ == Cell::lstm && options_.unit_forget_bias;
    w.bias = here.parameter("bias", {dtype, {width}}, [&](const Shape& shape) {
      Init init = options_.bias_init ? options_.bias_init(shape) : Init{};
      if (ones) init.part = {.which = 1, .of = 4, .value = 1};
      return init;
    });
  }

  void check_lengths(Value x, Value lengths, At at) const {
    if (!is_integer(lengths.dtype()) || lengths.shape() != Shape{x.shape()[0]})
      refuse_layer(word(), "lengths is " + to_string(lengths.type()), x, at,
                   "Give i64 " + to_string(Shape{x.shape()[0]}) + ", the number of steps of each sequence");
  }

  // bool [time, batch, 1]: whether a sequence has this step.
  static Value within(Value x, Value lengths) {
    const Value zero = constant(x.graph(), 0, i64), one = constant(x.graph(), 1, i64);
    const Value places = arange(zero, reshape(shape_of(x)[range(1, 2)], {}), one);
    return less(reshape(places, {-1, 1, 1}), reshape(cast(lengths, i64), {1, -1, 1}));
  }

  // x without some features, the same ones in all steps.
  Value dropped(Value x) const {
    return in_order(x.graph(), [&] {
      const Value sizes = shape_of(x), one = constant(x.graph(), Tensor::of<std::int64_t>({1}, {1}));
      const Value ones =
          broadcast_to(constant(x.graph(), 1, x.dtype()), concat({sizes[range(0, 1)], one, sizes[range(2, 3)]}));
      return x * dropout(ones, options_.dropout);
    });
  }

  // What dropout multiplies x by.
  static Value factors(Value x, double rate) {
    return in_order(x.graph(), [&] { return dropout(broadcast_like(constant(x.graph(), 1, x.dtype()), x), rate); });
  }

  std::vector<Value> state_before(Value x, const std::vector<Value>& initial, At at) const {
    const std::size_t count = cell_ == Cell::lstm ? 2 : 1;
    const Type each{x.dtype(), {x.shape()[0], units_}};
    if (initial.empty()) {
      Graph& g = x.graph();
      const Value shape = concat({shape_of(x)[range(0, 1)], constant(g, Tensor::of<std::int64_t>({1}, {units_}))});
      return std::vector<Value>(count, broadcast_to(constant(g, 0, x.dtype()), shape));
    }
    if (initial.size() != count)
      refuse_layer(word(),
                   "its state has " + std::to_string(count) + " values, but is given " + std::to_string(initial.size()),
                   x, at, cell_ == Cell::lstm ? "Give h and c" : "Give h");
    for (const Value& v : initial)
      if (!v || v.type() != each)
        refuse_layer(word(), "its initial state is " + (v ? to_string(v.type()) : "empty") + ", not " + to_string(each),
                     x, at, "Give what another call ended with, or zeros");
    return initial;
  }

  // Whether it has a cell that is one node: the usual activations, and nothing dropped on the way.
  bool is_one_node() const {
    if (options_.unroll || options_.recurrent_dropout > 0) return false;
    if (cell_ == Cell::simple) return options_.activation.is(tanh) || options_.activation.is(relu);
    return options_.activation.is(tanh) && options_.recurrent_activation.is(sigmoid);
  }

  RecurrentResult as_node(const std::vector<Value>& slices, const std::vector<Value>& before, const Weights& w,
                          Value lengths, bool with_sequence) const {
    Value states;
    RecurrentResult result;
    if (cell_ == Cell::lstm) {
      const LstmResult r =
          lstm(slices[0], w.recurrent, before[0], before[1], {.lengths = lengths, .reverse = options_.reverse});
      states = r.states;
      result.state = {r.h, r.c};
    } else {
      const StatesResult r =
          cell_ == Cell::gru
              ? gru(slices[0], w.recurrent, before[0],
                    {.lengths = lengths,
                     .reverse = options_.reverse,
                     .reset_after = options_.reset_after,
                     .recurrent_bias = w.recurrent_bias})
              : simple_rnn(slices[0], w.recurrent, before[0],
                           {.lengths = lengths, .reverse = options_.reverse, .relu = options_.activation.is(relu)});
      states = r.states;
      result.state = {r.h};
    }
    if (with_sequence) result.sequence = transpose(lengths ? where(slices[1], states, 0) : states, {1, 0, 2});
    return result;
  }

  // Each step's nodes in the graph; the same bits as the loop gives.
  RecurrentResult written_out(const std::vector<Value>& slices, std::vector<Value> state, const Weights& w,
                              bool with_sequence) const {
    const std::int64_t count = slices[0].shape()[0];
    std::vector<Value> outputs(static_cast<std::size_t>(count));
    for (std::int64_t s = 0; s < count; ++s) {
      const std::int64_t t = options_.reverse ? count - 1 - s : s;
      std::vector<Value> next = in_order(slices[0].graph(), [&] {
        std::vector<Value> here;
        for (const Value& v : slices) here.push_back(v[t]);
        RepeatNext both = step({.carried = state, .slices = here}, w, with_sequence);
        both.carried.insert(both.carried.end(), both.stacked.begin(), both.stacked.end());
        return both.carried;
      });
      if (with_sequence) outputs[static_cast<std::size_t>(t)] = reshape(next.back(), {0, 1, units_});
      next.resize(state.size());
      state = next;
    }
    return {with_sequence ? concat(outputs, 1) : Value(), state};
  }

  // Gate number `k` of [batch, gates x units].
  Value gate(Value all, std::int64_t k) const { return slice(all, 1, k * units_, (k + 1) * units_); }
  Value act(Value v) const { return options_.activation(v); }
  Value open(Value v) const { return options_.recurrent_activation(v); }

  // Of slices x and, where sequences have lengths, whether they have this step.
  RepeatNext step(const RepeatStep& s, const Weights& w, bool with_output) const {
    RepeatNext next = any_step(s, w, with_output);
    if (s.slices.size() == 1) return next;
    for (Value& output : next.stacked) output = where(s.slices[1], output, 0);
    for (std::size_t i = 0; i < next.carried.size(); ++i)
      next.carried[i] = where(s.slices[1], next.carried[i], s.carried[i]);
    return next;
  }

  RepeatNext any_step(const RepeatStep& s, const Weights& w, bool with_output) const {
    const Value x = s.slices[0], h = s.carried[0], seen = w.kept ? h * w.kept : h;
    if (cell_ == Cell::simple) return next(act(x + matmul(seen, w.recurrent)), with_output);
    if (cell_ == Cell::gru)
      return next(options_.reset_after ? reset_after(x, h, seen, w) : reset_before(x, h, seen, w), with_output);
    const Value all = x + matmul(seen, w.recurrent);
    const Value in = open(gate(all, 0)), forget = open(gate(all, 1)), candidate = act(gate(all, 2)),
                out = open(gate(all, 3));
    const Value c = forget * s.carried[1] + in * candidate;
    const Value y = out * act(c);
    RepeatNext both = next(y, with_output);
    both.carried.push_back(c);
    return both;
  }

  static RepeatNext next(Value h, bool with_output) {
    return {.carried = {h}, .stacked = with_output ? std::vector<Value>{h} : std::vector<Value>{}};
  }

  Value reset_after(Value x, Value h, Value seen, const Weights& w) const {
    Value past = matmul(seen, w.recurrent);
    if (w.recurrent_bias) past = past + w.recurrent_bias;
    const Value update = open(gate(x, 0) + gate(past, 0)), reset = open(gate(x, 1) + gate(past, 1));
    const Value candidate = act(gate(x, 2) + reset * gate(past, 2));
    return update * h + (1 - update) * candidate;
  }

  Value reset_before(Value x, Value h, Value seen, const Weights& w) const {
    const Value past = matmul(seen, slice(w.recurrent, 1, 0, 2 * units_));
    const Value update = open(gate(x, 0) + gate(past, 0)), reset = open(gate(x, 1) + gate(past, 1));
    const Value candidate = act(gate(x, 2) + matmul(reset * seen, slice(w.recurrent, 1, 2 * units_)));
    return update * h + (1 - update) * candidate;
  }

  Cell cell_;
  std::int64_t units_;
  RecurrentOptions options_;
};

Value call_with(const Layer& layer, Value x, const RecurrentInputs& beside, At at) {
  auto& state = static_cast<RecurrentState&>(LayerState::of(layer));
  return LayerState::called(layer, x, at, [&] { return state.call(x, beside, at); });
}

class BidirectionalState : public LayerState {
 public:
  BidirectionalState(const RecurrentState& layer, BidirectionalOptions options)
      : LayerState("Bidirectional", "bidirectional", options.name),
        options_(std::move(options)),
        layers_{handle(layer.named("forward", false)), handle(layer.named("backward", true))} {}

  std::vector<Layer> parts() const override { return layers_; }

  Value call(Value x, At at) override { return call(x, {}, at); }

  Value call(Value x, const RecurrentInputs& beside, At at) {
    const std::vector<Value>& initial = beside.initial_state;
    if (initial.size() % 2 != 0)
      refuse_layer(word(), "its initial state has " + std::to_string(initial.size()) + " values", x, at,
                   "Give those of the forward layer, then those of the backward one");
    const auto half = initial.begin() + static_cast<std::ptrdiff_t>(initial.size() / 2);
    LayerCall here(*this, x, {"forward/kernel"}, at);
    using Merge = BidirectionalOptions::Merge;
    const Value a = call_with(layers_[0], x, {.initial_state = {initial.begin(), half}, .lengths = beside.lengths}, at),
                b = call_with(layers_[1], x, {.initial_state = {half, initial.end()}, .lengths = beside.lengths}, at);
    switch (options_.merge) {
      case Merge::concat:
        return concat({a, b}, -1, at);
      case Merge::multiply:
        return multiply(a, b, at);
      case Merge::sum:
        return add(a, b, at);
      case Merge::average:
        break;
    }
    return multiply(add(a, b, at), 0.5, at);
  }

 private:
  BidirectionalOptions options_;
  std::vector<Layer> layers_;
};

// A layer of this cell, in the current scope of `g` where there is one.
std::shared_ptr<LayerState> recurrent(Graph* g, Cell cell, std::int64_t units, RecurrentOptions options) {
  return new_layer<RecurrentState>(g, cell, units, std::move(options));
}

}  // namespace
}  // namespace ops

using ops::Cell;
using ops::LayerState;

Value Recurrent::operator()(Value x, const RecurrentInputs& beside, At at) const {
  return ops::call_with(*this, x, beside, at);
}

RecurrentResult Recurrent::run(Value x, const std::vector<Value>& initial, At at) const {
  return run(x, RecurrentInputs{.initial_state = initial}, at);
}

RecurrentResult Recurrent::run(Value x, const RecurrentInputs& beside, At at) const {
  auto& state = static_cast<ops::RecurrentState&>(LayerState::of(*this));
  RecurrentResult r;
  LayerState::called(*this, x, at, [&] {
    r = state.run(x, beside, /*with_sequence=*/true, at);
    return r.sequence;
  });
  return r;
}

SimpleRNN::SimpleRNN(std::int64_t units, RecurrentOptions options)
    : Recurrent(ops::recurrent(nullptr, Cell::simple, units, std::move(options))) {}
SimpleRNN::SimpleRNN(Graph& g, std::int64_t units, RecurrentOptions options)
    : Recurrent(ops::recurrent(&g, Cell::simple, units, std::move(options))) {}

GRU::GRU(std::int64_t units, RecurrentOptions options)
    : Recurrent(ops::recurrent(nullptr, Cell::gru, units, std::move(options))) {}
GRU::GRU(Graph& g, std::int64_t units, RecurrentOptions options)
    : Recurrent(ops::recurrent(&g, Cell::gru, units, std::move(options))) {}

LSTM::LSTM(std::int64_t units, RecurrentOptions options)
    : Recurrent(ops::recurrent(nullptr, Cell::lstm, units, std::move(options))) {}
LSTM::LSTM(Graph& g, std::int64_t units, RecurrentOptions options)
    : Recurrent(ops::recurrent(&g, Cell::lstm, units, std::move(options))) {}

Bidirectional::Bidirectional(const Recurrent& layer, BidirectionalOptions options)
    : Layer(ops::new_layer<ops::BidirectionalState>(
          nullptr, static_cast<const ops::RecurrentState&>(LayerState::of(layer)), std::move(options))) {}

Value Bidirectional::operator()(Value x, const RecurrentInputs& beside, At at) const {
  auto& state = static_cast<ops::BidirectionalState&>(LayerState::of(*this));
  return LayerState::called(*this, x, at, [&] { return state.call(x, beside, at); });
}

}  // namespace oxbow
