// Digits by a residual network: ResNet-20 (He et al. 2015, https://arxiv.org/abs/1512.03385) on the MNIST sample, whose
// 28x28 images the first convolution halves. Arguments: the folder with the MNIST files, the number of epochs.
#include <oxbow/optim/mnist.h>
#include <oxbow/oxbow.h>

#include <cstdio>
#include <cstdlib>

using namespace oxbow;

static Sequential conv_norm(std::int64_t filters, std::int64_t size, std::int64_t stride) {
  return {Conv2D(filters, {.size = size, .stride = stride, .kernel_init = init::he_normal(), .use_bias = false}),
          BatchNorm()};
}

// Two convolutions beside a shortcut, which is a convolution of single pixels where the shape changes.
static Sequential block(std::int64_t filters, std::int64_t stride) {
  const Layer shortcut = stride > 1 ? Layer(conv_norm(filters, 1, stride)) : Layer();
  const Sequential two{conv_norm(filters, 3, stride), relu, conv_norm(filters, 3, 1)};
  return {Residual(two, {.shortcut = shortcut}), relu};
}

static Model build(Graph& g, std::int64_t steps = 375) {
  const Value x = input(g, "x", f32, {any(64), 784}), label = input(g, "label", i64, {any(64)});
  std::vector<Layer> layers{conv_norm(16, 3, 2), relu};
  for (const std::int64_t filters : {16, 32, 64})
    for (int i = 0; i < 3; ++i) layers.push_back(block(filters, filters > 16 && i == 0 ? 2 : 1));
  layers.insert(layers.end(), {GlobalPool(), Dense(10)});
  const Value logits = Sequential("resnet20", layers)(reshape(x, {-1, 28, 28, 1}));

  const Value loss = cross_entropy(logits, label), right = accuracy(logits, label);
  const optim::Cosine rate{.initial = 3e-3, .steps = steps};
  return compile(loss, optim::Adam{.learning_rate = rate}, {.metrics = {{"accuracy", right}}, .predictions = logits});
}

int main(int argc, char** argv) try {
  const Mnist mnist = load_mnist(argc > 1 ? argv[1] : "tools/data/mnist10k");
  const int epochs = argc > 2 ? std::atoi(argv[2]) : 3;
  Graph g;
  Model model = build(g, epochs * mnist.train.size() / 64);
  model.fit(mnist.train, {.epochs = epochs, .batch_size = 64, .validation = mnist.test, .callbacks = {print_epochs()}});
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
