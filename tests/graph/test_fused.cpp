// Fused nodes: every kind of operand, several outputs, reductions at the ends, blocks of products, texts of attributes.
// Labels: memory.
#include <oxbow/graph/leaves.h>
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/passes/fusion/epilogue.h>
#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/graph/passes/fusion/tape_plan.h>
#include <oxbow/graph/passes/passes.h>

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <numeric>

#include "support/small_ops.h"

BOOST_AUTO_TEST_SUITE(test_fused)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::test;

namespace {

Tensor floats(const Shape& shape, std::uint64_t seed) {
  const Tensor wide = draw(shape, -2, 2, seed);
  Tensor t({f32, shape});
  for (std::int64_t i = 0; i < t.count(); ++i) t.data<float>()[i] = static_cast<float>(wide.data<double>()[i]);
  return t;
}

// The element of `t` that stands at flat place `i` of `shape`.
float at(const Tensor& t, const Shape& shape, std::int64_t i) {
  std::int64_t place = 0, stride = 1;
  for (int axis = shape.rank() - 1, own = t.shape().rank() - 1; own >= 0; --axis, --own) {
    place += (t.shape()[own] == 1 ? 0 : i % shape[axis]) * stride;
    stride *= t.shape()[own];
    i /= shape[axis];
  }
  return t.data<float>()[place];
}

std::int32_t step(Tape& t, Op op, std::vector<std::int32_t> of) { return t.add(std::move(op), of); }

// Ops that check nothing: one of four elements whatever it is given, and one of its operand's very type.
struct Four {
  static constexpr OpInfo info{.name = "four", .inputs = {"x"}};
  bool operator==(const Four&) const = default;
  Type infer(Types) const { return {f32, {4}}; }
  TileFn tile(Types) const { return nullptr; }
};
struct Unchanged {
  static constexpr OpInfo info{.name = "same", .inputs = {"x"}, .any_layout = true};
  bool operator==(const Unchanged&) const = default;
  Type infer(Types in) const { return in[0]; }
  TileFn tile(Types) const { return nullptr; }
};

// More outputs than a tape may have inputs: y_k = x for all k.
struct Copies {
  static constexpr OpInfo info{.name = "copies", .inputs = {"x"}, .outputs = {"y..."}};
  static constexpr std::size_t outputs = TapePlan::max_inputs + 6;
  bool operator==(const Copies&) const = default;
  std::vector<Type> infer(Types in) const { return std::vector<Type>(outputs, in[0]); }
  void run(const Run& r) const {
    for (const View& y : r.outputs) std::memcpy(y.bytes, r.inputs[0].bytes, static_cast<std::size_t>(y.type->bytes()));
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(operands_of_every_kind) {
  const std::vector<std::pair<Shape, Shape>> shapes = {{{}, {}},
                                                       {{5}, {}},
                                                       {{5}, {1}},
                                                       {{700}, {700}},
                                                       {{0}, {1}},
                                                       {{3, 0}, {3, 1}},
                                                       {{33, 10}, {10}},
                                                       {{33, 10}, {33, 1}},
                                                       {{7, 600}, {600}},
                                                       {{7, 600}, {7, 1}},
                                                       {{4, 5, 6}, {4, 1, 6}},
                                                       {{4, 5, 6}, {5, 1}},
                                                       {{40, 5, 60}, {40, 1, 1}},
                                                       {{3, 4, 5, 6}, {3, 1, 5, 1}},
                                                       {{2, 700, 3}, {2, 1, 3}},
                                                       {{1, 9}, {9}},
                                                       {{300, 784}, {784}},
                                                       {{70000}, {1}},
                                                       {{256, 257}, {256, 1}},
                                                       {{4, 3, 2000}, {4, 1, 2000}},
                                                       {{6, 1, 7}, {7}}};
  for (const auto& [full, other] : shapes) {
    const Tensor x = floats(full, 1), y = floats(other, 2);
    const Tensor one = evaluate(Fused::of(Scaled{3}, 2), std::array{x, y}).at(0);
    Tape tape{.inputs = 2};
    const auto a = step(tape, Scaled{3}, {0, 1}), b = step(tape, Scaled{-1}, {1, a}),
               c = step(tape, Scaled{.5}, {b, b});
    tape.outputs = {c, a, 0};
    const std::vector<Tensor> many = evaluate(Fused{tape, {}}, std::array{x, y});
    BOOST_TEST_CONTEXT(to_string(full) << " " << to_string(other)) {
      BOOST_TEST(same_bits(many[1], one));
      BOOST_TEST(same_bits(many[2], x));
      for (std::int64_t i = 0; i < x.count(); ++i) {
        const float v = at(y, full, i), va = x.data<float>()[i] * 3 + v, vb = v * -1 + va;
        if (one.data<float>()[i] != va || many[0].data<float>()[i] != vb * .5f + vb)
          BOOST_FAIL("element " << i << ": " << one.data<float>()[i] << " is not " << va);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(elements_of_two_widths_and_many_slots) {
  const Tensor x = floats({20, 30}, 3);
  Tape tape{.inputs = 1};
  std::vector<std::int32_t> kept{0};
  for (int i = 0; i < 60; ++i) kept.push_back(step(tape, Scaled{.25 * i}, {kept.back(), 0}));
  std::int32_t sum = kept[0];
  for (const std::int32_t k : kept) sum = step(tape, Scaled{1}, {sum, k});
  tape.outputs = {step(tape, ToDouble{}, {sum}), kept[30]};
  const auto got = evaluate(Fused{tape, {}}, std::array{x});
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const float v = x.data<float>()[i];
    std::vector<float> values{v};
    for (int k = 0; k < 60; ++k) values.push_back(values.back() * static_cast<float>(.25 * k) + v);
    float total = v;
    for (const float k : values) total = total * 1 + k;
    BOOST_REQUIRE_EQUAL(got[0].data<double>()[i], static_cast<double>(total));
    BOOST_REQUIRE_EQUAL(got[1].data<float>()[i], values[30]);
  }
}

BOOST_AUTO_TEST_CASE(reductions_at_the_end) {
  for (const Shape& shape : {Shape{1}, Shape{95}, Shape{96}, Shape{5, 77}, Shape{300, 301}, Shape{0}}) {
    const Tensor x = floats(shape, 4), y = floats({shape[-1]}, 5);
    Tape tape{.inputs = 2};
    tape.outputs = {step(tape, Scaled{2}, {0, 1})};
    const std::int32_t inner = step(tape, Scaled{-1}, {tape.outputs[0], 0});
    const Fused fused{tape, {{ChunkMax{}, inner}, {ChunkMax{}, tape.outputs[0]}, {ChunkMax{}, 0}}};
    const auto got = evaluate(fused, std::array{x, y});
    const Tensor a = evaluate(Scaled{2}, std::array{x, y})[0], b = evaluate(Scaled{-1}, std::array{a, x})[0];
    BOOST_TEST_CONTEXT(to_string(shape)) {
      BOOST_TEST(same_bits(got[0], a));
      BOOST_TEST(same_bits(got[1], evaluate(ChunkMax{}, std::array{b})[0]));
      BOOST_TEST(same_bits(got[2], evaluate(ChunkMax{}, std::array{a})[0]));
      BOOST_TEST(same_bits(got[3], evaluate(ChunkMax{}, std::array{x})[0]));
      if (x.count() == 0) BOOST_TEST(got[3].data<float>()[0] == -1e30f);  // what a reduction of nothing begins with
    }
  }
}

BOOST_AUTO_TEST_CASE(blocks_give_what_whole_arrays_give) {
  const Shape shape{50, 40};
  const Tensor z = floats(shape, 6), row = floats({40}, 7), column = floats({50, 1}, 8), full = floats(shape, 9),
               number = floats({}, 10);
  Tape tape{.inputs = 5};
  const auto a = step(tape, Scaled{2}, {0, 1}), b = step(tape, Scaled{3}, {a, 2}), c = step(tape, Scaled{4}, {b, 3});
  tape.outputs = {step(tape, Scaled{5}, {c, 4}), b};
  const auto want = evaluate(Fused{tape, {}}, std::array{z, row, column, full, number});

  const std::vector<Type> types = {z.type(), row.type(), column.type(), full.type(), number.type()};
  const TapePlan plan(tape, types);
  const auto scratch = allocate(plan.scratch());
  for (const auto& [rows, columns] : {std::pair{7, 16}, {50, 40}, {8, 40}, {1, 1}}) {
    Tensor first(z.type()), second(z.type());
    const std::array others{ConstView{&types[1], row.bytes()}, ConstView{&types[2], column.bytes()},
                            ConstView{&types[3], full.bytes()}, ConstView{&types[4], number.bytes()}};
    const std::array out{View{&types[0], first.bytes()}, View{&types[0], second.bytes()}};
    for (std::int64_t r = 0; r < 50; r += rows)
      for (std::int64_t k = 0; k < 40; k += columns) {
        const std::int64_t h = std::min<std::int64_t>(rows, 50 - r), w = std::min<std::int64_t>(columns, 40 - k);
        std::vector<float> block(static_cast<std::size_t>(h * 64));
        for (std::int64_t i = 0; i < h; ++i)
          std::memcpy(&block[static_cast<std::size_t>(i * 64)], z.data<float>() + (r + i) * 40 + k,
                      static_cast<std::size_t>(w) * 4);
        plan.run(
            others, out,
            {.first = r * 40 + k, .rows = h, .columns = w, .stride = 40, .result = block.data(), .result_stride = 64},
            scratch.get());
      }
    BOOST_TEST(same_bits(first, want[0]));
    BOOST_TEST(same_bits(second, want[1]));
  }
}

BOOST_AUTO_TEST_CASE(what_may_be_overwritten) {
  const Type full{f32, {4, 5}}, row{f32, {5}};
  Tape tape{.inputs = 3};
  const auto a = step(tape, Scaled{1}, {0, 1}), b = step(tape, Scaled{1}, {a, 2}), c = step(tape, ToDouble{}, {b});
  tape.outputs = {a, b, c};
  const auto sets = Fused{tape, {}}.overwrites(std::array{full, row, full});
  BOOST_TEST(sets[0].contains(0));   // read for the last time where output 0 is written
  BOOST_TEST(!sets[0].contains(2));  // still to be read
  BOOST_TEST(!sets[0].contains(1));  // a row is read by all parts
  BOOST_TEST((sets[1].contains(0) && sets[1].contains(2)));
  BOOST_TEST(sets[2].empty());  // of another width

  BOOST_TEST(!Fused(tape, {{ChunkMax{}, 0}}).overwrites(std::array{full, row, full})[0].contains(0));
  tape.outputs = {b, 0, a};  // an input that is handed on is copied at the end of each tile
  const auto handed_on = Fused{tape, {}}.overwrites(std::array{full, row, full});
  BOOST_TEST((handed_on[0].contains(2) && !handed_on[0].contains(0)));
  BOOST_TEST((handed_on[1].contains(0) && !handed_on[1].contains(2)));
}

// The same of a product's epilogue, whose input 0 is the product; its own inputs come first.
BOOST_AUTO_TEST_CASE(what_an_epilogue_may_overwrite) {
  const Type full{f32, {4, 5}}, row{f32, {5}};
  Tape tape{.inputs = 4};
  const auto a = step(tape, Scaled{1}, {0, 1}), b = step(tape, Scaled{1}, {a, 2}), c = step(tape, Scaled{1}, {b, 3});
  tape.outputs = {a, c};
  const auto sets = epilogue_overwrites(tape, full, std::array{full, full, full, full, row}, 2);
  BOOST_REQUIRE_EQUAL(sets.size(), 2u);
  for (const int own : {0, 1}) BOOST_TEST((!sets[0].contains(own) && !sets[1].contains(own)));
  BOOST_TEST((sets[0].contains(2) && !sets[0].contains(3)));  // the latter is still to be read
  BOOST_TEST((sets[1].contains(2) && sets[1].contains(3)));
  BOOST_TEST((!sets[0].contains(4) && !sets[1].contains(4)));  // a row
}

// A set of inputs ends at 31, which stands for all beyond.
BOOST_AUTO_TEST_CASE(inputs_beyond_a_set_are_not_overwritten) {
  const std::vector<Type> types(40, Type{f32, {4}});
  Tape tape{.inputs = 40};
  std::int32_t sum = step(tape, Scaled{1}, {33, 31});
  tape.outputs = {sum};
  for (std::int32_t i = 0; i < 40; ++i) sum = step(tape, Scaled{1}, {sum, i == 33 || i == 31 ? 0 : i});
  tape.outputs.push_back(sum);
  const auto sets = Fused{tape, {}}.overwrites(types);
  BOOST_TEST(sets[0].empty());
  BOOST_TEST((sets[1].contains(30) && !sets[1].contains(31)));
  const auto after = epilogue_overwrites(tape, types[0], types, 1);
  BOOST_TEST(after[0].empty());
  BOOST_TEST((after[1].contains(30) && !after[1].contains(31)));
}

// One node may give a group more values than a tape may have: they are counted, not the nodes.
BOOST_AUTO_TEST_CASE(a_group_keeps_to_the_inputs_that_a_tape_may_have) {
  Graph g;
  const Node copies = g.append(Copies{}, {input(g, "x", f32, {8})}, {});
  Value sum = copies.output(0);
  for (int k = 1; k < copies.output_count(); ++k) sum = apply(Scaled{1}, {sum, copies.output(k)}, {});
  g.add_output("sum", sum);
  const Rewritten fused = rewrite(g);
  int nodes = 0;
  for (NodeId i = 0; i < fused.graph->size(); ++i)
    if (const Node n = fused.graph->node(i); n.op().is<Fused>()) {
      ++nodes;
      BOOST_TEST(n.input_count() <= static_cast<int>(TapePlan::max_inputs));
    }
  BOOST_TEST(nodes == 2);
}

BOOST_AUTO_TEST_CASE(attributes_read_back) {
  Tape tape{.inputs = 2};
  tape.outputs = {step(tape, Scaled{.25}, {step(tape, Scaled{2}, {0, 1}), 1})};
  const Op op = Fused{tape, {{ChunkMax{48}, 0}}};
  Catalog catalog;
  catalog.add<Fused>().add<Scaled>().add<ChunkMax>();
  BOOST_TEST((catalog.find("fused")->make(op.attributes(), catalog) == op));
  BOOST_CHECK_EXCEPTION(
      catalog.find("fused")->make(op.attributes(), Catalog().add<Fused>()), Error,
      [](const Error& e) { return std::string(e.what()).find("the catalogue has no op \"scaled\"") == 0; });
}

BOOST_AUTO_TEST_CASE(bad_tapes_are_refused) {
  Tape late{.inputs = 1};
  late.outputs = {step(late, Scaled{}, {0, 2})};
  BOOST_CHECK_THROW(late.types(std::array{Type{f32, {3}}}), OpError);
  Tape mixed{.inputs = 2};
  step(mixed, Scaled{}, {1, 1});
  mixed.outputs = {step(mixed, Scaled{}, {0, 1})};
  BOOST_CHECK_EXCEPTION(mixed.types(std::array{Type{f32, {2, 3}}, Type{f32, {3}}}), OpError, [](const OpError& e) {
    return e.problem() == "steps of shapes f32[3] and f32[2, 3] are on one tape";
  });
  const auto wrong = [](const Tape& t, Types in, const std::string& why) {
    BOOST_CHECK_EXCEPTION(t.types(in), OpError, [&](const OpError& e) { return e.problem() == why; });
  };
  Tape loose{.inputs = 1};
  loose.outputs = {step(loose, Four{}, {0})};
  wrong(loose, std::array{Type{f32, {3}}}, "input f32[3] does not broadcast to f32[4]");
  wrong(loose, std::array{Type{f32, {2, 4}}}, "input f32[2, 4] does not broadcast to f32[4]");
  Tape packed{.inputs = 1};
  packed.outputs = {step(packed, Unchanged{}, {0})};
  BOOST_CHECK_NO_THROW(packed.types(std::array{Type{f32, {3, 8}, {.panel = 4}}}));
  wrong(packed, std::array{Type{f32, {3, 5}, {.panel = 4}}}, "a padded layout cannot be computed elementwise");
  const std::array full_and_single{Type{f32, {5000}}, Type{f32, {}}};
  const auto refused = [&](const Fused& f, const std::string& why) {
    BOOST_CHECK_EXCEPTION(f.infer(full_and_single), OpError, [&](const OpError& e) { return e.problem() == why; });
  };
  Tape outputs{.inputs = 2};
  const std::int32_t sum = step(outputs, Scaled{}, {0, 1});
  outputs.outputs = {sum, sum};
  refused({outputs, {}}, "value 2 is an output twice");
  outputs.outputs = {sum, 1};
  refused({outputs, {}}, "output f32[] does not have the tape's shape [5000]");
  outputs.outputs = {sum};
  refused({outputs, {{ChunkMax{}, 1}}}, "a reduction reads f32[] on a tape of shape [5000]");
  refused({Tape{.inputs = 2, .outputs = {1}}, {}}, "output f32[] does not have the tape's shape [5000]");
}

BOOST_AUTO_TEST_SUITE_END()
