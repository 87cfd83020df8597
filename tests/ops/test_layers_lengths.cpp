// Sequences of several lengths in one batch, by recurrent layers: each is as if it were alone. And dropout of their
// inputs.
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_layers_lengths)

using namespace oxbow;
using namespace oxbow::test;

namespace {

constexpr std::int64_t steps = 4, features = 5, units = 3;
const std::vector<std::int64_t> lengths{4, 2, 0, 1};

Recurrent layer_of(const std::string& kind, RecurrentOptions options) {
  if (kind.ends_with(" loop")) options.activation = softsign;  // a cell that is no node
  if (kind.starts_with("SimpleRNN")) return SimpleRNN(units, std::move(options));
  if (kind.starts_with("GRU")) return GRU(units, std::move(options));
  return LSTM(units, std::move(options));
}

Store drawn_store(const Graph& g) {
  Store store(g);
  std::uint64_t seed = 100;
  for (const Value& v : variables(g)) store.set(v.node().full_name(), draw(v.shape(), -1, 1, seed++, v.dtype()));
  return store;
}

// x with `number` wherever a sequence has ended.
Tensor padded(const Tensor& x, double number) {
  Tensor y = x.clone();
  for (std::size_t i = 0; i < lengths.size(); ++i)
    std::fill(y.data<double>() + (static_cast<std::int64_t>(i) * steps + lengths[i]) * features,
              y.data<double>() + static_cast<std::int64_t>(i + 1) * steps * features, number);
  return y;
}

// Sequence i of the batch by itself, without its padding: its outputs, with zeros for those steps, and its last state.
RecurrentResult alone(const Recurrent& layer, Value x, const std::vector<Value>& initial, std::int64_t i) {
  const std::int64_t length = lengths[static_cast<std::size_t>(i)];
  RecurrentResult r;
  for (const Value& v : initial) r.state.push_back(v[{range(i, i + 1)}]);
  if (length == 0) {
    r.sequence = constant(x.graph(), Tensor({f64, {1, steps, units}}));
    return r;
  }
  r = layer.run(x[{range(i, i + 1), range(0, length)}], r.state);
  r.sequence = pad(r.sequence, {{0, 0}, {0, steps - length}, {0, 0}});
  return r;
}

Value all_of(const RecurrentResult& r) {
  std::vector<Value> flat{reshape(r.sequence, {-1})};
  for (const Value& v : r.state) flat.push_back(reshape(v, {-1}));
  return concat(flat);
}

void are_close(const Tensor& a, const Tensor& b, const std::string& what) {
  BOOST_TEST_REQUIRE(a.count() == b.count());
  for (std::int64_t i = 0; i < a.count(); ++i)
    BOOST_TEST(std::abs(a.data<double>()[i] - b.data<double>()[i]) < 1e-12, what << "[" << i << "]");
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_sequence_of_its_own_length_is_as_if_alone) {
  for (const std::string kind : {"SimpleRNN", "GRU", "LSTM", "GRU loop"})
    for (const bool reverse : {false, true}) {
      std::vector<Tensor> looped;
      for (const bool unroll : {false, true}) {
        BOOST_TEST_CONTEXT(kind << (reverse ? ", reverse" : "") << (unroll ? ", unrolled" : "")) {
          Graph g;
          const Value x = input(g, "x", f64, {4, steps, features}), n = input(g, "n", i64, {4}),
                      h = input(g, "h", f64, {4, units}), c = input(g, "c", f64, {4, units});
          const std::vector<Value> initial = kind == "LSTM" ? std::vector<Value>{h, c} : std::vector<Value>{h};
          const Recurrent layer = layer_of(kind, {.reverse = reverse, .unroll = unroll});
          const RecurrentResult batch = layer.run(x, {.initial_state = initial, .lengths = n});
          BOOST_TEST(to_string(batch.sequence.type()) == "f64[4, 4, 3]");
          std::vector<RecurrentResult> each;
          for (std::int64_t i = 0; i < 4; ++i) each.push_back(alone(layer, x, initial, i));
          RecurrentResult together = each[0];
          for (std::size_t i = 1; i < 4; ++i) {
            together.sequence = concat({together.sequence, each[i].sequence});
            for (std::size_t k = 0; k < initial.size(); ++k)
              together.state[k] = concat({together.state[k], each[i].state[k]});
          }
          std::vector<Value> of = layer.variables();
          of.insert(of.end(), {x, h});
          const auto fetches = [&](const RecurrentResult& r) {
            const Value y = all_of(r);
            std::vector<Value> all{y};
            for (const Value& slope : gradients(sum(y * constant(g, draw(y.shape(), -1, 1, 5))), of))
              all.push_back(slope);
            return all;
          };
          const std::vector<Value> a = fetches(batch), b = fetches(together);
          Tensors feeds{{"x", draw({4, steps, features}, -1, 1, 7)},
                        {"n", Tensor::of<std::int64_t>({4}, lengths)},
                        {"h", draw({4, units}, -1, 1, 8)}};
          if (kind == "LSTM") feeds.insert({"c", draw({4, units}, -1, 1, 9)});
          Store store = drawn_store(g);
          const Program masked = compile(a);
          Tensors by_itself = feeds;
          by_itself.erase("n");
          const std::vector<Tensor> got = masked.run(store, feeds), wanted = compile(b).run(store, by_itself);
          for (std::size_t k = 0; k < got.size(); ++k) are_close(got[k], wanted[k], std::to_string(k));

          // Whatever is in the padding, every bit is the same, and no gradient flows there.
          const Tensor& slope = got[got.size() - 2];
          for (const double number : {std::numeric_limits<double>::quiet_NaN(), HUGE_VAL, 1e300}) {
            Tensors other = feeds;
            other.insert_or_assign("x", padded(feeds.at("x"), number));
            const std::vector<Tensor> still = masked.run(store, other);
            for (std::size_t k = 0; k < got.size(); ++k) BOOST_TEST(same_bits(still[k], got[k]), k);
          }
          for (std::int64_t i = 0; i < slope.count(); ++i) {
            const auto ends = lengths[static_cast<std::size_t>(i / (steps * features))];
            BOOST_TEST((i / features % steps < ends || slope.data<double>()[i] == 0), i);
          }
          // Steps written out give the same bits; of one node, gradients are summed in another order.
          if (!unroll) looped = got;
          for (std::size_t k = 0; k < got.size(); ++k)
            if (k == 0 || kind == "GRU loop")
              BOOST_TEST(same_bits(got[k], looped[k]), k);
            else
              are_close(got[k], looped[k], std::to_string(k));
          check_gradients(a[0], of, feeds);
          on_all_threads(a, feeds);
        }
      }
    }
}

BOOST_AUTO_TEST_CASE(lengths_are_of_any_integers_and_cut_to_what_there_is) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), steps, features}), n = input(g, "n", i32, {any(2)}),
              none = input(g, "none", i64, {any(2)});
  const LSTM lstm(units), sequences(units, {.return_sequences = true, .name = "sequences"});
  const RecurrentResult r = lstm.run(x, {.lengths = n});
  const std::vector<Value> fetches{r.sequence, r.state[0], r.state[1], lstm(x, {.lengths = n}), lstm.run(x).sequence};
  Store store = drawn_store(g);
  for (const std::int64_t batch : {2, 3}) {  // a free axis
    const Tensor at = draw({batch, steps, features}, -1, 1, 7);
    const auto run = [&](std::vector<std::int32_t> counts) {
      counts.resize(static_cast<std::size_t>(batch), 9);
      return compile(fetches).run(store, {{"x", at}, {"n", Tensor::of<std::int32_t>({batch}, counts)}});
    };
    const auto cut = run({2, 0}), beyond = run({2, -7}), full = run({9, 4});
    for (std::size_t k = 0; k < cut.size(); ++k) BOOST_TEST(same_bits(cut[k], beyond[k]));
    BOOST_TEST(same_bits(full[0], full[4]));
    BOOST_TEST(same_bits(cut[1], cut[3]));
    for (std::int64_t i = 0; i < units; ++i) {
      BOOST_TEST(cut[1].data<double>()[i] == cut[0].data<double>()[units + i]);  // the state after two steps
      BOOST_TEST(cut[1].data<double>()[units + i] == 0);
    }
  }
  BOOST_TEST(to_string(sequences(x, {.lengths = none}).type()) == "f64[2, 4, 3]");
}

BOOST_AUTO_TEST_CASE(the_backward_layer_starts_at_each_sequences_end) {
  Graph g;
  const Value x = input(g, "x", f64, {4, steps, features}), n = input(g, "n", i64, {4}),
              h = input(g, "h", f64, {4, 2 * units});
  const Value there = slice(h, -1, 0, units), back = slice(h, -1, units);
  const Bidirectional both(GRU(units, {.return_sequences = true}));
  const Value y = both(x, {.initial_state = {there, back}, .lengths = n});
  std::vector<Value> each;
  for (std::int64_t i = 0; i < 4; ++i) {
    const std::int64_t length = lengths[static_cast<std::size_t>(i)];
    if (length == 0) {
      each.push_back(constant(g, Tensor({f64, {1, steps, 2 * units}})));
      continue;
    }
    const Value own = x[{range(i, i + 1), range(0, length)}];
    const Value alone = both(own, {.initial_state = {there[{range(i, i + 1)}], back[{range(i, i + 1)}]}});
    each.push_back(pad(alone, {{0, 0}, {0, steps - length}, {0, 0}}));
  }
  BOOST_TEST(variables(g).size() == 6u);
  const Tensors feeds{{"x", draw({4, steps, features}, -1, 1, 7)},
                      {"n", Tensor::of<std::int64_t>({4}, lengths)},
                      {"h", draw({4, 2 * units}, -1, 1, 8)}};
  Store store = drawn_store(g);
  const auto got = compile({y, concat(each)}).run(store, feeds);
  are_close(got[0], got[1], "output");
  std::vector<Value> of = both.variables();
  of.insert(of.end(), {x, h});
  check_gradients(y, of, feeds);
  // Without sequences: what each direction ended with.
  const Value last = Bidirectional(LSTM(units))(x, {.lengths = n});
  BOOST_TEST(to_string(last.type()) == "f64[4, 6]");
  BOOST_TEST(has(message([&] { both(x, {.initial_state = {there}}); }),
                 "bidirectional: its initial state has 1 values\n  x: f64[4, 4, 5] from x\n  at HERE"));
}

BOOST_AUTO_TEST_CASE(dropout_takes_the_same_features_from_all_steps) {
  for (const bool unroll : {false, true}) {
    Graph g;
    const Value x = input(g, "x", f32, {any(16), steps, 8});
    const LSTM plain(units, {.return_sequences = true, .unroll = unroll}),
        drops(units, {.return_sequences = true, .dropout = 0.5, .unroll = unroll});
    const Value a = plain(x), b = drops(x), slope = gradients(sum(b), {x})[0];
    Store store(g);
    for (const std::string name : {"/kernel", "/recurrent_kernel", "/bias"})
      store.set("lstm_1" + name, store.get("lstm" + name));
    const Tensors feeds{{"x", draw({16, steps, 8}, -1, 1, 7, f32)}};
    const auto served = compile({a, b}, {.mode = Mode::inference}).run(store, feeds);
    BOOST_TEST(same_bits(served[0], served[1]));
    const Tensor flows = compile({slope}).run(store, feeds)[0];
    int kept = 0;
    for (std::int64_t i = 0; i < 16; ++i)
      for (std::int64_t f = 0; f < 8; ++f) {
        int steps_kept = 0;
        for (std::int64_t t = 0; t < steps; ++t) steps_kept += flows.data<float>()[(i * steps + t) * 8 + f] != 0;
        BOOST_TEST((steps_kept == 0 || steps_kept == steps), i << ", " << f);
        kept += steps_kept > 0;
      }
    BOOST_TEST((kept > 32 && kept < 96), kept);
    on_all_threads({b, slope}, feeds);
  }
}

// Of a state that nothing else changes, each unit doubles in each step or is gone for good.
BOOST_AUTO_TEST_CASE(recurrent_dropout_takes_the_same_units_in_all_steps) {
  for (const bool unroll : {false, true}) {
    Graph g;
    const Value x = input(g, "x", f32, {any(16), steps, 2}), h = input(g, "h", f32, {any(16), 8});
    const SimpleRNN layer(
        8, {.activation = Activation(), .kernel_init = init::zeros(), .recurrent_dropout = 0.5, .unroll = unroll});
    const Value states = layer.run(x, {h}).sequence;
    Store store(g);
    Tensor same({f32, {8, 8}});
    for (std::int64_t u = 0; u < 8; ++u) same.data<float>()[u * 9] = 1;
    store.set("simple_rnn/recurrent_kernel", same);
    const Tensors feeds{{"x", draw({16, steps, 2}, -1, 1, 1, f32)}, {"h", draw({16, 8}, 1, 2, 2, f32)}};
    const float* before = feeds.at("h").data<float>();
    const Tensor trained = compile({states}).run(store, feeds)[0],
                 served = compile({states}, {.mode = Mode::inference}).run(store, feeds)[0];
    int kept = 0;
    for (std::int64_t i = 0; i < 16; ++i)
      for (std::int64_t u = 0; u < 8; ++u) {
        const float now = before[i * 8 + u];
        const bool stays = trained.data<float>()[i * steps * 8 + u] != 0;
        for (std::int64_t t = 0; t < steps; ++t) {
          BOOST_TEST(served.data<float>()[(i * steps + t) * 8 + u] == now);
          BOOST_TEST(trained.data<float>()[(i * steps + t) * 8 + u] ==
                     (stays ? now * static_cast<float>(2 << t) : 0.0F));
        }
        kept += stays;
      }
    BOOST_TEST((kept > 32 && kept < 96), kept);
    on_all_threads({layer(x), gradients(sum(states), {h})[0]}, feeds);
  }
}

// What is carried past the gates is not dropped: without recurrent weights it is as if nothing were.
BOOST_AUTO_TEST_CASE(what_passes_the_gates_is_not_dropped) {
  for (const std::string kind : {"GRU", "LSTM"})
    for (const bool reset_after : {false, true}) {
      Graph g;
      const Value x = input(g, "x", f32, {any(4), steps, 2});
      std::vector<Value> y;
      for (const double rate : {0.0, 0.5})
        for (const bool weights : {false, true}) {
          g.continue_streams(1);
          RecurrentOptions options{.reset_after = reset_after, .recurrent_dropout = rate};
          if (!weights) options.recurrent_init = init::zeros();
          y.push_back(layer_of(kind, options)(x));
        }
      const std::vector<Tensor> got = on_all_threads(y, {{"x", draw({4, steps, 2}, -1, 1, 1, f32)}});
      for (std::int64_t i = 0; i < got[0].count(); ++i)
        BOOST_TEST(std::abs(got[0].data<float>()[i] - got[2].data<float>()[i]) < 1e-6F);
      BOOST_TEST(!same_bits(got[1], got[3]));
    }
}

BOOST_AUTO_TEST_CASE(what_lengths_and_dropout_refuse) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 3, 5}), real = input(g, "real", f32, {2}), three = input(g, "three", i64, {3}),
              flat = input(g, "flat", i64, {2, 1});
  const LSTM lstm(4);
  BOOST_TEST(has(message([&] { lstm(x, {.lengths = real}); }),
                 "lstm: lengths is f32[2]\n  x: f32[2, 3, 5] from x\n  at HERE\n  Give i64 [2]"));
  BOOST_TEST(has(message([&] { lstm.run(x, {.lengths = three}); }), "lstm: lengths is i64[3]"));
  BOOST_TEST(has(message([&] { Bidirectional(GRU(4))(x, {.lengths = flat}); }), "gru: lengths is i64[2, 1]"));
  for (const double rate : {-0.1, 1.0, std::nan("")})
    for (const RecurrentOptions& options :
         {RecurrentOptions{.dropout = rate}, RecurrentOptions{.recurrent_dropout = rate}})
      BOOST_TEST(has(message([&] { GRU(4, options)(x); }), "gru: dropout is "));
  BOOST_TEST(variables(g).empty());
}

BOOST_AUTO_TEST_SUITE_END()
