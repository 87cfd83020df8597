// Reverse accumulation: derivatives known by hand, of second order, through layers; what is not reached; what is
// refused.
#include <oxbow/graph/order/order.h>
#include <oxbow/graph/sample.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/ledger.h>
#include <oxbow/runtime/program.h>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cmath>

BOOST_AUTO_TEST_SUITE(test_gradients)

using namespace oxbow;

namespace {

auto says(std::string text) {
  return [text](const Error& e) {
    BOOST_TEST_MESSAGE(e.what());
    return std::string(e.what()).find(text) != std::string::npos;
  };
}

std::string here(int line) { return "tests/ops/test_gradients.cpp:" + std::to_string(line); }

// The fetched values of a graph whose only input is "x".
std::vector<Tensor> evaluate(const std::vector<Value>& fetches, const Tensor& x, Mode mode = Mode::training) {
  Store store(fetches[0].graph());
  const Program program = compile(fetches, {.mode = mode});
  if (program.inputs().empty()) return program.run(store, {});
  return program.run(store, {{"x", x}});
}

double scalar(Value v, double x) { return evaluate({v}, Tensor::scalar(x))[0].item<double>(); }

// y = x / 2, without a gradient rule.
struct Halve {
  static constexpr OpInfo info{.name = "halve", .inputs = {"x"}};
  Type infer(Types in) const { return in[0]; }
  void run(const Run& r) const { *r.out<double>() = *r.in<double>(0) / 2; }
  bool operator==(const Halve&) const = default;
};

// Its gradient has the wrong type, or is missing.
struct Wrong {
  static constexpr OpInfo info{.name = "wrong", .inputs = {"x"}};
  bool missing = false;
  static void attributes(auto&& visit) { visit("missing", &Wrong::missing); }
  Type infer(Types in) const { return in[0]; }
  void run(const Run& r) const { *r.out<double>() = *r.in<double>(0); }
  Grads gradient(const Node&, Values dy) const {
    if (missing) return std::vector<Value>{};
    return {cast(dy[0], f32)};
  }
  bool operator==(const Wrong&) const = default;
};

struct Scalar {
  Graph g;
  Value x = input(g, "x", f64, std::initializer_list<Dim>{});
};

}  // namespace

BOOST_AUTO_TEST_CASE(derivatives_known_by_hand) {
  Scalar s;
  const Value y = exp(s.x) * s.x + 3 * s.x * s.x;  // y' = e^x (x + 1) + 6 x
  BOOST_TEST(scalar(gradients(y, {s.x})[0], 1.5) == std::exp(1.5) * 2.5 + 9, boost::test_tools::tolerance(1e-14));
  const Value t = tanh(s.x);
  BOOST_TEST(scalar(gradients(t, {s.x})[0], 0.5) == 1 - std::pow(std::tanh(0.5), 2),
             boost::test_tools::tolerance(1e-14));
}

BOOST_AUTO_TEST_CASE(gradients_of_gradients) {
  Scalar s;
  Value d = s.x * s.x * s.x * s.x;
  const double wanted[] = {4 * 27, 12 * 9, 24 * 3, 24, 0};  // of x^4 at 3
  for (double w : wanted) {
    d = gradients(d, {s.x})[0];
    BOOST_TEST(scalar(d, 3) == w, boost::test_tools::tolerance(1e-13));
  }
}

BOOST_AUTO_TEST_CASE(shared_values_collect_all_contributions) {
  Scalar s;
  Value y = s.x;
  for (int i = 0; i < 60; ++i) y = y + y;  // 2^60 paths
  const NodeId before = s.g.size();
  BOOST_TEST(scalar(gradients(y, {s.x})[0], 1) == 0x1p60);
  BOOST_TEST(s.g.size() - before < 200);
}

// A loss that reads parts of x, each weighted by a whole number, so that sums are exact in any order; and what flows
// back to element i of x.
struct PartsRead {
  const char* what;
  Value (*loss)(Value x);
  double (*slope)(std::int64_t i);
};
std::ostream& operator<<(std::ostream& s, const PartsRead& c) { return s << c.what; }

const std::int64_t parts_rows = 40, parts_columns = 6;
const std::vector<PartsRead> parts_read = {
    {"each row",
     [](Value x) {
       Value y;
       for (std::int64_t i = 0; i < parts_rows; ++i) {
         const Value part = sum(slice(x, 0, i, i + 1)) * static_cast<double>(i + 1);
         y = y ? y + part : part;
       }
       return y;
     },
     [](std::int64_t i) { return static_cast<double>(i / parts_columns + 1); }},
    {"columns, not all, the last twice",
     [](Value x) {
       Value y = sum(slice(x, 1, -1)) * 100.0;
       for (std::int64_t k = 2; k < parts_columns; ++k) y = y + sum(slice(x, 1, k, k + 1)) * static_cast<double>(k);
       return y;
     },
     [](std::int64_t i) {
       const std::int64_t k = i % parts_columns;
       return static_cast<double>(k < 2 ? 0 : k == parts_columns - 1 ? k + 100 : k);
     }},
    {"windows that overlap, and all of it",
     [](Value x) {
       Value y = sum(x) * 1000.0;
       for (std::int64_t i = 0; i + 3 <= parts_rows; ++i) y = y + sum(slice(x, 0, i, i + 3));
       return y + sum(x) * 2000.0;
     },
     [](std::int64_t i) {
       const std::int64_t row = i / parts_columns;
       return 3000.0 + static_cast<double>(std::min({row + 1, std::int64_t{3}, parts_rows - row}));
     }},
    {"rows that are looked up",
     [](Value x) {
       Value y = sum(x);
       for (std::int64_t i = 0; i < parts_rows; ++i) {
         const auto row = static_cast<std::int32_t>(i);
         y = y + sum(gather(x, constant(x.graph(), Tensor::of<std::int32_t>({2}, {row, 0}))));
       }
       return y;
     },
     [](std::int64_t i) { return i < parts_columns ? 2.0 + parts_rows : 2.0; }},
    {"a piece of what several were put together to",
     [](Value x) {
       const Value half = slice(x, 0, 0, parts_rows / 2), other = slice(x, 0, parts_rows / 2);
       return sum(slice(concat({other, half, other}), 0, parts_rows / 4, parts_rows));
     },
     [](std::int64_t i) {
       const std::int64_t row = i / parts_columns;
       return row < parts_rows / 2 ? 1.0 : row < parts_rows * 3 / 4 ? 0.0 : 1.0;
     }},
};

BOOST_DATA_TEST_CASE(parts_add_up_in_one_buffer, boost::unit_test::data::make(parts_read)) {
  Graph g;
  const Value x = input(g, "x", f64, {any(40), 6});
  const Value dx = gradients(sample.loss(x), {x})[0];
  const Tensor t = evaluate({dx}, Tensor({f64, x.shape()}))[0];
  for (std::int64_t i = 0; i < t.count(); ++i) BOOST_TEST(t.data<double>()[i] == sample.slope(i), "element " << i);

  // What is as large as x: at most a buffer for the parts, and one for what is read as a whole.
  std::int64_t large = 0;
  const std::vector<bool> live = ancestors(g, {{dx}});
  for (NodeId id = x.node_id() + 1; id < g.size(); ++id)
    if (const Node n = g.node(id); live[static_cast<std::size_t>(id)] && n.op().info().may_overwrite.empty())
      large += n.output().type() == x.type();
  BOOST_TEST(large <= 3);
}

// What of a plan is beyond the values themselves is a few times as large as what is read in parts.
BOOST_AUTO_TEST_CASE(a_value_that_is_read_in_many_parts_takes_a_few_times_its_bytes) {
  Graph g;
  const Value x = input(g, "x", f32, {2000, 64});
  Value h = slice(x, 0, 0, 1);
  for (std::int64_t i = 1; i < 2000; ++i) h = tanh(h + slice(x, 0, i, i + 1));
  const Value dx = gradients(sum(h), {x})[0];
  const Value table = input(g, "table", f32, {20'000, 64});
  Value found;
  for (int i = 0; i < 50; ++i) {
    const Value part = sum(square(gather(table, input(g, "rows" + std::to_string(i), i32, {32}))));
    found = found ? found + part : part;
  }
  const Value dtable = gradients(found, {table})[0];
  const Value weight = input(g, "weight", f32, {512, 512});
  Value used;
  for (int i = 0; i < 50; ++i) {
    const Value part = sum(square(matmul(input(g, "x" + std::to_string(i), f32, {8, 512}), weight)));
    used = used ? used + part : part;
  }
  const Value dweight = gradients(used, {weight})[0];
  for (const int threads : {1, 2}) {
    const auto arena = [&](Value v) { return ledger(compile({v}, {.pool = Pool(threads)})).arena_bytes; };
    BOOST_TEST(arena(dx) <= 5 * x.type().bytes(), threads << " threads");  // all h are as large as x
    BOOST_TEST(arena(dtable) <= 2 * table.type().bytes(), threads << " threads");
    BOOST_TEST(arena(dweight) <= 8 * threads * weight.type().bytes(), threads << " threads");
  }
}

BOOST_AUTO_TEST_CASE(gradients_of_parts_have_gradients) {
  Graph g;
  const Value x = input(g, "x", f64, {4, 3});
  const Value rows = constant(g, Tensor::of<std::int32_t>({2}, {3, 3}));
  Value y;
  for (const Value& part :
       {slice(x, 0, 1, 3), slice(x, 0, 2, 4), gather(x, rows), concat({slice(x, 0, 0, 1), slice(x, 0, 3)})})
    y = y ? y + part * part * part : part * part * part;
  const Value slope = gradients(sum(y), {x})[0];       // 3 n x^2 where n parts have an element
  const Value second = gradients(sum(slope), {x})[0];  // 6 n x
  const Tensor t = evaluate({second}, Tensor::of<double>({4, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}))[0];
  const double parts[] = {1, 1, 2, 4};
  for (std::int64_t i = 0; i < 12; ++i)
    BOOST_TEST(t.data<double>()[i] == 6 * parts[i / 3] * static_cast<double>(i + 1), "element " << i);
}

BOOST_AUTO_TEST_CASE(the_gradient_of_a_concat_is_linear_in_its_parts) {
  constexpr std::int64_t parts = 500;
  Graph g;
  std::vector<Value> x;
  for (std::int64_t i = 0; i < parts; ++i) x.push_back(input(g, "x" + std::to_string(i), f64, {1, 2}));
  const NodeId before = g.size();
  const std::vector<Value> dx = gradients(sum(square(concat(x))), x);
  std::int64_t operands = 0;
  for (NodeId id = before; id < g.size(); ++id) operands += g.node(id).input_count();
  BOOST_TEST(operands < 3 * parts);
  BOOST_TEST(g.size() - before < 20);

  // Free axes may have other sizes than where it was built.
  Graph h;
  const Value a = input(h, "a", f64, {any(2), 2}), b = input(h, "b", f64, {any(3), 2});
  const std::vector<Value> d = gradients(sum(concat({a, b}) * concat({b, a})), {a, b});
  Store store(h);
  const std::vector<Tensor> t = compile(d).run(store, {{"a", draw({4, 2}, 0, 1, 1)}, {"b", draw({1, 2}, 2, 3, 2)}});
  BOOST_TEST((t[0].shape() == Shape{4, 2}));
  BOOST_TEST((t[1].shape() == Shape{1, 2}));
}

BOOST_AUTO_TEST_CASE(intermediates_and_y_itself_may_be_asked_for) {
  Scalar s;
  const Value h = s.x * 2.0, y = h * h;
  const std::vector<Value> d = gradients(y, {s.x, h, y});
  BOOST_TEST(scalar(d[0], 3) == 24);
  BOOST_TEST(scalar(d[1], 3) == 12);
  BOOST_TEST(scalar(d[2], 3) == 1);
}

BOOST_AUTO_TEST_CASE(what_y_does_not_depend_on_has_gradient_zero) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 3}), v = variable(g, "v", {f64, {2}});
  const Value later = sum(x) * 2.0;
  const std::vector<Value> d = gradients(sum(square(x)), {v, later, x});
  BOOST_TEST((d[0].type() == v.type()));
  const std::vector<Tensor> t = evaluate(d, draw({5, 3}, 1, 2, 1));
  BOOST_TEST(t[0].data<double>()[1] == 0);
  BOOST_TEST(t[1].item<double>() == 0);
  BOOST_TEST(t[2].shape()[0] == 5);
}

BOOST_AUTO_TEST_CASE(integers_and_stop_gradient_end_the_flow) {
  Scalar s;
  const Value y = s.x * stop_gradient(s.x * s.x);
  BOOST_TEST(scalar(y, 3) == 27);
  BOOST_TEST(scalar(gradients(y, {s.x})[0], 3) == 9);
  const Value z = cast(cast(s.x, i64), f64) * s.x;
  BOOST_TEST(scalar(gradients(z, {s.x})[0], 3.5) == 3);
}

BOOST_AUTO_TEST_CASE(a_seed_makes_the_product_with_the_jacobian) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 3});
  const Value y = square(x), dy = input(g, "dy", f64, {any(2), 3});
  const Value dx = gradients(y, dy, {x})[0];
  Store store;
  const Tensor x0 = draw({2, 3}, -1, 1, 1), seed = draw({2, 3}, -1, 1, 2);
  const Tensor t = compile({dx}).run(store, {{"x", x0}, {"dy", seed}})[0];
  for (int i = 0; i < 6; ++i)
    BOOST_TEST(t.data<double>()[i] == 2 * x0.data<double>()[i] * seed.data<double>()[i],
               boost::test_tools::tolerance(1e-15));
  BOOST_CHECK_EXCEPTION(gradients(y, sum(dy), {x}), Error, says("the seed dy is sum_"));
}

BOOST_AUTO_TEST_CASE(backward_nodes_know_where_they_belong) {
  Graph g;
  const Value x = input(g, "x", f64, {3});
  Value h;
  int line = 0;
  {
    Scope scope(g, "encoder");
    line = __LINE__ + 1;
    h = exp(x);
  }
  const NodeId before = g.size();
  gradients(sum(h), {x});
  int found = 0;
  for (NodeId id = before; id < g.size(); ++id) {
    const Origin& origin = g.node(id).origin();
    if (id > before) BOOST_TEST((origin.phase == Phase::backward));  // the first is `sum`
    if (origin.forward != h.node_id()) continue;
    ++found;
    BOOST_TEST(origin.scope.str() == "encoder");
    BOOST_TEST(origin.at.line == static_cast<std::uint32_t>(line));
  }
  BOOST_TEST(found >= 1);
  BOOST_TEST((g.origin().phase == Phase::forward));
}

BOOST_AUTO_TEST_CASE(nothing_stays_that_no_gradient_needs) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), w = variable(g, "w", {f32, {3, 2}});
  const Value loss = mean(square(matmul(x, w)));
  const NodeId before = g.size();
  const Value dw = gradients(loss, {w})[0];
  const std::vector<bool> live = ancestors(g, {dw});
  for (NodeId i = before; i < g.size(); ++i) BOOST_TEST(live[static_cast<std::size_t>(i)], g.node(i).full_name());
}

BOOST_AUTO_TEST_CASE(a_missing_gradient_names_op_node_reason_and_lines) {
  Scalar s;
  const int built = __LINE__ + 1;
  const Value h = apply(Halve{}, {s.x * 3.0}, At::current()).named("half");
  const Value y = h * h;
  BOOST_CHECK_EXCEPTION(gradients(y, {s.x}), Error,
                        says("gradients: halve has no gradient: it has no gradient rule\n  node half\n  at "));
  BOOST_CHECK_EXCEPTION(gradients(y, {s.x}), Error, says(here(built)));
  BOOST_CHECK_EXCEPTION(gradients(y, {s.x}), Error, says("while differentiating multiply_"));
  BOOST_CHECK_EXCEPTION(gradients(y, {s.x}), Error, says(here(__LINE__)));
  BOOST_CHECK_EXCEPTION(gradients(y, {s.x}), Error, says("or wrap what it reads in stop_gradient"));
  BOOST_TEST(scalar(gradients(y, {h})[0], 2) == 6);  // nothing asks `halve` here
}

BOOST_AUTO_TEST_CASE(wrong_gradients_of_an_op_are_told) {
  Scalar s;
  BOOST_CHECK_EXCEPTION(gradients(apply(Wrong{}, {s.x}, At::current()), {s.x}), Error,
                        says("the gradient of wrong is f32[] for input 0, which is f64[]"));
  BOOST_CHECK_EXCEPTION(gradients(apply(Wrong{.missing = true}, {s.x}, At::current()), {s.x}), Error,
                        says("the gradient of wrong gives 0 gradients for 1 inputs"));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_differentiated_is_refused) {
  Graph g, other;
  const Value x = input(g, "x", f64, {any(2), 3}), n = input(g, "n", i64, {any(2)});
  BOOST_CHECK_EXCEPTION(gradients(x, {x}), Error, says("y has 6 elements (x, f64[2, 3]), not one"));
  BOOST_CHECK_EXCEPTION(gradients(x, {x}), Error, says(here(__LINE__)));
  BOOST_CHECK_EXCEPTION(gradients(sum(n), {x}), Error, says("y is not floating point (sum_"));
  BOOST_CHECK_EXCEPTION(gradients(sum(x), {x, n}), Error, says("x[1] (n, i64[2]) is not floating point"));
  BOOST_CHECK_EXCEPTION(gradients(sum(x), {Value()}), Error, says("x[0] is an empty Value"));
  BOOST_CHECK_EXCEPTION(gradients(sum(x), {input(other, "z", f64, {1})}), Error,
                        says("x[0] (z, f64[1]) belongs to another graph than y"));
}

BOOST_AUTO_TEST_CASE(gradients_of_a_softmax_cross_entropy_sum_to_zero) {
  Graph g;
  const Value x = input(g, "x", f64, {3, 10});
  const Value labels = constant(g, Tensor::of<std::int64_t>({3}, {1, 9, 0}));
  const Value dx = gradients(cross_entropy(x, labels), {x})[0];
  const Value dense_dx = gradients(cross_entropy(x, one_hot(labels, 10, f64)), {x})[0];
  const std::vector<Tensor> t = evaluate({dx, dense_dx}, draw({3, 10}, -2, 2, 9));
  for (int r = 0; r < 3; ++r) {
    double total = 0;
    for (int i = 0; i < 10; ++i) total += t[0].data<double>()[r * 10 + i];
    BOOST_TEST(std::abs(total) < 1e-15);
  }
  for (int i = 0; i < 30; ++i) BOOST_TEST(std::abs(t[0].data<double>()[i] - t[1].data<double>()[i]) < 1e-15);
}

BOOST_AUTO_TEST_CASE(batch_norm_trains_infers_and_updates) {
  Graph g;
  const Value x = input(g, "x", f64, {any(4), 2});
  const Value y = batch_norm(x, {.momentum = 0.75, .epsilon = 1e-9});
  const Tensor at = Tensor::of<double>({4, 2}, {1, 10, 2, 20, 3, 30, 4, 40});  // means 2.5, 25; variances 1.25, 125
  std::vector<Value> fetches{y};
  for (const Value& u : g.updates()) fetches.push_back(u);
  Store store(g);
  const std::vector<Tensor> t = compile(fetches).run(store, {{"x", at}});
  const auto close = boost::test_tools::tolerance(1e-6);
  BOOST_TEST(t[0].data<double>()[0] == -1.5 / std::sqrt(1.25), close);
  BOOST_TEST(t[0].data<double>()[7] == 15 / std::sqrt(125), close);
  BOOST_TEST(store.get("batch_norm/running_mean").data<double>()[1] == 25 * 0.25, close);
  BOOST_TEST(store.get("batch_norm/running_variance").data<double>()[0] == 0.75 + 0.25 * 1.25, close);
  const Tensor served = compile({y}, {.mode = Mode::inference}).run(store, {{"x", at}})[0];
  BOOST_TEST(served.data<double>()[1] == (10 - 6.25) / std::sqrt(0.75 + 0.25 * 125), close);
}

BOOST_AUTO_TEST_CASE(batch_norm_agrees_with_finite_differences) {
  Graph g;
  const Value x = input(g, "x", f64, {any(5), 3});
  const Value weights = constant(g, draw({5, 3}, -1, 1, 7));
  const Value y = sum(batch_norm(x, {.epsilon = 1e-3}) * weights);
  const Value dx = gradients(y, {x})[0];
  const Value second = gradients(sum(square(dx)), {x})[0];
  const Value of_dx = sum(square(dx));
  Store store(g);
  const Program program = compile({y, dx, of_dx, second});
  const Tensor at = draw({5, 3}, -1, 1, 8);
  const std::vector<Tensor> t = program.run(store, {{"x", at}});
  constexpr double h = 1e-5;
  for (int i = 0; i < 15; ++i) {
    Tensor up = at.clone(), down = at.clone();
    up.data<double>()[i] += h;
    down.data<double>()[i] -= h;
    const std::vector<Tensor> a = program.run(store, {{"x", up}}), b = program.run(store, {{"x", down}});
    for (std::size_t k : {std::size_t{0}, std::size_t{2}}) {
      const double numeric = (a[k].item<double>() - b[k].item<double>()) / (2 * h), exact = t[k + 1].data<double>()[i];
      BOOST_TEST(std::abs(numeric - exact) <= 1e-6 * std::max(1.0, std::abs(exact)), exact << " and " << numeric);
    }
  }
}

BOOST_AUTO_TEST_CASE(dropout_gradients_use_the_same_mask) {
  Graph g;
  const Value x = input(g, "x", f64, {any(100)});
  const Value y = dropout(x, 0.5), dx = gradients(sum(y), {x})[0];
  Tensor ones({f64, {1000}});
  for (double& v : ones.span<double>()) v = 1;
  Store store(g);
  const Program step = compile({y, dx, g.updates()[0]});
  const std::vector<Tensor> first = step.run(store, {{"x", ones}}), second = step.run(store, {{"x", ones}});
  BOOST_TEST(same_bits(first[0], first[1]));
  BOOST_TEST(same_bits(second[0], second[1]));
  BOOST_TEST(!same_bits(first[0], second[0]));  // the step was counted
  BOOST_TEST(store.get("random/state").data<std::int64_t>()[1] == 2);
  const Tensor served = compile({y}, {.mode = Mode::inference}).run(store, {{"x", ones}})[0];
  BOOST_TEST(same_bits(served, ones));
}

BOOST_AUTO_TEST_CASE(long_chains_take_linear_time_and_no_stack) {
  const auto seconds = [](int length) {
    Scalar s;
    Value y = s.x;
    for (int i = 0; i < length; ++i) y = y + s.x;
    const auto start = std::chrono::steady_clock::now();
    gradients(y, {s.x});
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  const double few = std::min({seconds(10000), seconds(10000), seconds(10000)}), many = seconds(100000);
  BOOST_TEST_MESSAGE("10,000 nodes: " << few * 1e3 << " ms, 100,000 nodes: " << many * 1e3 << " ms");
  BOOST_TEST(many < 40 * few);  // ten times the nodes; quadratic would be a hundred
  BOOST_TEST(many < 2);
}

BOOST_AUTO_TEST_SUITE_END()
