// Digits by a residual network: ResNet-20 (He et al. 2015, https://arxiv.org/abs/1512.03385) on the MNIST sample, whose
// 28x28 images the first convolution halves, and which training sees moved. With `depthwise` each channel has kernels
// of its own (Chollet 2017, https://arxiv.org/abs/1610.02357). Arguments: the folder with the MNIST files, the number
// of epochs, `depthwise`.
#include <oxbow/optim/mnist.h>
#include <oxbow/oxbow.h>

#include <cstdio>
#include <cstdlib>

using namespace oxbow;

struct Kind {
  bool depthwise = false;

  Sequential conv_norm(std::int64_t filters, std::int64_t size, std::int64_t stride) const {
    const auto start = init::he_normal();
    if (depthwise && size > 1)
      return {DepthwiseConv2D({.size = size, .stride = stride, .kernel_init = start, .use_bias = false}),
              conv_norm(filters, 1, 1)};
    return {Conv2D(filters, {.size = size, .stride = stride, .kernel_init = start, .use_bias = false}), BatchNorm()};
  }

  // Two convolutions beside a shortcut, which is a convolution of single pixels where the shape changes.
  Sequential block(std::int64_t filters, std::int64_t stride) const {
    const Layer shortcut = stride > 1 ? Layer(conv_norm(filters, 1, stride)) : Layer();
    const Sequential two{conv_norm(filters, 3, stride), relu, conv_norm(filters, 3, 1)};
    return {Residual(two, {.shortcut = shortcut}), relu};
  }
};

static Model build(Graph& g, std::int64_t steps = 375, Kind kind = {}) {
  const Value x = input(g, "x", f32, {any(64), 28, 28, 1}), label = input(g, "label", i64, {any(64)});
  std::vector<Layer> layers{Kind{}.conv_norm(16, 3, 2), relu};
  for (const std::int64_t filters : {16, 32, 64})
    for (int i = 0; i < 3; ++i) layers.push_back(kind.block(filters, filters > 16 && i == 0 ? 2 : 1));
  layers.insert(layers.end(), {GlobalPool(), Dense(10)});
  const Value logits = Sequential("resnet20", layers)(x);

  const Value loss = cross_entropy(logits, label), right = accuracy(logits, label);
  const optim::Cosine rate{.initial = 3e-3, .steps = steps};
  return compile(loss, optim::Adam{.learning_rate = rate}, {.metrics = {{"accuracy", right}}, .predictions = logits});
}

int main(int argc, char** argv) try {
  const Mnist mnist = load_mnist(argc > 1 ? argv[1] : "tools/data/mnist10k", {.images = true});
  const int epochs = argc > 2 ? std::atoi(argv[2]) : 3;
  Graph g;
  Model model = build(g, epochs * mnist.train.size() / 64, {.depthwise = argc > 3});
  const Dataset moved = mnist.train.map("x", augment({.shift = 2}));
  model.fit(moved, {.epochs = epochs, .batch_size = 64, .validation = mnist.test, .callbacks = {print_epochs()}});
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
