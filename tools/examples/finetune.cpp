// A model from an ONNX file, fine-tuned and handed back: a net that knows digits learns to read them in a mirror by its
// last layer alone. Any file would do; this one is trained here first. Takes the folder with the MNIST files.
#include <oxbow/onnx.h>
#include <oxbow/optim/mnist.h>
#include <oxbow/oxbow.h>

#include <algorithm>
#include <cstdio>

using namespace oxbow;

// What stands for a model from elsewhere.
static Model build(Graph& g) {
  const Value x = input(g, "x", f32, {any(64), 784}), label = input(g, "label", i64, {any(64)});
  const Value h = dense(x, 128, {.activation = relu, .name = "body"});
  return compile(cross_entropy(dense(h, 10, {.name = "head"}).named("logits"), label), "adam");
}

static void write_model(const std::string& path, const Dataset& data) {
  Graph g;
  Model model = build(g);
  model.fit(data, {.epochs = 3, .batch_size = 64});
  export_onnx(path, {{"logits", g.find("head/logits")->output()}}, model.store());
}

static Dataset mirrored(const Dataset& data) {
  Tensor x = data["x"].clone();
  for (float* row = x.data<float>(); row != x.data<float>() + x.count(); row += 28) std::reverse(row, row + 28);
  return {{"x", x}, {"label", data["label"]}};
}

int main(int argc, char** argv) try {
  const Mnist mnist = load_mnist(argc > 1 ? argv[1] : "tools/data/mnist10k");
  write_model("digits.onnx", mnist.train);
  const Dataset train = mirrored(mnist.train), test = mirrored(mnist.test);

  Graph g;
  const OnnxModel net = import_onnx(g, "digits.onnx", {.train = {"head/*"}});
  const Value logits = net.outputs["logits"], label = input(g, "label", i64, {any(2)});
  Model model =
      compile(cross_entropy(logits, label), "adam",
              {.metrics = {{"accuracy", accuracy(logits, label)}}, .predictions = logits, .store = net.store});
  std::printf("frozen: accuracy %.4f in a mirror\n", model.evaluate(test)["accuracy"]);
  model.fit(train, {.epochs = 3, .batch_size = 64});
  std::printf("tuned:  accuracy %.4f in a mirror\n", model.evaluate(test)["accuracy"]);
  export_onnx("tuned.onnx", net.outputs, model.store());
} catch (const Error& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 1;
}
