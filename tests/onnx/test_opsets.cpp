// Operators whose meaning or form has changed: what each opset says, by a model of one node. Opsets on both sides of a
// change are tested where attributes became inputs, or a default or a rule another one.
#include <oxbow/onnx.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "make_model.h"
#include "support/has.h"
#include "support/message.h"
#include "support/temporary_folder.h"

BOOST_AUTO_TEST_SUITE(test_opsets)

using namespace oxbow;
using namespace oxbow::test;

namespace {

using Floats = std::vector<float>;
using Wholes = std::vector<std::int64_t>;

Tensor floats(const Shape& shape, const Floats& values) { return Tensor::of(shape, values); }
Tensor wholes(const Wholes& values) { return Tensor::of({static_cast<std::int64_t>(values.size())}, values); }
Tensor number(float value) { return Tensor::scalar(value); }
Tensor whole(std::int64_t value) { return Tensor::scalar(value); }

struct Attribute {
  std::string name;
  std::variant<std::int64_t, float, std::string, Wholes, Floats> value;
};

struct Case {
  std::int64_t opset;
  std::string op;
  Tensor x;
  std::vector<std::optional<Tensor>> more;  // inputs behind x
  std::vector<Attribute> attributes;
  std::vector<Tensor> expected;  // outputs
  bool fed = false;              // all inputs are, none is an initialiser
};

void add(onnx_schema::NodeProto& node, const Attribute& given) {
  using onnx_schema::AttributeProto;
  AttributeProto& a = *node.add_attribute();
  a.set_name(given.name);
  if (const auto* i = std::get_if<std::int64_t>(&given.value)) {
    a.set_type(AttributeProto::INT);
    a.set_i(*i);
  } else if (const auto* f = std::get_if<float>(&given.value)) {
    a.set_type(AttributeProto::FLOAT);
    a.set_f(*f);
  } else if (const auto* s = std::get_if<std::string>(&given.value)) {
    a.set_type(AttributeProto::STRING);
    a.set_s(*s);
  } else if (const auto* all = std::get_if<Wholes>(&given.value)) {
    a.set_type(AttributeProto::INTS);
    for (const std::int64_t each : *all) a.add_ints(each);
  } else {
    a.set_type(AttributeProto::FLOATS);
    for (const float each : std::get<Floats>(given.value)) a.add_floats(each);
  }
}

std::vector<Tensor> results(const Case& c) {
  MakeModel m(c.opset);
  std::vector<std::string> inputs{"x"}, outputs;
  std::map<std::string, Tensor> feeds;
  const auto feed = [&](const std::string& name, const Tensor& t) {
    std::vector<std::string> dims;
    for (const std::int64_t d : t.shape()) dims.push_back(std::to_string(d));
    m.input(name, dims, t.dtype());
    feeds[name] = t;
  };
  feed("x", c.x);
  for (std::size_t i = 0; i < c.more.size(); ++i) {
    inputs.push_back(c.more[i] ? "i" + std::to_string(i + 1) : "");
    if (c.more[i] && c.fed) feed(inputs.back(), *c.more[i]);
    if (c.more[i] && !c.fed) m.initialiser(inputs.back(), *c.more[i]);
  }
  for (std::size_t i = 0; i < c.expected.size(); ++i) {
    outputs.push_back("y" + std::to_string(i));
    m.output(outputs.back(), c.expected[i].dtype());
  }
  auto& node = m.node(c.op, inputs, outputs);
  for (const Attribute& a : c.attributes) add(node, a);
  const TemporaryFolder folder;
  Graph g;
  const OnnxModel net = import_onnx(g, m.write(folder / "net.onnx"));
  std::vector<Value> wanted;
  for (const auto& [name, value] : net.outputs) wanted.push_back(value);
  Store store = net.store;
  return compile(wanted, {.mode = Mode::inference}).run(store, feeds);
}

// The softmax of 0, 1, 2, ... over so many.
Floats softmax_of_steps(int count) {
  Floats e;
  float sum = 0;
  for (int i = 0; i < count; ++i) {
    e.push_back(std::exp(static_cast<float>(i)));
    sum += e.back();
  }
  for (float& v : e) v /= sum;
  return e;
}

Floats twice(const Floats& values) {
  Floats all = values;
  all.insert(all.end(), values.begin(), values.end());
  return all;
}

const Tensor ramp = floats({2, 3}, {0, 1, 2, 3, 4, 5});
const Tensor cube = floats({1, 2, 2}, {0, 1, 2, 3});
const Tensor image = floats({1, 1, 2, 2}, {1, 2, 3, 4});
const Tensor yes3 = Tensor::of<bool>({2, 3}, {true, true, true, true, true, true});

const std::vector<Case> cases{
    // Softmax: all axes from `axis` on, which is 1, are one; from 13 on one axis, which is the last.
    {12, "Softmax", cube, {}, {}, {floats({1, 2, 2}, softmax_of_steps(4))}},
    {13, "Softmax", cube, {}, {}, {floats({1, 2, 2}, twice(softmax_of_steps(2)))}},
    {11, "Hardmax", cube, {}, {}, {floats({1, 2, 2}, {0, 0, 0, 1})}},
    {13, "Hardmax", cube, {}, {}, {floats({1, 2, 2}, {0, 1, 0, 1})}},
    // Dropout: the mask is of x's dtype up to 9; the ratio is an input from 12 on.
    {7, "Dropout", ramp, {}, {{"ratio", 0.5f}}, {ramp, floats({2, 3}, Floats(6, 1))}},
    {10, "Dropout", ramp, {}, {{"ratio", 0.5f}}, {ramp, yes3}},
    {12, "Dropout", ramp, {number(0.5f)}, {}, {ramp, yes3}},
    // Clip: the bounds are inputs from 11 on.
    {7, "Clip", ramp, {}, {{"min", 1.0f}, {"max", 3.0f}}, {floats({2, 3}, {1, 1, 2, 3, 3, 3})}},
    {10, "Clip", ramp, {}, {{"max", 3.0f}}, {floats({2, 3}, {0, 1, 2, 3, 3, 3})}},
    {11, "Clip", ramp, {number(1), number(3)}, {}, {floats({2, 3}, {1, 1, 2, 3, 3, 3})}},
    {11, "Clip", ramp, {std::nullopt, number(3)}, {}, {floats({2, 3}, {0, 1, 2, 3, 3, 3})}},
    // BatchNormalization: with more outputs than one it is in training form up to 13, by an attribute since.
    {9,
     "BatchNormalization",
     image,
     {floats({1}, {2}), floats({1}, {1}), floats({1}, {1}), floats({1}, {4})},
     {{"epsilon", 0.0f}},
     {floats({1, 1, 2, 2}, {1, 2, 3, 4})}},
    {9,
     "BatchNormalization",
     floats({1, 1, 1, 2}, {-1, 1}),
     {floats({1}, {2}), floats({1}, {1}), floats({1}, {1}), floats({1}, {4})},
     {{"epsilon", 0.0f}},
     {floats({1, 1, 1, 2}, {-1, 3}), floats({1}, {0.9f}), floats({1}, {3.7f}), floats({1}, {0}), floats({1}, {1})},
     true},
    {14,
     "BatchNormalization",
     floats({1, 1, 1, 2}, {-1, 1}),
     {floats({1}, {2}), floats({1}, {1}), floats({1}, {1}), floats({1}, {4})},
     {{"epsilon", 0.0f}, {"training_mode", std::int64_t{1}}},
     {floats({1, 1, 1, 2}, {-1, 3}), floats({1}, {0.9f}), floats({1}, {3.7f})},
     true},
    // Pad: `pads` is an input from 11 on, with axes from 18 on.
    {7, "Pad", ramp, {}, {{"pads", Wholes{0, 1, 0, 0}}, {"value", 9.0f}}, {floats({2, 4}, {9, 0, 1, 2, 9, 3, 4, 5})}},
    {11, "Pad", ramp, {wholes({0, 1, 0, 0}), number(9)}, {}, {floats({2, 4}, {9, 0, 1, 2, 9, 3, 4, 5})}},
    {18, "Pad", ramp, {wholes({1, 0}), number(9), wholes({1})}, {}, {floats({2, 4}, {9, 0, 1, 2, 9, 3, 4, 5})}},
    // Slice: all are inputs from 10 on, with steps.
    {7,
     "Slice",
     ramp,
     {},
     {{"starts", Wholes{1}}, {"ends", Wholes{3}}, {"axes", Wholes{1}}},
     {floats({2, 2}, {1, 2, 4, 5})}},
    {9, "Slice", ramp, {}, {{"starts", Wholes{0, -2}}, {"ends", Wholes{1, 9}}}, {floats({1, 2}, {1, 2})}},
    {10, "Slice", ramp, {wholes({0}), wholes({3}), wholes({1}), wholes({2})}, {}, {floats({2, 2}, {0, 2, 3, 5})}},
    {13,
     "Slice",
     ramp,
     {wholes({-1}), wholes({-9}), wholes({-1}), wholes({-1})},
     {},
     {floats({2, 3}, {2, 1, 0, 5, 4, 3})}},
    // Squeeze, Unsqueeze: the axes are an input from 13 on.
    {7, "Squeeze", cube, {}, {{"axes", Wholes{0}}}, {floats({2, 2}, {0, 1, 2, 3})}},
    {11, "Squeeze", cube, {}, {{"axes", Wholes{-3}}}, {floats({2, 2}, {0, 1, 2, 3})}},
    {13, "Squeeze", cube, {wholes({0})}, {}, {floats({2, 2}, {0, 1, 2, 3})}},
    {13, "Squeeze", cube, {}, {}, {floats({2, 2}, {0, 1, 2, 3})}},
    {7, "Unsqueeze", ramp, {}, {{"axes", Wholes{0, 3}}}, {floats({1, 2, 3, 1}, {0, 1, 2, 3, 4, 5})}},
    {11, "Unsqueeze", ramp, {}, {{"axes", Wholes{-1}}}, {floats({2, 3, 1}, {0, 1, 2, 3, 4, 5})}},
    {13, "Unsqueeze", ramp, {wholes({0})}, {}, {floats({1, 2, 3}, {0, 1, 2, 3, 4, 5})}},
    // Reductions: the axes are an input of ReduceSum from 13 on, of the others from 18 on.
    {7, "ReduceSum", ramp, {}, {{"axes", Wholes{1}}}, {floats({2, 1}, {3, 12})}},
    {11, "ReduceSum", ramp, {}, {{"axes", Wholes{-1}}, {"keepdims", std::int64_t{0}}}, {floats({2}, {3, 12})}},
    {13, "ReduceSum", ramp, {wholes({1})}, {}, {floats({2, 1}, {3, 12})}},
    {13, "ReduceSum", ramp, {}, {{"noop_with_empty_axes", std::int64_t{1}}}, {ramp}},
    {13, "ReduceMax", ramp, {}, {{"axes", Wholes{0}}}, {floats({1, 3}, {3, 4, 5})}},
    {18, "ReduceMax", ramp, {wholes({0})}, {}, {floats({1, 3}, {3, 4, 5})}},
    {17, "ReduceMean", ramp, {}, {}, {floats({1, 1}, {2.5f})}},
    // Resize: by the left neighbour at 10, by the middle of pixels from 11 on, with sizes. Upsample before.
    {7, "Upsample", image, {}, {{"scales", Floats{1, 1, 1, 2}}}, {floats({1, 1, 2, 4}, {1, 1, 2, 2, 3, 3, 4, 4})}},
    {9, "Upsample", image, {floats({4}, {1, 1, 1, 2})}, {}, {floats({1, 1, 2, 4}, {1, 1, 2, 2, 3, 3, 4, 4})}},
    {9,
     "Upsample",
     image,
     {floats({4}, {1, 1, 1, 2})},
     {{"mode", std::string("linear")}},
     {floats({1, 1, 2, 4}, {1, 1.5f, 2, 2, 3, 3.5f, 4, 4})}},
    {10,
     "Resize",
     image,
     {floats({4}, {1, 1, 1, 2})},
     {{"mode", std::string("linear")}},
     {floats({1, 1, 2, 4}, {1, 1.5f, 2, 2, 3, 3.5f, 4, 4})}},
    {11,
     "Resize",
     image,
     {Tensor({f32, {0}}), floats({4}, {1, 1, 1, 2})},
     {{"mode", std::string("linear")}},
     {floats({1, 1, 2, 4}, {1, 1.25f, 1.75f, 2, 3, 3.25f, 3.75f, 4})}},
    {13, "Resize", image, {std::nullopt, std::nullopt, wholes({1, 1, 2, 1})}, {}, {floats({1, 1, 2, 1}, {1, 3})}},
    // TopK: k is an input from 10 on; the smallest from 11 on.
    {7, "TopK", ramp, {}, {{"k", std::int64_t{1}}}, {floats({2, 1}, {2, 5}), Tensor::of<std::int64_t>({2, 1}, {2, 2})}},
    {10, "TopK", ramp, {wholes({1})}, {}, {floats({2, 1}, {2, 5}), Tensor::of<std::int64_t>({2, 1}, {2, 2})}},
    {11,
     "TopK",
     ramp,
     {wholes({1})},
     {{"largest", std::int64_t{0}}},
     {floats({2, 1}, {0, 3}), Tensor::of<std::int64_t>({2, 1}, {0, 0})}},
    // Split: the sizes are an input from 13 on; from 18 on the last part may be smaller.
    {7,
     "Split",
     ramp,
     {},
     {{"axis", std::int64_t{1}}, {"split", Wholes{1, 2}}},
     {floats({2, 1}, {0, 3}), floats({2, 2}, {1, 2, 4, 5})}},
    {7, "Split", ramp, {}, {}, {floats({1, 3}, {0, 1, 2}), floats({1, 3}, {3, 4, 5})}},
    {13,
     "Split",
     ramp,
     {wholes({1, 2})},
     {{"axis", std::int64_t{1}}},
     {floats({2, 1}, {0, 3}), floats({2, 2}, {1, 2, 4, 5})}},
    {18,
     "Split",
     ramp,
     {},
     {{"axis", std::int64_t{1}}, {"num_outputs", std::int64_t{2}}},
     {floats({2, 2}, {0, 1, 3, 4}), floats({2, 1}, {2, 5})}},
    // Cast: towards zero, whatever the opset.
    {7, "Cast", floats({2}, {-1.5f, 2.5f}), {}, {{"to", std::int64_t{7}}}, {wholes({-1, 2})}},
    {9, "Cast", floats({2}, {-1.5f, 0}), {}, {{"to", std::int64_t{9}}}, {Tensor::of<bool>({2}, {true, false})}},
    {19, "Cast", floats({2}, {-1.5f, 2.5f}), {}, {{"to", std::int64_t{6}}}, {Tensor::of<std::int32_t>({2}, {-1, 2})}},
    // Reshape: a size of 0 keeps the axis, unless it is said otherwise from 14 on.
    {7, "Reshape", ramp, {wholes({0, 1, -1})}, {}, {floats({2, 1, 3}, {0, 1, 2, 3, 4, 5})}},
    {14, "Reshape", Tensor({f32, {0, 3}}), {wholes({3, 0})}, {{"allowzero", std::int64_t{1}}}, {Tensor({f32, {3, 0}})}},
    // Gemm: C may be absent from 11 on.
    {7, "Gemm", ramp, {floats({3, 1}, {1, 1, 1}), floats({1}, {1})}, {}, {floats({2, 1}, {4, 13})}},
    {11, "Gemm", ramp, {floats({3, 1}, {1, 1, 1})}, {}, {floats({2, 1}, {3, 12})}},
    // ArgMax: the last of equal ones from 12 on.
    {7, "ArgMax", floats({1, 2}, {1, 1}), {}, {{"axis", std::int64_t{1}}}, {Tensor::of<std::int64_t>({1, 1}, {0})}},
    {12,
     "ArgMax",
     floats({1, 2}, {1, 1}),
     {},
     {{"axis", std::int64_t{1}}, {"select_last_index", std::int64_t{1}}},
     {Tensor::of<std::int64_t>({1, 1}, {1})}},
    // Scatter has another name from 11 on.
    {9,
     "Scatter",
     ramp,
     {Tensor::of<std::int64_t>({1, 1}, {1}), floats({1, 1}, {9})},
     {{"axis", std::int64_t{1}}},
     {floats({2, 3}, {0, 9, 2, 3, 4, 5})}},
    {11,
     "ScatterElements",
     ramp,
     {Tensor::of<std::int64_t>({1, 1}, {-1}), floats({1, 1}, {9})},
     {{"axis", std::int64_t{1}}},
     {floats({2, 3}, {0, 1, 9, 3, 4, 5})}},
    // Shape: of some axes from 15 on.
    {7, "Shape", ramp, {}, {}, {wholes({2, 3})}},
    {15, "Shape", ramp, {}, {{"start", std::int64_t{-1}}}, {wholes({3})}},
    // MaxPool: a last window that is cut off from 10 on.
    {8,
     "MaxPool",
     floats({1, 1, 3}, {1, 2, 3}),
     {},
     {{"kernel_shape", Wholes{2}}, {"strides", Wholes{2}}},
     {floats({1, 1, 1}, {2})}},
    {10,
     "MaxPool",
     floats({1, 1, 3}, {1, 2, 3}),
     {},
     {{"kernel_shape", Wholes{2}}, {"strides", Wholes{2}}, {"ceil_mode", std::int64_t{1}}},
     {floats({1, 1, 2}, {2, 3})}},
    // Of the bounds of CumSum nothing has changed; its axis is an input in all opsets.
    {11, "CumSum", ramp, {whole(1)}, {}, {floats({2, 3}, {0, 1, 3, 3, 7, 12})}},
    // GroupNormalization: a scale a group up to 20, a channel since.
    {18,
     "GroupNormalization",
     floats({1, 4, 1}, {-1, 1, -1, 1}),
     {floats({2}, {1, 2}), floats({2}, {0, 1})},
     {{"num_groups", std::int64_t{2}}, {"epsilon", 0.0f}},
     {floats({1, 4, 1}, {-1, 1, -1, 3})}},
    {21,
     "GroupNormalization",
     floats({1, 4, 1}, {-1, 1, -1, 1}),
     {floats({4}, {1, 2, 3, 4}), floats({4}, {0, 0, 1, 1})},
     {{"num_groups", std::int64_t{2}}, {"epsilon", 0.0f}},
     {floats({1, 4, 1}, {-1, 2, -2, 5})}},
    // Two steps of one head: the state fades by half, 2 to 1, and takes in half of what it lacks, key by key.
    {27,
     "LinearAttention",
     floats({1, 2, 1}, {1, 2}),
     {floats({1, 2, 1}, {1, 2}), floats({1, 2, 1}, {3, 4}), floats({1, 1, 1, 1}, {2}),
      floats({1, 2, 1}, {-0.69314718f, -0.69314718f}), floats({1, 2, 1}, {0.5f, 0.5f})},
     {{"q_num_heads", std::int64_t{1}}, {"kv_num_heads", std::int64_t{1}}},
     {floats({1, 2, 1}, {2, 6}), floats({1, 1, 1, 1}, {3})}},
    {27,
     "LinearAttention",
     floats({1, 1, 2}, {1, 2}),
     {floats({1, 1, 1}, {1}), floats({1, 1, 1}, {3})},
     {{"q_num_heads", std::int64_t{2}}, {"kv_num_heads", std::int64_t{1}}, {"update_rule", "linear"}},
     {floats({1, 1, 2}, {3, 6}), floats({1, 1, 1, 1}, {3})}},
    {27,
     "CausalConvWithState",
     floats({1, 1, 3}, {1, 2, 3}),
     {floats({1, 1, 2}, {10, 1}), std::nullopt, floats({1, 1, 1}, {5})},
     {},
     {floats({1, 1, 3}, {51, 12, 23}), floats({1, 1, 1}, {3})}},
    {28, "SwiGLU", floats({2}, {0, 1.0986123f}), {floats({2}, {5, 2})}, {}, {floats({2}, {0, 1.6479184f})}},
};

}  // namespace

BOOST_AUTO_TEST_CASE(each_opset_has_its_meaning) {
  for (const Case& c : cases) {
    BOOST_TEST_CONTEXT(c.op << " of opset " << c.opset) {
      try {
        const std::vector<Tensor> got = results(c);
        for (std::size_t i = 0; i < c.expected.size(); ++i) {
          const Tensor& e = c.expected[i];
          BOOST_TEST_REQUIRE(to_string(got[i].type()) == to_string(e.type()));
          if (e.dtype() != f32) BOOST_TEST(same_bits(got[i], e));
          for (std::int64_t k = 0; e.dtype() == f32 && k < e.count(); ++k)
            BOOST_TEST(std::abs(got[i].data<float>()[k] - e.data<float>()[k]) < 1e-6,
                       "output " << i << ", element " << k << ": " << got[i].data<float>()[k] << ", not "
                                 << e.data<float>()[k]);
        }
      } catch (const Error& e) {
        BOOST_ERROR(e.what());
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(statistics_of_single_pixels_are_refused) {
  Case c{7, "BatchNormalization", floats({2, 1, 1, 2}, {1, 2, 3, 4}), {}, {{"spatial", std::int64_t{0}}}, {image}};
  for (int i = 0; i < 4; ++i) c.more.emplace_back(floats({1, 1, 2}, {1, 1}));
  BOOST_TEST(has(message([&] { results(c); }), "statistics of each pixel by itself"));
}

BOOST_AUTO_TEST_SUITE_END()
