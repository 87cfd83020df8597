#include "nets.h"

#include <map>

namespace oxbow::tools {
namespace {

std::vector<Value> adam(Value loss) { return optim::minimize(loss, optim::Adam{}).fetches(); }

std::vector<Value> mlp(Graph& g, std::int64_t batch, std::int64_t width) {
  const Value x = input(g, "x", f32, {any(batch), 784}), label = input(g, "label", i64, {any(batch)});
  Value h = dense(x, width, {.activation = relu});
  h = dense(h, width, {.activation = relu});
  return adam(cross_entropy(dense(h, 10), label));
}

std::vector<Value> branches(Graph& g) {
  const Value x = input(g, "x", f32, {64, 64});
  Value total;
  for (int b = 0; b < 64; ++b) {
    const Scope scope(g, "branch" + std::to_string(b));
    Value h = x;
    for (int k = 0; k < 8; ++k) {
      const Value w = parameter(g, "weight" + std::to_string(k), {f32, {64, 64}});
      h = tanh(matmul(h, w));
    }
    total = total ? total + mean(h) : mean(h);
  }
  return adam(total);
}

std::vector<Value> lenet(Graph& g) {
  const Value x = input(g, "x", f32, {any(64), 28, 28, 1}), label = input(g, "label", i64, {any(64)});
  Value h = conv(x, 6, {.size = 5, .activation = relu});
  h = max_pool(h);
  h = conv(h, 16, {.size = 5, .padding = Padding::valid, .activation = relu});
  h = flatten(max_pool(h));
  h = dense(h, 120, {.activation = relu});
  h = dense(h, 84, {.activation = relu});
  return adam(cross_entropy(dense(h, 10), label));
}

std::vector<Value> chain(Graph& g) {
  const Value x0 = input(g, "x", f32, {1 << 20});
  Value x = x0;
  for (int i = 0; i < 16; ++i) x = in_order(g, [&] { return tanh(1.01 * x + 0.5) - x * x; });
  const Value loss = sum(x);
  return {loss, gradients(loss, {x0})[0]};
}

std::vector<Value> micro(Graph& g) {
  const Value x = input(g, "x", f32, {any(1), 10}), y = input(g, "y", f32, {any(1), 1});
  Value h = dense(x, 32, {.activation = relu});
  h = dense(h, 32, {.activation = relu});
  return adam(mean_squared_error(dense(h, 1), y));
}

// The optimizer by itself: ten parameters of a million, with fed gradients.
std::vector<Value> adam_alone(Graph& g) {
  Value loss;
  for (int i = 0; i < 10; ++i) {
    const std::string number = std::to_string(i);
    const Value gradient = input(g, "gradient" + number, f32, {1000, 1000});
    const Value term = sum(parameter(g, "weight" + number, {f32, {1000, 1000}}) * gradient);
    loss = loss ? loss + term : term;
  }
  return optim::minimize(loss, optim::Adam{}).updates;
}

// Characters in, the next ones out.
std::vector<Value> lstm(Graph& g) {
  constexpr std::int64_t steps = 100, batch = 32, letters = 65;
  const Value x = input(g, "x", i64, {batch, steps}), label = input(g, "label", i64, {batch * steps});
  const Sequential net{Embedding(letters, 64), LSTM(256, {.return_sequences = true}), Dense(letters)};
  return adam(cross_entropy(reshape(net(x), {batch * steps, letters}), label));
}

// He et al. 2015, section 4.2 (https://arxiv.org/abs/1512.03385), with a convolution on the shortcuts that change
// shape.
std::vector<Value> resnet20(Graph& g) {
  const Value x = input(g, "x", f32, {any(128), 32, 32, 3}), label = input(g, "label", i64, {any(128)});
  const auto normed = [](Value in, std::int64_t filters, std::int64_t size, std::int64_t stride) {
    return batch_norm(conv(in, filters, {.size = size, .stride = stride, .use_bias = false}));
  };
  Value h = relu(normed(x, 16, 3, 1));
  for (const std::int64_t filters : {16, 32, 64})
    for (int block = 0; block < 3; ++block) {
      const std::int64_t stride = block == 0 && filters > 16 ? 2 : 1;
      const Value shortcut = stride == 1 ? h : normed(h, filters, 1, stride);
      h = relu(normed(relu(normed(h, filters, 3, stride)), filters, 3, 1) + shortcut);
    }
  return adam(cross_entropy(dense(mean(h, {1, 2}), 10), label));
}

// Howard et al. 2017, "MobileNets" (https://arxiv.org/abs/1704.04861), cut down for images of 32x32.
std::vector<Value> mobilenet(Graph& g) {
  const Value x = input(g, "x", f32, {any(64), 32, 32, 3}), label = input(g, "label", i64, {any(64)});
  const auto normed = [](Value v) { return relu(batch_norm(v)); };
  Value h = normed(conv(x, 32, {.use_bias = false}));
  constexpr std::pair<std::int64_t, std::int64_t> blocks[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2},
                                                              {256, 1}, {512, 2}, {512, 1}};
  for (const auto& [filters, stride] : blocks) {
    h = normed(DepthwiseConv2D({.stride = stride, .use_bias = false})(h));
    h = normed(conv(h, filters, {.size = 1, .use_bias = false}));
  }
  return adam(cross_entropy(dense(mean(h, {1, 2}), 10), label));
}

struct Transformer {
  std::int64_t layers, width, heads, length, batch, letters;
  bool tied = false;  // the head's weights are the embedding's
};

Value layer_norm(Value x, const std::string& name) {
  const Scope scope(x.graph(), name);
  const Type each{f32, {x.shape()[-1]}};
  const Value centred = x - mean(x, {-1}, true);
  return centred * rsqrt(mean(square(centred), {-1}, true) + 1e-5) * parameter(x.graph(), "scale", each, init::ones()) +
         parameter(x.graph(), "offset", each, init::zeros());
}

// Each place sees itself and those before it.
Value causal_attention(Value x, const Transformer& t) {
  const auto projected = [&](const char* name) { return dense(x, t.width, {.name = name}); };
  const Value q = projected("query"), k = projected("key"), v = projected("value");
  const Value seen = scaled_dot_product_attention(q, k, v, {.causal = true, .heads = t.heads});
  return dense(seen, t.width, {.name = "projection"});
}

// Radford et al. 2019, "Language models are unsupervised multitask learners", without dropout.
std::vector<Value> transformer(Graph& g, const Transformer& t) {
  const Value x = input(g, "x", i64, {t.batch, t.length}), label = input(g, "label", i64, {t.batch * t.length});
  const Value table = parameter(g, "letters", {f32, {t.letters, t.width}}, init::normal(0, 0.02));
  Value h = gather(table, x) + parameter(g, "places", {f32, {t.length, t.width}}, init::normal(0, 0.02));
  for (std::int64_t l = 0; l < t.layers; ++l) {
    const Scope scope(g, "block" + std::to_string(l));
    h = h + causal_attention(layer_norm(h, "norm0"), t);
    h = h + dense(dense(layer_norm(h, "norm1"), 4 * t.width, {.activation = gelu}), t.width);
  }
  h = layer_norm(h, "norm");
  const Value logits = t.tied ? matmul(h, table, {.transpose_b = true}) : dense(h, t.letters);
  return adam(cross_entropy(reshape(logits, {t.batch * t.length, t.letters}), label));
}

std::vector<Value> gpt(Graph& g) {
  return transformer(g, {.layers = 4, .width = 128, .heads = 4, .length = 64, .batch = 12, .letters = 65});
}
std::vector<Value> gpt2_wide(Graph& g) {
  return transformer(g, {.layers = 2, .width = 768, .heads = 12, .length = 256, .batch = 2, .letters = 65});
}
std::vector<Value> gpt2(Graph& g) {
  return transformer(
      g, {.layers = 12, .width = 768, .heads = 12, .length = 256, .batch = 1, .letters = 50257, .tied = true});
}

// Attention by itself, forward and backward: 12 heads of 64.
template <std::int64_t length, bool causal>
std::vector<Value> attention(Graph& g) {
  const Type each{f32, {length > 256 ? 1 : 4, length, 768}};
  const Value q = input(g, "q", each.dtype, each.shape), k = input(g, "k", each.dtype, each.shape),
              v = input(g, "v", each.dtype, each.shape), dy = input(g, "dy", each.dtype, each.shape);
  const Value y = scaled_dot_product_attention(q, k, v, {.causal = causal, .heads = 12});
  std::vector<Value> fetches = gradients(y, dy, {q, k, v});
  fetches.push_back(y);
  return fetches;
}

constexpr BenchNet nets[] = {
    {"mlp", "784-256-256-10, batch 32, Adam", [](Graph& g) { return mlp(g, 32, 256); }},
    {"branches", "64 branches of 8 times x = tanh(x w), 64x64, Adam", branches},
    {"lenet", "LeNet-5 on 28x28, batch 64, Adam", lenet},
    {"chain", "16 times x = tanh(1.01 x + 0.5) - x x on 2^20 floats, and the gradient of its sum", chain},
    {"micro", "10-32-32-1, batch 1, Adam", micro},
    {"adam", "Adam over ten parameters of 1000x1000, gradients fed", adam_alone},
    {"lstm", "256 units, 100 steps, batch 32, 65 letters, Adam", lstm},
    {"mlp_large", "784-1024-1024-10, batch 1024, Adam", [](Graph& g) { return mlp(g, 1024, 1024); }},
    {"resnet20", "ResNet-20 on 32x32, batch 128, Adam", resnet20},
    {"mobilenet", "MobileNet of seven depthwise separable blocks on 32x32, batch 64, Adam", mobilenet},
    {"gpt", "4 layers, 128 wide, 4 heads, 64 long, batch 12, 65 letters, Adam", gpt},
    {"gpt2_wide", "2 layers of GPT-2 small (768 wide, 12 heads), 256 long, batch 2, 65 letters, Adam", gpt2_wide},
    {"gpt2", "GPT-2 small: 12 layers, 50257 tokens, 256 long, batch 1, Adam", gpt2},
    {"attention_64", "12 heads of 64, 64 long, batch 4, and its gradients", attention<64, false>},
    {"causal_64", "the same, each place seeing itself and those before it", attention<64, true>},
    {"attention_256", "12 heads of 64, 256 long, batch 4, and its gradients", attention<256, false>},
    {"causal_256", "the same, each place seeing itself and those before it", attention<256, true>},
    {"attention_1024", "12 heads of 64, 1024 long, batch 1, and its gradients", attention<1024, false>},
    {"causal_1024", "the same, each place seeing itself and those before it", attention<1024, true>},
    {"attention_2048", "12 heads of 64, 2048 long, batch 1, and its gradients", attention<2048, false>},
    {"causal_2048", "the same, each place seeing itself and those before it", attention<2048, true>},
};

}  // namespace

std::span<const BenchNet> bench_net_list() { return nets; }

std::map<std::string, Tensor> feeds(const Program& program) {
  std::map<std::string, Tensor> out;
  for (const ops::Input& in : program.inputs())
    out[in.name] = draw(in.type.shape, 0, is_float(in.type.dtype) ? 1 : 10, 1 + out.size(), in.type.dtype);
  return out;
}

}  // namespace oxbow::tools
