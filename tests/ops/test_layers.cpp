// Layers as objects, whatever their kind: shared weights, names and scopes, short forms, and what they refuse.
#include <oxbow/graph/text.h>
#include <oxbow/ops/ops.h>
#include <oxbow/runtime/program.h>

#include <boost/test/unit_test.hpp>
#include <optional>

#include "support/gradient_check.h"
#include "support/has.h"
#include "support/message.h"
#include "support/names.h"

BOOST_AUTO_TEST_SUITE(test_layers)

using namespace oxbow;
using namespace oxbow::test;

namespace {

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
  BOOST_TEST(names(variables(g)) == (NameList{"decoder/dense/kernel", "decoder/dense/bias", "encoder/dense/kernel",
                                              "encoder/dense/bias", "decoder/dense_1/kernel", "decoder/dense_1/bias",
                                              "decoder/head/kernel", "decoder/head/bias"}),
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
  BOOST_TEST(
      names(variables(g)) == (NameList{"dense/kernel", "dense/bias", "repeat/dense/kernel", "repeat/dense/bias"}),
      boost::test_tools::per_element());
  check_gradients(v, {inner.kernel(), inner.bias(), made_inside.kernel(), made_inside.bias(), x},
                  {{"x", draw({2, 3}, -1, 1, 1)}});
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
  BOOST_TEST(
      names(net.variables()) == (NameList{"dense_1/kernel", "dense_1/bias", "batch_norm/scale", "batch_norm/offset",
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

BOOST_AUTO_TEST_SUITE_END()
