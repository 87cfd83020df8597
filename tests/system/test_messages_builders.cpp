// A message begins with the function that the user called, also where that makes ops of other names, and it speaks of
// the operands as the user gave them.
#include <oxbow/graph/catalog.h>
#include <oxbow/ops/catalog.h>
#include <oxbow/oxbow.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "support/message.h"
#include "support/places.h"

BOOST_AUTO_TEST_SUITE(test_messages_builders)

using namespace oxbow;
using oxbow::test::message;

namespace {

struct Call {
  std::string builder;
  std::function<void()> refused;
};

const Value none;

// What each builder refuses, and what of that the first op that it makes does not.
std::vector<Call> calls(Graph& g) {
  const Value x = input(g, "x", f32, {2, 4}), i = input(g, "i", i64, {2, 4}), b = input(g, "b", boolean, {2, 4});
  const Value scalar = input(g, "scalar", f32, Shape()), half = input(g, "half", f16, {2, 4});
  const Value image = input(g, "image", f32, {2, 8, 8, 3}), ten = constant(g, 10, i64), many = constant(g, 9, i64);
  const Value three = constant(g, Tensor::of<std::int64_t>({1}, {3}));
  const auto then = [=] { return x; };
  const auto both = [](Value v) { return v; };
  const auto step = [](const RepeatStep& s) { return RepeatNext{.carried = s.carried, .stacked = {}}; };
  return {{"abs", [=] { abs(b); }},
          {"accuracy", [=] { accuracy(x, x); }},
          {"accuracy", [=] { accuracy(none, i); }},
          {"add", [=] { add(x, i); }},
          {"argmax", [=] { argmax(x, 2); }},
          {"any", [=] { any(x); }},
          {"all", [=] { all(i); }},
          {"argsort", [=] { argsort(x, 2); }},
          {"celu", [=] { celu(x, 0); }},
          {"clip", [=] { clip(b, 0, 1); }},
          {"clip", [=] { clip(i, 0.5, 1); }},
          {"cosine_similarity", [=] { cosine_similarity(i, i); }},
          {"cross_entropy", [=] { cross_entropy(x, i, ClassOptions{.axis = 2}); }},
          {"cross_entropy", [=] { cross_entropy(x, scalar, ClassOptions{}); }},
          {"ctc_loss", [=] { ctc_loss(x, i, i, i); }},
          {"einsum", [=] { einsum("ij", none); }},
          {"einsum", [=] { einsum("i", x); }},
          {"elu", [=] { elu(i); }},
          {"gelu_tanh", [=] { gelu_tanh(i); }},
          {"hard_sigmoid", [=] { hard_sigmoid(i); }},
          {"hard_swish", [=] { hard_swish(i); }},
          {"hard_tanh", [=] { hard_tanh(i); }},
          {"hardmax", [=] { hardmax(b, 2); }},
          {"hardmax", [=] { hardmax(scalar); }},
          {"hinge_loss", [=] { hinge_loss(i, i); }},
          {"huber_loss", [=] { huber_loss(x, half); }},
          {"isfinite", [=] { isfinite(i); }},
          {"isinf", [=] { isinf(i); }},
          {"isnan", [=] { isnan(i); }},
          {"kl_divergence", [=] { kl_divergence(x, half); }},
          {"leaky_relu", [=] { leaky_relu(i, 0.5); }},
          {"leaky_relu", [=] { leaky_relu(b); }},
          {"logical_xor", [=] { logical_xor(x, b); }},
          {"logical_xor", [=] { logical_xor(b, x); }},
          {"logsumexp", [=] { logsumexp(x, 2); }},
          {"logsumexp", [=] { logsumexp(i); }},
          {"matmul", [=] { matmul(x, scalar); }},
          {"mish", [=] { mish(i); }},
          {"nll_loss", [=] { nll_loss(x, x); }},
          {"outer", [=] { outer(none, x); }},
          {"outer", [=] { outer(x, i); }},
          {"prelu", [=] { prelu(x, i); }},
          {"selu", [=] { selu(i); }},
          {"shrink", [=] { shrink(b); }},
          {"sort", [=] { sort(x, 2); }},
          {"sort", [=] { sort(scalar); }},
          {"swish", [=] { swish(i, 1); }},
          {"thresholded_relu", [=] { thresholded_relu(i); }},
          {"variance", [=] { variance(i); }},
          {"variance", [=] { variance(half, 2); }},
          {"arange", [=] { arange(x, x, x); }},
          {"argsort", [=] { argsort(x, 2); }},
          {"batch_moments", [=] { batch_moments(none, none, none); }},
          {"batch_norm", [=] { batch_norm(i); }},
          {"binary_cross_entropy", [=] { binary_cross_entropy(i, i); }},
          {"broadcast_like", [=] { broadcast_like(x, scalar); }},
          {"broadcast_to", [=] { broadcast_to(x, {3}); }},
          {"broadcast_to", [=] { broadcast_to(x, three); }},
          {"cast", [=] { cast(none, f32); }},
          {"compress", [=] { compress(x, i, 0); }},
          {"concat",
           [=] {
             concat({x, i});
           }},
          {"cond", [=] { cond(x, then, then); }},
          {"contract", [=] { contract(x, none); }},
          {"conv1d", [=] { conv1d(x, x); }},
          {"conv3d", [=] { conv3d(x, x); }},
          {"conv3d", [=] { conv3d(none, x); }},
          {"depth_to_space", [=] { depth_to_space(x, 2); }},
          {"depthwise_conv2d", [=] { depthwise_conv2d(x, x); }},
          {"dft", [=] { dft(i); }},
          {"expand_dims", [=] { expand_dims(x, 4); }},
          {"eye", [&g] { eye(g, -1); }},
          {"eye_like", [=] { eye_like(scalar); }},
          {"flip", [=] { flip(x, {2}); }},
          {"full", [=] { full(three, none); }},
          {"full_like", [=] { full_like(none, 1); }},
          {"gather_nd", [=] { gather_nd(x, x); }},
          {"linspace", [&g] { linspace(g, 0, 1, -1); }},
          {"mel_weight_matrix", [&g] { mel_weight_matrix(g, 0, 16, 8000); }},
          {"meshgrid", [=] { meshgrid({x}); }},
          {"nonzero", [=] { nonzero(x); }},
          {"ones", [=] { ones(x); }},
          {"ones_like", [=] { ones_like(none); }},
          {"random_bernoulli_like", [=] { random_bernoulli_like(none); }},
          {"random_multinomial", [=] { random_multinomial(scalar, 2); }},
          {"random_normal_like", [=] { random_normal_like(none); }},
          {"random_truncated_normal_like", [=] { random_truncated_normal_like(none); }},
          {"random_uniform_like", [=] { random_uniform_like(none); }},
          {"conv", [=] { conv(image, 4, {.stride = 0}); }},
          {"conv", [=] { conv(x, 4); }},
          {"conv2d", [=] { conv2d(x, x); }},
          {"cospi", [=] { cospi(i); }},
          {"count_like", [=] { count_like(x, 2); }},
          {"cross_entropy", [=] { cross_entropy(x, half); }},
          {"dense", [=] { dense(scalar, 4); }},
          {"divide", [=] { divide(b, b); }},
          {"dropout", [=] { dropout(i, 0.5); }},
          {"equal", [=] { equal(x, i); }},
          {"erf", [=] { erf(i); }},
          {"exp", [=] { exp(i); }},
          {"flatten", [=] { flatten(scalar); }},
          {"gather", [=] { gather(x, x); }},
          {"gelu", [=] { gelu(i); }},
          {"greater", [=] { greater(x, i); }},
          {"greater_equal", [=] { return x >= i; }},
          {"less", [=] { return x < i; }},
          {"less_equal", [=] { less_equal(x, i); }},
          {"log", [=] { log(i); }},
          {"log_softmax", [=] { log_softmax(x, 2); }},
          {"log_softmax", [=] { log_softmax(i, 0); }},
          {"logical_and", [=] { logical_and(x, b); }},
          {"logical_not", [=] { logical_not(x); }},
          {"logical_or", [=] { logical_or(x, b); }},
          {"masked_divide", [=] { masked_divide(i, i); }},
          {"masked_multiply", [=] { masked_multiply(i, i); }},
          {"matmul", [=] { matmul(x, x); }},
          {"max", [=] { max(x, 2); }},
          {"max_pool", [=] { max_pool(x); }},
          {"maximum", [=] { maximum(x, i); }},
          {"mean", [=] { mean(x, {2}); }},
          {"mean", [=] { mean(half, {2}); }},
          {"mean", [=] { mean(i); }},
          {"mean_squared_error", [=] { mean_squared_error(i, i); }},
          {"mean_squared_error", [=] { mean_squared_error(b, b); }},
          {"min", [=] { min(x, 2); }},
          {"minimum", [=] { minimum(x, i); }},
          {"multiply", [=] { multiply(x, i); }},
          {"negate", [=] { -b; }},
          {"norm", [=] { norm(x, {2}); }},
          {"not_equal", [=] { not_equal(x, i); }},
          {"one_hot", [=] { one_hot(x, 10); }},
          {"one_hot", [=] { one_hot(x, ten); }},
          {"pad",
           [=] {
             pad(x, {{1, 1}});
           }},
          {"pad",
           [=] {
             pad(none, {{1, 1}});
           }},
          {"pad", [=] { pad(x, three); }},
          {"pow", [=] { pow(b, b); }},
          {"pow", [=] { pow(b, 2); }},
          {"affine_grid",
           [=] {
             affine_grid(x, {2, 2});
           }},
          {"batch_norm_training", [=] { batch_norm_training(i, none, none, x, x); }},
          {"batch_norm_training", [=] { batch_norm_training(image, none, none, x, x); }},
          {"center_crop_pad", [=] { center_crop_pad(x, {3}); }},
          {"col2im",
           [=] {
             col2im(x, {8, 8}, {2, 2});
           }},
          {"conv1d_transpose", [=] { conv1d_transpose(x, x); }},
          {"conv1d_transpose", [=] { conv1d_transpose(none, x); }},
          {"conv3d_transpose", [=] { conv3d_transpose(x, x); }},
          {"conv3d_transpose", [=] { conv3d_transpose(none, x); }},
          {"deform_conv", [=] { deform_conv(x, x, x); }},
          {"deform_conv", [=] { deform_conv(image, image, image); }},
          {"global_average_pool", [=] { global_average_pool(x); }},
          {"global_lp_pool", [=] { global_lp_pool(x); }},
          {"global_lp_pool", [=] { global_lp_pool(image, 0); }},
          {"global_max_pool", [=] { global_max_pool(none); }},
          {"grid_sample", [=] { grid_sample(image, x); }},
          {"group_norm", [=] { group_norm(image, 2); }},
          {"group_norm", [=] { group_norm(image, 3, x); }},
          {"instance_norm", [=] { instance_norm(scalar); }},
          {"gru", [=] { gru(x, x, x); }},
          {"instance_norm", [=] { instance_norm(image, x); }},
          {"layer_norm", [=] { layer_norm(i); }},
          {"layer_norm", [=] { layer_norm(x, image); }},
          {"layer_norm_with_statistics", [=] { layer_norm_with_statistics(x, none, none, {.axis = 2}); }},
          {"layer_norm_with_statistics", [=] { layer_norm_with_statistics(x, image); }},
          {"local_response_norm", [=] { local_response_norm(i, 3); }},
          {"local_response_norm", [=] { local_response_norm(image, 0); }},
          {"lp_normalize", [=] { lp_normalize(x, 3); }},
          {"lp_normalize", [=] { lp_normalize(x, 2, 2); }},
          {"lp_pool", [=] { lp_pool(x); }},
          {"lp_pool", [=] { lp_pool(image, {.size = 9}); }},
          {"lstm", [=] { lstm(x, x, x, x); }},
          {"max_pool_with_indices", [=] { max_pool_with_indices(x); }},
          {"max_pool_with_indices", [=] { max_pool_with_indices(image, {.size = 9}); }},
          {"max_unpool", [=] { max_unpool(x, scalar, {8}); }},
          {"max_unpool", [=] { max_unpool(x, x, {8}); }},
          {"mean_variance_norm", [=] { mean_variance_norm(x); }},
          {"mean_variance_norm", [=] { mean_variance_norm(i, {0}); }},
          {"resize", [=] { resize(x, {}); }},
          {"resize",
           [=] {
             resize(i, {.scales = {2, 2}, .mode = Interpolation::linear});
           }},
          {"rms_norm", [=] { rms_norm(i); }},
          {"rms_norm", [=] { rms_norm(x, image); }},
          {"roi_align", [=] { roi_align(x, x, i); }},
          {"roi_align", [=] { roi_align(image, x, x); }},
          {"reciprocal", [=] { reciprocal(i); }},
          {"relu", [=] { relu(b); }},
          {"repeat", [=] { repeat(-1, x, both); }},
          {"repeat_interleave", [=] { repeat_interleave(x, -1, 0); }},
          {"require_finite", [=] { require_finite(i, "x", "do"); }},
          {"reshape", [=] { reshape(x, {3}); }},
          {"reshape", [=] { reshape(x, three); }},
          {"reshape_like", [=] { reshape_like(x, scalar); }},
          {"reverse_sequence", [=] { reverse_sequence(x, x); }},
          {"roll", [=] { roll(x, 1, 2); }},
          {"rsqrt", [=] { rsqrt(i); }},
          {"scaled_dot_product_attention", [=] { scaled_dot_product_attention(x, x, i); }},
          {"scan", [=] { scan({x}, {}, step); }},
          {"scatter_add", [=] { scatter_add(x, x, x); }},
          {"scatter_elements", [=] { scatter_elements(x, i, i); }},
          {"scatter_nd", [=] { scatter_nd(x, i, x); }},
          {"shape_of", [=] { shape_of(none); }},
          {"sigmoid", [=] { sigmoid(i); }},
          {"sign", [=] { sign(b); }},
          {"sinpi", [=] { sinpi(i); }},
          {"simple_rnn", [=] { simple_rnn(x, x, x); }},
          {"slice", [=] { slice(x, 0, 3); }},
          {"slice", [=] { slice(x, x, x); }},
          {"softmax", [=] { softmax(i, 0); }},
          {"softplus", [=] { softplus(i); }},
          {"sort", [=] { sort(x, 2); }},
          {"space_to_depth", [=] { space_to_depth(x, 2); }},
          {"split", [=] { split(x, 0); }},
          {"sqrt", [=] { sqrt(i); }},
          {"square", [=] { square(b); }},
          {"squeeze", [=] { squeeze(x, {0}); }},
          {"stack",
           [=] {
             stack({x, i});
           }},
          {"stft", [=] { stft(x, 0, none); }},
          {"stop_gradient", [=] { stop_gradient(none); }},
          {"subtract", [=] { b - 1; }},
          {"sum", [=] { sum(x, 2); }},
          {"sum_to", [=] { sum_to(scalar, x); }},
          {"take_along_axis", [=] { take_along_axis(x, x, 0); }},
          {"tanh", [=] { tanh(i); }},
          {"tile", [=] { tile(none, {2}); }},
          {"tile", [=] { tile(x, {2}); }},
          {"top_k", [=] { top_k(x, 9); }},
          {"top_k", [=] { top_k(x, many); }},
          {"top_k", [=] { top_k(x, 1, 2); }},
          {"transpose", [=] { transpose(x, {0}); }},
          {"tri", [&g] { tri(g, 2, -1); }},
          {"tril", [=] { tril(scalar); }},
          {"triu", [=] { triu(x, x); }},
          {"unique", [=] { unique(x); }},
          {"while_loop", [=] { while_loop(1, {}, nullptr, nullptr); }},
          {"zeros", [=] { zeros(x); }},
          {"zeros_like", [=] { zeros_like(none); }},
          {"where", [=] { where(x, x, x); }}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_message_begins_with_the_builder) {
  Graph g;
  for (const Call& call : calls(g)) {
    const std::string said = message(call.refused);
    BOOST_TEST(said.starts_with(call.builder + ": "), call.builder << " said: " << said);
  }
}

// The builders of ops/ops.h, but for those that are called as their op is: its name begins their messages. A part of x
// says what stands in the brackets (test_subscripts), and the others make variables, or take graphs.
BOOST_AUTO_TEST_CASE(every_builder_is_tried) {
  const auto file = [](const std::string& path) {
    std::ifstream in(oxbow::test::source(path));
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  Graph g;
  std::set<std::string> tried{"part",      "parameter", "variable",     "drawn",
                              "gradients", "flow_back", "random_state", "random_update"};
  for (const Call& call : calls(g)) tried.insert(call.builder);
  for (const char* helper : {"reshape_to", "expand_to", "tile_by", "pad_by", "uniform_in", "normal_in",
                             "truncated_normal_in", "bernoulli_in", "split_by", "split_into", "window"})
    tried.insert(helper);
  const std::string list = file("ops/ops.h");
  const std::regex include("#include <oxbow/(.*)>"),
      builder("\n(?:std::vector<Value>|Value|Moments|\\w+Result) (\\w+)\\(");
  int found = 0;
  for (std::sregex_iterator i(list.begin(), list.end(), include), end; i != end; ++i) {
    const std::string header = file((*i)[1]);
    for (std::sregex_iterator k(header.begin(), header.end(), builder); k != end; ++k, ++found)
      BOOST_TEST((tried.contains((*k)[1]) || catalog().entries().contains((*k)[1].str())),
                 (*k)[1] << " of " << (*i)[1] << " is not in the table");
  }
  BOOST_TEST(found > 80);
}

BOOST_AUTO_TEST_CASE(operands_are_as_the_user_gave_them) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 4}), i = input(g, "i", i64, {2, 4}), v = input(g, "v", f32, {3});
  const std::pair<std::string, std::string> cases[] = {
      {message([&] { greater(x, i); }),
       "greater: dtypes differ: a f32[2, 4], b i64[2, 4]\n  a: f32[2, 4] from x\n  b: i64[2, 4] from i\n  at HERE\n"
       "  Cast one: cast(b, f32)"},
      {message([&] { return x >= v; }),
       "greater_equal: shapes [2, 4] and [3] do not broadcast: axis -1 is 4 in one and 3 in the other\n"
       "  a: f32[2, 4] from x\n  b: f32[3] from v\n  at HERE\n  Make the sizes equal, or one of them 1"},
      {message([&] { return i > 0.5; }),
       "greater: no i64 is 0.5, but the other operand is i64[2, 4]\n  at HERE\n"
       "  Cast that one to a dtype that holds the number: cast(x, f32)"},
      {message([&] { mean(x, {2}); }),
       "mean: there is no axis 2 in shape [2, 4]\n  x: f32[2, 4] from x\n  at HERE\n  Use -2 to 1"}};
  for (const auto& [said, expected] : cases) BOOST_TEST(said == expected);
}

// An activation of the user's own is not the layer's: its message is its own.
BOOST_AUTO_TEST_CASE(what_the_user_calls_within_a_layer_keeps_its_name) {
  Graph g;
  const Value x = input(g, "x", f32, {2, 4});
  const std::string said = message([&] { dense(x, 4, {.activation = [](Value v) { return sum(v, 3); }}); });
  BOOST_TEST(said.starts_with("sum: there is no axis 3"), said);
}

BOOST_AUTO_TEST_SUITE_END()
