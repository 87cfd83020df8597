// The gradient of a value that is read in parts adds up in one buffer, and that of a concat is linear in its parts:
// values, nodes, and the bytes of plans.
#include <oxbow/graph/op.h>
#include <oxbow/graph/order/order.h>
#include <oxbow/ops/ops.h>
#include <oxbow/ops/shape/slice.h>
#include <oxbow/runtime/ledger.h>
#include <oxbow/runtime/program.h>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include "support/evaluate_at.h"
#include "support/run_op.h"

BOOST_AUTO_TEST_SUITE(test_gradients_parts)

using namespace oxbow;
using namespace oxbow::test;

namespace {

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
    {"each two rows and their neighbours' neighbours, and all the other way round",
     [](Value x) {
       Value y = sum(slice(x, 0, -1, to_end, -1)) * 100.0;
       for (std::int64_t i = 0; i + 4 <= parts_rows; i += 4)
         y = y + sum(slice(x, 0, i, i + 4, 2)) + sum(slice(x, 0, i + 2, i + 4)) * 2.0;
       return y;
     },
     [](std::int64_t i) {
       const std::int64_t row = i / parts_columns % 4;
       return 100.0 + (row % 2 == 0 ? 1 : 0) + (row >= 2 ? 2 : 0);
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

}  // namespace

BOOST_DATA_TEST_CASE(parts_add_up_in_one_buffer, boost::unit_test::data::make(parts_read)) {
  Graph g;
  const Value x = input(g, "x", f64, {any(40), 6});
  const Value dx = gradients(sample.loss(x), {x})[0];
  const Tensor t = evaluate_at(Tensor({f64, x.shape()}), {dx})[0];
  for (std::int64_t i = 0; i < t.count(); ++i) BOOST_TEST(t.data<double>()[i] == sample.slope(i), "element " << i);

  // What is as large as x: at most a buffer for the parts, and one for what is read as a whole.
  std::int64_t large = 0;
  const std::vector<bool> live = internal::ancestors(g, {{dx}});
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
  Value stepped = slice(x, 0, 0, 1), turned = stepped, flat = stepped;  // the same rows, but their kind of part anew
  for (std::int64_t i = 1; i < 2000; ++i) {
    stepped = tanh(stepped + slice(x, 0, i, i - 2 < 0 ? to_end : i - 2, -2)[{range(0, 1)}]);
    turned = tanh(turned + transpose(slice(transpose(x), 1, i, i + 1)));
    flat = tanh(flat + reshape(slice(reshape(x, {2000 * 64}), 0, 64 * i, 64 * i + 64), {1, 64}));
  }
  const Value table = input(g, "table", f32, {20'000, 64});
  Value found, by_place, along;
  for (int i = 0; i < 50; ++i) {
    const auto indices = [&](const char* name, const Shape& shape) {
      return input(g, name + std::to_string(i), i64, shape);
    };
    const auto add_up = [](Value& all, Value part) { all = all ? all + sum(square(part)) : sum(square(part)); };
    add_up(found, gather(table, indices("rows", {32})));
    add_up(by_place, gather_nd(table, indices("places", {32, 1})));
    add_up(along, take_along_axis(table, indices("along", {32, 64}), 0));
  }
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
    for (const Value& last : {stepped, turned, flat}) {
      const Value slope = gradients(sum(last), {x})[0];
      BOOST_TEST(arena(slope) <= 8 * x.type().bytes(), to_string(last.node()) << ", " << threads << " threads");
    }
    for (const Value& all : {found, by_place, along})
      BOOST_TEST(arena(gradients(all, {table})[0]) <= 2 * table.type().bytes(), to_string(all.node())
                                                                                    << ", " << threads << " threads");
    BOOST_TEST(arena(dweight) <= 8 * threads * weight.type().bytes(), threads << " threads");
  }
}

// 0 + -0.0 is 0.0, of whatever width.
BOOST_AUTO_TEST_CASE(the_gradient_of_a_slice_is_added_to_zeros) {
  for (const DType d : {f16, bf16, f32, f64, i8, i32, boolean}) {
    const auto of = [d](const Shape& shape, const std::vector<float>& values) {
      Tensor t({d, shape});
      dispatch(d, [&]<class T>(std::type_identity<T>) {
        for (std::size_t i = 0; i < values.size(); ++i) t.data<T>()[i] = static_cast<T>(values[i]);
      });
      return t;
    };
    const ops::SliceGradient gradient{.axis = 1, .begin = 1, .end = 3};
    const Tensor dx = run_op(gradient, {of({2, 2}, {-0.f, 1, 0, -0.f}), Tensor({d, {2, 4}})})[0];
    BOOST_TEST(same_bits(dx, of({2, 4}, {0, 0, 1, 0, 0, 0, 0, 0})), name(d));
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
  const Tensor t = evaluate_at(Tensor::of<double>({4, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}), {second})[0];
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

// What `compile` makes of a concat and its gradient: as many nodes, operands and steps a part, however many there are.
BOOST_AUTO_TEST_CASE(the_plan_of_a_concat_is_linear_in_its_parts) {
  struct Size {
    std::int64_t nodes, operands, steps;
  };
  const auto planned = [](std::int64_t parts) {
    Graph g;
    std::vector<Value> x;
    for (std::int64_t i = 0; i < parts; ++i) x.push_back(input(g, "x" + std::to_string(i), f32, {3, 4}));
    const Ledger plan = ledger(compile(gradients(sum(square(concat(x))), x), {.pool = Pool(1)}));
    Size size{plan.graph->size(), 0, static_cast<std::int64_t>(plan.steps.size())};
    for (NodeId id = 0; id < plan.graph->size(); ++id) size.operands += plan.graph->node(id).input_count();
    return size;
  };
  const Size few = planned(400), many = planned(800);
  BOOST_TEST(many.nodes <= 2 * few.nodes);
  BOOST_TEST(many.operands <= 2 * few.operands);
  BOOST_TEST(many.steps <= 2 * few.steps);
  BOOST_TEST(many.operands < 4 * 800);
}

BOOST_AUTO_TEST_SUITE_END()
