// Layers as objects: shared, tied and frozen weights, names and scopes, what they refuse, and the summary.
#include <oxbow/graph/passes/evaluate.h>
#include <oxbow/graph/text.h>
#include <oxbow/graph/updates.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"

BOOST_AUTO_TEST_SUITE(test_layers)

using namespace oxbow;
using namespace oxbow::test;

namespace {

std::vector<std::string> names(const std::vector<Value>& values) {
  std::vector<std::string> all;
  for (const Value& v : values) all.push_back(v.node().full_name());
  return all;
}

using Names = std::vector<std::string>;

// As printed, without lines of code.
std::string text(const Graph& g) { return print(g, {.locations = false}); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_layer_called_twice_is_the_graph_written_by_hand) {
  const auto loss_of = [](Value a, Value b) { return sum(square(a - 2 * b)); };
  Graph layers, hand;
  std::vector<std::vector<Value>> fetches;
  Tensors feeds{{"x", draw({5, 7}, -1, 1, 1, f32)}, {"y", draw({9, 7}, -1, 1, 2, f32)}};
  for (Graph* g : {&layers, &hand}) {
    g->set_seed(3);
    const Value x = input(*g, "x", f32, {any(5), 7}), y = input(*g, "y", f32, {any(9), 7});
    Value a, b, kernel, bias;
    if (g == &layers) {
      const Dense encode(4, {.activation = tanh, .bias_init = init::constant(0.5)});
      a = encode(x);
      b = encode(y);
      kernel = encode.kernel();
      bias = encode.bias();
    } else {
      const Scope scope(*g, "dense");
      kernel = parameter(*g, "kernel", {f32, {7, 4}});
      const Value products = matmul(x, kernel);
      bias = parameter(*g, "bias", {f32, {4}}, init::constant(0.5));
      a = tanh(products + bias);
      b = tanh(matmul(y, kernel) + bias);
    }
    const Value loss = loss_of(sum(a, 0), sum(b, 0));
    const std::vector<Value> slopes = gradients(loss, {kernel, bias, x});
    fetches.push_back({a, b, loss, slopes[0], slopes[1], slopes[2]});
  }
  BOOST_TEST(text(layers) == text(hand));
  const std::vector<Tensor> got = on_all_threads(fetches[0], feeds), wanted = on_all_threads(fetches[1], feeds);
  for (std::size_t i = 0; i < wanted.size(); ++i) BOOST_TEST(same_bits(got[i], wanted[i]), i);
}

BOOST_AUTO_TEST_CASE(gradients_of_both_calls_add_up) {
  Graph g;
  const Value x = input(g, "x", f64, {any(3), 4}), y = input(g, "y", f64, {any(2), 4});
  const Dense encode(3, {.activation = tanh});
  const Value a = encode(x), b = encode(y);
  const Value first = gradients(sum(a), {encode.kernel()})[0], second = gradients(sum(b * b), {encode.kernel()})[0];
  const Value both = gradients(sum(a) + sum(b * b), {encode.kernel()})[0];
  const Tensors feeds{{"x", draw({3, 4}, -1, 1, 1)}, {"y", draw({2, 4}, -1, 1, 2)}};
  Store store(g);
  const std::vector<Tensor> t = compile({first, second, both}).run(store, feeds);
  for (int i = 0; i < 12; ++i)
    BOOST_TEST(t[2].data<double>()[i] == t[0].data<double>()[i] + t[1].data<double>()[i],
               boost::test_tools::tolerance(1e-14));
  check_gradients(concat({a, b}), {encode.kernel(), encode.bias(), x, y}, feeds);
}

BOOST_AUTO_TEST_CASE(variables_are_where_the_layer_was_made_or_first_called) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 4});
  std::optional<Dense> here, anywhere;
  {
    const Scope scope(g, "encoder");
    here = Dense(g, 4);
    anywhere = Dense(4);
  }
  BOOST_TEST(here->variables().empty());
  BOOST_TEST(here->name() == "");
  {
    const Scope scope(g, "decoder");
    (*anywhere)(x);
    (*here)(x);
    const Value again = (*here)(x);
    BOOST_TEST(again.node().origin().scope.str() == "encoder/dense");
    BOOST_TEST((Dense(4)(again), Dense(4, {.name = "head"})(again)).node().origin().scope.str() == "decoder/head");
  }
  BOOST_TEST(names(variables(g)) ==
                 (Names{"decoder/dense/kernel", "decoder/dense/bias", "encoder/dense/kernel", "encoder/dense/bias",
                        "decoder/dense_1/kernel", "decoder/dense_1/bias", "decoder/head/kernel", "decoder/head/bias"}),
             boost::test_tools::per_element());
  BOOST_TEST(here->name() == "encoder/dense");
  BOOST_TEST(here->parameter_count() == 20);
  const Layer copy = *here;
  BOOST_TEST(copy.variables()[0].same(here->kernel()));
  BOOST_TEST(copy.kind() == "Dense");
}

BOOST_AUTO_TEST_CASE(a_layer_outlasts_what_gives_nodes_other_numbers) {
  Graph g;
  const Value x = input(g, "x", f64, {any(2), 3});
  const Dense inner(3, {.activation = tanh});
  const Value y = in_order(g, [&] { return inner(x) * inner(inner(x)) + x; });
  const Value z = repeat(3, y, [&](Value h) { return inner(h); }, {.name = "deep"});
  const Dense made_inside(3);
  const Value w = repeat(2, z, [&](Value h) { return made_inside(h); });
  const Value v = made_inside(w);
  BOOST_TEST(names(variables(g)) == (Names{"dense/kernel", "dense/bias", "repeat/dense/kernel", "repeat/dense/bias"}),
             boost::test_tools::per_element());
  check_gradients(v, {inner.kernel(), inner.bias(), made_inside.kernel(), made_inside.bias(), x},
                  {{"x", draw({2, 3}, -1, 1, 1)}});
}

BOOST_AUTO_TEST_CASE(a_tied_layer_has_the_transposed_kernel) {
  Graph g;
  const Value x = input(g, "x", f64, {any(4), 6}), ids = input(g, "ids", i64, {any(4)});
  const Dense encode(3, {.activation = tanh});
  const Dense decode(6, {.transpose_of = encode});
  const Value h = encode(x), y = decode(h);
  const Embedding words(5, 3, {.dtype = f64});
  const Value logits = Dense(5, {.use_bias = false, .transpose_of = words})(words(ids) + h);
  BOOST_TEST(names(variables(g)) == (Names{"dense/kernel", "dense/bias", "dense_1/bias", "embedding/embeddings"}),
             boost::test_tools::per_element());
  BOOST_TEST(decode.parameter_count() == 6);
  const Value by_hand = matmul(h, transpose(encode.kernel())) + decode.bias();
  const Value by_hand_too = matmul(gather(words.embeddings(), ids) + h, words.embeddings(), {.transpose_b = true});
  const Tensors feeds{{"x", draw({4, 6}, -1, 1, 1)}, {"ids", Tensor::of<std::int64_t>({4}, {0, 4, 2, 0})}};
  const std::vector<Tensor> t = on_all_threads({y, by_hand, logits, by_hand_too}, feeds);
  for (std::int64_t i = 0; i < t[0].count(); ++i)
    BOOST_TEST(t[0].data<double>()[i] == t[1].data<double>()[i], boost::test_tools::tolerance(1e-13));
  BOOST_TEST(same_bits(t[2], t[3]));
  check_gradients(concat({y, logits}, 1), {encode.kernel(), encode.bias(), decode.bias(), words.embeddings(), x},
                  feeds);

  const Dense early(6, {.transpose_of = Dense(3)}), narrow(5, {.transpose_of = encode});
  BOOST_TEST(
      message([&] { early(h); }) ==
      "dense: the layer that it is the transpose of was not called yet\n  x: f64[4, 3] from dense/tanh_6\n  at HERE\n"
      "  Call a Dense layer or an Embedding, then the one that is tied to it");
  BOOST_TEST(
      has(message([&] { narrow(h); }), "\"dense/kernel\" is f64[6, 3], not the transpose of a kernel f64[3, 5]"));
}

BOOST_AUTO_TEST_CASE(frozen_layers_are_not_trained) {
  Graph g;
  const Value x = input(g, "x", f64, {any(4), 3});
  const Sequential body{Dense(3), BatchNorm({.epsilon = 1e-3}), Dense(2)};
  const Layer frozen = body.freeze();
  const Value y = Dense(1)(frozen(x));
  Dense(3, {.trainable = false})(x);
  BOOST_TEST(names(variables(g)) == (Names{"dense_2/kernel", "dense_2/bias"}), boost::test_tools::per_element());
  BOOST_TEST(variables(g, false).size() == 12u);
  BOOST_TEST(body.variables().size() == 8u);
  BOOST_TEST(body.parameters().empty());
  BOOST_TEST(g.updates().empty());
  body.freeze();  // as it is
  // It takes the running statistics in training, too.
  const Tensors feeds{{"x", draw({4, 3}, -1, 1, 1)}};
  Store store(g);
  const Tensor trained = compile({y}).run(store, feeds)[0];
  BOOST_TEST(same_bits(trained, compile({y}, {.mode = Mode::inference}).run(store, feeds)[0]));
}

BOOST_AUTO_TEST_CASE(what_is_too_late_to_freeze_freezes_nothing) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3});
  const Dense early(3), late(3);
  const Location first = At::current();
  late(x);
  const Sequential net{early, late};
  BOOST_TEST(message([&] { net.freeze(); }) ==
             "dense: it is too late to freeze \"dense\", whose variables were made at " + std::string(first.file) +
                 ":" + std::to_string(first.line + 1) +
                 "\n  Freeze a layer before its first call. What is to be trained at other times belongs to a group of "
                 "the optimizer: {.pattern = \"dense/*\", .frozen = true}");
  net(x);
  BOOST_TEST(names(variables(g)) == (Names{"dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(layers_that_functions_call_are_in_their_layer) {
  const auto net_of = [](const Dense& a, const Dense& b, const Dense& c) {
    return Sequential{[=](Value v) {
                        const Value first = a(v), gate = sigmoid(b(v));
                        return first * gate + a(v);
                      },
                      Dense(3, {.activation = [=](Value v) { return tanh(c(v)); }}), relu};
  };
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3});
  const Dense a(3), b(3), c(3, {.use_bias = false});
  const Sequential net = net_of(a, b, c);
  BOOST_TEST(net.variables().empty());
  net(x);
  net(x);
  BOOST_TEST(names(net.variables()) == (Names{"dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias",
                                              "dense_2/kernel", "dense_2/bias", "dense_2/dense/kernel"}),
             boost::test_tools::per_element());
  BOOST_TEST(net.parameter_count() == 3 * 12 + 9);
  BOOST_TEST(summary(net) ==
             "Layer (kind)     Output     Parameters\n"
             "======================================\n"
             "dense (Dense)    f32[4, 3]          12\n"
             "dense_1 (Dense)  f32[4, 3]          12\n"
             "(Lambda)         f32[4, 3]           0\n"
             "dense_2 (Dense)  f32[4, 3]          21\n"
             "(Lambda)         f32[4, 3]           0\n"
             "======================================\n"
             "Parameters: 45, trainable 45, not trainable 0\n");

  // What a frozen function calls is frozen, also what it makes.
  Graph other;
  const Value y = input(other, "x", f32, {any(4), 3});
  const Dense d(3), e(3), f(3), trained(3);
  Sequential{net_of(d, e, f), [](Value v) { return BatchNorm()(dense(v, 2)); }}.freeze()(y);
  BOOST_TEST(variables(other).empty());
  BOOST_TEST(variables(other, false).size() == 14u);
  BOOST_TEST(other.updates().empty());
  trained(y);
  const Layer late = Lambda([=](Value v) { return trained(v); }).freeze();
  BOOST_TEST(has(message([&] { late(y); }), "dense: it is too late to freeze \"dense_"), message([&] { late(y); }));
  // A function that calls its own layer does not hold itself.
  Layer deep;
  int depth = 0;
  deep = Lambda([&](Value v) { return ++depth < 3 ? deep(d(v)) : v; });
  deep(y);
  BOOST_TEST(deep.variables().size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_refused_call_leaves_nothing_behind) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3}), wide = input(g, "wide", f32, {any(4), 5}),
              words = input(g, "words", f32, {any(4), 7, 6}), state = input(g, "state", f32, {any(4), 9}),
              image = input(g, "image", f32, {any(1), 4, 4, 3});
  const NodeId size = g.size();
  const std::int64_t stream = g.peek_stream();
  const LSTM lstm(4);
  const MultiHeadAttention attend(2, 3);
  const TransformerBlock block(2, {.dropout = 0.5});
  const Conv2D window(2, {.size = 9, .padding = Padding::valid});
  const BatchNorm norm;
  const Lambda twice([=](Value v) { return lstm(words) + norm(v) + dropout(v, 0.5) + matmul(v, v); });
  const std::function<void()> refused[] = {[&] {
                                             lstm.run(words, {state, state});
                                           },
                                           [&] { attend(words, {.mask = x}); },
                                           [&] { block(words, {.key_mask = x}); },
                                           [&] { window(image); },
                                           [&] { Dense(3, {.activation = [&](Value v) { return v + wide; }})(x); },
                                           [&] {
                                             Sequential{norm, [&](Value v) { return v + wide; }}(x);
                                           },
                                           [&] { twice(x); }};
  for (const auto& call : refused) {
    BOOST_TEST(message(call) != "no error");
    BOOST_TEST(g.size() == size);
    BOOST_TEST(g.peek_stream() == stream);
    BOOST_TEST(g.updates().empty());
  }
  for (const Layer& l : {Layer(lstm), Layer(attend), Layer(block), Layer(norm), Layer(twice)}) {
    BOOST_TEST(l.name() == "");
    BOOST_TEST(l.variables().empty());
  }
  // The next call is the first: of other widths, and with an update.
  const Value narrow = slice(words, -1, 0, 4);
  BOOST_TEST(to_string(attend(narrow).type()) == "f32[4, 7, 4]");
  BOOST_TEST(to_string(block(narrow).type()) == "f32[4, 7, 4]");
  lstm(narrow);
  norm(wide);
  BOOST_TEST(norm.name() == "batch_norm");
  BOOST_TEST(g.updates().size() == 3u);  // the generator's too
}

BOOST_AUTO_TEST_CASE(what_a_failed_body_made_is_made_anew) {
  Graph g;
  const Value x = input(g, "x", f32, {any(4), 3});
  const Dense inner(3), taken(3);
  const BatchNorm norm;
  const Sequential net{inner, norm};
  BOOST_TEST(has(message([&] {
                   cond(
                       sum(x) > 0.0, [&] { return net(x); }, [&] { return x; });
                 }),
                 "adds an update of cond/batch_norm/running_mean"));
  taken(x);
  BOOST_TEST(taken.name() == "dense");
  net(x);
  BOOST_TEST(names(net.variables()) == (Names{"dense_1/kernel", "dense_1/bias", "batch_norm/scale", "batch_norm/offset",
                                              "batch_norm/running_mean", "batch_norm/running_variance"}),
             boost::test_tools::per_element());
  BOOST_TEST(g.updates().size() == 2u);
  // The same scope, taken by another layer since: the weights are not shared.
  const Dense lost(3), other(3);
  const auto fails = [&](Value v) -> Value {
    lost(v);
    throw Error("no");
  };
  BOOST_CHECK_THROW(repeat(2, x, fails), Error);
  {
    const Scope scope(g, "repeat");
    other(x);
  }
  BOOST_TEST(other.name() == "repeat/dense");
  BOOST_TEST(lost.variables().empty());
  lost(x);
  BOOST_TEST(lost.name() == "dense_2");
}

BOOST_AUTO_TEST_CASE(a_batch_norm_called_several_times_updates_by_the_calls_that_count) {
  Graph g;
  const Value inputs[] = {input(g, "x", f64, {any(4), 2}), input(g, "y", f64, {any(3), 2}),
                          input(g, "z", f64, {any(5), 2})};
  const BatchNorm norm({.momentum = 0.75, .epsilon = 1e-3});
  std::vector<Value> results;
  for (const Value& in : inputs) results.push_back(norm(in));
  BOOST_TEST(norm.parameter_count() == 8);
  BOOST_TEST(names(norm.parameters()) == (Names{"batch_norm/scale", "batch_norm/offset"}),
             boost::test_tools::per_element());
  const Tensors feeds{{"x", draw({4, 2}, -1, 1, 1)}, {"y", draw({3, 2}, 1, 3, 2)}, {"z", draw({5, 2}, -4, 3, 3)}};
  const auto moments_of = [](const Tensor& v, int column) {
    double mean = 0, variance = 0;
    const double n = static_cast<double>(v.count()) / 2;
    for (std::int64_t i = column; i < v.count(); i += 2) mean += v.data<double>()[i] / n;
    for (std::int64_t i = column; i < v.count(); i += 2) variance += std::pow(v.data<double>()[i] - mean, 2) / n;
    return std::pair(mean, variance);
  };
  // Every set of calls, which needs what is fed to these alone.
  for (int set = 1; set < 8; ++set) {
    std::vector<Value> fetches;
    Tensors fed;
    double wanted[2][2] = {{0, 0}, {1, 1}};
    for (int k = 0; k < 3; ++k) {
      if ((set >> k & 1) == 0) continue;
      const std::string name = inputs[k].node().name();
      fetches.push_back(results[static_cast<std::size_t>(k)]);
      fed.emplace(name, feeds.at(name));
      for (const int column : {0, 1}) {
        const auto [mean, variance] = moments_of(feeds.at(name), column);
        wanted[0][column] = 0.75 * wanted[0][column] + 0.25 * mean;
        wanted[1][column] = 0.75 * wanted[1][column] + 0.25 * variance;
      }
    }
    const std::vector<Value> updates = updates_of(fetches);
    BOOST_TEST_REQUIRE(updates.size() == 2u);
    fetches.insert(fetches.end(), updates.begin(), updates.end());
    Store store(g);
    const std::vector<Tensor> t = compile(fetches).run(store, fed);
    for (const int column : {0, 1}) {
      BOOST_TEST(std::abs(moments_of(t[0], column).first) < 1e-14);  // by its own batch
      BOOST_TEST(store.get("batch_norm/running_mean").data<double>()[column] == wanted[0][column],
                 boost::test_tools::tolerance(1e-13));
      BOOST_TEST(store.get("batch_norm/running_variance").data<double>()[column] == wanted[1][column],
                 boost::test_tools::tolerance(1e-13));
    }
  }
  BOOST_TEST(updates_of(inputs[0]).empty());
  BOOST_TEST(updates_of(norm.variable("scale")).empty());
  BOOST_TEST(updates_of(results)[0].same(last_updates(g)[0]));
  BOOST_TEST(last_updates(g).size() == 2u);
  check_gradients(concat(results), {norm.variable("scale"), norm.variable("offset"), inputs[0], inputs[2]}, feeds);
}

BOOST_AUTO_TEST_CASE(sequential_residual_and_functions) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 4, 4, 3});
  const Sequential net{
      Conv2D(4, {.size = 3, .activation = relu}),
      Residual{BatchNorm(), relu, Conv2D(4)},
      Residual(Conv2D(6, {.stride = 2}), {.shortcut = Conv2D(6, {.size = 1, .stride = 2})}),
      [](Value v) { return max_pool(v); },
      flatten,
      Dropout(0.25),
      Sequential("head", {Dense(5, {.activation = tanh}), Dense(3)}),
  };
  const Value y = net(x);
  BOOST_TEST(to_string(y.type()) == "f32[2, 3]");
  const Names wanted{"conv/kernel",         "conv/bias",        "batch_norm/scale",  "batch_norm/offset",
                     "conv_1/kernel",       "conv_1/bias",      "conv_2/kernel",     "conv_2/bias",
                     "conv_3/kernel",       "conv_3/bias",      "head/dense/kernel", "head/dense/bias",
                     "head/dense_1/kernel", "head/dense_1/bias"};
  BOOST_TEST(names(variables(g)) == wanted, boost::test_tools::per_element());
  BOOST_TEST(net.variables().size() == 16u);
  const NodeId before = g.size();
  net(x);
  BOOST_TEST(variables(g).size() == 14u);
  for (NodeId id = before; id < g.size(); ++id) BOOST_TEST(!g.node(id).op().is<ops::Variable>());
  BOOST_TEST(Sequential{}(x).same(x));
  const Value pooled = GlobalPool()(x), largest = GlobalPool(GlobalPool::max)(x);
  const Tensors feeds{{"x", draw({2, 4, 4, 3}, -1, 1, 1, f32)}};
  const std::vector<Tensor> t = on_all_threads({pooled, largest, mean(x, {1, 2}), max(x, {1, 2})}, feeds);
  BOOST_TEST(same_bits(t[0], t[2]));
  BOOST_TEST(same_bits(t[1], t[3]));
  const Residual block{Conv2D(3)}, again{block}, longer{relu, block, relu};
  BOOST_TEST(block(x).node().op().name() == "add");
  BOOST_TEST(again.variables()[0].same(block.variables()[0]));
  const NodeId first = g.size();
  again(x);
  BOOST_TEST(g.size() - first == 3);  // products, bias, sum: x is added once
  BOOST_TEST(longer(x).node().input(1).node().op().name() == "relu");
  BOOST_TEST(message([&] { Residual(Dense(5))(x); }) ==
             "residual: its layer gives f32[2, 4, 4, 5] and the shortcut f32[2, 4, 4, 3]\n  x: f32[2, 4, 4, 3] from x\n"
             "  at HERE\n  Give a .shortcut that changes the shape in the same way, such as Dense or Conv2D");
  BOOST_TEST(has(message([&] { Sequential{Dense(2), Layer()}(x); }), "sequential: layer 1 is empty"));
}

BOOST_AUTO_TEST_CASE(whatever_takes_a_value_is_an_activation) {
  struct Scaled {
    double by;
    Value operator()(Value v, At at = At::current()) const { return multiply(v, by, at); }
  };
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 3});
  const LayerNorm norm;
  const Activation none, activations[] = {relu, Scaled{2}, norm, [](Value v) { return v * v; },
                                          [](Value v, At at) { return tanh(v, at); }};
  BOOST_TEST(none(x).same(x));
  BOOST_TEST(Layer(none)(x).same(x));
  const char* ops[] = {"relu", "multiply", "add", "multiply", "tanh"};
  for (int i = 0; i < 5; ++i) {
    const Dense dense(3, {.activation = activations[i]});
    BOOST_TEST(dense(x).node().op().name() == ops[i]);
    BOOST_TEST(dense.variables().size() == (i == 2 ? 4u : 2u));
    BOOST_TEST(Layer(activations[i])(x).node().op().name() == ops[i]);
  }
  BOOST_TEST(Sequential{Scaled{3}}(x).node().op().name() == "multiply");
}

BOOST_AUTO_TEST_CASE(the_short_forms_are_the_layers) {
  Graph a, b;
  const auto images = [](Graph& g) { return input(g, "x", f32, {any(2), 6, 6, 3}); };
  Value x = images(a);
  dense(dropout(flatten(batch_norm(conv(x, 4, {.activation = relu, .name = "first"}))), 0.5), 3);
  x = images(b);
  Sequential{Conv2D(4, {.activation = relu, .name = "first"}), BatchNorm(), flatten, Dropout(0.5), Dense(3)}(x);
  BOOST_TEST(text(a) == text(b));
}

// Where a graph was, another one may be.
BOOST_AUTO_TEST_CASE(a_layer_is_of_one_graph_also_when_that_is_gone) {
  const Dense encode(3);
  const Lambda function([](Value v) { return dense(v, 3); });  // has no variables of its own
  std::optional<Graph> g;
  for (int epoch = 0; epoch < 3; ++epoch) {
    g.emplace();
    const Value x = input(*g, "x", f32, {any(4), 10});
    function(x);
    BOOST_TEST_REQUIRE(function.variables().size() == 2u);
    BOOST_TEST((&function.variables()[0].graph() == &*g));
    if (epoch == 0) {
      encode(x);
      continue;
    }
    BOOST_TEST(has(message([&] { encode(x); }), "dense: x is of another graph than this layer's at "));
    BOOST_TEST(has(message([&] { Dense(10, {.transpose_of = encode})(slice(x, 1, 0, 3)); }),
                   "dense: the layer that it is the transpose of is in another graph"));
    BOOST_TEST(variables(*g).size() == 2u);
  }
}

BOOST_AUTO_TEST_CASE(what_layers_refuse) {
  Graph g, other;
  const Value x = input(g, "x", f32, {any(4), 10}), wide = input(g, "wide", f32, {any(4), 12});
  const Value elsewhere = input(other, "x", f32, {any(4), 10});
  const Dense encode(3);
  BOOST_TEST(message([&] { encode.kernel(); }) ==
             "dense: its variables are made at its first call\n  Call it before you ask for \"kernel\"");
  const Location first = At::current();
  encode(x);
  BOOST_TEST(message([&] { encode(wide); }) ==
             "dense: its kernel is f32[10, 3], but x needs f32[12, 3]\n  x: f32[4, 12] from wide\n  at HERE\n"
             "  Give what fits its first call at " +
                 std::string(first.file) + ":" + std::to_string(first.line + 1) + ", or make another layer");
  BOOST_TEST(has(message([&] { encode(elsewhere); }), "dense: x is of another graph than this layer's at "));
  BOOST_TEST(has(message([&] { encode(cast(x, f64)); }), "its kernel is f32[10, 3], but x needs f64[10, 3]"));
  BOOST_TEST(message([&] { encode.variable("kernal"); }) ==
             "dense \"dense\": there is no variable \"kernal\". Did you mean \"kernel\"? Known are: kernel, bias");
  BOOST_TEST(has(message([&] { Dense(0)(x); }), "dense: it cannot have 0 units\n  x: f32[4, 10] from x\n  at HERE"));
  BOOST_TEST(has(message([&] { Dense(3, {.name = "dense"})(x); }), "dense: the name \"dense/kernel\" is taken at "));
  BOOST_TEST(has(message([&] { Embedding(3, 2)(x); }), "embedding: x is not of integers"));
  BOOST_TEST(has(message([&] { GroupNorm(3)(x); }), "group_norm: 3 groups do not divide 10 channels"));
  BOOST_TEST(has(message([&] { LayerNorm({.epsilon = 0})(x); }), "layer_norm: epsilon 0 is not positive"));
  BOOST_TEST(has(message([&] { Layer()(x); }), "the layer is empty"));
  BOOST_TEST(has(message([&] { Dense(3)(Value()); }), "dense: x is an empty Value"));
  const Conv2D conv_layer(4);
  BOOST_TEST(has(message([&] { conv_layer(x); }), "conv: x has 2 axes, fewer than 4"));
  BOOST_TEST(conv_layer.name() == "");
  BOOST_TEST(variables(g).size() == 2u);  // what was refused made nothing
}

BOOST_AUTO_TEST_CASE(norms_agree_with_plain_loops) {
  const int n = 3, rows = 2, c = 6, groups = 2;
  Graph g;
  const Value x = input(g, "x", f64, {any(n), rows, c});
  const LayerNorm layer({.epsilon = 0.1});
  const RMSNorm rms({.epsilon = 0.1});
  const GroupNorm group(groups, {.epsilon = 0.1});
  const std::vector<Value> y{layer(x), rms(x), group(x)};
  const Tensor at = draw({n, rows, c}, -1, 3, 5);
  Store store(g);
  std::vector<Value> all;
  for (const Layer& l : {Layer(layer), Layer(rms), Layer(group)})
    for (const Value& v : l.variables()) {
      store.set(v.node().full_name(), draw({c}, 0.5, 2, static_cast<std::uint64_t>(all.size())));
      all.push_back(v);
    }
  BOOST_TEST(names(all) == (Names{"layer_norm/scale", "layer_norm/offset", "rms_norm/scale", "group_norm/scale",
                                  "group_norm/offset"}),
             boost::test_tools::per_element());
  const std::vector<Tensor> t = compile(y).run(store, {{"x", at}});
  const auto of = [&](const char* name, int k) { return store.get(name).data<double>()[k]; };
  for (int i = 0; i < n; ++i)
    for (int r = 0; r < rows; ++r)
      for (int k = 0; k < c; ++k) {
        const auto element = [&](int row, int channel) { return at.data<double>()[(i * rows + row) * c + channel]; };
        double mean = 0, squares = 0, group_mean = 0, variance = 0, group_variance = 0;
        const int first = k / 3 * 3;
        for (int j = 0; j < c; ++j) mean += element(r, j) / c, squares += element(r, j) * element(r, j) / c;
        for (int j = 0; j < c; ++j) variance += (element(r, j) - mean) * (element(r, j) - mean) / c;
        for (int s = 0; s < rows; ++s)
          for (int j = first; j < first + 3; ++j) group_mean += element(s, j) / 6;
        for (int s = 0; s < rows; ++s)
          for (int j = first; j < first + 3; ++j)
            group_variance += (element(s, j) - group_mean) * (element(s, j) - group_mean) / 6;
        const double e = element(r, k);
        const double wanted[] = {
            of("layer_norm/scale", k) * (e - mean) / std::sqrt(variance + 0.1) + of("layer_norm/offset", k),
            of("rms_norm/scale", k) * e / std::sqrt(squares + 0.1),
            of("group_norm/scale", k) * (e - group_mean) / std::sqrt(group_variance + 0.1) +
                of("group_norm/offset", k)};
        for (std::size_t l = 0; l < 3; ++l)
          BOOST_TEST(t[l].data<double>()[(i * rows + r) * c + k] == wanted[l], boost::test_tools::tolerance(1e-12));
      }
  all.push_back(x);
  check_gradients(concat(y), all, {{"x", at}});
  const Tensor other_batch = draw({5, rows, c}, -1, 3, 6);
  on_all_threads(y, {{"x", other_batch}});
}

// Deviations whose squares are beyond f16; the same layers in double are what is rounded once.
BOOST_AUTO_TEST_CASE(norms_of_halves_are_rounded_once) {
  for (const DType dtype : {f16, bf16}) {
    const int n = 4, c = 6;
    Tensor at({f64, {n, 2, c}});
    for (std::int64_t i = 0; i < at.count(); ++i) at.data<double>()[i] = static_cast<double>((i * 37 % 64 - 30) * 64);
    std::vector<std::vector<Tensor>> got;
    for (const DType d : {f64, dtype}) {
      Graph g;
      const Value given = input(g, "x", f64, {any(n), 2, c}), x = cast(given, d);
      std::vector<Value> fetches;
      for (const Layer& norm : {Layer(LayerNorm()), Layer(RMSNorm()), Layer(GroupNorm(2)), Layer(BatchNorm())}) {
        const Value y = norm(x);
        BOOST_TEST((y.dtype() == d));
        fetches.push_back(cast(y, f64));
        fetches.push_back(cast(gradients(sum(y * y * y), {norm.variable("scale")})[0], f64));
      }
      for (const Value& u : g.updates()) fetches.push_back(cast(u.node().input(1), f64));
      got.push_back(on_all_threads(fetches, {{"x", at}}));
    }
    const double once = dtype == f16 ? 0x1p-11 : 0x1p-8;
    for (std::size_t k = 0; k < got[0].size(); ++k)
      for (std::int64_t i = 0; i < got[0][k].count(); ++i) {
        const double wanted = got[0][k].data<double>()[i], is = got[1][k].data<double>()[i];
        const bool is_slope = k < 8 && k % 2 == 1;  // a sum of products of rounded values
        const double off = is_slope ? 20 * once : once, least = is_slope ? 10 : 1e-3;
        BOOST_TEST(
            std::abs(is - wanted) <= off * std::max(least, std::abs(wanted)) * 1.001,
            "value " << k << "[" << i << "] of " << to_string(Type{dtype, {}}) << ": " << is << ", not " << wanted);
      }
  }
}

BOOST_AUTO_TEST_CASE(an_embedding_looks_rows_up) {
  Graph g;
  const Value ids = input(g, "ids", i32, {any(2), 2});
  const Embedding words(3, 2, {.dtype = f64});
  const Value y = words(ids);
  const Tensors feeds{{"ids", Tensor::of<std::int32_t>({2, 2}, {2, 0, 0, 2})}};
  Store store(g);
  const Tensor t = compile({y}).run(store, feeds)[0], table = store.get("embedding/embeddings");
  BOOST_TEST(to_string(t.type()) == "f64[2, 2, 2]");
  const int rows[] = {2, 0, 0, 2};
  for (int i = 0; i < 8; ++i) BOOST_TEST(t.data<double>()[i] == table.data<double>()[rows[i / 2] * 2 + i % 2]);
  for (const double v : table.span<double>()) BOOST_TEST(std::abs(v) < 0.05);
  check_gradients(y, {words.embeddings()}, feeds);
}

BOOST_AUTO_TEST_CASE(the_summary_of_a_network_and_of_a_graph) {
  Graph g;
  const Value x = input(g, "x", f32, {any(32), 784});
  const Sequential net{Dense(256, {.activation = relu, .name = "first"}), BatchNorm(), Dropout(0.2), Dense(10)};
  BOOST_TEST(message([&] { summary(net); }) ==
             "summary: a layer (Dense) was not called, so that its shapes are not known\n  Call the network on an "
             "input first");
  net(x);
  BOOST_TEST(summary(net) ==
             "Layer (kind)            Output        Parameters\n"
             "================================================\n"
             "first (Dense)           f32[32, 256]     200,960\n"
             "batch_norm (BatchNorm)  f32[32, 256]       1,024\n"
             "(Dropout)               f32[32, 256]           0\n"
             "dense (Dense)           f32[32, 10]        2,570\n"
             "================================================\n"
             "Parameters: 204,554, trainable 204,042, not trainable 512\n");
  BOOST_TEST(summary(g) ==
             "Layer (kind)            Output        Parameters\n"
             "================================================\n"
             "first (Dense)           f32[32, 256]     200,960\n"
             "batch_norm (BatchNorm)  f32[32, 256]       1,024\n"
             "dense (Dense)           f32[32, 10]        2,570\n"
             "================================================\n"
             "Parameters: 204,554, trainable 204,042, not trainable 512\n"
             "State of optimizers and generators: 2\n");
}

BOOST_AUTO_TEST_CASE(a_summary_knows_layers_by_their_variables) {
  Graph g;
  const Value x = input(g, "x", f32, {any(2), 6, 6, 4}), ids = input(g, "ids", i64, {any(2)});
  Value h = Conv2D(8, {.name = "a"})(x);
  h = GroupNorm(2, {.name = "b"})(h);
  h = LayerNorm({.name = "c"})(h);
  h = RMSNorm({.name = "d"})(h);
  h = BatchNorm({.name = "e"})(h);
  Embedding(3, 5, {.name = "f"})(ids);
  const Value steps = reshape(h, {0, 36, 8});
  SimpleRNN(3, {.name = "g"})(steps);
  GRU(3, {.name = "h"})(steps);
  LSTM(3, {.name = "i"})(steps);
  parameter(g, "mine", {f32, {1234, 1000}});
  BOOST_TEST(summary(g) ==
             "Layer (kind)   Output           Parameters\n"
             "==========================================\n"
             "a (Conv2D)     f32[2, 6, 6, 8]         296\n"
             "b (GroupNorm)  f32[2, 6, 6, 8]          16\n"
             "c (LayerNorm)  f32[2, 6, 6, 8]          16\n"
             "d (RMSNorm)    f32[2, 6, 6, 8]           8\n"
             "e (BatchNorm)  f32[2, 6, 6, 8]          32\n"
             "f (Embedding)  f32[2, 5]                15\n"
             "g (SimpleRNN)  f32[2, 3]                36\n"
             "h (GRU)        f32[2, 3]               117\n"
             "i (LSTM)       f32[2, 3]               144\n"
             "(no scope)                       1,234,000\n"
             "==========================================\n"
             "Parameters: 1,234,680, trainable 1,234,664, not trainable 16\n");
}

BOOST_AUTO_TEST_SUITE_END()
