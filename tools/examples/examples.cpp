#include "examples.h"

namespace oxbow::examples {
namespace {

template <Classifier (*Net)(Graph&)>
void training_step(Graph& g) {
  const Classifier net = Net(g);
  g.add_output("loss", net.loss);
  g.add_output("accuracy", net.accuracy);
  g.add_output("logits", net.logits);
  for (const Value& update : optim::minimize(net.loss, "adam").updates) g.add_update(update);
}

constexpr Example list[] = {
    {"linear_regression", "a line through noisy points", linear_regression},
    {"xor", "two layers by hand: gradients and assign", xor_by_hand},
    {"mnist_mlp", "digits by a multilayer perceptron", training_step<mnist_mlp>},
    {"mnist_cnn", "digits by a convolutional network", training_step<mnist_cnn>},
    {"custom_op", "an op of one's own", custom_op},
};

}  // namespace

std::span<const Example> examples() { return list; }

}  // namespace oxbow::examples
