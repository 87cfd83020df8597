// Recurrences as one node: rows of the batch know nothing of one another, whatever kernels and parts they fall to; and
// steps of plain ops give the same.
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_recurrent)

using namespace oxbow;
using namespace oxbow::test;

namespace {

// Row i of x [..., batch, n], of which `axis` is the batch.
Value row(Value x, std::int64_t axis, std::int64_t i) { return slice(x, axis, i, i + 1); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_row_of_the_batch_is_the_same_alone) {
  struct Asked {
    std::int64_t time, batch, units;
  };
  for (const Asked& a : {Asked{4, 33, 64}, Asked{3, 130, 40}, Asked{2, 9, 3}, Asked{2, 17, 300}})
    for (const bool reverse : {false, true}) {
      Graph g;
      const std::int64_t u = a.units;
      const Value x = input(g, "x", f32, {a.time, a.batch, 4 * u}), w = input(g, "w", f32, {u, 4 * u}),
                  h = input(g, "h", f32, {a.batch, u}), c = input(g, "c", f32, {a.batch, u}),
                  dy = input(g, "dy", f32, {a.time, a.batch, u});
      const LstmResult all = lstm(x, w, h, c, {.reverse = reverse});
      const std::vector<Value> slopes = gradients(all.states, dy, {x, h, c});
      std::vector<Value> fetches{all.states, all.h, all.c};
      fetches.insert(fetches.end(), slopes.begin(), slopes.end());
      for (const std::int64_t i : {std::int64_t{0}, a.batch / 2, a.batch - 1}) {
        const Value own = row(x, 1, i), own_h = row(h, 0, i), own_c = row(c, 0, i);
        const LstmResult alone = lstm(own, w, own_h, own_c, {.reverse = reverse});
        const std::vector<Value> back = gradients(alone.states, row(dy, 1, i), {own, own_h, own_c});
        const std::vector<Value> wanted{alone.states, alone.h, alone.c, back[0], back[1], back[2]};
        for (std::size_t k = 0; k < wanted.size(); ++k) {
          fetches.push_back(row(fetches[k], fetches[k].rank() == 3 ? 1 : 0, i));
          fetches.push_back(wanted[k]);
        }
      }
      const std::vector<Tensor> got = on_all_threads(fetches, {{"x", draw(x.shape(), -2, 2, 1, f32)},
                                                               {"w", draw(w.shape(), -0.3, 0.3, 2, f32)},
                                                               {"h", draw(h.shape(), -1, 1, 3, f32)},
                                                               {"c", draw(c.shape(), -1, 1, 4, f32)},
                                                               {"dy", draw(dy.shape(), -1, 1, 5, f32)}});
      for (std::size_t k = 6; k < got.size(); k += 2)
        BOOST_TEST(same_bits(got[k], got[k + 1]), "value " << (k - 6) / 2 << ", " << u << " units");
    }
}

// A step that a sequence does not have is not read.
BOOST_AUTO_TEST_CASE(what_is_beyond_a_length_changes_no_bit) {
  for (const bool reverse : {false, true}) {
    Graph g;
    const Value x = input(g, "x", f64, {3, 2, 8}), w = input(g, "w", f64, {2, 8}), h = input(g, "h", f64, {2, 2}),
                n = input(g, "n", u8, {2});
    const LstmResult r = lstm(x, w, h, h, {.lengths = n, .reverse = reverse});
    const std::vector<Value> slopes = gradients(sum(square(r.states)) + sum(r.c), {x, w, h});
    const std::vector<Value> fetches{r.states, r.h, r.c, slopes[0], slopes[1], slopes[2]};
    Tensors feeds{{"x", draw({3, 2, 8}, -1, 1, 1)},
                  {"w", draw({2, 8}, -1, 1, 2)},
                  {"h", draw({2, 2}, -1, 1, 3)},
                  {"n", Tensor::of<std::uint8_t>({2}, {3, 1})}};
    const std::vector<Tensor> got = on_all_threads(fetches, feeds);
    Tensor other = feeds.at("x").clone();
    for (int t = 1; t < 3; ++t) std::fill_n(other.data<double>() + (t * 2 + 1) * 8, 8, std::nan(""));
    feeds.insert_or_assign("x", other);
    const std::vector<Tensor> still = on_all_threads(fetches, feeds);
    for (std::size_t k = 0; k < got.size(); ++k) BOOST_TEST(same_bits(got[k], still[k]), k);
    for (int t = 1; t < 3; ++t)
      for (int j = 0; j < 8; ++j) BOOST_TEST(got[3].data<double>()[(t * 2 + 1) * 8 + j] == 0);
  }
}

// Of any number of steps, where the axis is free; nothing of the steps is a node.
BOOST_AUTO_TEST_CASE(a_free_number_of_steps) {
  Graph g;
  const Value x = input(g, "x", f32, {any(5), any(2), 12}), w = input(g, "w", f32, {3, 12});
  const Value zero = broadcast_to(constant(g, 0, f32), concat({shape_of(x)[range(1, 2)], shape_of(w)[range(0, 1)]}));
  const LstmResult r = lstm(x, w, zero, zero);
  const std::vector<Value> slopes = gradients(sum(r.h), {x, w});
  const Program program = compile({r.states, r.c, slopes[0], slopes[1]});
  Store store(g);
  const Tensor weights = draw({3, 12}, -1, 1, 2, f32);
  for (const std::int64_t time : {1, 4, 9}) {
    const std::vector<Tensor> got = program.run(store, {{"x", draw({time, 3, 12}, -1, 1, 1, f32)}, {"w", weights}});
    BOOST_TEST(to_string(got[0].type()) == "f32[" + std::to_string(time) + ", 3, 3]");
    BOOST_TEST(to_string(got[2].type()) == "f32[" + std::to_string(time) + ", 3, 12]");
  }
}

BOOST_AUTO_TEST_CASE(what_recurrences_refuse) {
  Graph g;
  const Value x = input(g, "x", f32, {3, 2, 8}), w = input(g, "w", f32, {2, 8}), h = input(g, "h", f32, {2, 2}),
              odd = input(g, "odd", f32, {3, 2, 6}), wide = input(g, "wide", f64, {2, 2}),
              none = input(g, "none", f32, {0, 2, 8}), n = input(g, "n", i64, {3}), flags = input(g, "f", boolean, {2});
  const auto of = [&](Value a, Value b, Value c, Value d, Value lengths = {}) {
    return message([&] { lstm(a, b, c, d, {.lengths = lengths}); });
  };
  BOOST_TEST(has(of(odd, w, h, h), "lstm: x is f32[3, 2, 6]"));
  BOOST_TEST(has(of(none, w, h, h), "lstm: x is f32[0, 2, 8]"));
  BOOST_TEST(has(of(x, h, h, h), "lstm: recurrent is f32[2, 2], not f32[2, 8]"));
  BOOST_TEST(has(of(x, w, wide, h), "lstm: h is f64[2, 2], not f32[2, 2]"));
  BOOST_TEST(has(of(x, w, h, wide), "lstm: c is f64[2, 2], not f32[2, 2]"));
  BOOST_TEST(has(of(x, w, h, h, n), "lstm: lengths is i64[3], not i64[2]"));
  BOOST_TEST(has(of(x, w, h, h, flags), "lstm: lengths is bool[2], not i64[2]"));
}

BOOST_AUTO_TEST_SUITE_END()
