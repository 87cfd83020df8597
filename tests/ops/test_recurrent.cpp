// Recurrences as one node: rows of the batch know nothing of one another, whatever kernels and parts they fall to; and
// steps of plain ops give the same.
#include <oxbow/graph/text.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/ledger.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_recurrent)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// Row i of x [..., batch, n], of which `axis` is the batch.
Value row(Value x, std::int64_t axis, std::int64_t i) { return slice(x, axis, i, i + 1); }

enum class Cell { lstm, gru, gru_reset_before, rnn, rnn_relu };
constexpr Cell cells[]{Cell::lstm, Cell::gru, Cell::gru_reset_before, Cell::rnn, Cell::rnn_relu};
std::int64_t gates_of(Cell cell) { return cell == Cell::lstm ? 4 : cell <= Cell::gru_reset_before ? 3 : 1; }

struct States {
  Value states, h, c;
};
States of(Cell cell, Value x, Value w, Value h, Value c, const RecurrenceOptions& o = {}) {
  if (cell == Cell::lstm) {
    const LstmResult r = lstm(x, w, h, c, o);
    return {r.states, r.h, r.c};
  }
  const StatesResult r =
      gates_of(cell) == 3
          ? gru(x, w, h, {.lengths = o.lengths, .reverse = o.reverse, .reset_after = cell == Cell::gru})
          : simple_rnn(x, w, h, {.lengths = o.lengths, .reverse = o.reverse, .relu = cell == Cell::rnn_relu});
  return {r.states, r.h, r.h};
}

// What a program computes, as text.
std::string planned(const Program& program) { return print(*ledger(program).graph); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_row_of_the_batch_is_the_same_alone) {
  struct Asked {
    std::int64_t time, batch, units;
  };
  for (const Cell cell : cells)
    for (const Asked& a : {Asked{4, 33, 64}, Asked{3, 130, 40}, Asked{2, 9, 3}, Asked{2, 17, 300}})
      for (const bool reverse : {false, true}) {
        Graph g;
        const std::int64_t u = a.units, wide = gates_of(cell) * u;
        const Value x = input(g, "x", f32, {a.time, a.batch, wide}), w = input(g, "w", f32, {u, wide}),
                    h = input(g, "h", f32, {a.batch, u}), c = cell == Cell::lstm ? input(g, "c", f32, {a.batch, u}) : h,
                    dy = input(g, "dy", f32, {a.time, a.batch, u});
        const States all = of(cell, x, w, h, c, {.reverse = reverse});
        const std::vector<Value> slopes = gradients(all.states, dy, {x, h, c});
        std::vector<Value> fetches{all.states, all.h, all.c};
        fetches.insert(fetches.end(), slopes.begin(), slopes.end());
        for (const std::int64_t i : {std::int64_t{0}, a.batch / 2, a.batch - 1}) {
          const Value own = row(x, 1, i), own_h = row(h, 0, i), own_c = cell == Cell::lstm ? row(c, 0, i) : own_h;
          const States alone = of(cell, own, w, own_h, own_c, {.reverse = reverse});
          const std::vector<Value> back = gradients(alone.states, row(dy, 1, i), {own, own_h, own_c});
          const std::vector<Value> wanted{alone.states, alone.h, alone.c, back[0], back[1], back[2]};
          for (std::size_t k = 0; k < wanted.size(); ++k) {
            fetches.push_back(row(fetches[k], fetches[k].rank() == 3 ? 1 : 0, i));
            fetches.push_back(wanted[k]);
          }
        }
        Tensors feeds{{"x", draw(x.shape(), -2, 2, 1, f32)},
                      {"w", draw(w.shape(), -0.3, 0.3, 2, f32)},
                      {"h", draw(h.shape(), -1, 1, 3, f32)},
                      {"dy", draw(dy.shape(), -1, 1, 5, f32)}};
        if (cell == Cell::lstm) feeds.insert({"c", draw(c.shape(), -1, 1, 4, f32)});
        const std::vector<Tensor> got = on_all_threads(fetches, feeds);
        for (std::size_t k = 6; k < got.size(); k += 2)
          BOOST_TEST(same_bits(got[k], got[k + 1]),
                     "cell " << static_cast<int>(cell) << ", value " << (k - 6) / 2 << ", " << u << " units");
      }
}

// A step that a sequence does not have is not read.
BOOST_AUTO_TEST_CASE(what_is_beyond_a_length_changes_no_bit) {
  for (const Cell cell : cells)
    for (const bool reverse : {false, true}) {
      Graph g;
      const std::int64_t wide = gates_of(cell) * 2;
      const Value x = input(g, "x", f64, {3, 2, wide}), w = input(g, "w", f64, {2, wide}),
                  h = input(g, "h", f64, {2, 2}), n = input(g, "n", u8, {2});
      const States r = of(cell, x, w, h, h, {.lengths = n, .reverse = reverse});
      const std::vector<Value> slopes = gradients(sum(square(r.states)) + sum(r.c), {x, w, h});
      const std::vector<Value> fetches{r.states, r.h, r.c, slopes[0], slopes[1], slopes[2]};
      Tensors feeds{{"x", draw({3, 2, wide}, -1, 1, 1)},
                    {"w", draw({2, wide}, -1, 1, 2)},
                    {"h", draw({2, 2}, -1, 1, 3)},
                    {"n", Tensor::of<std::uint8_t>({2}, {3, 1})}};
      const std::vector<Tensor> got = on_all_threads(fetches, feeds);
      Tensor other = feeds.at("x").clone();
      for (int t = 1; t < 3; ++t) std::fill_n(other.data<double>() + (t * 2 + 1) * wide, wide, std::nan(""));
      feeds.insert_or_assign("x", other);
      const std::vector<Tensor> still = on_all_threads(fetches, feeds);
      for (std::size_t k = 0; k < got.size(); ++k) BOOST_TEST(same_bits(got[k], still[k]), k);
      for (int t = 1; t < 3; ++t)
        for (std::int64_t j = 0; j < wide; ++j) BOOST_TEST(got[3].data<double>()[(t * 2 + 1) * wide + j] == 0);
    }
}

// Of any number of steps, where the axis is free; nothing of the steps is a node.
BOOST_AUTO_TEST_CASE(a_free_number_of_steps) {
  for (const Cell cell : cells) {
    Graph g;
    const std::int64_t wide = gates_of(cell) * 3;
    const Value x = input(g, "x", f32, {any(5), any(2), wide}), w = input(g, "w", f32, {3, wide});
    const Value zero = broadcast_to(constant(g, 0, f32), concat({shape_of(x)[range(1, 2)], shape_of(w)[range(0, 1)]}));
    const States r = of(cell, x, w, zero, zero);
    const std::vector<Value> slopes = gradients(sum(r.h), {x, w});
    const Program program = compile({r.states, r.c, slopes[0], slopes[1]});
    Store store(g);
    const Tensor weights = draw({3, wide}, -1, 1, 2, f32);
    for (const std::int64_t time : {1, 4, 9}) {
      const std::vector<Tensor> got = program.run(store, {{"x", draw({time, 3, wide}, -1, 1, 1, f32)}, {"w", weights}});
      BOOST_TEST(to_string(got[0].type()) == "f32[" + std::to_string(time) + ", 3, 3]");
      BOOST_TEST(to_string(got[2].type()) == "f32[" + std::to_string(time) + ", 3, " + std::to_string(wide) + "]");
    }
  }
}

// What comes in may be rows of a table times a matrix: rewritten, each row is multiplied once, to the same bits.
BOOST_AUTO_TEST_CASE(rows_of_a_table_are_multiplied_once) {
  struct Asked {
    bool biased, fewer;  ///< than steps are the table's rows
  };
  for (const Asked& a : {Asked{true, true}, Asked{false, true}, Asked{true, false}})
    for (const DType dtype : {f32, f64}) {
      Graph g;
      const Value ids = input(g, "ids", i64, {5, 9}), table = input(g, "table", dtype, {a.fewer ? 7 : 45, 33}),
                  w = input(g, "w", dtype, {33, 80}), b = input(g, "b", dtype, {80}),
                  u = input(g, "u", dtype, {20, 80}), h = input(g, "h", dtype, {5, 20});
      const Value x = matmul(transpose(gather(table, ids), {1, 0, 2}), w);
      const LstmResult r = lstm(a.biased ? x + b : x, u, h, h);
      const std::vector<Value> fetches{r.states, r.h, r.c};
      Tensors feeds{{"ids", draw({5, 9}, -7, 7, 1, i64)},
                    {"table", draw(table.shape(), -1, 1, 2, dtype)},
                    {"w", draw(w.shape(), -1, 1, 3, dtype)},
                    {"u", draw(u.shape(), -0.3, 0.3, 5, dtype)},
                    {"h", draw(h.shape(), -1, 1, 6, dtype)}};
      if (a.biased) feeds.insert({"b", draw(b.shape(), -1, 1, 4, dtype)});
      const std::vector<Tensor> got = on_all_threads(fetches, feeds);
      Store store(g);
      const std::vector<Tensor> plain = compile(fetches, {.disable = {"simplify"}}).run(store, feeds);
      for (std::size_t k = 0; k < got.size(); ++k) BOOST_TEST(same_bits(got[k], plain[k]), "value " << k);
      const std::string text = planned(compile(fetches));
      BOOST_TEST(has(text, " = gather(") == !a.fewer, text);
      feeds.at("ids").data<std::int64_t>()[9] = a.fewer ? 7 : 45;
      BOOST_TEST(has(message([&] { compile(fetches).run(store, feeds); }), " is out of range"));
    }
}

// What flows back to rows of a table by way of a product is summed by row first. A row that nobody takes gives and gets
// nothing.
BOOST_AUTO_TEST_CASE(gradients_of_rows_of_a_table) {
  Graph g;
  const Value ids = input(g, "ids", i64, {2, 5}), labels = input(g, "labels", f64, {2, 5, 3});
  const Embedding letters(4, 18, {.dtype = f64});
  const Value x = letters(ids), y = LSTM(3, {.return_sequences = true})(x);
  Tensors feeds{{"ids", Tensor::of<std::int64_t>({2, 5}, {0, 3, 0, -1, 1, 1, 1, 0, 3, -3})}};
  check_gradients(y, variables(g), feeds);
  feeds.insert({"labels", draw({2, 5, 3}, -1, 1, 1)});

  const Value loss = mean(square(y - labels));
  std::vector<Value> wanted = variables(g);
  wanted.push_back(x);
  const std::vector<Value> slopes = gradients(loss, wanted);
  Store store(g);
  const Program program = compile(slopes);
  BOOST_TEST(has(planned(program), "f64[4, 12]"), planned(program));
  const std::vector<Tensor> before = program.run(store, feeds);
  Tensor table = store.get("embedding/embeddings").clone();
  std::fill_n(table.data<double>() + 2 * 18, 18, std::nan(""));
  store.set("embedding/embeddings", table);
  const std::vector<Tensor> after = program.run(store, feeds);
  for (std::size_t k = 0; k < before.size(); ++k)
    BOOST_TEST(same_bits(before[k], after[k]), to_string(wanted[k].node()));
  for (int j = 0; j < 18; ++j) BOOST_TEST(after[0].data<double>()[2 * 18 + j] == 0);
}

BOOST_AUTO_TEST_CASE(what_recurrences_refuse) {
  Graph g;
  const Value x = input(g, "x", f32, {3, 2, 8}), w = input(g, "w", f32, {2, 8}), h = input(g, "h", f32, {2, 2}),
              odd = input(g, "odd", f32, {3, 2, 6}), wide = input(g, "wide", f64, {2, 2}),
              none = input(g, "none", f32, {0, 2, 8}), n = input(g, "n", i64, {3}), flags = input(g, "f", boolean, {2});
  const auto of_lstm = [&](Value a, Value b, Value c, Value d, Value lengths = {}) {
    return message([&] { lstm(a, b, c, d, {.lengths = lengths}); });
  };
  BOOST_TEST(has(of_lstm(odd, w, h, h), "lstm: x is f32[3, 2, 6]"));
  BOOST_TEST(has(of_lstm(none, w, h, h), "lstm: x is f32[0, 2, 8]"));
  BOOST_TEST(has(of_lstm(x, h, h, h), "lstm: recurrent is f32[2, 2], not f32[2, 8]"));
  BOOST_TEST(has(of_lstm(x, w, wide, h), "lstm: h is f64[2, 2], not f32[2, 2]"));
  BOOST_TEST(has(of_lstm(x, w, h, wide), "lstm: c is f64[2, 2], not f32[2, 2]"));
  BOOST_TEST(has(of_lstm(x, w, h, h, n), "lstm: lengths is i64[3], not i64[2]"));
  BOOST_TEST(has(of_lstm(x, w, h, h, flags), "lstm: lengths is bool[2], not i64[2]"));
  const auto of_gru = [&](Value a, Value b, Value c, const GruOptions& o = {}) {
    return message([&] { gru(a, b, c, o); });
  };
  BOOST_TEST(has(of_gru(x, w, h), "gru: x is f32[3, 2, 8]"));
  BOOST_TEST(has(of_gru(odd, w, h), "gru: recurrent is f32[2, 8], not f32[2, 6]"));
  const Value u = input(g, "u", f32, {2, 6});
  BOOST_TEST(has(of_gru(odd, u, wide), "gru: h is f64[2, 2], not f32[2, 2]"));
  BOOST_TEST(has(of_gru(odd, u, h, {.lengths = n}), "gru: lengths is i64[3], not i64[2]"));
  BOOST_TEST(has(of_gru(odd, u, h, {.recurrent_bias = h}), "gru: recurrent_bias is f32[2, 2], not f32[6]"));
  const auto of_rnn = [&](Value a, Value b, Value c, const SimpleRnnOptions& o = {}) {
    return message([&] { simple_rnn(a, b, c, o); });
  };
  BOOST_TEST(has(of_rnn(h, h, h), "simple_rnn: x is f32[2, 2]"));
  BOOST_TEST(has(of_rnn(x, w, h), "simple_rnn: recurrent is f32[2, 8], not f32[8, 8]"));
  const Value states = input(g, "states", f32, {3, 2, 2});
  BOOST_TEST(has(of_rnn(states, h, wide), "simple_rnn: h is f64[2, 2], not f32[2, 2]"));
  BOOST_TEST(has(of_rnn(states, h, h, {.lengths = flags}), "simple_rnn: lengths is bool[2], not i64[2]"));
}

BOOST_AUTO_TEST_SUITE_END()
