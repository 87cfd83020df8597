// Parameters from PyTorch, tuned and handed back: a net that PyTorch taught to read digits,
// tools/data/digits.safetensors, learns to read them in a mirror, too. Writes tuned.safetensors, for PyTorch.
// Arguments: the folder with the MNIST files, the number of epochs, the file.
#include <oxbow/optim/mnist.h>
#include <oxbow/oxbow.h>

#include <cstdio>
#include <cstdlib>

using namespace oxbow;

// The layers have the names of the modules there.
static Sequential digits() {
  const auto conv = [](std::int64_t filters, const char* name) {
    return Conv2D(filters, {.size = 3, .stride = 2, .padding = 1, .name = name});
  };
  return {conv(8, "conv1"),  BatchNorm({.name = "bn1"}), relu, conv(16, "conv2"), BatchNorm({.name = "bn2"}), relu,
          conv(32, "conv3"), BatchNorm({.name = "bn3"}), relu, GlobalPool(),      Dense(10, {.name = "fc"})};
}

static Model build(Graph& g, const Layer& net = digits()) {
  const Value x = input(g, "x", f32, {any(64), 28, 28, 1}), label = input(g, "label", i64, {any(64)}), logits = net(x);
  return compile(cross_entropy(logits, label), optim::Adam{.learning_rate = 3e-3},
                 {.metrics = {{"accuracy", accuracy(logits, label)}}, .predictions = logits});
}

int main(int argc, char** argv) try {
  const Mnist mnist = load_mnist(argc > 1 ? argv[1] : "tools/data/mnist10k", {.images = true});
  Graph g;
  const Sequential net = digits();
  Model model = build(g, net);
  load_pytorch(argc > 3 ? argv[3] : "tools/data/digits.safetensors", net, model.store());
  const Dataset mirrored = mnist.test.map("x", augment({.flip = true}));
  const auto print = [&](const char* when) {
    for (const auto& [how, data] : {std::pair{"as they are", mnist.test}, std::pair{"half in a mirror", mirrored}}) {
      const Results r = model.evaluate(data);
      std::printf("%s: loss %.5f, accuracy %.4f, %s\n", when, r["loss"], r["accuracy"], how);
    }
  };
  print("before");
  model.fit(mnist.train.map("x", augment({.flip = true})),
            {.epochs = argc > 2 ? std::atoi(argv[2]) : 5, .batch_size = 64});
  print("after");
  save_pytorch("tuned.safetensors", net, model.store());
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
