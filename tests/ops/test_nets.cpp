// Kernels of networks: softmax, cross entropy, batch statistics, dropout; and the layers' names and variables.
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/passes/fusion/fused.h>
#include <oxbow/ops/gradients.h>
#include <oxbow/ops/layers.h>
#include <oxbow/ops/loss.h>
#include <oxbow/ops/loss/loss.h>
#include <oxbow/ops/norm.h>
#include <oxbow/ops/norm/batch_norm.h>
#include <oxbow/ops/norm/softmax.h>
#include <oxbow/ops/pointwise.h>
#include <oxbow/ops/random.h>
#include <oxbow/ops/random/dropout.h>
#include <oxbow/ops/shape.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "samples/sample.h"
#include "support/has.h"
#include "support/message.h"
#include "support/run_op.h"

BOOST_AUTO_TEST_SUITE(test_nets)

using namespace oxbow;
using namespace oxbow::ops;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

auto says(std::string text) {
  return [text](const Error& e) {
    BOOST_TEST_MESSAGE(e.what());
    return std::string(e.what()).find(text) != std::string::npos;
  };
}

Tensor as_f32(const Tensor& t) {
  if (t.dtype() != f64) return t.clone();
  Tensor y({f32, t.shape()});
  for (std::int64_t i = 0; i < t.count(); ++i) y.data<float>()[i] = static_cast<float>(t.data<double>()[i]);
  return y;
}

// Every sample of an op with a kernel against its reference, in f64 and f32, also in place.
template <class O>
void check_samples() {
  for (const test::Sample& s : test::samples_of(O::info.name)) {
    const std::vector<Tensor> wanted = s.reference(s.inputs);
    std::vector<Tensor> doubles, floats;
    for (const Tensor& t : s.inputs) doubles.push_back(t.clone()), floats.push_back(as_f32(t));
    const std::vector<Tensor> precise = run_op(s.op, doubles), rounded = run_op(s.op, floats);
    for (std::size_t k = 0; k < wanted.size(); ++k) {
      BOOST_TEST_CONTEXT(s.op.name() << ", " << s.what << ", output " << k) {
        BOOST_TEST((precise[k].type() == wanted[k].type()));
        for (std::int64_t i = 0; i < wanted[k].count(); ++i) {
          const double w = wanted[k].data<double>()[i], bound = std::max(1.0, std::abs(w));
          BOOST_TEST(std::abs(precise[k].data<double>()[i] - w) <= 1e-12 * bound);
          BOOST_TEST(std::abs(rounded[k].data<float>()[i] - w) <= 2e-6 * std::max(1.0, bound));
        }
      }
    }
    if (O::info.may_overwrite.contains(0)) BOOST_TEST(same_bits(run_op(s.op, floats, {0})[0], rounded[0]));
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(kernels_agree_with_plain_loops) {
  check_samples<Softmax>();
  check_samples<LogSoftmax>();
  check_samples<CrossEntropy>();
  check_samples<CrossEntropyGradient>();
  check_samples<ops::Dropout>();
}

BOOST_AUTO_TEST_CASE(rows_of_a_softmax_are_independent) {
  const Tensor x = Tensor::of<float>(
      {5, 3}, {1, 2, 3, 1, not_a_number, 3, 1, -infinity, 1, -infinity, -infinity, -infinity, infinity, 0, 0});
  const Tensor y = run_op(Softmax{}, {x})[0], logs = run_op(LogSoftmax{}, {x})[0];
  const float* p = y.data<float>();
  BOOST_TEST(p[0] + p[1] + p[2] == 1.0f, boost::test_tools::tolerance(1e-6f));
  for (int i : {3, 4, 5, 9, 10, 11, 12, 13, 14}) BOOST_TEST((std::isnan(p[i]) && std::isnan(logs.data<float>()[i])));
  BOOST_TEST(p[6] == 0.5f);
  BOOST_TEST(p[7] == 0.0f);
  BOOST_TEST(logs.data<float>()[7] == -infinity);
  BOOST_TEST(p[8] == 0.5f);
}

BOOST_AUTO_TEST_CASE(a_row_has_the_same_bits_wherever_it_stands) {
  for (const std::int64_t n : {1, 10, 33, 1000}) {
    const Tensor row = draw({1, n}, -4, 4, 1, f32);
    Tensor rows({f32, {97, n}});
    for (std::int64_t r = 0; r < 97; ++r)
      for (std::int64_t i = 0; i < n; ++i) rows.data<float>()[r * n + i] = row.data<float>()[i];
    for (const Op& op : {Op(Softmax{}), Op(LogSoftmax{})}) {
      const Tensor one = run_op(op, {row})[0], all = run_op(op, {rows})[0];
      bool same = true;
      for (std::int64_t i = 0; i < all.count(); ++i) same = same && all.data<float>()[i] == one.data<float>()[i % n];
      BOOST_TEST(same, op.name() << " of rows of " << n);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_wide_softmax_sums_to_one) {
  const Tensor y = run_op(Softmax{}, {draw({3, 50000}, -5, 5, 2, f32)})[0];
  for (int r = 0; r < 3; ++r) {
    double sum = 0;
    for (int i = 0; i < 50000; ++i) sum += static_cast<double>(y.data<float>()[r * 50000 + i]);
    BOOST_TEST(sum == 1, boost::test_tools::tolerance(1e-5));
  }
}

BOOST_AUTO_TEST_CASE(cross_entropy_takes_labels_of_every_integer_dtype) {
  const Tensor x = draw({4, 10}, -3, 3, 3, f32);
  const Tensor wanted = run_op(CrossEntropy{}, {x, draw({4}, 0, 10, 4, i64)})[0];
  for (DType d : {i8, i16, i32, u8, u16, u32}) {
    const std::vector<Tensor> in{x, draw({4}, 0, 10, 4, d)};
    BOOST_TEST(same_bits(wanted, internal::evaluate(CrossEntropy{}, in)[0]), name(d));
  }
}

BOOST_AUTO_TEST_CASE(cross_entropy_may_keep_its_probabilities_in_its_logits) {
  const Tensor x = draw({300, 10}, -3, 3, 3, f32), labels = draw({300}, 0, 10, 4, i64);
  const std::vector<Tensor> apart = run_op(CrossEntropy{}, {x, labels});
  const std::vector<Tensor> in_place = run_op(CrossEntropy{}, {x.clone(), labels}, {-1, 0});
  BOOST_TEST(same_bits(apart[0], in_place[0]));
  BOOST_TEST(same_bits(apart[1], in_place[1]));
}

BOOST_AUTO_TEST_CASE(a_label_out_of_range_is_named) {
  const Tensor x = draw({2, 3}, -1, 1, 3, f32);
  BOOST_CHECK_EXCEPTION(run_op(CrossEntropy{}, {x, Tensor::of<std::int32_t>({2}, {0, 3})}), OpError,
                        says("label 3 in row 1 is not one of the 3 classes"));
  BOOST_CHECK_EXCEPTION(run_op(CrossEntropy{}, {x, Tensor::of<std::int64_t>({2}, {-1, 0})}), OpError,
                        says("Labels must be from 0 to 2"));
  BOOST_CHECK_EXCEPTION(run_op(CrossEntropy{}, {Tensor({f32, {1, 0}}), Tensor::of<std::int64_t>({1}, {0})}), OpError,
                        says("label 0 in row 0 is not one of the 0 classes"));
}

BOOST_AUTO_TEST_CASE(accuracy_is_the_share_of_rows_whose_largest_logit_is_the_labels) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 2, 3}), label = input(g, "label", u8, {any(2), 2});
  const Value share = accuracy(x, label);
  BOOST_TEST(to_string(share.type()) == "f32[]");
  Store store(g);
  const auto of = [&](std::initializer_list<std::uint8_t> labels) {
    const Tensor logits = Tensor::of<float>({2, 2, 3}, {0, 2, 1, 5, 5, 0, -1, -3, -2, 0, 0, 1});
    return compile(share)
        .run(store, {{"x", logits}, {"label", Tensor::of<std::uint8_t>({2, 2}, labels)}})[0]
        .item<float>();
  };
  BOOST_TEST(of({1, 0, 0, 2}) == 1);
  BOOST_TEST(of({1, 1, 0, 0}) == 0.5f);  // of equal logits the first counts
  BOOST_TEST(of({200, 1, 1, 1}) == 0);
  BOOST_CHECK_EXCEPTION(
      accuracy(x, x[0]), Error,
      says("accuracy: the labels are not a class number for each row of logits\n  logits: f32[2, 2, 3] "
           "from x\n  labels: f32[2, 3]"));
}

BOOST_AUTO_TEST_CASE(wrong_labels_and_targets_are_refused_with_the_line) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 10}), y = input(g, "y", i64, {any(4), 1}),
              z = input(g, "z", f32, {any(4)});
  const auto at = [](int line) { return "tests/ops/test_nets.cpp:" + std::to_string(line); };
  BOOST_CHECK_EXCEPTION(cross_entropy(x, y), Error, says(at(__LINE__)));
  BOOST_CHECK_EXCEPTION(cross_entropy(x, y), Error,
                        says("take one label a row, of shape [4], but the labels have shape [4, 1]"));
  BOOST_CHECK_EXCEPTION(cross_entropy(x, z), Error, says("neither class numbers nor of the logits' type f32[4, 10]"));
  BOOST_CHECK_EXCEPTION(mean_squared_error(x, z), Error, says(at(__LINE__)));
  BOOST_CHECK_EXCEPTION(binary_cross_entropy(x, z), Error, says(at(__LINE__)));
  BOOST_CHECK_EXCEPTION(softmax(x, 2), Error, says(at(__LINE__)));
  BOOST_CHECK_EXCEPTION(dropout(x, 1), Error, says("the rate 1 is not in [0, 1)"));
}

BOOST_AUTO_TEST_CASE(losses_of_logits_refuse_probabilities) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), label = input(g, "label", i64, {any(4)});
  BOOST_TEST(test::message([&] { cross_entropy(softmax(x).named("p"), label); }) ==
             "cross_entropy: the logits are what softmax gives\n  logits: f32[4, 3] from p\n  at HERE\n  Give what "
             "softmax is given: cross_entropy takes it by itself, and keeps the digits that it rounds away");
  BOOST_TEST(
      test::has(test::message([&] { cross_entropy(softmax(x), softmax(x)); }), "the logits are what softmax gives"));
  BOOST_TEST(test::has(test::message([&] { binary_cross_entropy(Dense(3, {.activation = sigmoid})(x), x); }),
                       "binary_cross_entropy: the logits are what sigmoid gives"));
}

BOOST_AUTO_TEST_CASE(binary_cross_entropy_is_right_and_never_overflows) {
  Graph g;
  const Value x = input(g, "x", f64, {any(4)}), t = input(g, "t", f64, {any(4)});
  const Value loss = binary_cross_entropy(x, t, Reduction::none);
  const Value total = binary_cross_entropy(x, t, Reduction::sum), average = binary_cross_entropy(x, t);
  const Tensor logits = draw({101}, -6, 6, 7), targets = draw({101}, 0, 1, 8);
  Store store(g);
  const auto out =
      compile({loss, gradients(total, {x})[0], average, total}).run(store, {{"x", logits}, {"t", targets}});
  double sum = 0;
  for (int i = 0; i < 101; ++i) {
    const double s = 1 / (1 + std::exp(-logits.data<double>()[i])), q = targets.data<double>()[i];
    const double wanted = -q * std::log(s) - (1 - q) * std::log(1 - s);
    sum += wanted;
    BOOST_TEST(std::abs(out[0].data<double>()[i] - wanted) <= 1e-14 * std::max(1.0, wanted));
    BOOST_TEST(std::abs(out[1].data<double>()[i] - (s - q)) <= 1e-14);
  }
  BOOST_TEST(std::abs(out[2].item<double>() - sum / 101) <= 1e-14 * sum);
  BOOST_TEST(std::abs(out[3].item<double>() - sum) <= 1e-14 * sum);
  const auto far = compile({loss}).run(store, {{"x", Tensor::of<double>({4}, {1000, -1000, 1000, -1000})},
                                               {"t", Tensor::of<double>({4}, {1, 0, 0, 1})}});
  const auto losses = far[0].span<double>();
  BOOST_TEST((losses[0] == 0 && losses[1] == 0 && losses[2] == 1000 && losses[3] == 1000));
}

namespace {

Tensor chunk_moments(const Tensor& x) { return run_op(internal::Fused::of(ChunkMoments{}, 1), {x})[0]; }

}  // namespace

BOOST_AUTO_TEST_CASE(batch_moments_are_exact_far_from_zero_and_over_many_chunks) {
  Tensor x({f32, {70000, 5}});
  for (std::int64_t i = 0; i < x.count(); ++i)
    x.data<float>()[i] = static_cast<float>(1000 + i % 5 + (i / 5 % 2) * 0.5);
  const std::vector<Tensor> m = run_op(MergeMoments{}, {chunk_moments(x), x});
  for (int c = 0; c < 5; ++c) {
    BOOST_TEST(m[0].data<float>()[c] == static_cast<float>(1000.25 + c));
    BOOST_TEST(m[1].data<float>()[c] == 0.0625f);
  }
  const Tensor none({f32, {0, 2}});
  BOOST_TEST(std::isnan(run_op(MergeMoments{}, {chunk_moments(none), none})[0].data<float>()[1]));
}

BOOST_AUTO_TEST_CASE(batch_moments_agree_with_their_reference) {
  for (const test::Sample& s : test::samples_of(BatchMoments::info.name)) {
    const std::vector<Tensor> wanted = s.reference(s.inputs);
    const std::vector<Tensor> m = run_op(MergeMoments{}, {chunk_moments(s.inputs[0]), s.inputs[0]});
    for (std::size_t k = 0; k < 2; ++k)
      for (std::int64_t i = 0; i < wanted[k].count(); ++i)
        BOOST_TEST(m[k].data<double>()[i] == wanted[k].data<double>()[i], boost::test_tools::tolerance(1e-12));
  }
}

BOOST_AUTO_TEST_CASE(dropout_keeps_its_share_and_its_mean) {
  Tensor x({f32, {1000, 100}});
  for (float& v : x.span<float>()) v = 1;
  const Tensor state = Tensor::of<std::int64_t>({2}, {42, 0});
  const Tensor y = run_op(ops::Dropout{.rate = 0.25, .stream = 1}, {x, state})[0];
  std::int64_t kept = 0;
  for (float v : y.span<float>()) {
    BOOST_TEST_REQUIRE((v == 0 || v == static_cast<float>(1 / 0.75)));
    kept += v != 0;
  }
  BOOST_TEST((kept > 74400 && kept < 75600));  // four deviations
}

BOOST_AUTO_TEST_CASE(dropout_masks_follow_seed_step_stream_and_place_alone) {
  const Tensor x = draw({40, 1000}, 1, 2, 6, f32);
  const auto run = [&](std::int64_t seed, std::int64_t step, std::int64_t stream, const Tensor& of) {
    return run_op(ops::Dropout{.rate = 0.5, .stream = stream}, {of, Tensor::of<std::int64_t>({2}, {seed, step})})[0];
  };
  const Tensor y = run(1, 0, 1, x);
  BOOST_TEST(same_bits(y, run(1, 0, 1, x)));
  BOOST_TEST(!same_bits(y, run(2, 0, 1, x)));
  BOOST_TEST(!same_bits(y, run(1, 1, 1, x)));
  BOOST_TEST(!same_bits(y, run(1, 0, 2, x)));
  const Tensor head = run(1, 0, 1, Tensor::of<float>({300}, x.span<float>().first(300)));  // one part instead of two
  for (int i = 0; i < 300; ++i) BOOST_TEST(head.data<float>()[i] == y.data<float>()[i]);
}

BOOST_AUTO_TEST_CASE(the_random_state_is_one_a_graph_and_counts_steps) {
  Graph g;
  g.set_seed(17);
  const Value x = input(g, "x", f32, {any(4), 10});
  Scope scope(g, "block");
  const Value a = dropout(x, 0.1), b = dropout(x, 0.1);
  BOOST_TEST(a.node().input(1).same(b.node().input(1)));
  BOOST_TEST((a.node().op().as<ops::Dropout>()->stream != b.node().op().as<ops::Dropout>()->stream));
  const ops::Variable& state = *a.node().input(1).node().op().as<ops::Variable>();
  BOOST_TEST(state.name == "random/state");
  BOOST_TEST(state.init.seed == 17u);
  BOOST_TEST(!state.trainable);
  BOOST_TEST(g.updates().size() == 1u);
  BOOST_TEST((g.updates()[0].node().origin().phase == Phase::update));
}

BOOST_AUTO_TEST_CASE(inference_drops_nothing_and_takes_running_statistics) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 10});
  const Value y = dropout(x, 0.1);
  BOOST_TEST(y.node().op().inference(y.node().inputs())[0].same(x));
  batch_norm(x);
  const Node running = *g.find("batch_norm/running_mean");
  for (NodeId id = 0; id < g.size(); ++id)
    if (const Node n = g.node(id); n.op().is<BatchMoments>())
      BOOST_TEST(n.op().inference(n.inputs())[0].same(running.output()));
}

BOOST_AUTO_TEST_CASE(layers_number_themselves_and_name_their_variables) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 8, 8, 3});
  Value h = conv(x, 16, {.activation = [](Value v, At at) { return abs(v, at); }});
  h = conv(batch_norm(h), 8, {.size = 5, .use_bias = false});
  dense(dense(h, 4), 2, {.name = "head"});
  Scope scope(g, "decoder");
  dense(h, 4);
  std::vector<std::string> names;
  for (const Value& v : variables(g, false)) names.push_back(v.node().full_name() + " " + to_string(v.type()));
  const std::vector<std::string> wanted{"conv/kernel f32[3, 3, 3, 16]",
                                        "conv/bias f32[16]",
                                        "batch_norm/scale f32[16]",
                                        "batch_norm/offset f32[16]",
                                        "batch_norm/running_mean f32[16]",
                                        "batch_norm/running_variance f32[16]",
                                        "conv_1/kernel f32[5, 5, 16, 8]",
                                        "dense/kernel f32[8, 4]",
                                        "dense/bias f32[4]",
                                        "head/kernel f32[4, 2]",
                                        "head/bias f32[2]",
                                        "decoder/dense/kernel f32[8, 4]",
                                        "decoder/dense/bias f32[4]"};
  BOOST_TEST(names == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(layers_refuse_what_they_cannot_take) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 10});
  BOOST_CHECK_EXCEPTION(dense(x, 0), Error, says("dense: it cannot have 0 units\n  x: f32[4, 10] from x\n  at "));
  BOOST_CHECK_EXCEPTION(conv(x, 4), Error, says("conv: x has 2 axes, fewer than 4"));
  BOOST_CHECK_EXCEPTION(batch_norm(x, {.momentum = 2}), Error, says("the momentum 2 is not in [0, 1]"));
  dense(x, 3, {.name = "head"});
  BOOST_CHECK_EXCEPTION(dense(x, 3, {.name = "head"}), Error, says("the name \"head/kernel\" is taken at "));
}

BOOST_AUTO_TEST_SUITE_END()
