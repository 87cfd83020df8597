// Steps of a tape that are computed as one routine (`absorb`): the same bits as one after the other, in place too, and
// where operands are single elements.
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/graph/passes/fusion/tape_plan.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/pointwise/activation.h>
#include <oxbow/ops/pointwise/arithmetic.h>
#include <oxbow/ops/pointwise/unary.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <random>

BOOST_AUTO_TEST_SUITE(test_nested)

using namespace oxbow;
using namespace oxbow::internal;
using namespace oxbow::ops;

namespace {

constexpr std::int32_t tape_inputs = 4;  // the last one a single element
const Shape shape{1037};

Tensor operand(std::int32_t input, DType dtype) {
  return draw(input + 1 == tape_inputs ? Shape{} : shape, dtype == i32 ? -9 : 0.1, dtype == i32 ? 9 : 2,
              static_cast<std::uint64_t>(input + 1), dtype);
}

// A reduction that keeps all that it reads.
struct Kept {
  static constexpr OpInfo info{.name = "kept", .inputs = {"x"}};
  Type infer(Types in) const { return in[0]; }
  Consumer consume(Types in) const {
    Consumer c{.chunk = in[0].count(), .state = in[0].bytes(), .sizes = {size_of(in[0].dtype)}};
    c.begin = [](const Consumer&, void*) {};
    c.take = [](const Consumer& k, void* state, const void* x, std::int64_t first, std::int64_t lanes) {
      std::memcpy(static_cast<std::byte*>(state) + first * k.sizes[0], x, static_cast<std::size_t>(lanes * k.sizes[0]));
    };
    c.end = [](const Consumer& k, void* state, std::int64_t, std::int64_t elements, void* out) {
      std::memcpy(out, state, static_cast<std::size_t>(elements * k.sizes[0]));
    };
    return c;
  }
  bool operator==(const Kept&) const = default;
};

// A tape of sums and products, and of what floats have. Few values are read twice, so that many steps merge.
Tape random_tape(std::mt19937& random, DType dtype) {
  const std::array binary{Op(Add{}),      Op(Add{}),    Op(Multiply{}),    Op(Multiply{}),
                          Op(Subtract{}), Op(Divide{}), Op(TanhGradient{})};
  const std::array unary{Op(Square{}), Op(Relu{}), Op(Sign{}), Op(Sqrt{}), Op(Tanh{})};
  const int binaries = dtype == i32 ? 5 : 7, unaries = dtype == i32 ? 3 : 5;
  const auto below = [&](int n) { return static_cast<std::int32_t>(random() % static_cast<unsigned>(n)); };
  Tape tape{.inputs = tape_inputs};
  std::int32_t values = tape_inputs;
  const auto recent = [&] { return below(3) ? values - 1 - below(2) : below(values); };
  for (int s = 0; s < 12; ++s) {
    if (s > 0 && below(4) == 0)
      tape.add(unary[static_cast<std::size_t>(below(unaries))], std::array{std::max(recent(), tape_inputs)});
    else  // an operand of the full shape, since every step has it
      tape.add(binary[static_cast<std::size_t>(below(binaries))],
               below(2) ? std::array{s ? recent() : 0, below(3)} : std::array{below(3), s ? recent() : 0});
    ++values;
  }
  for (std::int32_t v = tape_inputs; v < values; ++v)
    if (v + 1 == values || below(6) == 0) tape.outputs.push_back(v);
  return tape;
}

}  // namespace

BOOST_AUTO_TEST_CASE(merged_steps_keep_every_bit) {
  std::mt19937 random(1);
  for (int round = 0; round < 400; ++round) {
    const DType dtype = std::array{f32, f64, i32}[static_cast<std::size_t>(round % 3)];
    std::vector<Tensor> values;
    for (std::int32_t i = 0; i < tape_inputs; ++i) values.push_back(operand(i, dtype));
    const Tape tape = random_tape(random, dtype);
    std::vector<Type> types;
    for (const Tensor& t : values) types.push_back(t.type());
    const TapePlan plan(tape, types);
    for (const Tape::Step& step : tape.steps) {
      std::vector<Tensor> of;
      for (const std::int32_t v : tape.args_of(step)) of.push_back(values[static_cast<std::size_t>(v)]);
      values.push_back(evaluate(Fused::of(step.op, step.count), of).at(0));
    }

    // Each output lies in the first input that it may overwrite, as long as no other output does.
    std::vector<Tensor> in, out;
    for (std::int32_t i = 0; i < tape_inputs; ++i) in.push_back(values[static_cast<std::size_t>(i)].clone());
    std::vector<bool> taken(tape_inputs);
    for (std::int32_t o = 0; o < static_cast<std::int32_t>(tape.outputs.size()); ++o) {
      out.emplace_back(values[static_cast<std::size_t>(tape.outputs[static_cast<std::size_t>(o)])].type());
      for (std::int32_t i = 0; i + 1 < tape_inputs; ++i)
        if (!taken[static_cast<std::size_t>(i)] &&
            tape.may_overwrite(o, i, tape.last_reads()[static_cast<std::size_t>(i)])) {
          taken[static_cast<std::size_t>(i)] = true;
          out.back() = in[static_cast<std::size_t>(i)];
          break;
        }
    }
    std::vector<ConstView> sources;
    std::vector<View> targets;
    for (std::size_t i = 0; i < in.size(); ++i) sources.push_back({&types[i], in[i].bytes()});
    for (Tensor& t : out) targets.push_back({&t.type(), t.bytes()});
    const auto scratch = allocate(plan.scratch());
    plan.run(sources, targets, 0, shape.count(), scratch.get());
    for (std::size_t o = 0; o < out.size(); ++o)
      BOOST_REQUIRE(same_bits(out[o], values[static_cast<std::size_t>(tape.outputs[o])]));

    // What a reduction reads is computed, though nobody else may want it.
    const std::array<std::int32_t, 2> read{tape_inputs + static_cast<std::int32_t>(random() % 11),
                                           tape_inputs + static_cast<std::int32_t>(random() % 11)};
    const std::array<Tape::Reduction, 2> kept{Tape::Reduction{Kept{}, read[0]}, {Kept{}, read[1]}};
    const TapePlan sunk(tape, types, kept);
    std::vector<Tensor> seen;
    for (const std::int32_t v : read) seen.emplace_back(values[static_cast<std::size_t>(v)].type());
    std::vector<Tensor> fresh;
    for (std::size_t i = 0; i < in.size(); ++i) sources[i].bytes = values[i].bytes();
    for (const std::int32_t v : tape.outputs) fresh.emplace_back(values[static_cast<std::size_t>(v)].type());
    for (std::size_t o = 0; o < fresh.size(); ++o) targets[o].bytes = fresh[o].bytes();
    for (Tensor& t : seen) targets.push_back({&t.type(), t.bytes()});
    sunk.run(sources, targets, 0, shape.count(), allocate(sunk.scratch()).get());
    for (std::size_t k = 0; k < seen.size(); ++k)
      BOOST_REQUIRE(same_bits(seen[k], values[static_cast<std::size_t>(read[k])]));
  }
}

namespace {

struct Formula {
  int operands;
  std::vector<std::pair<Op, std::vector<std::int32_t>>> steps;  // the last one's result is the output
};

Tape tape_of(const Formula& f) {
  Tape tape{.inputs = f.operands};
  std::int32_t last = 0;
  for (const auto& [op, of] : f.steps) last = tape.add(op, of);
  tape.outputs = {last};
  return tape;
}

Tensor repeated(const Tensor& element) {
  Tensor t({element.type().dtype, shape});
  const std::int64_t size = element.type().bytes();
  for (std::int64_t i = 0; i < t.count(); ++i) std::memcpy(t.bytes() + i * size, element.bytes(), std::size_t(size));
  return t;
}

const Formula moment{4, {{Multiply{}, {0, 1}}, {Multiply{}, {2, 3}}, {Add{}, {4, 5}}}};
const Formula second_moment{4, {{Multiply{}, {0, 1}}, {Square{}, {3}}, {Multiply{}, {2, 5}}, {Add{}, {4, 6}}}};
const Formula descent{5,
                      {{Sqrt{}, {3}}, {Add{}, {5, 4}}, {Multiply{}, {1, 2}}, {Divide{}, {7, 6}}, {Subtract{}, {0, 8}}}};
const Formula root_descent{
    // as RMSprop's and Adagrad's
    5,
    {{Add{}, {3, 4}}, {Sqrt{}, {5}}, {Multiply{}, {1, 2}}, {Divide{}, {7, 6}}, {Subtract{}, {0, 8}}}};
const Formula decayed_descent{7,  // as AdamW's
                              {{Sqrt{}, {3}},
                               {Add{}, {7, 4}},
                               {Multiply{}, {1, 2}},
                               {Divide{}, {9, 8}},
                               {Multiply{}, {5, 6}},
                               {Add{}, {10, 11}},
                               {Subtract{}, {0, 12}}}};
const Formula momentum{4, {{Multiply{}, {0, 1}}, {Multiply{}, {2, 3}}, {Subtract{}, {4, 5}}}};
const Formula sign_descent{
    5, {{Multiply{}, {3, 4}}, {Add{}, {2, 5}}, {Sign{}, {6}}, {Multiply{}, {1, 7}}, {Subtract{}, {0, 8}}}};  // Lion's

}  // namespace

BOOST_AUTO_TEST_CASE(single_elements_give_what_arrays_of_them_give) {
  const std::vector<Formula> formulas = {
      {2, {{Add{}, {0, 1}}}},
      {2, {{Subtract{}, {0, 1}}}},
      {2, {{Multiply{}, {0, 1}}}},
      {2, {{Divide{}, {0, 1}}}},
      {2, {{Square{}, {1}}, {Multiply{}, {0, 2}}}},
      {2, {{Square{}, {1}}, {Subtract{}, {0, 2}}}},
      {2, {{Sqrt{}, {0}}, {Add{}, {2, 1}}}},
      {3, {{Multiply{}, {0, 1}}, {Add{}, {3, 2}}}},
      {3, {{Multiply{}, {1, 2}}, {Add{}, {0, 3}}}},
      {3, {{Multiply{}, {0, 1}}, {Subtract{}, {3, 2}}}},
      {3, {{Multiply{}, {1, 2}}, {Subtract{}, {0, 3}}}},
      {3, {{Multiply{}, {0, 1}}, {Divide{}, {3, 2}}}},
      {3, {{Multiply{}, {0, 1}}, {Add{}, {3, 2}}, {Tanh{}, {4}}}},
      {3, {{Sqrt{}, {1}}, {Add{}, {3, 2}}, {Divide{}, {0, 4}}}},
      {4, {{Sqrt{}, {2}}, {Add{}, {4, 3}}, {Multiply{}, {0, 1}}, {Divide{}, {6, 5}}}},
      {2, {{Square{}, {1}}, {Add{}, {0, 2}}}},
      {2, {{Add{}, {0, 1}}, {Sqrt{}, {2}}}},
      {3, {{Multiply{}, {1, 2}}, {Add{}, {0, 3}}, {Sign{}, {4}}}},
      {4, {{Sqrt{}, {2}}, {Add{}, {4, 3}}, {Divide{}, {1, 5}}, {Subtract{}, {0, 6}}}},
      {4, {{Multiply{}, {1, 2}}, {Divide{}, {4, 3}}, {Subtract{}, {0, 5}}}},
      moment,
      second_moment,
      descent,
      root_descent,
      decayed_descent,
      momentum,
      sign_descent};
  for (const DType dtype : {f32, f64, i32})
    for (std::size_t number = 0; number < formulas.size(); ++number) {
      const Formula& f = formulas[number];
      if (dtype == i32 && number > 2) continue;  // integers have no division or root, and merge nothing
      const Tape tape = tape_of(f);
      for (unsigned singles = 0; singles + 1 < 1u << f.operands; ++singles) {
        // Every step has the tape's shape, so a step of single elements only is none.
        std::vector<Tensor> in, laid_out;
        for (std::int32_t i = 0; i < f.operands; ++i) {
          const bool single = singles >> i & 1;
          in.push_back(draw(single ? Shape{1} : shape, dtype == i32 ? -9 : 0.1, dtype == i32 ? 9 : 2,
                            static_cast<std::uint64_t>(i + 1), dtype));
          laid_out.push_back(single ? repeated(in.back()) : in.back());
        }
        std::vector<Type> types;
        for (const Tensor& t : in) types.push_back(t.type());
        bool whole = true;
        std::vector<bool> full;
        for (std::int32_t i = 0; i < f.operands; ++i) full.push_back(!(singles >> i & 1));
        for (const auto& [op, of] : f.steps) {
          full.push_back(std::any_of(of.begin(), of.end(), [&](std::int32_t v) { return full[std::size_t(v)]; }));
          whole = whole && full.back();
        }
        if (!whole) continue;
        const Tensor got = evaluate(Fused{tape, {}}, in).at(0), want = evaluate(Fused{tape, {}}, laid_out).at(0);
        BOOST_TEST(same_bits(got, want), "formula " << number << ", " << name(dtype) << ", singles " << singles);
      }
    }
}

// An optimizer's numbers, and what its update computes on the way, lie in registers: laid out in slots they fill the
// first cache, and Adam takes half as long again.
BOOST_AUTO_TEST_CASE(an_update_lays_nothing_out) {
  const Type array{f32, {1000}}, number{f32, {}};
  const auto scratch = [](const Formula& f, const std::vector<Type>& types) {
    return TapePlan(tape_of(f), types).scratch();
  };
  constexpr std::int64_t slot = 256 * sizeof(float);  // at least
  BOOST_TEST(scratch(moment, {number, array, number, array}) < slot);
  BOOST_TEST(scratch(second_moment, {number, array, number, array}) < slot);
  BOOST_TEST(scratch(descent, {array, number, array, array, number}) < slot);
  BOOST_TEST(scratch(root_descent, {array, number, array, array, number}) < slot);
  BOOST_TEST(scratch(decayed_descent, {array, number, array, array, number, number, array}) < slot);
  BOOST_TEST(scratch(momentum, {number, array, number, array}) < slot);
  BOOST_TEST(scratch(sign_descent, {array, number, array, number, array}) < slot);
}

BOOST_AUTO_TEST_SUITE_END()
