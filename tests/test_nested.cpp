// Steps of a tape that are computed as one routine (`absorb`): the same bits as one after the other, in place too.
#include <oxbow/graph/evaluate.h>
#include <oxbow/graph/fused.h>
#include <oxbow/graph/tape_plan.h>
#include <oxbow/ops/arithmetic.h>
#include <oxbow/ops/unary.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>

using namespace oxbow;

namespace {

constexpr std::int32_t tape_inputs = 4;  // the last one a single element
const Shape shape{1037};

Tensor operand(std::int32_t input, DType dtype) {
  return draw(input + 1 == tape_inputs ? Shape{} : shape, dtype == i32 ? -9 : 0.1, dtype == i32 ? 9 : 2,
              static_cast<std::uint64_t>(input + 1), dtype);
}

// A tape of sums and products, and of quotients and roots for floats. Few values are read twice, so that many merge.
Tape random_tape(std::mt19937& random, DType dtype) {
  const auto below = [&](int n) { return static_cast<std::int32_t>(random() % static_cast<unsigned>(n)); };
  Tape tape{.inputs = tape_inputs};
  std::int32_t values = tape_inputs;
  for (int s = 0; s < 12; ++s) {
    const auto value = [&] { return below(2) ? values - 1 - below(std::min(3, values)) : below(values); };
    const std::int32_t a = value(), b = value();
    const std::array binary{Op(Add{}), Op(Multiply{}), Op(Subtract{}), Op(Multiply{}), Op(Divide{})};
    const int kind = below(dtype == i32 ? 5 : 7);
    if (kind == 4)
      values = tape.add(Square{}, std::array{std::max(a, tape_inputs - 2)}) + 1;
    else if (kind == 6)
      values = tape.add(Sqrt{}, std::array{std::max(a, tape_inputs - 2)}) + 1;
    else
      values = tape.add(binary[static_cast<std::size_t>(std::min(kind, 4))], std::array{a, s == 0 ? 0 : b}) + 1;
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
    Tape tape = random_tape(random, dtype);
    std::vector<Type> types;
    for (const Tensor& t : values) types.push_back(t.type());
    try {
      tape.types(types);
    } catch (const OpError&) {
      continue;  // a step on single elements only does not have the tape's shape
    }
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
        if (!taken[static_cast<std::size_t>(i)] && tape.may_overwrite(o, i)) {
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
  }
}
