// Recurrent layers against plain loops over time: gates, directions, states in and out, stacks.
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_layers_recurrent)

using namespace oxbow;
using namespace oxbow::test;

namespace {

using Row = std::vector<double>;

double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

// row matrix, of `columns` columns from `first` on.
Row times(const Row& row, const Tensor& matrix, std::int64_t first, std::int64_t columns) {
  Row y(static_cast<std::size_t>(columns));
  for (std::size_t k = 0; k < row.size(); ++k)
    for (std::int64_t c = 0; c < columns; ++c)
      y[static_cast<std::size_t>(c)] +=
          row[k] * matrix.data<double>()[static_cast<std::int64_t>(k) * matrix.shape()[1] + first + c];
  return y;
}

Row plus(Row a, const Row& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
  return a;
}

// One sample of a layer called `name`: a step on the input x, from the state on.
struct PlainCell {
  const Store& store;
  std::string name, kind;
  std::int64_t units;
  bool reset_after = true;

  Row biased(std::int64_t gate, std::int64_t row = 0) const {
    const Tensor bias = store.get(name + "/bias");
    const std::int64_t width = bias.shape()[-1];
    const double* first = bias.data<double>() + row * width + gate * units;
    return {first, first + units};
  }
  Row of_x(const Row& x, std::int64_t gate) const {
    return plus(times(x, store.get(name + "/kernel"), gate * units, units), biased(gate));
  }
  Row of_h(const Row& h, std::int64_t gate) const {
    return times(h, store.get(name + "/recurrent_kernel"), gate * units, units);
  }

  void step(const Row& x, Row& h, Row& c) const {
    const auto n = static_cast<std::size_t>(units);
    if (kind == "SimpleRNN") {
      h = plus(of_x(x, 0), of_h(h, 0));
      for (double& v : h) v = std::tanh(v);
    } else if (kind == "LSTM") {
      Row gates[4];
      for (int k = 0; k < 4; ++k) gates[k] = plus(of_x(x, k), of_h(h, k));
      for (std::size_t u = 0; u < n; ++u) {
        c[u] = sigmoid_of(gates[1][u]) * c[u] + sigmoid_of(gates[0][u]) * std::tanh(gates[2][u]);
        h[u] = sigmoid_of(gates[3][u]) * std::tanh(c[u]);
      }
    } else {
      Row z = plus(of_x(x, 0), of_h(h, 0)), r = plus(of_x(x, 1), of_h(h, 1)), inner = of_x(x, 2);
      if (reset_after) {
        z = plus(z, biased(0, 1));
        r = plus(r, biased(1, 1));
      }
      Row past = h;
      if (reset_after) past = plus(of_h(h, 2), biased(2, 1));
      for (std::size_t u = 0; u < n; ++u) past[u] *= sigmoid_of(r[u]);
      if (!reset_after) past = of_h(past, 2);
      for (std::size_t u = 0; u < n; ++u)
        h[u] = sigmoid_of(z[u]) * h[u] + (1 - sigmoid_of(z[u])) * std::tanh(inner[u] + past[u]);
    }
  }

  // The outputs [time, units] of sample i of x [batch, time, features], in their places; h and c are left as they end.
  std::vector<Row> run(const Tensor& x, std::int64_t i, bool reverse, Row& h, Row& c) const {
    const std::int64_t steps = x.shape()[1], features = x.shape()[2];
    std::vector<Row> all(static_cast<std::size_t>(steps));
    for (std::int64_t s = 0; s < steps; ++s) {
      const std::int64_t t = reverse ? steps - 1 - s : s;
      const double* first = x.data<double>() + (i * steps + t) * features;
      step(Row(first, first + features), h, c);
      all[static_cast<std::size_t>(t)] = h;
    }
    return all;
  }
};

void close_to(const Tensor& got, std::int64_t i, std::int64_t t, std::int64_t steps, const Row& wanted) {
  for (std::size_t u = 0; u < wanted.size(); ++u) {
    const auto place = static_cast<std::size_t>(i * steps + t) * wanted.size() + u;
    BOOST_TEST(std::abs(got.data<double>()[place] - wanted[u]) < 1e-12);
  }
}

Store drawn_store(const Graph& g) {
  Store store(g);
  std::uint64_t seed = 100;
  for (const Value& v : variables(g)) store.set(v.node().full_name(), draw(v.shape(), -1, 1, seed++, v.dtype()));
  return store;
}

Recurrent layer_of(const std::string& kind, std::int64_t units, RecurrentOptions options) {
  if (kind.ends_with(" loop")) options.activation = softsign;  // a cell that is no node
  if (kind.starts_with("SimpleRNN")) return SimpleRNN(units, std::move(options));
  if (kind.starts_with("GRU")) return GRU(units, std::move(options));
  return LSTM(units, std::move(options));
}

}  // namespace

BOOST_AUTO_TEST_CASE(cells_agree_with_plain_loops_and_finite_differences) {
  for (const std::string kind : {"SimpleRNN", "GRU", "GRU before", "LSTM"})
    for (const bool reverse : {false, true}) {
      BOOST_TEST_CONTEXT(kind << (reverse ? ", reverse" : "")) {
        Graph g;
        const bool after = kind != "GRU before";
        const std::string cell = kind.substr(0, kind.find(' '));
        const Value x = input(g, "x", f64, {any(2), 3, 5}), h0 = input(g, "h", f64, {any(2), 4}),
                    c0 = input(g, "c", f64, {any(2), 4});
        const char* second = cell == "LSTM" ? "c" : "h";
        const auto fed = [&](std::int64_t batch) {
          return Tensors{{"x", draw({batch, 3, 5}, -1, 1, 7)},
                         {"h", draw({batch, 4}, -1, 1, 8)},
                         {second, draw({batch, 4}, -1, 1, 9)}};
        };
        const Recurrent layer = layer_of(cell, 4, {.reverse = reverse, .reset_after = after});
        const std::vector<Value> state = cell == "LSTM" ? std::vector<Value>{h0, c0} : std::vector<Value>{h0};
        const RecurrentResult r = layer.run(x, state);
        const Value from_zero = layer(x);
        BOOST_TEST(to_string(r.sequence.type()) == "f64[2, 3, 4]");
        BOOST_TEST(to_string(from_zero.type()) == "f64[2, 4]");
        BOOST_TEST(variables(g).size() == 3u);
        const Store store = drawn_store(g);
        std::vector<Value> fetches{r.sequence, from_zero, r.state[0]};
        if (state.size() == 2) fetches.push_back(r.state[1]);
        for (const std::int64_t batch : {2, 3}) {
          const Tensors feeds = fed(batch);
          Store copy = drawn_store(g);
          const std::vector<Tensor> got = compile(fetches).run(copy, feeds);
          const PlainCell plain{store, layer.name(), cell, 4, after};
          for (std::int64_t i = 0; i < batch; ++i) {
            const double *h_at = feeds.at("h").data<double>() + i * 4, *c_at = feeds.at(second).data<double>() + i * 4;
            Row h(h_at, h_at + 4), c(c_at, c_at + 4), zero_h(4), zero_c(4);
            const std::vector<Row> all = plain.run(feeds.at("x"), i, reverse, h, c);
            for (std::int64_t t = 0; t < 3; ++t) close_to(got[0], i, t, 3, all[static_cast<std::size_t>(t)]);
            plain.run(feeds.at("x"), i, reverse, zero_h, zero_c);
            close_to(got[1], i, 0, 1, zero_h);
            close_to(got[2], i, 0, 1, h);
            if (state.size() == 2) close_to(got[3], i, 0, 1, c);
          }
        }
        std::vector<Value> all = layer.variables();
        all.push_back(x);
        all.push_back(h0);
        const Tensors feeds = fed(2);
        Value loss = concat({reshape(r.sequence, {-1}), reshape(from_zero, {-1}), reshape(r.state.back(), {-1})});
        check_gradients(loss, all, feeds);
        on_all_threads(fetches, feeds);
      }
    }
}

// Written out, a layer gives the same bits; where it is one node else, gradients are summed in another order.
BOOST_AUTO_TEST_CASE(unrolled_layers_have_the_same_bits) {
  for (const std::string kind : {"SimpleRNN", "GRU", "LSTM", "SimpleRNN loop", "GRU loop", "LSTM loop"})
    for (const bool reverse : {false, true}) {
      Graph g;
      const Value x = input(g, "x", f32, {any(2), 4, 5});
      std::vector<Value> fetches[2];
      for (const bool unroll : {false, true}) {
        g.continue_streams(1);  // the same first values
        const Recurrent layer = layer_of(kind, 3, {.reverse = reverse, .unroll = unroll});
        const RecurrentResult r = layer.run(x);
        const Value loss = sum(square(r.sequence)) + sum(r.state.back());
        std::vector<Value> of = layer.variables();
        of.push_back(x);
        fetches[unroll] = {r.sequence, r.state[0], r.state.back(), layer(x)};
        for (const Value& slope : gradients(loss, of)) fetches[unroll].push_back(slope);
      }
      for (const std::int64_t batch : {2, 3}) {  // a free axis
        const Tensors feeds{{"x", draw({batch, 4, 5}, -1, 1, 3, f32)}};
        const std::vector<Tensor> loop = on_all_threads(fetches[0], feeds), flat = on_all_threads(fetches[1], feeds);
        constexpr std::size_t outputs = 4;
        for (std::size_t i = 0; i < loop.size(); ++i)
          if (i < outputs || kind.ends_with(" loop"))
            BOOST_TEST(same_bits(loop[i], flat[i]), kind << " " << i);
          else
            for (std::int64_t j = 0; j < loop[i].count(); ++j)
              BOOST_TEST(std::abs(loop[i].data<float>()[j] - flat[i].data<float>()[j]) < 1e-5, kind << " " << i);
      }
    }
}

BOOST_AUTO_TEST_CASE(a_free_length_is_that_of_the_call) {
  for (const bool unroll : {false, true})
    for (const bool reverse : {false, true}) {
      Graph g;
      const Value x = input(g, "x", f32, {any(2), any(4), 5});
      const GRU gru(3, {.return_sequences = true, .reverse = reverse, .activation = softsign, .unroll = unroll});
      const Value y = gru(x), slope = gradients(sum(y), {gru.variable("kernel")})[0];
      const Program program = compile({y, slope});
      Store store(g);
      const auto run = [&](std::int64_t steps) {
        return program.run(store, {{"x", draw({3, steps, 5}, -1, 1, 1, f32)}})[0].type();
      };
      BOOST_TEST(to_string(run(4)) == "f32[3, 4, 3]");
      for (const std::int64_t steps : {2, 3, 6, 8}) {
        const std::string said = message([&] { run(steps); });
        const std::string fed = "[3, " + std::to_string(steps) + ", 5]";
        BOOST_TEST(has(said, fed), said);
        BOOST_TEST(has(said, "cannot take the shape [3, 4, 5]"), said);
        BOOST_TEST(has(said, "in scope gru"), said);
      }
    }
}

BOOST_AUTO_TEST_CASE(one_node_takes_any_length) {
  for (const std::string kind : {"SimpleRNN", "GRU", "LSTM"}) {
    Graph g;
    const Value x = input(g, "x", f64, {any(2), any(4), 3}), n = input(g, "n", i64, {any(2)});
    const Recurrent layer = layer_of(kind, 3, {.return_sequences = true});
    const Value y = layer(x, {.lengths = n});
    std::vector<Value> of = layer.variables();
    of.push_back(x);
    for (const std::int64_t steps : {2, 4, 7})
      check_gradients(sum(square(y)), of,
                      {{"x", draw({3, steps, 3}, -1, 1, 1)}, {"n", Tensor::of<std::int64_t>({3}, {steps, 1, 3})}});
  }
}

BOOST_AUTO_TEST_CASE(relu_as_keras_and_onnx_name_it) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 4, 3});
  std::vector<Value> y;
  for (const bool unroll : {false, true}) {
    g.continue_streams(1);
    y.push_back(SimpleRNN(5, {.return_sequences = true, .activation = relu, .unroll = unroll})(x));
  }
  const std::vector<Tensor> got = on_all_threads(y, {{"x", draw({2, 4, 3}, -1, 1, 1, f32)}});
  BOOST_TEST(same_bits(got[0], got[1]));
  BOOST_TEST(std::count(got[0].data<float>(), got[0].data<float>() + got[0].count(), 0.0F) > 0);
}

BOOST_AUTO_TEST_CASE(a_sequence_in_two_halves_is_the_whole) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 6, 3});
  const LSTM lstm(4, {.return_sequences = true});
  const RecurrentResult whole = lstm.run(x), half = lstm.run(x[{range(), range(0, 3)}]),
                        rest = lstm.run(x[{range(), range(3, 6)}], half.state);
  const std::vector<Tensor> t = on_all_threads(
      {whole.sequence, concat({half.sequence, rest.sequence}, 1), lstm(x), whole.state[1], rest.state[1]},
      {{"x", draw({2, 6, 3}, -1, 1, 1, f32)}});
  BOOST_TEST(same_bits(t[0], t[1]));
  BOOST_TEST(same_bits(t[0], t[2]));
  BOOST_TEST(same_bits(t[3], t[4]));
}

BOOST_AUTO_TEST_CASE(both_directions_and_stacks) {
  Graph g;
  const Value ids = input(g, "ids", i64, {any(2), 4});
  const Sequential net{Embedding(7, 3, {.dtype = f64}), GRU(3, {.return_sequences = true}), Bidirectional(LSTM(2)),
                       Dense(2)};
  const Value y = net(ids);
  std::vector<std::string> names;
  for (const Value& v : variables(g)) names.push_back(v.node().full_name() + " " + to_string(v.shape()));
  const std::vector<std::string> wanted{"embedding/embeddings [7, 3]",
                                        "gru/kernel [3, 9]",
                                        "gru/recurrent_kernel [3, 9]",
                                        "gru/bias [2, 9]",
                                        "bidirectional/forward/kernel [3, 8]",
                                        "bidirectional/forward/recurrent_kernel [2, 8]",
                                        "bidirectional/forward/bias [8]",
                                        "bidirectional/backward/kernel [3, 8]",
                                        "bidirectional/backward/recurrent_kernel [2, 8]",
                                        "bidirectional/backward/bias [8]",
                                        "dense/kernel [4, 2]",
                                        "dense/bias [2]"};
  BOOST_TEST(names == wanted, boost::test_tools::per_element());
  check_gradients(y, net.variables(), {{"ids", Tensor::of<std::int64_t>({2, 4}, {0, 6, 2, 2, 5, 1, 6, 3})}});
  BOOST_TEST(summary(net).find("bidirectional (Bidirectional)  f64[2, 4]             96") != std::string::npos,
             summary(net));

  // Each merge, of the sequences, which keep their places in time.
  using Merge = BidirectionalOptions::Merge;
  const Value x = input(g, "x", f64, {any(2), 4, 3});
  for (const Merge merge : {Merge::concat, Merge::sum, Merge::multiply, Merge::average}) {
    const Bidirectional both(SimpleRNN(2, {.return_sequences = true}), {.merge = merge});
    const Value z = both(x);
    Store store = drawn_store(g);
    const Tensor at = draw({2, 4, 3}, -1, 1, 3), got = compile({z}).run(store, {{"x", at}})[0];
    for (std::int64_t i = 0; i < 2; ++i) {
      Row h(2), c(2), back_h(2), back_c(2);
      const auto a = PlainCell{store, both.name() + "/forward", "SimpleRNN", 2}.run(at, i, false, h, c);
      const auto b = PlainCell{store, both.name() + "/backward", "SimpleRNN", 2}.run(at, i, true, back_h, back_c);
      for (std::size_t t = 0; t < 4; ++t) {
        Row row = a[t];
        if (merge == Merge::concat) row.insert(row.end(), b[t].begin(), b[t].end());
        for (std::size_t u = 0; u < 2 && merge != Merge::concat; ++u)
          row[u] = merge == Merge::multiply ? a[t][u] * b[t][u] : (a[t][u] + b[t][u]) / (merge == Merge::sum ? 1 : 2);
        close_to(got, i, static_cast<std::int64_t>(t), 4, row);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(first_values_are_those_of_keras) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 3, 5});
  const LSTM lstm(4);
  lstm(x);
  const Store store(g);
  const Tensor bias = store.get("lstm/bias"), u = store.get("lstm/recurrent_kernel");
  for (int i = 0; i < 16; ++i) BOOST_TEST(bias.data<double>()[i] == (i / 4 == 1 ? 1 : 0));
  const LSTM halves(4, {.bias_init = init::constant(0.5)}),
      plain(4, {.bias_init = init::constant(0.5), .unit_forget_bias = false});
  halves(x);
  plain(x);
  const Store more(g);
  for (int i = 0; i < 16; ++i) {
    BOOST_TEST(more.get("lstm_1/bias").data<double>()[i] == (i / 4 == 1 ? 1 : 0.5));
    BOOST_TEST(more.get("lstm_2/bias").data<double>()[i] == 0.5);
  }
  for (int a = 0; a < 4; ++a)
    for (int b = 0; b < 4; ++b) {
      double product = 0;
      for (int k = 0; k < 16; ++k) product += u.data<double>()[a * 16 + k] * u.data<double>()[b * 16 + k];
      BOOST_TEST(std::abs(product - (a == b)) < 1e-14);
    }
}

BOOST_AUTO_TEST_CASE(what_recurrent_layers_refuse) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3, 5}), flat = input(g, "flat", f32, {any(2), 5});
  const LSTM lstm(4);
  BOOST_TEST(
      has(message([&] { lstm(flat); }), "lstm: x has 2 axes, fewer than 3\n  x: f32[2, 5] from flat\n  at HERE"));
  BOOST_TEST(has(message([&] { lstm.run(x, {flat}); }), "lstm: its state has 2 values, but is given 1"));
  BOOST_TEST(has(message([&] { lstm.run(x, {flat, flat}); }), "lstm: its initial state is f32[2, 5], not f32[2, 4]"));
  BOOST_TEST(has(message([&] { GRU(0)(x); }), "gru: it cannot have 0 units"));
  lstm(x);
  BOOST_TEST(message([&] { const Bidirectional both(lstm); }) ==
             "bidirectional: its layer was called before, as \"lstm\", and would not lend its weights\n  Give a new "
             "layer, which is the pattern of both directions: Bidirectional(LSTM(4))");
  const Value none = input(g, "none", f32, {any(2), 0, 5});
  BOOST_TEST(has(message([&] { GRU(1)(none); }), "gru: it cannot have 0 steps"));
}

BOOST_AUTO_TEST_SUITE_END()
