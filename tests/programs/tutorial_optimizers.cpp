#include <oxbow/oxbow.h>

#include <cmath>
#include <cstdio>

using namespace oxbow;

int main() {
  Tensor x({f32, {256, 1}}), y({f32, {256, 1}});
  for (std::size_t i = 0; i < 256; ++i) {
    x.span<float>()[i] = static_cast<float>(i) / 128 - 1;
    y.span<float>()[i] = 3 * x.span<float>()[i] - 1;
  }
  const Dataset data{{"x", x}, {"y", y}};
  Graph g;
  const Value in = input(g, "x", f32, {any(32), 1}), target = input(g, "y", f32, {any(32), 1});
  const Value loss = mean_squared_error(dense(in, 1), target);

  const optim::Optimizer choices[] = {"sgd", "RMSprop", "adam", optim::SGD{.learning_rate = 0.1, .momentum = 0.9},
                                      optim::Adam{.learning_rate = 0.05}};
  for (const optim::Optimizer& optimizer : choices) {
    Model model = compile(loss, optimizer);  // the same graph, each time with another step
    const History history = model.fit(data, {.epochs = 20});
    std::printf("%-8s rate %-6g loss %.4f  %s\n", std::string(optimizer.name()).c_str(), model.learning_rate(),
                history["loss"].back(), std::string(name(optim::judge(history).verdict)).c_str());
  }
}
