#include "nets.h"

#include <map>

namespace oxbow::tools {
namespace {

std::vector<Value> adam(Value loss) { return optim::minimize(loss, optim::Adam{}).fetches(); }

std::vector<Value> mlp(Graph& g) {
  const Value x = input(g, "x", f32, {any(32), 784}), label = input(g, "label", i64, {any(32)});
  Value h = dense(x, 256, {.activation = relu});
  h = dense(h, 256, {.activation = relu});
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

// Characters in, the next ones out: an LSTM written out step by step, as one node a gate.
std::vector<Value> lstm(Graph& g) {
  constexpr std::int64_t steps = 100, batch = 32, units = 256, letters = 65;
  const Value x = input(g, "x", i64, {batch, steps}), label = input(g, "label", i64, {batch * steps});
  const Value embedded = gather(parameter(g, "embedding", {f32, {letters, 64}}), x);
  const Value wx = parameter(g, "wx", {f32, {64, 4 * units}}), wh = parameter(g, "wh", {f32, {units, 4 * units}});
  const Value from_x =
      matmul(transpose(embedded, {1, 0, 2}), wx) + parameter(g, "b", {f32, {4 * units}}, init::zeros());
  Value h, c;
  std::vector<Value> all;
  for (std::int64_t t = 0; t < steps; ++t) {
    Value z = reshape(slice(from_x, 0, t, t + 1), {batch, 4 * units});
    if (h) z = z + matmul(h, wh);
    const auto gate = [&](std::int64_t k) { return slice(z, 1, k * units, (k + 1) * units); };
    const Value in = sigmoid(gate(0)), forget = sigmoid(gate(1)), cell = tanh(gate(2)), out = sigmoid(gate(3));
    c = c ? in_order(g, [&] { return forget * c + in * cell; }) : in * cell;
    h = out * tanh(c);
    all.push_back(reshape(h, {batch, 1, units}));
  }
  return adam(cross_entropy(dense(reshape(concat(all, 1), {batch * steps, units}), letters), label));
}

constexpr BenchNet nets[] = {
    {"mlp", "784-256-256-10, batch 32, Adam", mlp},
    {"branches", "64 branches of 8 times x = tanh(x w), 64x64, Adam", branches},
    {"lenet", "LeNet-5 on 28x28, batch 64, Adam", lenet},
    {"chain", "16 times x = tanh(1.01 x + 0.5) - x x on 2^20 floats, and the gradient of its sum", chain},
    {"micro", "10-32-32-1, batch 1, Adam", micro},
    {"adam", "Adam over ten parameters of 1000x1000, gradients fed", adam_alone},
    {"lstm", "256 units, 100 steps written out, batch 32, 65 letters, Adam", lstm},
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
