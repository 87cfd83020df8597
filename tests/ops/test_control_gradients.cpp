// `cond` and `repeat` give the values and gradients of the graph without them, bit for bit, on any number of threads.
#include <oxbow/ops/control.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>

#include "support/interpreter.h"
#include "support/twin.h"

BOOST_AUTO_TEST_SUITE(test_control_gradients)

using namespace oxbow;
using namespace oxbow::test;

BOOST_AUTO_TEST_CASE(cond_equals_the_branch_that_is_taken) {
  for (const bool taken : {true, false})
    check_same_bits({floats({4, 5}, 1), floats({5, 3}, 2), Tensor::scalar(taken)}, [&](Twin& t, bool owns) {
      const Value x = t.x[0], w = t.x[1], p = t.x[2];
      const auto then = [&] { return std::vector<Value>{tanh(matmul(x, w)) + 1.0, sum(x, {0})}; };
      const auto otherwise = [&] { return std::vector<Value>{relu(matmul(x, w)), sum(x * x, {0})}; };
      if (owns) return cond(p, then, otherwise);
      return taken ? in_order(t.g, then) : in_order(t.g, otherwise);
    });
}

BOOST_AUTO_TEST_CASE(repeat_equals_the_unrolled_graph) {
  for (const std::int64_t steps : {0, 1, 2, 5})
    for (const bool reverse : {false, true})
      check_same_bits(
          {floats({3, 4}, 1), floats({3, 4}, 2), floats({4, 4}, 3), floats({steps, 3, 4}, 4), floats({4}, 5)},
          [&](Twin& t, bool owns) {
            const Value u = t.x[2], xs = t.x[3], b = t.x[4];
            const auto body = [&](const RepeatStep& s) {
              const Value gate = sigmoid(s.slices[0] + matmul(s.carried[0], u) + b);
              const Value c = gate * s.carried[1] + tanh(s.slices[0]);
              const Value h = tanh(c) * gate;
              return RepeatNext{.carried = {h, c}, .stacked = {exp(h * -1.0)}};
            };
            if (owns) {
              RepeatResult r = repeat(steps, {t.x[0], t.x[1]}, body, {.slices = {xs}, .reverse = reverse});
              r.carried.insert(r.carried.end(), r.stacked.begin(), r.stacked.end());
              return r.carried;
            }
            RepeatStep s{{t.x[0], t.x[1]}, {}};
            std::vector<Value> stacked(static_cast<std::size_t>(steps));
            for (std::int64_t i = 0; i < steps; ++i) {
              const std::int64_t at = reverse ? steps - 1 - i : i;
              s.slices = {reshape(slice(xs, 0, at, at + 1), {3, 4})};
              const std::vector<Value> next = in_order(t.g, [&] {
                const RepeatNext n = body(s);
                return std::vector<Value>{n.carried[0], n.carried[1], n.stacked[0]};
              });
              s.carried = {next[0], next[1]};
              stacked[static_cast<std::size_t>(at)] = reshape(next[2], {1, 3, 4});
            }
            return std::vector<Value>{s.carried[0], s.carried[1], steps == 0 ? xs * 0.0 : concat(stacked)};
          });
}

// Of a recurrence whose last state nobody reads, nothing flows to the last step's state.
BOOST_AUTO_TEST_CASE(what_nothing_flows_to_is_not_zero) {
  Graph g;
  const Value h0 = input(g, "h0", f32, {2}), w = input(g, "w", f32, {2});
  const RepeatResult r = repeat(3, {h0}, [&](const RepeatStep& s) {
    return RepeatNext{.carried = {s.carried[0] / w}, .stacked = {s.carried[0] * 2.0}};
  });
  const std::vector<Value> dx = gradients(sum(r.stacked[0]), {h0, w});
  // The last division, by a zero, is not differentiated: 0 * inf would be no number.
  const std::map<std::string, Tensor> feeds{{"h0", Tensor::of<float>({2}, {1, 8})},
                                            {"w", Tensor::of<float>({2}, {2, 4})}};
  Store store(g);
  const std::vector<Tensor> got = compile(dx).run(store, feeds);
  BOOST_TEST(same_bits(got[0], Tensor::of<float>({2}, {2 + 1 + .5, 2 + .5f + .125f})));
  BOOST_TEST(got[1].span<float>()[0] == -2.f / 4 - 2.f * 2 / 8);
}

// A loop and its unrolled graph among other readers of what it reads: each adds its share to the same sum, in the same
// order. `body` takes what is carried, and slices.
template <class Body>
void check_among_others(std::vector<Tensor> inputs, std::int64_t steps, bool reverse, Body&& body) {
  check_same_bits(inputs, [&](Twin& t, bool owns) {
    std::vector<Value> y;
    for (const Value& v : t.x) y.push_back(v * 1.5);
    const Value xs = t.x[2];
    std::vector<Value> carried{t.x[0], t.x[0]};
    if (owns) {
      carried = repeat(steps, carried,
                       [&](const RepeatStep& s) { return RepeatNext{.carried = body(t, s.carried, s.slices[0])}; },
                       {.slices = {xs}, .reverse = reverse})
                    .carried;
    } else {
      for (std::int64_t i = 0; i < steps; ++i) {
        const std::int64_t at = reverse ? steps - 1 - i : i;
        const Value slice_of = reshape(slice(xs, 0, at, at + 1), xs.shape().without(0).vector());
        carried = in_order(t.g, [&] { return body(t, carried, slice_of); });
      }
    }
    y.insert(y.end(), carried.begin(), carried.end());
    for (const Value& v : t.x) y.push_back(sigmoid(v));
    return y;
  });
}

BOOST_AUTO_TEST_CASE(what_a_loop_reads_is_read_elsewhere_too) {
  for (const std::int64_t steps : {1, 2, 5})
    for (const bool reverse : {false, true}) {
      const std::vector<Tensor> inputs{floats({3, 3}, 1), floats({3, 3}, 2), floats({steps, 3, 3}, 3)};
      check_among_others(inputs, steps, reverse, [](Twin& t, const std::vector<Value>& c, Value s) {
        const Value w = t.x[1], h = tanh(matmul(c[0], w) + s);
        return std::vector<Value>{h, h * w - c[1] * w};
      });
      // Carried twice and captured: one value in the first step.
      check_among_others(inputs, steps, reverse, [](Twin& t, const std::vector<Value>& c, Value s) {
        const Value a = c[1] * t.x[0], b = c[0] * s + a;
        return std::vector<Value>{tanh(b), a * t.x[0] + c[0] * .5};
      });
      // Parts of a captured value, of which one is read in the first step that goes back alone.
      check_among_others(inputs, steps, reverse, [](Twin& t, const std::vector<Value>& c, Value s) {
        const Value w = t.x[1], row = slice(w, 0, 1, 2);
        return std::vector<Value>{c[0] * row + s, c[1] * slice(w, 0, 0, 1)};
      });
      // Stacked and captured: a step's slice adds to the sum of what the steps capture.
      check_among_others(inputs, steps, reverse, [](Twin& t, const std::vector<Value>& c, Value s) {
        const Value all = sum(t.x[2] * t.x[2], {0});
        return std::vector<Value>{tanh(c[0] * s + all), c[1] * mean(t.x[2]) + s * c[0]};
      });
    }
}

// One value stacked, captured and carried, whose sums begin with what flows to it first, a -0.0 among that.
BOOST_AUTO_TEST_CASE(what_is_stacked_captured_and_carried_is_one_value) {
  for (const int kind : {0, 1, 2, 3})
    for (const bool reverse : {false, true}) {
      const std::vector<Tensor> inputs{floats({3, 3}, 1), floats({3}, 2)};
      check_same_bits(inputs, [&](Twin& t, bool owns) {
        const Value x = t.x[0], b = t.x[1], start = kind % 2 ? x : x * 0.5;
        const auto body = [&](Value h, Value s) {
          const Value y = h * relu(s - b) * -1.0;
          return kind / 2 ? tanh(matmul(y, x)) + y : y + s;
        };
        if (owns)
          return repeat(3, {start},
                        [&](const RepeatStep& s) { return RepeatNext{.carried = {body(s.carried[0], s.slices[0])}}; },
                        {.slices = {x}, .reverse = reverse})
              .carried;
        Value h = start;
        for (int i = 0; i < 3; ++i) {
          const int at = reverse ? 2 - i : i;
          const Value slice_of = reshape(slice(x, 0, at, at + 1), {3});
          h = in_order(t.g, [&] { return std::vector<Value>{body(h, slice_of)}; })[0];
        }
        return std::vector<Value>{h};
      });
    }
}

// The same where nothing else reads what the loop reads: no sum begins with a zero of its own.
BOOST_AUTO_TEST_CASE(parts_of_a_value_that_only_a_loop_reads) {
  check_same_bits({floats({3, 3}, 1), floats({4, 3}, 2)}, [](Twin& t, bool owns) {
    const auto body = [&](Value h) { return tanh(h * slice(t.x[1], 0, 1, 2)) - slice(t.x[1], 0, 0, 1); };
    if (owns) return std::vector<Value>{repeat(3, t.x[0], body)};
    Value h = t.x[0];
    for (int i = 0; i < 3; ++i) h = in_order(t.g, [&] { return std::vector<Value>{body(h)}; })[0];
    return std::vector<Value>{h};
  });
}

BOOST_AUTO_TEST_CASE(what_a_branch_reads_is_read_elsewhere_too) {
  for (const bool taken : {true, false})
    check_same_bits({floats({4, 5}, 1), floats({5, 3}, 2), Tensor::scalar(taken)}, [&](Twin& t, bool owns) {
      const Value x = t.x[0], w = t.x[1];
      std::vector<Value> y{tanh(x), tanh(w)};
      const auto then = [&] { return std::vector<Value>{tanh(matmul(x, w)) + sum(x * x, {1}, true)}; };
      const auto otherwise = [&] { return std::vector<Value>{relu(matmul(x, w)) - sum(w, {0})}; };
      y.push_back((owns ? cond(t.x[2], then, otherwise) : taken ? in_order(t.g, then) : in_order(t.g, otherwise))[0]);
      y.push_back(sigmoid(x) * 3.0);
      y.push_back(sigmoid(w));
      return y;
    });
}

// Nothing flows to what only the other branch reads. That differs from a zero, which could change the sign of another
// zero in a sum, and would give NaN where it meets an infinite slope.
BOOST_AUTO_TEST_CASE(nothing_flows_through_the_branch_that_is_not_taken) {
  for (const bool taken : {true, false})
    for (const int kind : {0, 1, 2, 3, 4, 5, 6}) BOOST_TEST_CONTEXT("kind " << kind)
  check_same_bits({floats({4}, 1), floats({4}, 2), Tensor::scalar(taken), Tensor::of<float>({4}, {0, -1, 1, 2}),
                   Tensor::of<float>({4}, {0, 1, -1, 0})},
                  [&](Twin& t, bool owns) {
                    const Value a = t.x[0], b = t.x[1], p = t.x[2], z = t.x[3], m = t.x[4];
                    using Branch = std::function<Value()>;
                    const auto either = [&](const Branch& then, const Branch& otherwise) {
                      if (owns) return cond(p, then, otherwise);
                      return in_order(t.g, [&] { return std::vector<Value>{taken ? then() : otherwise()}; })[0];
                    };
                    // Gives shares of -0.0 for b, before the branches or behind them in the order of backward.
                    const auto minus_zeros = [&] { return b * (m * 0.0) * -1.0; };
                    switch (kind) {
                      case 0:
                        return std::vector<Value>{either([&] { return a * a; }, [&] { return b * b; })};
                      case 1: {
                        const Value other = minus_zeros();
                        return std::vector<Value>{either([&] { return a * a; }, [&] { return b * b; }), other};
                      }
                      case 2: {
                        const Value first = either([&] { return a * a; }, [&] { return b * b + b; });
                        return std::vector<Value>{first, minus_zeros()};
                      }
                      case 3: {  // the slope of sqrt is infinite at 0, and of log no number below
                        const Value root = sqrt(z), l = log(z);
                        return std::vector<Value>{either([&] { return a; }, [&] { return root; }),
                                                  either([&] { return l * a; }, [&] { return b * a; })};
                      }
                      case 4: {  // twice in a row
                        const Value h = either([&] { return a * b + b; }, [&] { return a; });
                        return std::vector<Value>{either([&] { return h * b - b; }, [&] { return h + a; })};
                      }
                      case 5: {  // parts, which add to a sum in place
                        const auto piece = [&](Value x, int from) { return slice(x, 0, from, from + 2); };
                        const Value first = either([&] { return piece(b, 1) * piece(a, 0) + piece(b, 2); },
                                                   [&] { return piece(b, 0) * -0.0; });
                        return std::vector<Value>{either([&] { return minus_zeros(); }, [&] { return a; }), first};
                      }
                      default:  // one within another
                        return std::vector<Value>{either(
                            [&] { return either([&] { return a; }, [&] { return b; }) * z; }, [&] { return m * m; })};
                    }
                  });
}

// The same in the steps of a loop, where only a run decides what flows to what is carried, sliced and captured.
BOOST_AUTO_TEST_CASE(nothing_flows_through_branches_of_a_loop_that_are_not_taken) {
  const std::vector<std::vector<bool>> runs{{true, true, true}, {false, false, false}, {true, false, true},
                                            {false, true, false}};
  for (const std::vector<bool>& taken : runs)
    for (const bool reverse : {false, true})
      for (const int kind : {0, 1, 2, 3, 4, 5, 6, 7}) BOOST_TEST_CONTEXT("kind " << kind) {
        Tensor gates({boolean, {3}});
        for (int i = 0; i < 3; ++i) gates.data<bool>()[i] = taken[static_cast<std::size_t>(i)];
        const std::vector<Tensor> inputs{floats({4}, 1),    floats({4}, 2), Tensor::of<float>({4}, {0, -1, 1, 2}),
                                         floats({3, 4}, 3), floats({4}, 4), gates};
        check_same_bits(inputs, [&](Twin& t, bool owns) {
          const Value a = t.x[0], b = t.x[1], z = t.x[2], xs = t.x[3];
          const Value l = log(z), root = sqrt(z), ys = log(xs);
          using Branch = std::function<Value()>;
          const auto body = [&](const std::vector<Value>& c, Value x, const auto& either) {
            const Value h = c[0], k = c[1];
            switch (kind) {
              case 0:  // captured in one branch or the other
                return std::vector<Value>{either([&] { return h * b; }, [&] { return h + a; }), k};
              case 1:  // with slopes that are infinite, or no numbers
                return std::vector<Value>{either([&] { return h + l; }, [&] { return h * a; }),
                                          either([&] { return k * a; }, [&] { return k - root; })};
              case 2:  // a slice
                return std::vector<Value>{either([&] { return h * x; }, [&] { return h + b; }), k};
              case 3:  // what is carried changes places
                return std::vector<Value>{k, either([&] { return h * b; }, [&] { return k; })};
              case 4:  // a branch within a branch
                return std::vector<Value>{
                    either([&] { return either([&] { return h * l; }, [&] { return b; }) * a; }, [&] { return k; }), h};
              case 5:  // what no step reads in some runs
                return std::vector<Value>{either([&] { return h * b; }, [&] { return a; }) + k,
                                          either([&] { return k; }, [&] { return x * 0.5; })};
              case 6:  // a slice, to which -0.0 flows
                return std::vector<Value>{either([&] { return h + relu(x - 9.0) * -1.0; }, [&] { return h; }), k};
              default:  // sliced and captured
                return std::vector<Value>{
                    either([&] { return h * x; }, [&] { return h * mean(ys); }), either([&] { return k + x; }, [&] { return k; })};
            }
          };
          std::vector<Value> carried{t.x[4], t.x[4] * 0.5};
          const Value slices = kind == 1 || kind == 7 ? ys : xs;
          if (owns)
            return repeat(3, carried,
                          [&](const RepeatStep& s) {
                            const auto either = [&](const Branch& then, const Branch& otherwise) {
                              return cond(s.slices[1], then, otherwise);
                            };
                            return RepeatNext{.carried = body(s.carried, s.slices[0], either)};
                          },
                          {.slices = {slices, t.x[5]}, .reverse = reverse})
                .carried;
          for (int i = 0; i < 3; ++i) {
            const int at = reverse ? 2 - i : i;
            const auto either = [&](const Branch& then, const Branch& otherwise) {
              return taken[static_cast<std::size_t>(at)] ? then() : otherwise();
            };
            const Value x = reshape(slice(slices, 0, at, at + 1), {4});
            carried = in_order(t.g, [&] { return body(carried, x, either); });
          }
          return carried;
        });
      }
}

// What flows to two values that change places in each step changes places too; the steps are one repeat all the same.
BOOST_AUTO_TEST_CASE(values_that_change_places_do_not_unroll_the_gradient) {
  const auto build = [](std::int64_t steps) {
    return [steps](Twin& t, bool owns) {
      const auto body = [&](const std::vector<Value>& c) { return std::vector<Value>{c[1], tanh(c[0] * t.x[1])}; };
      std::vector<Value> c{t.x[0], t.x[0] * 2.0};
      if (owns)
        c = repeat(steps, c, [&](const RepeatStep& s) { return RepeatNext{.carried = body(s.carried)}; }).carried;
      else
        for (std::int64_t i = 0; i < steps; ++i) c = in_order(t.g, [&] { return body(c); });
      return std::vector<Value>{c[0]};
    };
  };
  for (const std::int64_t steps : {1, 2, 3, 40, 41}) check_same_bits({floats({3}, 1), floats({3}, 2)}, build(steps));
  Twin t;
  for (const char* name : {"a", "b"}) t.x.push_back(input(t.g, name, f32, {3}));
  gradients(sum(build(1000)(t, true)[0]), t.x);
  BOOST_TEST(t.g.size() < 1000);
}

// The gradient of a branch reads what the branch reads and what flowed back: here one value, of which a second gradient
// must not lose a share. The same of a loop.
BOOST_AUTO_TEST_CASE(gradients_of_gradients_equal_the_plain_graphs) {
  for (const int kind : {0, 1}) {
    const auto second = [&](bool owns) {
      auto g = std::make_unique<Graph>();
      const Value x = input(*g, "x", f64, {3});
      const auto body = [&] { return tanh(x * x); };
      Value y;
      if (kind == 0)
        y = owns ? cond(constant(*g, true, boolean), body, [&] { return x; }) : body();
      else if (owns)
        y = repeat(2, x, [&](Value h) { return tanh(h * x); });
      else
        y = tanh(tanh(x * x) * x);
      const Value dx = gradients(y, x, {x})[0];
      g->add_output("d2x", gradients(dx, x, {x})[0]);
      return g;
    };
    const auto owned = second(true), plain = second(false);
    const Tensor x = Tensor::of<double>({3}, {-.5, .25, 1});
    const Tensor a = interpret({owned->outputs()[0].second}, {{"x", x}})[0];
    const Tensor b = interpret({plain->outputs()[0].second}, {{"x", x}})[0];
    for (int i = 0; i < 3; ++i)
      BOOST_TEST(a.data<double>()[i] == b.data<double>()[i], boost::test_tools::tolerance(1e-12));
  }
}

BOOST_AUTO_TEST_SUITE_END()
