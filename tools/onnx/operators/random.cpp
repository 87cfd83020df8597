// What draws: in inference as well, and other numbers than other programs draw. A seed of the file's own is not taken:
// numbers follow from the graph's seed, so that they are the same bits at each run.
#include <oxbow/graph/leaves.h>
#include <oxbow/ops/ops.h>

#include "onnx/operators/operators.h"
#include "onnx/operators/shapes.h"

namespace oxbow::onnx {

namespace {

Shape shape_attribute(Context& c) { return Shape(c.integers("shape").value_or(std::vector<std::int64_t>{})); }

NormalOptions normal_options(Context& c, DType otherwise) {
  return {.mean = c.number("mean", 0),
          .deviation = c.number("scale", 1),
          .dtype = c.dtype("dtype", otherwise),
          .in_inference = true};
}
UniformOptions uniform_options(Context& c, DType otherwise) {
  return {.low = c.number("low", 0),
          .high = c.number("high", 1),
          .dtype = c.dtype("dtype", otherwise),
          .in_inference = true};
}

Outputs bernoulli(Context& c) {
  const Value p = c[0];
  return random_bernoulli(p, {.dtype = c.dtype("dtype", p.dtype()), .in_inference = true});
}

// x holds logits [batch, classes], of which each row is drawn from as often.
Outputs multinomial(Context& c) {
  const Value x = c[0];
  const Value sizes = shape_of(x), count = numbers(c.graph(), {c.integer("sample_size", 1)});
  const Value rows = broadcast_to(with_axes(x, {1}), concat({slice(sizes, 0, 0, 1), count, slice(sizes, 0, 1, 2)}));
  return cast(random_categorical(rows, {.in_inference = true}), c.dtype("dtype", i32));
}

constexpr Operator list[] = {
    {"Bernoulli", bernoulli},
    {"Multinomial", multinomial},
    {"RandomNormal",
     [](Context& c) -> Outputs { return random_normal(c.graph(), shape_attribute(c), normal_options(c, f32)); }},
    {"RandomNormalLike",
     [](Context& c) -> Outputs { return random_normal_like(c[0], normal_options(c, c[0].dtype())); }},
    {"RandomUniform",
     [](Context& c) -> Outputs { return random_uniform(c.graph(), shape_attribute(c), uniform_options(c, f32)); }},
    {"RandomUniformLike",
     [](Context& c) -> Outputs { return random_uniform_like(c[0], uniform_options(c, c[0].dtype())); }},
};

}  // namespace

Operators random_operators() { return list; }

}  // namespace oxbow::onnx
